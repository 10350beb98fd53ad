"""late: sources that a unit meets once, joined after its rows are aggregated.

Where group keys are functions of the unit (a customer's nation), rows need not carry them: cells
are made and bounded by unit and the other keys, and then each meets the unit's one row. The tables
are far smaller there, and so is what the keys are computed of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from dpsql.core.domain import BOOLEAN, Domain
from dpsql.core.ir import Block, Call, Col, Expr, Given, Join, Listed, Scan, Source, columns
from dpsql.planning.types import KeyPlan, Plan
from dpsql.rules import names
from dpsql.rules.build import col, conjunction, is_not_null, named, select
from dpsql.rules.equalities import conjuncts, equal_to, inner, place, reads
from dpsql.rules.keys import domain_tests, key_column
from dpsql.rules.source import Sources

UNIT_SOURCE = -1
"""Id of the bounded cells, as a source of which late conditions read the unit."""
_CELLS = "a"


@dataclass(frozen=True, slots=True)
class Late:
    """A plan in two: `core` makes the cells, by its own keys, which then meet `sources`.

    `on`: equalities between columns of these sources and of the unit, which is read off the cells.
    `keys`: those of the plan that are computed there.
    """

    core: Plan
    sources: tuple[Source, ...]
    on: tuple[Expr, ...]
    keys: tuple[KeyPlan, ...]


def late(plan: Plan) -> Late | None:
    """The plan in two, or None where that is not possible, or of no use.

    Precondition: `Block.constant` and `owners` follow from enforced keys (`binding.units`).
    Postcondition: the cells with their keys and bounded values are those of one block, row by row
    (docs/proofs/bounding.md 1, "Late sources"). A source that a WHERE looks at is never late:
    the engine filters by it before it aggregates.
    """
    if plan.strategy == "row" or (plan.apart and plan.bounds.max_groups is not None):
        return (
            None  # the last: statements apart keep a unit's groups by all keys, and sums the same
        )
    block = plan.aggregate.block
    parts = conjuncts(inner(block))
    ids = _needed(plan, parts, _possible(plan, parts))
    keys = tuple(key for key in plan.keys if reads(key.expr) & ids)
    owners = {source: unit for source, unit in block.owners if source not in ids}
    met = {block.first.id, *(join.source.id for join in block.joins if join.kind == "inner")}
    sure = {source: unit for source, unit in owners.items() if {source, unit.source} <= met}
    if not keys or not sure or any(unit.source in ids for unit in owners.values()):
        return None  # the last: rows that stay are a unit's by way of a table that would be late
    unit = block.unit if block.unit.source not in ids else sure[min(sure)]
    core = _core(block, ids, parts, unit, owners, sure.values())
    own = tuple(key for key in plan.keys if key not in keys)
    if core is None or (plan.bounds.max_groups is not None and not own):
        return None
    placed = Col(UNIT_SOURCE, names.UNIT, unit.domain)
    return Late(
        replace(plan, keys=own, aggregate=replace(plan.aggregate, block=core)),
        tuple(source for source in block.sources if source.id in ids),
        _late_conditions(parts, ids, placed),
        keys,
    )


def attach(plan: Plan, split: Late, cells: exp.Select, sources: Sources) -> exp.Select:
    """The bounded cells with all keys of the plan: each meets the unit's row of every source."""
    for source in split.sources:
        sources.aliases[source.id] = f"t{len(sources.aliases)}"
    sources.aliases[UNIT_SOURCE] = _CELLS
    query = select([], cells, _CELLS)
    query.set("joins", [sources.join(join) for join in _joined(split)])
    late_keys = {key.name: key for key in split.keys}
    columns = [
        named(key_column(late_keys[name], sources.expr(late_keys[name].expr)), name)
        if name in late_keys
        else named(col(name, _CELLS), name)
        for name in (
            names.UNIT,
            *(key.name for key in plan.keys),
            *(c.alias_or_name for c in cells.expressions[1 + len(split.core.keys) :]),
        )
    ]
    query.set("expressions", columns)
    query.set("where", exp.Where(this=is_not_null(col(names.UNIT, _CELLS))))
    inside = domain_tests(split.keys)
    if not inside:
        return query
    outer = select([exp.column(column.alias) for column in columns], query, "d")
    outer.set("where", exp.Where(this=conjunction(inside)))
    return outer


def _joined(split: Late) -> Iterator[Join]:
    """Each condition stands where all that it speaks of has been named."""
    seen, left = {UNIT_SOURCE}, list(split.on)
    for source in split.sources:
        seen.add(source.id)
        now = [part for part in left if reads(part) <= seen]
        left = [part for part in left if part not in now]
        yield Join("inner", source, tuple(now))


# ---- which sources ---------------------------------------------------------------------------


def _possible(plan: Plan, parts: Sequence[Expr]) -> frozenset[int]:
    """Inner-joined sources of one row a unit that nothing reads but keys, which read no others,
    and equalities with the unit or among themselves."""
    block = plan.aggregate.block
    owners = dict(block.owners)
    left = [join for join in block.joins if join.kind != "inner"]
    busy = {join.source.id for join in left}
    for join in left:
        busy |= reads(join.on)
    busy |= reads(block.lookups) | reads(tuple(part.block for part in plan.blocks))
    ids = {
        source.id
        for source in block.sources
        if source.id in block.constant - busy
        and (_public(source) or (source.id in owners and owners[source.id].source == source.id))
    }
    unit, before = equal_to(block.unit, parts), -1
    while len(ids) != before:
        before = len(ids)
        for key in plan.keys:
            if not reads(key.expr) <= ids:
                ids -= reads(key.expr)
        for part in parts:
            if reads(part) & ids and not _meets(part, ids, unit):
                ids -= reads(part)
    return frozenset(ids)


def _needed(plan: Plan, parts: Sequence[Expr], ids: frozenset[int]) -> frozenset[int]:
    """Those that keys read, and those over which they are reached. Others may only drop rows,
    which is best done early."""
    found = {source for key in plan.keys for source in reads(key.expr) & ids}
    before = -1
    while len(found) != before:
        before = len(found)
        for part in parts:
            if reads(part) & found:
                found |= reads(part) & ids
    return frozenset(found)


def _meets(part: Expr, ids: Collection[int], unit: Collection[Col]) -> bool:
    """Is it an equality of a late source's column with another's, or with the unit?"""
    match part:
        case Call(fn="eq", args=(Col() as a, Col() as b)) if a.domain.type == b.domain.type:
            return all(c.source in ids or place(c) in map(place, unit) for c in (a, b))
    return False


def _public(source: Source) -> bool:
    return isinstance(source, (Listed, Given)) or (isinstance(source, Scan) and not source.private)


# ---- what is left ----------------------------------------------------------------------------


def _core(
    block: Block,
    ids: frozenset[int],
    parts: Sequence[Expr],
    unit: Col,
    owners: dict[int, Col],
    sure: Collection[Col],
) -> Block | None:
    """The block without the late sources. What followed from their equality with the unit is said:
    the units of the inner-joined sources that stay (`sure`), and all columns that late ones met,
    are equal to `unit`. A LEFT JOINed source says so itself; its unit is NULL where none is met."""
    first, *joins = [
        join for join in (Join("inner", block.first, ()), *block.joins) if join.source.id not in ids
    ]
    if first.kind != "inner":
        return None
    where = [c for c in conjuncts((*block.where, *first.on)) if not reads(c) & ids]
    kept = [replace(j, on=tuple(c for c in conjuncts(j.on) if not reads(c) & ids)) for j in joins]
    met = [
        column
        for part in parts
        if reads(part) & ids
        for column in columns(part)
        if column.source not in ids
    ]
    for column in (*sure, *met):
        said = [*where, *(c for join in kept if join.kind == "inner" for c in join.on)]
        if place(column) not in map(place, equal_to(unit, said)):
            where.append(Call("eq", (column, unit), Domain(BOOLEAN, values=(False, True))))
    return replace(
        block,
        first=first.source,
        joins=tuple(kept),
        where=tuple(where),
        unit=unit,
        determined=block.determined - ids,
        constant=block.constant - ids,
        fanning=block.fanning - ids,
        owners=tuple(owners.items()),
    )


def _late_conditions(parts: Sequence[Expr], ids: Collection[int], unit: Col) -> tuple[Expr, ...]:
    """The equalities of late sources, with the unit for every column that stays; each once."""
    found: dict[frozenset[tuple[int, str]], Expr] = {}
    for part in parts:
        if isinstance(part, Call) and any(c.source in ids for c in columns(part)):
            args = [c if isinstance(c, Col) and c.source in ids else unit for c in part.args]
            found.setdefault(frozenset(map(place, args)), replace(part, args=tuple(args)))
    return tuple(found.values())
