"""Assemble the plan of one private aggregate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod

from dpsql import aggregates
from dpsql.aggregates.basis import Block as BasisBlock
from dpsql.aggregates.basis import Grid
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
from dpsql.planning.histograms import plan_histograms
from dpsql.planning.keys import PublicValues, plan_keys
from dpsql.planning.noise import LAWS, Laws, Noise, Strategies, choose
from dpsql.planning.search import EVERY, Alternatives, Shape, search
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
    keys = plan_keys(aggregate.keys, aggregate.block.sources, public_values)
    public = _are_public(keys, aggregate)
    found = limits(aggregate, keys, policy, rows)
    least = _least_units(aggregate, policy, public)
    filtered = public and bool(keys) and least > 1
    hidden = (Aggregate(HIDDEN_UNITS, "count_units", None, None),) if filtered else ()
    calls = (*aggregate.aggregates, *hidden)
    cells = prod(len(key.values or ()) for key in keys) if public else None
    for call in calls:
        if call.quantile is not None and call.arg is not None:
            _check_range(call.arg)
    histograms, points = plan_histograms(calls, cells)
    distincts, listed = plan_distincts(calls)
    told = [c for c, at in zip(calls, listed, strict=True) if c.quantile is None and at is None]

    def shape(joint: bool) -> Shape:
        return plan_blocks(
            told,
            one_row_per_cell=found.rows_per_group == 1 and rows is None,
            thresholded=not public,
            grid=lambda value, degree, alone: _grid(value, degree, alone, found, epsilon),
            pair_grids=lambda values, degrees: _pair_grids(values, degrees, found, epsilon),
            joint=joint,
            tally=_tally_steps(aggregate, found),
        )

    def noised(
        blocks: Sequence[BasisBlock],
        division: Division,
        allowed: Laws,
        strategies: Strategies,
        units_counted: bool,
    ) -> Noise | None:
        return choose(
            blocks,
            found,
            one_row=aggregate.block.one_row_per_unit,
            cells=cells,
            min_units=least if not public else 0,
            epsilon=epsilon,
            delta=delta,
            laws=[law for law in allowed if law in laws],
            histograms=histograms,
            distincts=distincts,
            division=division,
            strategies=strategies,
            units_counted=units_counted,
        )

    if importance is not None and hidden:
        importance = {**importance, HIDDEN_UNITS: DECIDES}
    chosen = search(
        told,
        shape,
        noised,
        importance,
        alternatives,
        lone_strategy=aggregate.block.one_row_per_unit or found.rows_per_unit is None,
    )
    if chosen is None:
        raise _too_cheap()
    noise, places = chosen.noise, chosen.places
    columns = _columns(calls, places, points, listed, noise)
    return Plan(
        aggregate,
        # Where nothing is capped text keys can come back as they are.
        tuple(_as_text(key) for key in keys) if noise.strategy == "row" else keys,
        noise.bounds,
        noise.strategy,
        noise.weight,
        noise.law,
        noise.blocks,
        noise.threshold,
        columns,
        least,
        len(columns) - 1 if filtered else None,
        epsilon,
        delta,
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
