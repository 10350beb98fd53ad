"""What error to expect before any data is read: from noise scales and ranges alone."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.basis import MomentsBlock
from dpsql.aggregates.noisy import Answer
from dpsql.explanation import ColumnExplanation, ThresholdExplanation
from dpsql.mechanisms.interval import expected_error, half_width
from dpsql.mechanisms.threshold import (
    GaussianThreshold,
    TruncatedGeometricThreshold,
    upper_quantile,
)
from dpsql.pipeline.perturb import noisy_block
from dpsql.planning.types import ColumnPlan, Plan

ROWS = (100, 1_000, 10_000, 100_000)
"""Sizes of pretended groups for which a data-dependent error bar is told."""

_LIKELY = Fraction(1, 20)
LAW_NAMES = {"laplace": "rounded Laplace", "gaussian": "rounded Gaussian"}


def column_explanation(
    plan: Plan, column: ColumnPlan, label: str, shown_as: tuple[str, ...]
) -> ColumnExplanation:
    """Noise and expected 95 % half-width of one aggregate, in answer units."""
    if column.block is None:
        return _of_threshold(plan, label, shown_as)
    family = aggregates.for_name(column.aggregate.fn)
    coordinates = plan.blocks[column.block].block.coordinates
    pretended = np.zeros((coordinates, 1), dtype=object)
    noisy = noisy_block(plan, column.block, pretended)
    error = family.expected_error(column.aggregate, noisy)
    mechanism = LAW_NAMES[plan.law]
    if error is not None:
        answer = family.combine(column.aggregate, noisy)
        return ColumnExplanation(
            label, shown_as, mechanism, {"answer": error}, _half(answer), (), ""
        )
    block = noisy.block
    assert isinstance(block, MomentsBlock)
    unit = float(block.grid.unit)
    parts = {
        "sum": unit * noisy.expected_error(*noisy.sum_weights()),
        "rows": noisy.expected_error(*noisy.count_weights()),
    }
    sizes = tuple(
        (
            rows,
            _half(family.combine(column.aggregate, noisy_block(plan, column.block, spread))),
        )
        for rows in ROWS
        for spread in (_spread(block, noisy.weight, rows),)
    )
    note = "it falls with the rows of a group; told for values spread evenly over their range"
    return ColumnExplanation(label, shown_as, mechanism, parts, None, sizes, note)


def _spread(block: MomentsBlock, weight: int, rows: int) -> np.ndarray:
    """Coordinates of a pretended group: a Bernstein basis gives each of them the same share."""
    each = rows * weight * block.row_total // block.coordinates
    return np.full((block.coordinates, 1), each, dtype=object)


def _half(answer: Answer) -> float | None:
    half = float(answer.high[0] - answer.low[0]) / 2
    return half if math.isfinite(half) else None


# ---- thresholds ------------------------------------------------------------------------------


def _of_threshold(plan: Plan, label: str, shown_as: tuple[str, ...]) -> ColumnExplanation:
    """The noisy unit count that decides on keys, far above the threshold."""
    threshold = plan.threshold
    note = "wider for groups near the threshold; comes free with the choice of groups"
    if isinstance(threshold, GaussianThreshold):
        sigma = threshold.sigma
        error = expected_error("gaussian", [1], [sigma])
        half = half_width("gaussian", [1], [sigma])
        return ColumnExplanation(
            label, shown_as, LAW_NAMES["gaussian"], {"answer": error}, half, (), note
        )
    assert isinstance(threshold, TruncatedGeometricThreshold)
    # Two-sided geometric with ratio r = e^-rate: variance 2r/(1-r)²; the cut only lessens it.
    rate = float(threshold.epsilon_per_key)
    error = math.sqrt(2 * math.exp(-rate)) / -math.expm1(-rate)
    half = float(_geometric_reach(threshold, Fraction(1, 40)))
    return ColumnExplanation(
        label, shown_as, "truncated geometric", {"answer": error}, half, (), note
    )


def threshold_explanation(
    threshold: GaussianThreshold | TruncatedGeometricThreshold,
) -> ThresholdExplanation:
    """How many units a group needs to be shown with 50 % and with 95 % chance."""
    if isinstance(threshold, GaussianThreshold):
        reach = math.ceil(float(threshold.sigma) * upper_quantile(_LIKELY) - 0.5)
        # Noise is symmetric, so a group of as many units as the threshold asks is an even bet.
        even, likely = threshold.threshold, threshold.threshold + max(0, reach)
    else:
        even = _least_shown(threshold, Fraction(1, 2))
        likely = _least_shown(threshold, 1 - _LIKELY)
    return ThresholdExplanation(threshold.threshold, even, max(even, likely), threshold.min_units)


def _least_shown(threshold: TruncatedGeometricThreshold, chance: Fraction) -> int:
    """The least number of units whose key is shown with at least this chance, over the coin."""
    rate = float(threshold.epsilon_per_key)
    highest = threshold.threshold

    def shown(count: int) -> float:
        return sum(
            float(weight) * _at_least(cut.threshold - count, rate) for cut, weight in threshold.cuts
        )

    low = max(threshold.shift, 0)  # no key of so few units is ever shown
    high = highest + threshold.bound
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) >= chance else (middle, high)
    return high


def _at_least(steps: int, rate: float) -> float:
    """P(X >= steps) for two-sided geometric X of ratio e^-rate."""
    ratio = math.exp(-rate)
    if steps > 0:
        return math.exp(-rate * steps) / (1 + ratio)
    return 1 - math.exp(-rate * (1 - steps)) / (1 + ratio)


def _geometric_reach(threshold: TruncatedGeometricThreshold, chance: Fraction) -> int:
    """The least j with P(noise > j) at most `chance`: r^(j+1) / (1 + r), cut at the bound."""
    rate = float(threshold.epsilon_per_key)
    ratio = math.exp(-rate)
    steps = -(math.log(float(chance)) + math.log1p(ratio)) / rate
    return max(0, min(threshold.bound, math.ceil(steps - 1)))
