"""Assemble the plan of one private aggregate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from dpsql import aggregates
from dpsql.aggregates.basis import Block as BasisBlock
from dpsql.aggregates.basis import DistinctBlock, Grid
from dpsql.core.domain import Kind
from dpsql.core.ir import (
    MAX_GIVEN_ROWS,
    Aggregate,
    Block,
    Expr,
    Given,
    Listed,
    PerUnit,
    PrivateAggregate,
    Scan,
    Union,
    Windowed,
)
from dpsql.errors import RefusedQuery
from dpsql.planning.answer_types import answer_type, check_size
from dpsql.planning.blocks import plan_blocks
from dpsql.planning.bounds import Limits, limits
from dpsql.planning.distinct import count_type, plan_distincts
from dpsql.planning.division import DECIDES, Division, Importance
from dpsql.planning.grids import make_grid, make_pair_grids
from dpsql.planning.histograms import Histogram, plan_histograms
from dpsql.planning.keys import PublicValues, plan_keys
from dpsql.planning.noise import LAWS, Laws, Noise, Strategies, choose
from dpsql.planning.search import EVERY, Alternatives, Found, Shape, search
from dpsql.planning.types import WEIGHT, ColumnPlan, KeyPlan, Plan
from dpsql.policy.schema import Policy

HIDDEN_UNITS = "units_shown"
MAX_PRIVATE = 2  # tables of a join that may hold many rows of one unit
MAX_PUBLIC_ROWS = 1_000_000  # rows of public tables that one row may meet

PublicRows = Callable[[str], int]
"""Number of rows of a public table."""

WIDEST = 2**400
"""Largest value that may be summed: its square times 2^48 units, 2^40 rows, 2^17 groups and
noise at ε = 2^-30 stays a finite double, so no answer can overflow, whatever the data."""


def make_plan(
    aggregate: PrivateAggregate,
    policy: Policy,
    *,
    epsilon: Fraction,
    delta: Fraction,
    public_values: PublicValues,
    public_rows: PublicRows = lambda table: 1,
    laws: Laws = LAWS,
    importance: Importance | None = None,
    alternatives: Alternatives = EVERY,
    rows: int | None = None,
) -> Plan:
    """The plan that spends exactly (ε, δ). Raises RefusedQuery where none is possible.

    `laws`: the noise laws to choose from; explain compares them. `importance`: of each column in
    what the statement shows, None where that is not known. `alternatives`: to choose from
    otherwise; benchmarks force them. `rows`: of a unit in a group at the most, where a choice finds
    how many.
    """
    _check_joins(aggregate.block, policy, public_rows)
    needs = _needs(aggregate, policy, public_values, rows, (epsilon, delta, laws))
    if importance is not None and needs.filtered:
        importance = {**importance, HIDDEN_UNITS: DECIDES}
    chosen = search(
        needs.told,
        needs.shape,
        needs.noised,
        importance,
        alternatives,
        lone_strategy=aggregate.block.one_row_per_unit or needs.found.rows_per_unit is None,
    )
    if chosen is None:
        raise _too_cheap()
    return _planned(needs, chosen)


@dataclass(frozen=True)
class _Needs:
    """What every alternative for one aggregate has in common, and how each is shaped and noised.

    `calls`: what is asked and, where public groups are `filtered`, a hidden count of units.
    `points` and `listed`: by call, its place among the histograms, and among the distincts. `rows`:
    of a unit in a group at the most, where a choice finds how many.
    """

    aggregate: PrivateAggregate
    keys: tuple[KeyPlan, ...]
    public: bool
    found: Limits
    least: int
    rows: int | None
    epsilon: Fraction
    delta: Fraction
    laws: Laws
    calls: tuple[Aggregate, ...]
    histograms: tuple[Histogram, ...]
    points: tuple[tuple[int, int] | None, ...]
    distincts: tuple[DistinctBlock, ...]
    listed: tuple[int | None, ...]

    @property
    def filtered(self) -> bool:
        return _are_filtered(self.keys, self.public, self.least)

    @property
    def told(self) -> list[Aggregate]:
        """The calls that blocks answer: no quantiles, no counts of values."""
        pairs = zip(self.calls, self.listed, strict=True)
        return [call for call, at in pairs if call.quantile is None and at is None]

    def shape(self, joint: bool) -> Shape:
        found, epsilon = self.found, self.epsilon
        return plan_blocks(
            self.told,
            one_row_per_cell=found.rows_per_group == 1 and self.rows is None,
            thresholded=not self.public,
            grid=lambda value, degree, alone: _grid(value, degree, alone, found, epsilon),
            pair_grids=lambda values, degrees: _pair_grids(values, degrees, found, epsilon),
            joint=joint,
            tally=_tally_steps(self.aggregate, found),
        )

    def noised(
        self,
        blocks: Sequence[BasisBlock],
        division: Division,
        allowed: Laws,
        strategies: Strategies,
        units_counted: bool,
    ) -> Noise | None:
        return choose(
            blocks,
            self.found,
            one_row=self.aggregate.block.one_row_per_unit,
            cells=_cells(self.keys, self.public),
            min_units=0 if self.public else self.least,
            epsilon=self.epsilon,
            delta=self.delta,
            laws=[law for law in allowed if law in self.laws],
            histograms=self.histograms,
            distincts=self.distincts,
            division=division,
            strategies=strategies,
            units_counted=units_counted,
        )


def _needs(
    aggregate: PrivateAggregate,
    policy: Policy,
    public_values: PublicValues,
    rows: int | None,
    price: tuple[Fraction, Fraction, Laws],
) -> _Needs:
    keys = plan_keys(aggregate.keys, aggregate.block.sources, public_values)
    public = _are_public(keys, aggregate)
    found = limits(aggregate, keys, policy, rows)
    least = _least_units(aggregate, policy, public)
    filtered = _are_filtered(keys, public, least)
    hidden = (Aggregate(HIDDEN_UNITS, "count_units", None, None),) if filtered else ()
    calls = (*aggregate.aggregates, *hidden)
    for call in calls:
        if call.quantile is not None and call.arg is not None:
            _check_range(call.arg)
    histograms = plan_histograms(calls, _cells(keys, public))
    distincts = plan_distincts(calls)
    return _Needs(
        aggregate, keys, public, found, least, rows, *price, calls, *histograms, *distincts
    )


def _planned(needs: _Needs, chosen: Found) -> Plan:
    noise, keys = chosen.noise, needs.keys
    columns = _columns(needs.calls, chosen.places, needs.points, needs.listed, noise)
    return Plan(
        needs.aggregate,
        # Where nothing is capped text keys can come back as they are.
        tuple(_as_text(key) for key in keys) if noise.strategy == "row" else keys,
        noise.bounds,
        noise.strategy,
        noise.weight,
        noise.law,
        noise.blocks,
        noise.threshold,
        columns,
        needs.least,
        len(columns) - 1 if needs.filtered else None,
        needs.epsilon,
        needs.delta,
        noise.items,
        noise.histograms,
        chosen.division,
        noise.distincts,
    )


def _columns(
    calls: Sequence[Aggregate],
    places: Sequence[int | None],
    points: Sequence[tuple[int, int] | None],
    listed: Sequence[int | None],
    noise: Noise,
) -> tuple[ColumnPlan, ...]:
    """`places`: blocks of the calls that are no quantiles and count no values, in order."""
    for part in noise.blocks:
        check_size(part, noise.weight)
    left, columns = iter(places), []
    for call, point, at in zip(calls, points, listed, strict=True):
        if point is not None:
            type_ = aggregates.for_name(call.fn).result_type(call)
            columns.append(ColumnPlan(call, None, type_, point))
            continue
        if at is not None:
            columns.append(ColumnPlan(call, None, count_type(noise.distincts[at]), distinct=at))
            continue
        place = next(left)
        block = None if place is None else noise.blocks[place]
        columns.append(ColumnPlan(call, place, answer_type(call, block, noise.weight, noise.law)))
    return tuple(columns)


def _are_public(keys: tuple[KeyPlan, ...], aggregate: PrivateAggregate) -> bool:
    public = all(key.values is not None for key in keys)
    if aggregate.options.public_groups and not public:
        raise _not_public()
    return public


def _least_units(aggregate: PrivateAggregate, policy: Policy, public: bool) -> int:
    """Units a shown group has at the least; public groups are filtered only where it is asked."""
    asked = aggregate.options.min_units or 0
    return asked if public else max(policy.bounds.min_units_per_group, asked)


def _are_filtered(keys: tuple[KeyPlan, ...], public: bool, least: int) -> bool:
    """Are public groups of few units left out?"""
    return public and bool(keys) and least > 1


def _cells(keys: tuple[KeyPlan, ...], public: bool) -> int | None:
    """The size of the public key domain, None for private keys."""
    return prod(len(key.values or ()) for key in keys) if public else None


def _check_joins(block: Block, policy: Policy, public_rows: PublicRows) -> None:
    """Refuse joins in which one unit's rows could multiply beyond measure.

    Contributions are bounded after the join, so privacy of the answer does not rest on this; but
    the time that one row's explosion takes, and the deadline it may meet, would tell of it. Row
    counts of public tables are public.
    """
    for source in block.sources:
        if isinstance(source, (PerUnit, Windowed)):
            _check_joins(source.block, policy, public_rows)
        if isinstance(source, Union):
            for branch in source.branches:
                _check_joins(branch.block, policy, public_rows)
    for semi in block.semijoins:
        _check_joins(semi.block, policy, public_rows)
    many = [source for source in block.sources if source.id in block.fanning]
    public = [s.table for s in many if isinstance(s, Scan) and not s.private]
    listed = [len(s.rows) for s in many if isinstance(s, Listed)]
    given = sum(isinstance(source, Given) for source in many)
    private = len(many) - len(public) - len(listed) - given
    rows = prod(map(public_rows, public)) * prod(listed) * MAX_GIVEN_ROWS**given
    if private > MAX_PRIVATE or rows > MAX_PUBLIC_ROWS:
        what = "more than two tables" if private > MAX_PRIVATE else "public tables"
        raise RefusedQuery(
            f"joining {what} without a key that the database enforces could multiply one"
            f" {policy.unit}'s rows without end",
            code="join-too-wide",
            hint="join public tables on their key (PRIMARY KEY or UNIQUE NOT NULL), and aggregate"
            f" a table by {policy.unit} in a subquery before joining it",
        )


def _tally_steps(aggregate: PrivateAggregate, found: Limits) -> int | None:
    """What a row of a tally counts. None: rows that exclude each other are bounded one by one.

    A tally's rows are bounded together, so it is for units that have no more rows than count in a
    group anyway: then nothing is cut that would count otherwise.
    """
    if aggregate.block.one_row_per_unit:
        return 1
    all_count = found.rows_per_unit is not None and found.rows_per_unit <= found.rows_per_group
    return WEIGHT if all_count else None


def _as_text(key: KeyPlan) -> KeyPlan:
    text = key.expr.domain.type.kind is Kind.TEXT
    return replace(key, coding="self") if text else key


def _grid(value: Expr, degree: int, alone: bool, found: Limits, epsilon: Fraction) -> Grid:
    _check_range(value)
    return make_grid(
        value.domain.type,
        value.domain.bounds,
        degree=degree,
        alone=alone,
        rows=max(found.rows_per_group, found.rows_per_unit or 1),
        weight=WEIGHT,
        epsilon=epsilon,
    )


def _pair_grids(
    values: tuple[Expr, Expr], degrees: tuple[int, int], found: Limits, epsilon: Fraction
) -> tuple[Grid, Grid]:
    for value in values:
        _check_range(value)
    first, second = (value.domain for value in values)
    return make_pair_grids(
        (first.type, second.type),
        (first.bounds, second.bounds),
        degrees=degrees,
        rows=max(found.rows_per_group, found.rows_per_unit or 1),
        weight=WEIGHT,
        epsilon=epsilon,
    )


def _check_range(value: Expr) -> None:
    if max(abs(end) for end in value.domain.bounds.numbers()) > WIDEST:
        raise RefusedQuery(
            "what is aggregated may reach beyond 1e120: its sums and its noise fit no number",
            code="range-too-wide",
            hint="clip it: LEAST(GREATEST(x, 0), 1000000)",
        )


def _not_public() -> RefusedQuery:
    return RefusedQuery(
        "PUBLIC_GROUPS is accepted only where the keys are public: declared values, dates"
        " truncated over a declared range, CASE over literals, a public table's column",
        code="keys-not-public",
        hint="drop group_selection_strategy, or restrict the key with WHERE key IN (...)",
    )


def _too_cheap() -> RefusedQuery:
    return RefusedQuery(
        "at this price no group could ever be shown",
        code="price-too-small",
        hint="ask with a larger epsilon, or fewer groups per unit",
    )
