"""`dpsql tables`: what an analyst may ask about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.render.numbers import amount, plain

if TYPE_CHECKING:
    from dpsql.core.catalog import Catalog, CatalogColumn
    from dpsql.policy import ColumnRule, Policy, Table

FIELDS = ("table", "column", "type", "keys", "bounds")
SHOWN_VALUES = 48


@click.command("tables")
@click.argument("table", required=False)
@format_option()
@policy_option
def command(table: str | None, form: str, policy: str) -> None:
    """List the tables and columns that may be asked about.

    `keys` says which groups a GROUP BY shows: listed values are public and all shown, the values
    of other columns only where enough units share them. `bounds` is what a SUM or AVG clamps to.

    \b
    Example:
      dpsql tables
      dpsql tables persons --format json
    """
    from dpsql.dialects.duckdb import DuckDBEngine
    from dpsql.errors import PolicyError
    from dpsql.policy import load, refuse_not_built, refuse_unfit

    output = Output(None, binary=False)
    loaded = load(policy)
    refuse_not_built(loaded)
    if loaded.database is None:
        raise PolicyError("the policy names no database", code="database-url")
    engine = DuckDBEngine.open(loaded.database.path or ":memory:")
    try:
        catalog = engine.catalog()
    finally:
        engine.close()
    refuse_unfit(loaded, catalog)
    records = [r for r in records_of(loaded, catalog) if table in (None, r["table"])]
    if not records:
        raise click.UsageError(f"there is no table {table!r}; `dpsql tables` lists them")
    output.text(grid_lines(record_grid(FIELDS, records), form, output.style))


def records_of(policy: Policy, catalog: Catalog) -> Iterator[dict[str, str]]:
    """One record a column that may be asked about, of a policy that fits the catalog."""
    for name, table in policy.tables.items():
        entry = catalog.find(".".join(table.parts))
        assert entry is not None  # refuse_unfit saw it
        for column in entry.columns.values():
            rule = table.rule(column.name)
            if rule.hidden:
                continue
            yield {
                "table": name,
                "column": column.name,
                "type": column.type_text,
                "keys": _keys(policy, table, column, rule),
                "bounds": _bounds(rule),
            }


def _keys(policy: Policy, table: Table, column: CatalogColumn, rule: ColumnRule) -> str:
    """What a GROUP BY on the column shows."""
    from dpsql.policy.check_columns import public_domain

    if table.public:
        return "public table"
    owner = None if table.unit is None else table.unit.own_column
    if owner is not None and owner.casefold() == column.name.casefold():
        return f"the {policy.unit}"
    if rule.values is not None:
        values = ", ".join(plain(value) for value in rule.values)
        if len(values) <= SHOWN_VALUES:
            return values
    return public_domain(rule, column.type.kind) or "where enough share it"


def _bounds(rule: ColumnRule) -> str:
    if rule.min is None or rule.max is None:
        return ""
    return f"{_end(rule.min)} to {_end(rule.max)}"


def _end(value: Fraction | date) -> str:
    return amount(value) if isinstance(value, Fraction) else plain(value)
