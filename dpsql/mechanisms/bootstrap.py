"""Error bars of variances: noise-inversion bootstrap over three noisy sums.

What was released is x = S + N with the law of N public, so x - N' with fresh N' is spread as the
truth may lie around what was seen. The variance is computed for each of a few hundred N' and its
α/2 and 1 - α/2 quantiles are the bar (percentile interval of the inverted noise; measured
coverage of the nominal 95 %: 94 to 97 % once the noisy count is a few noise scales).

The N' are not drawn at random but are a lattice of 601 even points (Korobov 1959; symmetric, and
every single coordinate exactly even), put through the inverse distribution functions and rounded
like the noise itself: less error than as many random draws, no entropy spent, and the same
release always shows the same bar. The points are public.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dpsql.mechanisms.interval import Floats, Law, Real, checked
from dpsql.mechanisms.lattice import lattice_points

POINTS = 601  # a prime
_GENERATOR = 129  # least P2 discrepancy among Korobov's for 3 coordinates, good for 4 too
_BLOCK = 2048  # groups at a time: 2048 x 601 doubles are 10 MB


@dataclass(frozen=True, slots=True)
class VarianceBasis:
    """How the count, Σy and Σy² of a group follow, linearly, from the released coordinates.

    One weight per coordinate in each tuple. `span` is the length M of y's range: a variance of
    the population is at most M²/4. y may be centred anywhere: variances do not see it.
    """

    count: tuple[float, ...]
    total: tuple[float, ...]
    squares: tuple[float, ...]
    span: float


def joint_variance_basis(span: Real) -> VarianceBasis:
    """The basis S0 = Σ(M - y)², S1 = Σ2y(M - y), S2 = Σy²: n = ΣSᵢ/M², Σy = (S1/2 + S2)/M."""
    size = float(span)
    return VarianceBasis(
        count=(1 / size**2,) * 3,
        total=(0.0, 0.5 / size, 1 / size),
        squares=(0.0, 0.0, 1.0),
        span=size,
    )


def variance_interval(
    coordinates: ArrayLike,
    *,
    basis: VarianceBasis,
    law: Law,
    scales: Sequence[Real],
    sample: bool = False,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """(lo, hi), each (groups,), for VAR_POP (or VAR_SAMP: `sample`) in squared grid units.

    `coordinates` (terms, groups) noisy; `scales` one per term in grid units. Memory is bounded:
    blocks of 2,048 groups. The standard deviation's interval is the square root of this one.
    Where more than α/2 of the points leave no rows to average (count ≤ 0, or ≤ 1 with `sample`),
    the noise may be all there is and hi is the largest variance the range allows, lo 0.
    """
    values = np.asarray(coordinates, dtype=np.float64)
    _, sizes = checked(law, basis.count, scales, confidence)
    weights = np.array([basis.count, basis.total, basis.squares])
    seen = weights @ values
    noise = weights @ noise_points(law, sizes)
    ceiling = basis.span**2 / (2 if sample else 4)
    low, high = np.empty(seen.shape[1]), np.empty(seen.shape[1])
    for start in range(0, seen.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        low[block], high[block] = _block_interval(
            seen[:, block], noise, ceiling, sample, confidence
        )
    estimate = variance_estimate(values, basis=basis, sample=sample)
    return np.fmin(low, estimate), np.fmax(high, estimate)


def variance_estimate(
    coordinates: ArrayLike, *, basis: VarianceBasis, sample: bool = False
) -> Floats:
    """VAR_POP or VAR_SAMP (groups,) of the noisy coordinates, within the range; NaN where empty."""
    weights = np.array([basis.count, basis.total, basis.squares])
    seen = weights @ np.asarray(coordinates, dtype=np.float64)
    value, valid = _variance(seen[0], seen[1], seen[2], sample)
    return np.where(valid, np.clip(value, 0.0, basis.span**2 / (2 if sample else 4)), np.nan)


def noise_points(law: Law, scales: tuple[float, ...]) -> Floats:
    """601 even points (terms, 601) of independent rounded noises of these scales."""
    return lattice_points(law, scales, POINTS, _GENERATOR)


def _block_interval(
    seen: Floats, noise: Floats, ceiling: float, sample: bool, confidence: float
) -> tuple[Floats, Floats]:
    count, total, squares = (seen[i][:, None] - noise[i][None, :] for i in range(3))
    value, valid = _variance(count, total, squares, sample)
    draws = noise.shape[1]
    rank = max(0, math.floor((1 - confidence) / 2 * draws))
    low = np.partition(np.where(valid, value, -np.inf), rank, axis=1)[:, rank]
    top = draws - 1 - rank
    high = np.partition(np.where(valid, value, np.inf), top, axis=1)[:, top]
    return np.clip(low, 0.0, ceiling), np.clip(high, 0.0, ceiling)


def _variance(
    count: Floats, total: Floats, squares: Floats, sample: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Σy²/n - (Σy/n)², times n/(n - 1) for a sample; and where there is anything to average."""
    valid = count > (1 if sample else 0)
    rows = np.where(valid, count, 2.0)
    mean = total / rows
    value = squares / rows - mean * mean
    return (value * rows / (rows - 1) if sample else value), valid
