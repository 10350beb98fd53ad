"""Kept cells: a table of bounded (unit, keys) cells with ranks, and the plans that it serves.

The plan is never made for them: it is the one that the query would have anyway, and a table of
cells serves it only where its bounded cells are, value by value, those that the plan's own
statement would make (docs/proofs/kept_cells.md). So neither price nor noise nor name of a release
knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dpsql.aggregates.basis import Block as BasisBlock
from dpsql.aggregates.basis import CountBlock, Grid, MomentsBlock, SumBlock, UnitsBlock
from dpsql.aggregates.rows import rows_of
from dpsql.core.bounds import ContributionBounds
from dpsql.core.ir import Aggregate, PrivateAggregate
from dpsql.errors import RefusedQuery
from dpsql.planning.blocks import ALL_ROWS
from dpsql.planning.bounds import Limits, limits
from dpsql.planning.grids import make_grid
from dpsql.planning.keys import PublicValues, plan_keys
from dpsql.planning.types import WEIGHT, KeyPlan, Plan, Strategy
from dpsql.policy.schema import Policy

_USUAL = Fraction(1)
"""The ε for which grids are made: they depend on it from 16 on, and for floats alone."""


@dataclass(frozen=True, slots=True)
class KeptBlock:
    """A block whose bounded cells are kept."""

    block: BasisBlock


@dataclass(frozen=True, slots=True)
class KeptCells:
    """What a table of cells holds: as a plan says it, but for noise, price and a cap on groups.

    Its cells are of all groups; each has its rank among its unit's, so every cap is served.
    """

    aggregate: PrivateAggregate
    keys: tuple[KeyPlan, ...]
    bounds: ContributionBounds
    strategy: Strategy
    weight: int
    blocks: tuple[KeptBlock, ...]


@dataclass(frozen=True, slots=True)
class Serving:
    """How cells serve a plan: the place in them of each of its keys, and of each of its blocks."""

    keys: tuple[int, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A table of cells that serves a plan, whether or not it is up to date.

    `name`: of what, for people. `definition`: the statement whose rows it holds, made under `salt`.
    The plan's own statement is to rank by the same salt, the keys in the order `ranked`: then both
    select the same cells.
    """

    table: str
    name: str
    definition: str
    salt: int
    cells: KeptCells
    serving: Serving

    @property
    def ranked(self) -> tuple[int, ...]:
        """The plan's keys in the order of the cells'."""
        return tuple(sorted(range(len(self.serving.keys)), key=self.serving.keys.__getitem__))


def kept_cells(
    aggregate: PrivateAggregate, policy: Policy, public_values: PublicValues
) -> Iterator[KeptCells]:
    """The cells by the keys of `aggregate`, with what is counted and summed of its arguments.

    One for each strategy that its plans may take. Raises RefusedQuery where nothing is bounded
    beforehand, or where cells would not help.
    """
    block = aggregate.block
    if block.one_row_per_unit:
        raise _needless(policy)
    keys = plan_keys(aggregate.keys, block.sources, public_values)
    capped = replace(aggregate, options=replace(aggregate.options, max_groups=1))
    found = limits(capped, keys, policy)
    m, most = found.rows_per_group, found.rows_per_unit
    bounds = ContributionBounds(touched=1, max_groups=None, max_rows_per_group=m)
    yield KeptCells(aggregate, keys, bounds, "cap", 1, _blocks(aggregate, found, units=True))
    if most is not None:
        weighed = replace(bounds, max_rows_per_unit=most)
        blocks = _blocks(aggregate, found, units=False)
        yield KeptCells(aggregate, keys, weighed, "weights", WEIGHT, blocks)


def _blocks(aggregate: PrivateAggregate, found: Limits, *, units: bool) -> tuple[KeptBlock, ...]:
    """What plans may ask of each value, and of the rows that have it."""
    blocks: dict[BasisBlock, None] = {}
    for rows in dict.fromkeys([ALL_ROWS, *map(rows_of, _summed(aggregate))]):
        blocks[CountBlock(rows)] = None
        if units:
            blocks[UnitsBlock(rows)] = None
    for call in _summed(aggregate):
        assert call.arg is not None
        rows = rows_of(call)
        blocks[SumBlock(rows, call.arg, _grid(call, found, 1, alone=True))] = None
        for degree in (1, 2):
            grid = _grid(call, found, degree, alone=False)
            blocks[MomentsBlock(rows, call.arg, grid, degree)] = None
    return tuple(map(KeptBlock, blocks))


def _summed(aggregate: PrivateAggregate) -> list[Aggregate]:
    return [call for call in aggregate.aggregates if call.fn == "sum"]


def _grid(call: Aggregate, found: Limits, degree: int, *, alone: bool) -> Grid:
    assert call.arg is not None
    bounds = call.arg.domain.bounds
    if bounds.lo is None or bounds.hi is None:
        raise RefusedQuery(
            "a value of `values` has no range",
            code="kept-unfit",
            hint="declare its `min` and `max`, or leave it out of `values`",
        )
    return make_grid(
        call.arg.domain.type,
        bounds,
        degree=degree,
        alone=alone,
        rows=max(found.rows_per_group, found.rows_per_unit or 1),
        weight=WEIGHT,
        epsilon=_USUAL,
    )


def _needless(policy: Policy) -> RefusedQuery:
    return RefusedQuery(
        f"the database enforces one row per {policy.unit}: no cells are made of it",
        code="kept-unfit",
        hint="leave `kept` out; such queries are about as fast as the plain one",
    )


# ---- which plans are served ------------------------------------------------------------------


def serving(plan: Plan, cells: KeptCells) -> Serving | None:
    """How the cells serve the plan; None unless they are the plan's own, cell by cell.

    The same rows of the same relation, the same keys coded alike with the same domain, the same
    caps on rows, the same weights, and every block among those that are kept.
    """
    if plan.choice is not None or plan.apart or not plan.sums:
        return None
    mine, theirs = plan.bounds, cells.bounds
    alike = (
        (plan.strategy, plan.weight) == (cells.strategy, cells.weight)
        and plan.aggregate.block == cells.aggregate.block
        and mine.max_rows_per_group == theirs.max_rows_per_group
        and mine.max_rows_per_unit == theirs.max_rows_per_unit
    )
    if not alike:
        return None
    known = [part.block for part in cells.blocks]
    wanted = [part.block for part in plan.blocks]
    keys = _places(plan.keys, cells.keys)
    if keys is None or any(block not in known for block in wanted):
        return None
    return Serving(keys, tuple(known.index(block) for block in wanted))


def _places(mine: Sequence[KeyPlan], theirs: Sequence[KeyPlan]) -> tuple[int, ...] | None:
    """Where each key of the plan is among those of the cells, which have no others."""
    places: list[int] = []
    for key in mine:
        left = (at for at in range(len(theirs)) if at not in places and _same(key, theirs[at]))
        at = next(left, None)
        if at is None:
            return None
        places.append(at)
    return tuple(places) if len(places) == len(theirs) else None


def _same(one: KeyPlan, other: KeyPlan) -> bool:
    """The same but for the name that the query's order gives."""
    return (one.expr, one.values, one.coding) == (other.expr, other.values, other.coding)
