"""The law of what noise is left after reconciling: a weighted sum of many independent noises.

Gaussian noise stays Gaussian, exactly. Where Laplace noise is in it the characteristic function is
a product, of which the tail is one integral (Gil-Pelaez 1951): no bound, no simulation. Both are
the laws before rounding; what roundings add is in `half_width`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dpsql.aggregates.noisy import Law

Term = tuple[Law, float, int]
"""(law, scale, how often) of independent noises that are added."""

_STEPS = 1 << 15
_COARSE = 8.0


def half_width(
    terms: Sequence[Term], *, rounding: tuple[float, float], confidence: float = 0.95
) -> float:
    """The least h with P(|Σ ± roundings| ≤ h) ≥ confidence, to a part in 10^4.

    `terms`: scales (b or σ) of the noises in units of the answer, each with its number. `rounding`:
    (step, mean square): answers are whole steps, and roundings add so much to the variance. Where
    noise is less than `_COARSE` steps it matters that the error is a whole number of them: it is
    at most k where what was rounded is at most k + 1/2.
    """
    step, square = rounding
    listed = tuple(sorted((law, abs(scale), often) for law, scale, often in terms if scale))
    if not listed:
        return 0.0
    quantile, spread = _quantile(listed, confidence), variance(listed)
    wide = quantile * math.sqrt(1 + square / spread)
    if math.sqrt(spread) >= _COARSE * step:  # steps of a DOUBLE may be 0
        return wide
    return math.ceil(wide / step - 0.5) * step


def variance(terms: Sequence[Term]) -> float:
    """Of the sum, before rounding."""
    return sum(
        often * scale * scale * (2 if law == "laplace" else 1) for law, scale, often in terms
    )


@lru_cache(maxsize=1024)
def _quantile(terms: tuple[Term, ...], confidence: float) -> float:
    size = math.sqrt(variance(terms))
    if all(law == "gaussian" for law, _, _ in terms):
        return -NormalDist().inv_cdf((1 - confidence) / 2) * size
    relative = [(law, scale / size, often) for law, scale, often in terms]
    low, high = 0.0, 40.0  # standard deviations
    for _ in range(40):
        middle = (low + high) / 2
        if _inside(middle, relative) < confidence:
            low = middle
        else:
            high = middle
    return high * size


def _inside(reach: float, terms: Sequence[Term]) -> float:
    """P(|X| ≤ reach) = (2/π) ∫ sin(reach·t)/t · φ(t) dt.

    φ is the product of exp(-(σt)²/2) and of 1/(1 + (bt)²). It is cut where it is below 10^-6: of a
    single term that is (bt)^-2, and what is left oscillates and is smaller by another 1/(reach·t).
    """
    end = 1.0
    while _log_phi(np.array([end]), terms)[0] > math.log(1e-6) and end < 4_096:
        end *= 2
    u = (np.arange(_STEPS) + 0.5) / _STEPS  # midpoints, finest at 0
    t = end * u * u
    value = np.sin(reach * t) / t * np.exp(_log_phi(t, terms)) * (2 * end * u / _STEPS)
    return float(value.sum()) * 2 / math.pi


def _log_phi(t: NDArray[np.float64], terms: Sequence[Term]) -> NDArray[np.float64]:
    total = np.zeros(t.shape)
    for law, scale, often in terms:
        square = (scale * t) ** 2
        total -= often * (square / 2 if law == "gaussian" else np.log1p(square))
    return total
