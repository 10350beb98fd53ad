"""How each table reaches its unit, which keys hold that way up, and what bounds its rows."""

from __future__ import annotations

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.policy.catalog import find_column, find_table, one_row_per_unit
from dpsql.policy.findings import Finding
from dpsql.policy.kinds import identifies, same_identity
from dpsql.policy.promises import promises
from dpsql.policy.schema import AUTO, Hop, Policy, Table, UnitPath
from dpsql.policy.suggest import suggest


def check_units(
    policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog
) -> list[Finding]:
    """Errors of the unit path, then notes on how dpsql understands it."""
    found = _key(table, entry)
    if table.unit is None:
        message = "public: about no one, may be read exactly"
        return [*found, Finding("note", f"tables.{table.name}", message)]
    errors = _path(policy, table, table.unit, catalog)
    if errors:
        return [*found, *errors]
    return [*found, _reached(policy, table, table.unit), *_rows(policy, table, catalog)]


def _path(policy: Policy, table: Table, path: UnitPath, catalog: Catalog) -> list[Finding]:
    """Each hop in turn; stops where the way breaks (a broken target is reported by itself)."""
    where = f"tables.{table.name}.unit"
    at = table
    for hop in path.hops:
        target = policy.tables[hop.target_table]
        here, there = find_table(catalog, at), find_table(catalog, target)
        if here is None or there is None:
            return []
        found = _hop(where, at, here, hop, target, there)
        if any(finding.level == "error" for finding in found):
            return found
        at = target
    last = find_table(catalog, at)
    return [] if last is None else _end(where, policy, at, last, path.column)


def _hop(
    where: str, at: Table, here: CatalogTable, hop: Hop, target: Table, there: CatalogTable
) -> list[Finding]:
    source, landing = find_column(here, hop.column), find_column(there, hop.target_column)
    if source is None:
        return [_missing(where, at, here, hop.column)]
    if landing is None:
        return [_missing(where, target, there, hop.target_column)]
    step = f"{at.name}.{source.name} -> {target.name}.{landing.name}"
    if not same_identity(source, landing):
        types = f"{source.type_text} with {landing.type_text}"
        message = f"{step} compares {types}: that could merge two units"
        return [Finding("error", where, message, "give both columns the same type")]
    if there.unique(landing.name) or promises(target, landing.name):
        return []
    return [
        Finding(
            "error",
            where,
            f"{step}: {target.name}.{landing.name} is not a key that the database enforces, "
            "so a row could belong to several units",
            f"declare PRIMARY KEY ({landing.name}) or UNIQUE and NOT NULL on {target.name}; where"
            f" nothing can be declared (files, Spark), write `key: {landing.name}` and `promised:"
            " true` there if it is one",
        )
    ]


def _end(where: str, policy: Policy, at: Table, last: CatalogTable, column: str) -> list[Finding]:
    found = find_column(last, column)
    if found is None:
        return [_missing(where, at, last, column)]
    if not identifies(found):
        message = f"{at.name}.{found.name} ({found.type_text}) cannot identify a {policy.unit}"
        return [Finding("error", where, message, "use a whole number, text or a UUID")]
    return []


def _reached(policy: Policy, table: Table, path: UnitPath) -> Finding:
    steps = [table.name]
    steps += [f"{hop.column} -> {hop.target_table}.{hop.target_column}" for hop in path.hops]
    way = ", ".join(steps[1:])
    reach = f"over {way}, then {path.column}" if way else f"by {path.column}"
    message = f"each row belongs to the {policy.unit} reached {reach}"
    return Finding("note", f"tables.{table.name}.unit", message)


def _rows(policy: Policy, table: Table, catalog: Catalog) -> list[Finding]:
    where = f"tables.{table.name}"
    unit = policy.unit
    found = [*_nulls(policy, table, catalog)]
    assert table.unit is not None
    if one_row_per_unit(policy.tables, catalog, table.name, table.unit):
        message = f"one row per {unit}, enforced by the database: no pre-aggregation is needed"
        return [*found, Finding("note", where, message)]
    caps = []
    rows, groups = policy.bounds.max_rows_per_group, policy.bounds.max_groups
    if rows is not None:
        caps.append(f"max_rows_per_group {'auto' if rows is AUTO else rows}")
    if table.max_rows_per_unit is not None:
        caps.append(f"max_rows_per_unit {table.max_rows_per_unit}")
    if groups is not None:
        caps.append(f"max_groups {groups}")
    message = f"a {unit} may have many rows; what one adds is bounded by {', '.join(caps)}"
    if rows is None and table.max_rows_per_unit is None:
        message = f"a {unit} may have many rows and nothing here bounds them"
        named = "every query must name a bound"
        if policy.bounds.automatic:
            named = "every query names or finds a bound"
        hint = f"set bounds.max_rows_per_group, else {named}"
        return [*found, Finding("warning", where, message, hint)]
    return [*found, Finding("note", where, message)]


def _nulls(policy: Policy, table: Table, catalog: Catalog) -> list[Finding]:
    """Columns on the way that may be NULL: their rows are nobody's and are never counted."""
    assert table.unit is not None
    at, nullable = table, []
    for column, target in (
        *((hop.column, hop.target_table) for hop in table.unit.hops),
        (table.unit.column, None),
    ):
        entry = find_table(catalog, at)
        found = None if entry is None else find_column(entry, column)
        if found is not None and found.nullable:
            nullable.append(f"{at.name}.{found.name}")
        if target is not None:
            at = policy.tables[target]
    if not nullable:
        return []
    message = f"rows where {' or '.join(nullable)} is NULL belong to nobody and are dropped"
    return [Finding("note", f"tables.{table.name}.unit", message)]


def _key(table: Table, entry: CatalogTable) -> list[Finding]:
    """`key`: names an existing column; without `promised` it changes nothing.

    A promise is verified by GROUP BY and used by `=`, so they must agree: as a unit's do.
    """
    if table.key is None:
        return []
    where = f"tables.{table.name}.key"
    column = find_column(entry, table.key)
    if column is None:
        return [_missing(where, table, entry, table.key)]
    if entry.unique(column.name):
        return []
    if table.promised and not identifies(column):
        message = f"{column.name} ({column.type_text}) cannot be promised as a key"
        return [Finding("error", where, message, "use a whole number, text or a UUID")]
    if table.promised:
        return []
    message = f"the database does not enforce {column.name} as a key, so nothing rests on it"
    return [Finding("warning", where, message, "declare it PRIMARY KEY in the database")]


def _missing(where: str, table: Table, entry: CatalogTable, column: str) -> Finding:
    message = f"{table.name} has no column {column}"
    return Finding("error", where, message, suggest(column, entry.columns, what="column"))
