"""Coverage of whole-number bars, worked out from the law of their noise: nothing is drawn.

Where bars and noise are whole numbers no bar holds with 95 % exactly: the least half-width that
holds with 95 % or more covers up to one step of the lattice more. `least` is that. Behind a
threshold the law is cut, and the interval's two tails each end at a step: `thresholded` is what
they hold together, at a true count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms.interval import half_width, rounded_pmf
from dpsql.mechanisms.threshold import GaussianThreshold
from dpsql.mechanisms.truncated import threshold_interval_gaussian, threshold_interval_geometric
from dpsql.planning.answer_types import noise_scale
from dpsql.planning.types import Plan


def by_law(plan: Plan, true: int) -> float | None:
    """Of the plan's first column, a count of whole numbers; None for all others."""
    column = plan.columns[0]
    if column.block is None and plan.threshold is not None:
        return thresholded(plan.threshold, true)
    plain = len(plan.columns) == 1 and plan.weight == 1
    if column.block is None or not plain or column.aggregate.fn not in ("count", "count_star"):
        return None
    return least(plan.law, float(noise_scale(plan.blocks[column.block])))


def least(law: Any, scale: float) -> float:
    """P(|N| <= h) of the rounded noise N, h the least whole half-width with 95 % or more."""
    half = half_width(law, [1], [scale])
    values, chances = rounded_pmf(law, scale)
    return float(chances[np.abs(values) <= half].sum())


def thresholded(threshold: Any, true: int) -> float:
    """P(low <= true <= high | shown), over every noisy count that is shown."""
    noisy, chances = _shown(threshold, true)
    bottom = max(1, threshold.min_units)
    if isinstance(threshold, GaussianThreshold):
        low, high = threshold_interval_gaussian(
            noisy, sigma=threshold.sigma, threshold=threshold.threshold, at_least=bottom
        )
    else:
        low, high = threshold_interval_geometric(
            noisy,
            epsilon=threshold.epsilon_per_key,
            cutoff=threshold.bound,
            threshold=threshold.threshold,
            at_least=bottom,
        )
    return float(chances[(low <= true) & (true <= high)].sum())


def _shown(threshold: Any, true: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Noisy counts at or above the threshold and their chances, given that one is shown."""
    from scipy.special import ndtr

    if isinstance(threshold, GaussianThreshold):
        sigma = float(threshold.sigma)
        noisy = threshold.threshold + np.arange(
            max(0, true - threshold.threshold) + int(40 * sigma)
        )
        ends = (np.append(noisy, noisy[-1] + 1) - 0.5 - true) / sigma
        chances = -np.diff(ndtr(-ends))
    else:
        most = max(true + threshold.bound, threshold.threshold)
        noisy = np.arange(threshold.threshold, most + 1)
        far = np.abs(noisy - true)
        rate = float(threshold.epsilon_per_key)
        chances = np.where(far <= threshold.bound, np.exp(-rate * far), 0.0)
    whole = chances.sum()
    return noisy, chances / whole if whole else chances
