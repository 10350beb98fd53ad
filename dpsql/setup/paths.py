"""Whose rows are these? Candidates for the unit, and each table's way to it over foreign keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.policy.kinds import identifies, same_identity
from dpsql.setup.names import path_name, table_name


@dataclass(frozen=True, slots=True)
class Way:
    """How a table may reach the unit.

    `steps`: the `unit:` values that the database's foreign keys offer, () none. `named`: columns
    that bear the name of the unit's column but are no foreign key: a hint, nothing more.
    """

    steps: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def sure(self) -> str | None:
        """The one way there is; None where there is none, or a choice that only the owner has."""
        return self.steps[0] if len(self.steps) == 1 else None


def unit_candidates(catalog: Catalog) -> list[tuple[str, str]]:
    """(table, column) that could be the unit: single enforced keys, most far-reaching first."""
    found = []
    for order, (key, table) in enumerate(catalog.tables.items()):
        for columns in table.keys:
            if len(columns) == 1 and identifies(table.columns[columns[0]]):
                reached = sum(bool(way.steps) for way in ways(catalog, key, columns[0]).values())
                found.append((-reached, order, key, columns[0]))
    return [(key, column) for _, _, key, column in sorted(found)]


def ways(catalog: Catalog, unit_table: str, unit_column: str) -> Mapping[str, Way]:
    """Every table's way to `unit_table.unit_column`, by catalog key.

    A hop is an enforced foreign key of one column that lands on an enforced key of a table which
    reaches the unit itself. Only the first hop is written: the rest follows from the next table.
    A table with several first hops is the owner's to decide: its rows may be about two people.
    """
    found = {unit_table: Way((path_name(unit_column),))}
    while True:
        more = {
            key: Way(steps)
            for key, table in catalog.tables.items()
            if key not in found and (steps := _steps(catalog, key, table, found))
        }
        if not more:
            break
        found.update(more)
    for key, table in catalog.tables.items():  # a second way may land on a table reached later
        if key in found and key != unit_table:
            found[key] = Way(_steps(catalog, key, table, found))
    unit = catalog.tables[unit_table].columns[unit_column]
    for key, table in catalog.tables.items():
        if key not in found:
            named = tuple(
                name
                for name, column in table.columns.items()
                if name.casefold() == unit_column.casefold()
                and same_identity(column, unit)
                and not table.unique(name)
            )
            found[key] = Way((), named)
    return {key: found[key] for key in catalog.tables}


def _steps(
    catalog: Catalog, key: str, table: CatalogTable, reached: Mapping[str, Way]
) -> tuple[str, ...]:
    steps = []
    for fk in table.foreign_keys:
        target = _target(catalog, table, fk.target)
        if target is None or target == key or target not in reached or len(fk.columns) != 1:
            continue
        landing = catalog.tables[target]
        if landing.unique(fk.target_columns[0]):
            way = f"{table_name(landing)}.{path_name(fk.target_columns[0])}"
            steps.append(f"{path_name(fk.columns[0])} -> {way}")
    return tuple(dict.fromkeys(steps))


def _target(catalog: Catalog, table: CatalogTable, name: str) -> str | None:
    """The catalog key of the table a foreign key names: DuckDB's keys stay within a schema."""
    return next(
        (
            key
            for key, other in catalog.tables.items()
            if (other.schema, other.name) == (table.schema, name)
        ),
        None,
    )
