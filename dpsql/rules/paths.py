"""paths: a table that the unit path leads over and the query joins anyway is scanned once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.core.ir import Block, Call, Col, Expr, Join, Scan
from dpsql.core.walk import rebuilt
from dpsql.planning.types import Plan
from dpsql.rules.equalities import conjuncts, equal_to, inner, place, reads
from dpsql.rules.source import Tables

T = TypeVar("T")


def without_repeats(plan: Plan, catalog: Catalog, tables: Tables, *, all_: bool = True) -> Plan:
    """The plan with every scan of a unit path dropped that is a row the query has already.

    Not `all_`: what the query itself reads of a unit's one row stays apart, so that it may be late.

    Two inner-joined scans of one table that are equated on a key which the catalog enforces are
    the same row: what reads the one may read the other. Nobody but the block itself reads the scan
    of a path, since no name of the query means it.
    """
    block = plan.aggregate.block
    for source in block.sources:
        if isinstance(source, Scan) and source.private and source.id not in dict(block.owners):
            kept = frozenset[int]() if all_ else block.constant & frozenset(dict(block.owners))
            block = _merged(block, source, catalog.tables[tables[source.table]], kept)
    return replace(plan, aggregate=replace(plan.aggregate, block=block))


def _merged(block: Block, path: Scan, table: CatalogTable, apart: frozenset[int]) -> Block:
    joins = [Join("inner", block.first, ()), *block.joins]
    order = [join.source.id for join in joins]
    parts = conjuncts(inner(block))
    for join in joins:
        other = join.source
        if not isinstance(other, Scan) or (other.table, other.private) != (path.table, True):
            continue
        if (
            other.id in {path.id, *apart}
            or join.kind != "inner"
            or not _same_row(path, other, table, parts)
        ):
            continue
        waiting = [j for j in joins if j.kind != "inner" and path.id in reads(j.on)]
        if all(order.index(other.id) < order.index(j.source.id) for j in waiting):
            return _dropped(block, joins, path.id, other.id)
    return block


def _same_row(one: Scan, other: Scan, table: CatalogTable, parts: Sequence[Expr]) -> bool:
    def equated(name: str) -> bool:
        return any(
            place(b) == (other.id, b.name)
            for column in _columns(parts, one.id, name)
            for b in equal_to(column, parts)
            if b.name.casefold() == name.casefold()
        )

    return any(key and all(map(equated, key)) for key in table.keys)


def _columns(parts: Sequence[Expr], source: int, name: str) -> list[Col]:
    found = [c for part in parts if isinstance(part, Call) for c in part.args]
    return [
        c
        for c in found
        if isinstance(c, Col) and c.source == source and c.name.casefold() == name.casefold()
    ][:1]


def _dropped(block: Block, joins: Sequence[Join], path: int, other: int) -> Block:
    """Conditions that come to say one thing twice are said once, where all they read is there."""
    unit = _moved(block.unit, path, other)
    seen: set[int] = set()
    said: set[object] = set()
    kept: list[Join] = []
    waiting: list[Expr] = []
    for join in joins:
        on = _moved(join.on, path, other)
        if join.kind == "inner":
            waiting += _fresh(on, said, unit)
        if join.source.id == path:
            continue
        seen.add(join.source.id)
        if join.kind == "inner":
            on = tuple(part for part in waiting if reads(part) <= seen)
            waiting = [part for part in waiting if part not in on]
        kept.append(replace(join, on=on))
    first, *rest = kept
    gone = frozenset({path})
    return replace(
        block,
        first=first.source,
        joins=tuple(rest),
        where=(*first.on, *waiting, *_fresh(_moved(block.where, path, other), said, unit)),
        unit=unit,
        lookups=_moved(block.lookups, path, other),
        owners=_moved(block.owners, path, other),
        determined=block.determined - gone,
        constant=block.constant - gone,
        fanning=block.fanning - gone,
    )


def _fresh(conditions: Sequence[Expr], said: set[object], unit: Col) -> list[Expr]:
    """Those not said yet. x = x says that x is there: no news of the unit or a NOT NULL column."""
    found = []
    for part in conjuncts(conditions):
        mark: object = part
        match part:
            case Call(fn="eq", args=(Col() as a, Col() as b)):
                mark = frozenset({place(a), place(b)})
                if place(a) == place(b) and (place(a) == place(unit) or not a.domain.nullable):
                    continue
        if mark not in said:
            said.add(mark)
            found.append(part)
    return found


def _moved(node: T, path: int, other: int) -> T:
    """Anything bound, with the one scan's columns read of the other."""

    def moved(part: object) -> object:
        if isinstance(part, Col) and part.source == path:
            return replace(part, source=other)
        return part

    return rebuilt(node, moved)
