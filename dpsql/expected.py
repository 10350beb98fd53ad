"""What error to expect before any data is read: from noise scales and ranges alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.basis import DistinctBlock, HistogramBlock, MomentsBlock, PairBlock, SumBlock
from dpsql.aggregates.noisy import EXPONENTIAL, LAW_NAMES, Answer, NoisyBlock
from dpsql.core.numbers import two_digits
from dpsql.expected_thresholds import of_threshold, threshold_explanation
from dpsql.explanation import (
    BoundExplanation,
    ColumnExplanation,
    PartExplanation,
)
from dpsql.mechanisms.bound_size import enough
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.interval import expected_error, half_width
from dpsql.mechanisms.threshold import (
    GaussianThreshold,
    TruncatedGeometricThreshold,
)
from dpsql.pipeline.perturb import noisy_block
from dpsql.pipeline.stages import Planned
from dpsql.planning.held import choice_law
from dpsql.planning.resolved import resolved
from dpsql.planning.types import (
    BlockPlan,
    ChoicePlan,
    ColumnPlan,
    DistinctPlan,
    HistogramPlan,
    Plan,
)
from dpsql.wording import number, sought, spelled

ROWS = (100, 1_000, 10_000, 100_000)
"""Sizes of pretended groups for which a data-dependent error bar is told."""

SELECTION = "choice of groups"


def column_labels(planned: Planned, index: int, unit: str) -> list[str]:
    """The planned columns as the query writes them; a hidden count of units says what it is for."""
    plan, columns = planned.plans[index], planned.bound.sites[index].columns
    if plan.choice is not None:
        return [f"choice of a bound: {sought(plan.choice.kind, plan.choice.value, unit)}"]
    return [
        f"number of {unit}s in a group (it decides which groups are shown)"
        if place == plan.units_column
        else spelled(columns, column.aggregate.name, column.aggregate.fn)
        for place, column in enumerate(plan.columns)
    ]


def column_explanation(
    plan: Plan,
    column: ColumnPlan,
    label: str,
    shown_as: tuple[str, ...] = (),
    range_: BoundExplanation | None = None,
    *,
    sizes: Sequence[int] = ROWS,
    confidence: float = 0.95,
) -> ColumnExplanation:
    """Noise and expected half-width of one aggregate, in answer units, for groups of `sizes` rows.

    `confidence` is not for quantiles, whose bars are drawn at 95 %.
    """
    if column.point is not None:
        return _of_quantile(plan, column, label, shown_as, range_, sizes)
    if column.distinct is not None:
        return _of_distinct(plan, column, label, shown_as, confidence)
    if column.block is None:
        return of_threshold(plan, label, shown_as, confidence)
    if plan.choice is not None:
        return _of_choice(plan, plan.choice, column.block, label, shown_as)
    if plan.awaited:
        return _of_awaited(plan, column, label, shown_as, range_)
    family = aggregates.for_name(column.aggregate.fn)
    coordinates = plan.blocks[column.block].block.coordinates
    pretended = np.zeros((coordinates, 1), dtype=object)
    noisy = replace(noisy_block(plan, column.block, pretended), confidence=confidence)
    error = family.expected_error(column.aggregate, noisy)
    told = ColumnExplanation(
        label, shown_as, LAW_NAMES[plan.law], {}, None, None, (), "", column.block, range_
    )
    if error is not None:
        answer = family.combine(column.aggregate, noisy)
        return replace(told, noise={"answer": error}, scale=_scale(noisy), half_width=_half(answer))
    block = noisy.block
    assert isinstance(block, (MomentsBlock, PairBlock))
    halves = tuple(
        (
            rows,
            _half(
                family.combine(
                    column.aggregate,
                    replace(noisy_block(plan, column.block, spread), confidence=confidence),
                )
            ),
        )
        for rows in sizes
        for spread in (_spread(block, noisy, rows),)
    )
    note = "falls with the rows of a group; told for values spread evenly over the range"
    return replace(told, noise=_parts(noisy), half_widths=halves, note=note)


def _of_choice(
    plan: Plan, choice: ChoicePlan, block: int, label: str, shown_as: tuple[str, ...]
) -> ColumnExplanation:
    law = choice_law(plan)
    ends = 2 if choice.kind in ("high", "low") else 1
    people = two_digits(enough([law.epsilon] * ends))
    note = (
        f"one of {len(choice.candidates):,} public candidates bounds the answer; whom it"
        " cuts is counted. It takes people: with fewer than about"
        f" {people:,} the answer has no error bar at this price"
    )
    return ColumnExplanation(label, shown_as, EXPONENTIAL, {}, None, None, (), note, block, None)


_SIZES = (10, 100, 1_000, 10_000)
"""Bounds for which the error of an answer is told, before they are found."""


def _of_awaited(
    plan: Plan,
    column: ColumnPlan,
    label: str,
    shown_as: tuple[str, ...],
    range_: BoundExplanation | None,
) -> ColumnExplanation:
    """Before its bounds are found, its error is told for several that may be."""
    told = []
    for size in _SIZES:
        places = [
            next(
                (at for at, end in enumerate(choice.candidates) if end * choice.unit >= size), None
            )
            for choice in (awaited.choice for awaited in plan.awaited)
        ]
        if any(place is None for place in places):
            break
        found = replace(
            resolved(plan, [place for place in places if place is not None]), awaited=()
        )
        place = plan.columns.index(column)
        half = column_explanation(found, found.columns[place], label).expected()[1]
        if half is not None:
            told.append(f"± {number(half)} if found to be {size:,}")
    note = f"by the bounds that are found first: {', '.join(told)}" if told else ""
    assert column.block is not None
    law = LAW_NAMES[plan.law]
    return ColumnExplanation(label, shown_as, law, {}, None, None, (), note, column.block, range_)


def _parts(noisy: NoisyBlock) -> dict[str, float]:
    """Noise on what a ratio or a moment is worked out from."""
    block = noisy.block
    found = {"rows": noisy.expected_error(*noisy.count_weights())}
    if isinstance(block, PairBlock):
        for value, which in zip(block.values, ("first", "second"), strict=True):
            unit = float(noisy.grid_of(value).unit)
            found[f"{which} sum"] = unit * noisy.expected_error(*noisy.sum_weights(value))
        return found
    unit = float(noisy.grid_of(None).unit)
    return {"sum": unit * noisy.expected_error(*noisy.sum_weights()), **found}


def _scale(noisy: NoisyBlock) -> float | None:
    """The law's own parameter (b or σ) in answer units; None where several draws are added."""
    block = noisy.block
    assert not isinstance(block, (HistogramBlock, DistinctBlock))
    if block.coordinates > 1:
        return None
    unit = block.grid.unit if isinstance(block, SumBlock) else 1
    return float(noisy.scale * unit / noisy.weight)


def _spread(block: MomentsBlock | PairBlock, noisy: NoisyBlock, rows: int) -> np.ndarray:
    """Coordinates of a pretended group: a Bernstein basis gives each of them the same share."""
    whole = rows * noisy.weight * block.row_total
    if noisy.turned is not None:
        return np.array([[noisy.turned[0] * whole], [0]], dtype=object)
    each = whole // block.coordinates
    return np.full((block.coordinates, 1), each, dtype=object)


def _half(answer: Answer) -> float | None:
    half = float(answer.high[0] - answer.low[0]) / 2
    return half if math.isfinite(half) else None


# ---- quantiles -------------------------------------------------------------------------------


def _of_quantile(
    plan: Plan,
    column: ColumnPlan,
    label: str,
    shown_as: tuple[str, ...],
    range_: BoundExplanation | None,
    sizes: Sequence[int],
) -> ColumnExplanation:
    """Its error is one of rank: how many rows lie between it and the quantile that was asked."""
    assert column.point is not None
    at, place = column.point
    part = plan.histograms[at]
    if place >= len(part.points):
        return _of_tree(plan, column, label, shown_as, range_)
    law, interval = part.points[place].quantile, part.points[place].interval
    # A two-sided exponential of rate epsilon / (2Δ) in weight, where values lie close.
    rows = 2 * law.sensitivity * float(max(law.quantile, 1 - law.quantile) / law.epsilon)
    noise = {"rank": math.sqrt(2) * rows / part.weight}
    index = len(plan.blocks) + at
    told = ColumnExplanation(label, shown_as, EXPONENTIAL, noise, None, None, (), "", index, range_)
    empty = "an empty group gives a value of the range like any other"
    if interval is None:
        inside = float(law.inward) / part.weight
        where = f"taken about {inside:,.3g} rows inside the end, without an error bar"
        return replace(told, note=f"approximate: {where}; {empty}")
    grid = part.block.grid
    whole = float(grid.span * grid.unit)
    reach = interval.margin / part.weight + rows / part.weight
    halves = tuple((size, min(whole / 2, whole * reach / size)) for size in sizes)
    step = number(float(part.block.step * grid.unit) / (86_400 if _seconds(column) else 1))
    unit = " days" if column.aggregate.moment else ""
    note = (
        f"to the nearest {step}{unit}; by rank, so it falls with the rows of a group; told for"
        f" values spread evenly over the range; {empty}"
    )
    days = 86_400 if _seconds(column) else 1
    return replace(told, half_widths=tuple((n, half / days) for n, half in halves), note=note)


def _of_tree(
    plan: Plan,
    column: ColumnPlan,
    label: str,
    shown_as: tuple[str, ...],
    range_: BoundExplanation | None,
) -> ColumnExplanation:
    """Of many quantiles drawn together: about the error of the last of their rounds."""
    assert column.point is not None
    part = plan.histograms[column.point[0]]
    assert part.tree is not None
    rows = part.tree.sensitivity / float(part.tree.epsilon) / part.weight
    note = (
        f"{len(part.tree.quantiles)} quantiles are drawn together in {part.tree.rounds} rounds,"
        " without error bars; an empty group gives a value of the range like any other"
    )
    index = len(plan.blocks) + column.point[0]
    noise = {"rank": math.sqrt(2) * rows}
    return ColumnExplanation(
        label, shown_as, EXPONENTIAL, noise, None, None, (), note, index, range_
    )


def _seconds(column: ColumnPlan) -> bool:
    return column.aggregate.moment == "timestamp"


# ---- distinct values -------------------------------------------------------------------------


def _of_distinct(
    plan: Plan, column: ColumnPlan, label: str, shown_as: tuple[str, ...], confidence: float
) -> ColumnExplanation:
    """Its noise grows with the cap, which is known beforehand only where it is not drawn."""
    assert column.distinct is not None
    part = plan.distincts[column.distinct]
    law, caps = part.mechanism, part.mechanism.caps
    index = len(plan.blocks) + len(plan.histograms) + column.distinct
    once = {"answer": expected_error(plan.law, [1], [law.scale * caps[-1]])}
    half = half_width(plan.law, [1], [law.scale * caps[-1]], confidence)
    told = ColumnExplanation(
        label, shown_as, LAW_NAMES[plan.law], once, None, half, (), "", index, None
    )
    if law.choice is None:
        most = "one value" if caps[-1] == 1 else f"{caps[-1]} values"
        note = f"at most {most} of a unit in a group: a lower bound where units have more"
        scale = float(law.scale * caps[-1])
        return replace(told, scale=scale, note=note if plan.capped else "")
    each = number(half_width(plan.law, [1], [law.scale], confidence))
    note = (
        f"± {each} for each value of a unit that counts; how many count in a group is drawn"
        f" privately, from {caps[0]} to {caps[-1]}: values beyond are not counted, so that the"
        " count is a lower bound"
    )
    return replace(told, noise={"one value a unit": float(law.scale)}, half_width=None, note=note)


# ---- shares of ε -----------------------------------------------------------------------------


def parts(plan: Plan, labels: Sequence[str]) -> tuple[PartExplanation, ...]:
    """How the release's ε is divided: one part for each block, then the choice of groups.

    `labels`: the words of `plan.columns`. Laplace: the parts' pure prices. Gaussian: one joint
    release, divided as L2²/σ² is. The parts' ε add up to the price exactly.
    """
    weights = [_weight(block) for block in plan.blocks]
    weights += [_histogram_weight(plan, part) for part in plan.histograms]
    pairs = len(weights)
    weights += [_distinct_weight(part) for part in plan.distincts]
    sums, selects = len(plan.blocks), len(weights)
    if plan.threshold is not None:
        weights.append(_selection_weight(plan.threshold))
    whole = sum(weights, start=Fraction(0))
    found = []
    for index, weight in enumerate(weights):
        chosen = index == selects
        at: tuple[int | None, int | None, int | None] = (None, None, None)
        if not chosen:
            at = (index, None, None) if index < sums else (None, index - sums, None)
            at = at if index < pairs else (None, None, index - pairs)
        names = [
            label
            for label, column in zip(labels, plan.columns, strict=True)
            if (column.block, column.point[0] if column.point else None, column.distinct) == at
        ]
        share = weight / whole
        name = SELECTION if chosen else " and ".join(names) or SELECTION
        found.append(PartExplanation(name, tuple(names), share * plan.epsilon, share))
    return tuple(found)


def _histogram_weight(plan: Plan, part: HistogramPlan) -> Fraction:
    prices = [(law.epsilon, count) for law in part.laws for _, count in law.items]
    if plan.law == "laplace":
        return sum((epsilon * count for epsilon, count in prices), Fraction(0))
    return sum((epsilon**2 / 4 * count for epsilon, count in prices), Fraction(0))  # twice its zCDP


def _distinct_weight(part: DistinctPlan) -> Fraction:
    law, choice = part.mechanism, part.mechanism.choice
    epsilon = Fraction(0) if choice is None else choice.epsilon
    if isinstance(law.noise, GaussianMechanism):
        return epsilon**2 / 4 + law.cells / law.scale**2  # twice the zCDP of both
    return epsilon + law.cells / law.scale


def _weight(block: BlockPlan) -> Fraction:
    if isinstance(block.mechanism, GaussianMechanism):
        return Fraction(block.mechanism.l2_squared) / Fraction(block.mechanism.sigma) ** 2
    return Fraction(block.sensitivity.l1) / Fraction(block.mechanism.scale)


def _selection_weight(threshold: GaussianThreshold | TruncatedGeometricThreshold) -> Fraction:
    if isinstance(threshold, GaussianThreshold):
        return Fraction(threshold.max_groups) / Fraction(threshold.sigma) ** 2
    return Fraction(threshold.epsilon)


__all__ = [
    "ROWS",
    "SELECTION",
    "column_explanation",
    "column_labels",
    "parts",
    "threshold_explanation",
]
