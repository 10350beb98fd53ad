"""Error bars of any statistic of a joint basis: noise-inversion bootstrap over its moments.

What was released is x = S + N with the law of N public, so x - N' with fresh N' is spread as the
truth may lie around what was seen (`bootstrap.py` does the same for variances). The statistic is
computed for each of about two thousand N' and its α/2 and 1 - α/2 quantiles are the bar.

The N' are a Korobov lattice, put through the inverse distribution function and rounded like the
noise itself: public, without entropy, and the same release always shows the same bar. Statistics
are functions of a few moments, linear in the coordinates, so the lattice is mapped to the moments
once, and each group costs points x moments steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dpsql.mechanisms.interval import Floats, Law, Real, checked
from dpsql.mechanisms.lattice import lattice_points

POINTS = 2039  # a prime
_GENERATOR = 469  # least P2 discrepancy (weights 0.1) over 4, 6 and 9 coordinates together
_BLOCK = 256  # groups at a time

Statistic = Callable[[Sequence[Floats]], tuple[Floats, NDArray[np.bool_]]]
"""Moments, each an array of one shape → the statistic, and where it is defined."""


def inverted_interval(
    coordinates: ArrayLike,
    *,
    moments: Sequence[Sequence[Real]],
    statistic: Statistic,
    law: Law,
    scales: Sequence[Real],
    low: Real,
    high: Real,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """(lo, hi), each (groups,), of a statistic known to lie in [low, high] (infinite ends too).

    `coordinates` (terms, groups) noisy; `moments`: weights, one row a moment, one column a term;
    `scales` one per term. Where more than α/2 of the points leave the statistic undefined, the
    noise may be all there is, and the end is `low` or `high`.
    """
    values = np.asarray(coordinates, dtype=np.float64)
    weights = np.asarray(moments, dtype=np.float64)
    _, sizes = checked(law, list(weights[0]), scales, confidence)
    seen = weights @ values
    noise = weights @ _noise_points(law, sizes)
    rank = max(0, math.floor((1 - confidence) / 2 * POINTS))
    found_low, found_high = np.empty(seen.shape[1]), np.empty(seen.shape[1])
    for start in range(0, seen.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        parts = [seen[i, block, None] - noise[i][None, :] for i in range(len(weights))]
        value, valid = statistic(parts)
        least = np.where(valid, value, -np.inf)
        most = np.where(valid, value, np.inf)
        found_low[block] = np.partition(least, rank, axis=1)[:, rank]
        top = POINTS - 1 - rank
        found_high[block] = np.partition(most, top, axis=1)[:, top]
    ends = (float(low), float(high))
    return np.clip(found_low, *ends), np.clip(found_high, *ends)


def _noise_points(law: Law, scales: tuple[float, ...]) -> Floats:
    """Even points (terms, POINTS) of independent rounded noises of these scales."""
    return lattice_points(law, scales, POINTS, _GENERATOR)
