"""check(): the policy held against the engine's schema, for the owner's eyes.

Reads names, types and keys only, never data. The order is the file's: connection, budgets,
tables.
"""

from __future__ import annotations

from dpsql.core.catalog import Catalog, CatalogColumn
from dpsql.errors import PolicyError
from dpsql.policy.catalog import find_column, find_table
from dpsql.policy.check_budgets import check_budgets
from dpsql.policy.check_columns import check_columns
from dpsql.policy.check_found import check_found
from dpsql.policy.check_keys import check_keys
from dpsql.policy.check_units import check_units
from dpsql.policy.findings import Finding
from dpsql.policy.kinds import same_identity
from dpsql.policy.not_built import not_built
from dpsql.policy.schema import Policy
from dpsql.policy.suggest import suggest


def check(policy: Policy, catalog: Catalog) -> list[Finding]:
    """All findings. `error`s are what connect() or a query would refuse."""
    budgets = check_budgets(policy)
    return [*not_built(policy), *budgets, *check_tables(policy, catalog)]


def refuse_unfit(policy: Policy, catalog: Catalog) -> None:
    """PolicyError `unfit` naming the first table that the engine's schema contradicts.

    For `connect`: every later stage may rely on paths, keys and types as `check` saw them. The
    finding's own hint may name tables and columns that analysts do not see: it is for `check`.
    """
    for finding in check_tables(policy, catalog):
        if finding.level == "error":
            prefix = f"{policy.source}, " if policy.source else ""
            raise PolicyError(
                f"{prefix}{finding.where}: {finding.message}",
                code="unfit",
                hint="`dpsql check` compares the policy with the database, and says the way out",
            )


def check_tables(policy: Policy, catalog: Catalog) -> list[Finding]:
    """The findings about tables alone."""
    found: list[Finding] = []
    seen: dict[tuple[str, str], str] = {}
    for name, table in policy.tables.items():
        entry = find_table(catalog, table)
        if entry is not None:
            first = seen.setdefault((entry.schema, entry.name), name)
            if first != name:
                found.append(
                    Finding(
                        "error",
                        f"tables.{name}",
                        f"the same table of the database is declared as `{first}` too",
                        "declare each table once, by one name",
                    )
                )
        if entry is None:
            found.append(
                Finding(
                    "error",
                    f"tables.{name}",
                    "the database has no such table",
                    suggest(name, catalog.tables, what="table"),
                )
            )
            continue
        found += check_units(policy, table, entry, catalog)
        found += check_keys(policy, table, entry, catalog)
        found += check_columns(table, entry)
        found += check_found(policy, table, entry, catalog)
    return [*found, *_unit_types(policy, catalog), *_unlisted(policy, catalog)]


def _unit_types(policy: Policy, catalog: Catalog) -> list[Finding]:
    """Tables that hold the unit's id themselves must hold it in one kind of type."""
    first: tuple[str, CatalogColumn] | None = None
    found: list[Finding] = []
    for name, table in policy.tables.items():
        entry = find_table(catalog, table)
        if entry is None or table.unit is None or table.unit.hops:
            continue
        column = find_column(entry, table.unit.column)
        if column is None:
            continue
        if first is None:
            first = name, column
        elif not same_identity(column, first[1]):
            found.append(
                Finding(
                    "error",
                    f"tables.{name}.unit",
                    f"the {policy.unit} is stored as {column.type_text} here and as "
                    f"{first[1].type_text} in {first[0]}: comparing them could merge two into one",
                    "give both columns the same type",
                )
            )
    return found


def _unlisted(policy: Policy, catalog: Catalog) -> list[Finding]:
    known = [find_table(catalog, table) for table in policy.tables.values()]
    rest = [name for name, entry in catalog.tables.items() if all(entry is not k for k in known)]
    if not rest:
        return []
    shown = ", ".join(rest[:10]) + (f" and {len(rest) - 10} more" if len(rest) > 10 else "")
    return [Finding("note", "tables", f"not listed, so they do not exist for analysts: {shown}")]
