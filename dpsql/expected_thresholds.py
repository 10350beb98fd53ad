"""What to expect of the choice of groups: how many units a group needs, and its noisy count."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from dpsql.aggregates.noisy import LAW_NAMES
from dpsql.explanation import ColumnExplanation, ThresholdExplanation
from dpsql.mechanisms.interval import expected_error, half_width
from dpsql.mechanisms.threshold import (
    GaussianThreshold,
    TruncatedGeometricThreshold,
    upper_quantile,
)
from dpsql.planning.types import Plan

_LIKELY = Fraction(1, 100)


def of_threshold(
    plan: Plan, label: str, shown_as: tuple[str, ...], confidence: float
) -> ColumnExplanation:
    """The noisy unit count that decides on keys, far above the threshold."""
    threshold = plan.threshold
    note = "wider near the threshold; it also decides which groups are shown"
    index = len(plan.blocks) + len(plan.histograms) + len(plan.distincts)
    told = ColumnExplanation(label, shown_as, "", {}, None, None, (), note, index, None)
    if isinstance(threshold, GaussianThreshold):
        sigma = threshold.sigma
        return replace(
            told,
            mechanism=_selection_law(threshold),
            noise={"answer": expected_error("gaussian", [1], [sigma])},
            scale=float(sigma),
            half_width=half_width("gaussian", [1], [sigma], confidence),
        )
    assert isinstance(threshold, TruncatedGeometricThreshold)
    # Two-sided geometric with ratio r = e^-rate: variance 2r/(1-r)²; the cut only lessens it.
    rate = float(threshold.epsilon_per_key)
    return replace(
        told,
        mechanism=_selection_law(threshold),
        noise={"answer": math.sqrt(2 * math.exp(-rate)) / -math.expm1(-rate)},
        scale=1 / rate,
        half_width=float(_geometric_reach(threshold, (1 - confidence) / 2)),
    )


def _selection_law(threshold: GaussianThreshold | TruncatedGeometricThreshold) -> str:
    geometric = isinstance(threshold, TruncatedGeometricThreshold)
    return "truncated geometric" if geometric else LAW_NAMES["gaussian"]


def threshold_explanation(
    threshold: GaussianThreshold | TruncatedGeometricThreshold,
) -> ThresholdExplanation:
    """How many units a group needs to be shown with 50 % and with 99 % probability."""
    if isinstance(threshold, GaussianThreshold):
        reach = math.ceil(float(threshold.sigma) * upper_quantile(_LIKELY) - 0.5)
        # Noise is symmetric, so a group of as many units as the threshold asks is an even bet.
        even, likely = threshold.threshold, threshold.threshold + max(0, reach)
    else:
        even = _least_shown(threshold, Fraction(1, 2))
        likely = _least_shown(threshold, 1 - _LIKELY)
    return ThresholdExplanation(
        _selection_law(threshold),
        threshold.threshold,
        even,
        max(even, likely),
        threshold.min_units,
    )


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


def _geometric_reach(threshold: TruncatedGeometricThreshold, chance: float) -> int:
    """The least j with P(noise > j) at most `chance`: r^(j+1) / (1 + r), cut at the bound."""
    rate = float(threshold.epsilon_per_key)
    ratio = math.exp(-rate)
    steps = -(math.log(chance) + math.log1p(ratio)) / rate
    return max(0, min(threshold.bound, math.ceil(steps - 1)))
