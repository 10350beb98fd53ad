"""PostgreSQL's schema and enforced keys, as this role may read them, from pg_catalog.

A key counts only where PostgreSQL enforces it on every row that the table's name stands for:
validated, not deferrable, enforced (18: NOT ENFORCED), not over periods (18: WITHOUT OVERLAPS),
its index valid; on a base table without inheriting tables (a partitioned one enforces its keys over
all parts); NOT NULL validated (18: NOT VALID). A foreign key also needs its triggers switched on.
Views, materialized views and foreign tables have none. Names that differ in case alone are left
out: what an analyst writes could be read as either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable, ForeignKey
from dpsql.dialects.postgres_types import INJECTIVE, Read, read_type

Rows = Callable[[str], list[tuple[Any, ...]]]

_READABLE = (
    " c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"
)
_COLUMNS = (
    "SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, a.attnum::int, a.attname,"
    " a.atttypid::bigint, a.atttypmod, a.attnotnull, pg_catalog.format_type(a.atttypid,"
    " a.atttypmod), COALESCE(l.collisdeterministic, true),"
    " COALESCE(l.collname <> 'default', false),"
    " c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation"
    f" WHERE {_READABLE} AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    " AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')"
    " ORDER BY n.nspname, c.relname, a.attnum"
)
_TYPES = (
    "SELECT t.oid::bigint, t.typname, t.typtype::text, t.typbasetype::bigint, t.typtypmod,"
    " n.nspname = 'pg_catalog' FROM pg_catalog.pg_type t"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
    " WHERE t.typtype IN ('b', 'd', 'e')"
)
_KEYS = (
    "SELECT k.conrelid::bigint, k.contype::text, k.conkey::int[], k.confrelid::bigint,"
    " k.confkey::int[]"
    " FROM pg_catalog.pg_constraint k LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid"
    " WHERE k.contype IN ('p', 'u', 'f') AND k.convalidated AND NOT k.condeferrable"
    " AND COALESCE((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)"
    " AND NOT COALESCE((pg_catalog.to_jsonb(k) ->> 'conperiod')::boolean, false)"
    " AND (i.indexrelid IS NULL OR (i.indisvalid AND i.indpred IS NULL AND i.indimmediate))"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid"
    " AND t.tgenabled NOT IN ('O', 'A')) ORDER BY k.contype, k.oid"
)
_UNPROVED = (
    "SELECT k.conrelid::bigint, k.conkey[1]::int FROM pg_catalog.pg_constraint k"
    " WHERE k.contype = 'n' AND NOT k.convalidated"
)
CHECKS = (
    "SELECT n.nspname, c.relname, pg_catalog.pg_get_expr(k.conbin, k.conrelid)"
    " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE k.contype = 'c' AND k.convalidated AND {_READABLE}"
    " AND COALESCE((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true)"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid"
    " AND c.relkind = 'r' AND k.connoinherit) ORDER BY k.oid"
)


@dataclass
class _Relation:
    schema: str
    name: str
    kind: str
    parent: bool
    columns: dict[str, CatalogColumn] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    """Names of its columns by attnum."""
    never_null: set[str] = field(default_factory=set)

    @property
    def base(self) -> bool:
        """Does a key of it hold for all rows that its name stands for?"""
        return self.kind in ("r", "p") and not self.parent


def read_catalog(rows: Rows, default_schema: str) -> Catalog:
    """`rows` runs one statement on the database whose catalog it is."""
    types = {row[0]: row[1:] for row in rows(_TYPES)}
    unproved = {(row[0], row[1]) for row in rows(_UNPROVED)}
    relations: dict[int, _Relation] = {}
    for oid, schema, name, kind, number, column, type_, mod, set_, shown, fixed, own, has in rows(
        _COLUMNS
    ):
        relation = relations.setdefault(oid, _Relation(schema, name, kind, bool(has)))
        read = _read(types, type_, mod, shown, bool(fixed), bool(own))
        never = bool(set_) and (oid, number) not in unproved and relation.base
        if never:
            relation.never_null.add(column)
        relation.numbers[number] = column
        relation.columns[column] = CatalogColumn(
            column, read.text, read.type, read.certain, not never or read.may_vanish, read.stored
        )
    for relation in relations.values():
        _leave_out(relation.columns)
    kept = _named(relations.values(), default_schema)
    keys = rows(_KEYS)
    return Catalog(
        {
            name: _table(oid, relation, keys, relations, default_schema)
            for oid, relation in relations.items()
            if (name := kept.get((relation.schema, relation.name))) is not None
        }
    )


def _read(
    types: dict[int, Any], oid: int, mod: int, shown: str, deterministic: bool, collated: bool
) -> Read:
    """The type of a column; a domain is read as what it is over."""
    for _ in range(32):
        name, kind, base, typmod, ours = types.get(oid, ("", "", 0, -1, False))
        if kind != "d":
            break
        oid, mod = base, typmod if mod == -1 else mod
    named = name if ours or kind == "e" else ""
    return read_type(
        named, mod, kind=kind, shown=shown, deterministic=deterministic, collated=collated
    )


def _leave_out(columns: dict[str, CatalogColumn]) -> None:
    folded = Counter(name.casefold() for name in columns)
    for name in [name for name in columns if folded[name.casefold()] > 1]:
        del columns[name]


def _named(relations: Iterable[_Relation], default: str) -> dict[tuple[str, str], str]:
    """Names in the catalog by schema and table; of those that differ in case alone none."""
    found = {
        (r.schema, r.name): r.name if r.schema == default else f"{r.schema}.{r.name}"
        for r in relations
    }
    folded = Counter(f"{schema}.{name}".casefold() for schema, name in found)
    short = Counter(name.casefold() for name in found.values())
    return {
        place: name
        for place, name in found.items()
        if folded[".".join(place).casefold()] == 1 and short[name.casefold()] == 1
    }


def _table(
    oid: int,
    relation: _Relation,
    keys: Sequence[Any],
    relations: dict[int, _Relation],
    default: str,
) -> CatalogTable:
    unique: list[tuple[str, ...]] = []
    primary: tuple[str, ...] = ()
    foreign: list[ForeignKey] = []
    for table, kind, columns, target, target_columns in keys:
        names = _columns(relation, columns) if table == oid and relation.base else None
        if names is None:
            continue
        if kind == "f":
            there = relations.get(target)
            landing = None if there is None or not there.base else _columns(there, target_columns)
            # A foreign key names its target without a schema: one that leaves its own is left out.
            near = there is not None and there.schema == relation.schema
            if near and there is not None and landing is not None and len(names) == 1:
                foreign.append(ForeignKey(names, there.name, landing))
            continue
        if all(name in relation.never_null for name in names):
            unique.append(names)
        if kind == "p":
            primary = names
    return CatalogTable(
        relation.schema,
        relation.name,
        relation.columns,
        tuple(unique),
        tuple(foreign),
        relation.kind not in ("r", "p"),
        primary,
        unqualified=relation.schema == default,
    )


def _columns(relation: _Relation, numbers: Sequence[int]) -> tuple[str, ...] | None:
    """Names of a key's columns; None if one is not read, or is read so that two could be one."""
    names = [relation.numbers.get(number, "") for number in numbers]
    if any(
        name not in relation.columns or relation.columns[name].stored not in INJECTIVE
        for name in names
    ):
        return None
    return tuple(names)
