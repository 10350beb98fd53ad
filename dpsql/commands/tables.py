"""`dpsql tables`: what an analyst may ask about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from dpsql.commands.options import format_option, policy_option
from dpsql.commands.output import Output, grid_lines, record_grid
from dpsql.commands.words import meant

if TYPE_CHECKING:
    from dpsql.core.catalog import Catalog
    from dpsql.policy import Policy

FIELDS = ("table", "column", "type", "keys", "bounds")


@click.command("tables")
@click.argument("table", required=False)
@format_option()
@policy_option
def command(table: str | None, form: str, policy: str) -> None:
    """List the tables and columns that may be asked about.

    `keys` says which groups a GROUP BY shows: listed values are public and all shown, the values
    of other columns only where enough units share them. `bounds` is what a SUM or AVG clamps to;
    where it says `none`, they need bounds in the query.

    \b
    Example:
      dpsql tables
      dpsql tables persons --format json
    """
    from dpsql.opening import open_engine
    from dpsql.policy import load, refuse_not_built, refuse_unfit

    output = Output(None, binary=False)
    loaded = load(policy)
    refuse_not_built(loaded)
    engine = open_engine(loaded)
    try:
        catalog = engine.catalog()
    finally:
        engine.close()
    refuse_unfit(loaded, catalog)
    records = [r for r in records_of(loaded, catalog) if table in (None, r["table"])]
    if not records:
        known = meant(str(table), loaded.tables)
        raise click.UsageError(f"there is no table {table!r}; `dpsql tables` lists them.{known}")
    output.text(grid_lines(record_grid(FIELDS, records), form, output.style))


def records_of(policy: Policy, catalog: Catalog) -> Iterator[dict[str, str]]:
    """One record a column that may be asked about."""
    from dpsql.declared import declared_tables
    from dpsql.render.declared import groups, summed

    for table in declared_tables(policy, catalog):
        for column in table.columns:
            yield {
                "table": table.declared_as,
                "column": column.name,
                "type": column.type_text,
                "keys": groups(table, column, policy.unit),
                "bounds": summed(table, column),
            }
