"""What exists for analysts: the declared tables and their columns, with the engine's own types.

Read from the policy and the engine's schema, never from a row. A table that the policy does not
list is not here, nor is a hidden column, nor a key that one of them is part of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.core.domain import SqlType
from dpsql.policy.catalog import find_column, find_table
from dpsql.policy.schema import ColumnRule, Policy, Table


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column that may be asked about: `type_text` as the engine spells it, the owner's `rule`."""

    name: str
    type_text: str
    type: SqlType
    nullable: bool
    rule: ColumnRule


@dataclass(frozen=True, slots=True)
class Reference:
    """`columns` hold the values of `target_columns` in another declared table.

    `enforced`: the engine holds it as a foreign key; else it is a step of the owner's unit path.
    """

    columns: tuple[str, ...]
    target_schema: str
    target: str
    target_columns: tuple[str, ...]
    enforced: bool


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table (or view: an analyst sees no difference) under the engine's names.

    `owner_column` holds the privacy unit's id, None where another table does or in public tables.
    """

    declared_as: str
    schema: str
    name: str
    public: bool
    owner_column: str | None
    columns: tuple[DeclaredColumn, ...]
    primary_key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    references: tuple[Reference, ...]


def declared_tables(policy: Policy, catalog: Catalog) -> tuple[DeclaredTable, ...]:
    """All declared tables, in the policy's order; without those that the engine has lost since."""
    seen = dict(_seen(policy, catalog))
    return tuple(_table(name, seen) for name in seen)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A declared table beside its catalog entry, and the columns that are not hidden."""

    table: Table
    entry: CatalogTable
    visible: frozenset[str]

    def named(self, column: str) -> str | None:
        """The visible column of that name, as the engine spells it."""
        found = find_column(self.entry, column)
        return found.name if found is not None and found.name in self.visible else None


def _seen(policy: Policy, catalog: Catalog) -> Iterator[tuple[str, _Seen]]:
    for name, table in policy.tables.items():
        entry = find_table(catalog, table)
        if entry is not None:
            visible = frozenset(c for c in entry.columns if not table.rule(c).hidden)
            yield name, _Seen(table, entry, visible)


def _table(name: str, seen: Mapping[str, _Seen]) -> DeclaredTable:
    here = seen[name]
    table, entry = here.table, here.entry
    owner = None if table.unit is None else table.unit.own_column
    keys = [key for key in entry.keys if here.visible.issuperset(key)]
    return DeclaredTable(
        name,
        entry.schema,
        entry.name,
        table.public,
        None if owner is None else here.named(owner),
        tuple(
            DeclaredColumn(c.name, c.type_text, c.type, c.nullable, table.rule(c.name))
            for c in entry.columns.values()
            if c.name in here.visible
        ),
        next((key for key in keys if key == entry.primary_key), ()),
        tuple(key for key in keys if key != entry.primary_key),
        (*_enforced(here, seen), *_unit_step(here, seen)),
    )


def _enforced(here: _Seen, seen: Mapping[str, _Seen]) -> Iterator[Reference]:
    """The engine's foreign keys between declared tables; DuckDB has none across schemas."""
    for key in here.entry.foreign_keys:
        for there in seen.values():
            if (there.entry.schema, there.entry.name) == (here.entry.schema, key.target):
                yield from _reference(here, key.columns, there, key.target_columns, enforced=True)


def _unit_step(here: _Seen, seen: Mapping[str, _Seen]) -> Iterator[Reference]:
    """The first hop of the owner's path to the unit, where no foreign key says the same."""
    hops = () if here.table.unit is None else here.table.unit.hops
    known = [(r.columns, r.target_columns, r.target) for r in _enforced(here, seen)]
    for hop in hops[:1]:
        there = seen.get(hop.target_table)
        if there is None:
            return
        columns, targets = (hop.column,), (hop.target_column,)
        for step in _reference(here, columns, there, targets, enforced=False):
            if (step.columns, step.target_columns, step.target) not in known:
                yield step


def _reference(
    here: _Seen, columns: Sequence[str], there: _Seen, targets: Sequence[str], *, enforced: bool
) -> Iterator[Reference]:
    """Nothing where a column is hidden on either side."""
    left = tuple(name for column in columns if (name := here.named(column)) is not None)
    right = tuple(name for column in targets if (name := there.named(column)) is not None)
    if (len(left), len(right)) == (len(columns), len(targets)):
        yield Reference(left, there.entry.schema, there.entry.name, right, enforced)
