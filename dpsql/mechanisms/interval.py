"""Error bars of linear answers: exact quantiles of weighted sums of independent rounded noises.

Everything here is post-processing of public numbers: weights and noise scales, never an exact
value and never a draw. A released coordinate is S + N with S an integer and N = round(X), where
X is Laplace(scale) or normal(scale); scales are in grid units. An answer Σ wᵢ(Sᵢ + Nᵢ) has error
Σ wᵢNᵢ, and its 95 % error bar is the least h with P(|Σ wᵢNᵢ| ≤ h) ≥ 0.95.

* One coordinate: closed form for the rounded law, at any scale.
* Several, all scales below `SMALL_SCALE`: the rounded laws are convolved, atom by atom.
* Several larger ones: the quantile q of the continuous law Σ wᵢXᵢ, plus Σ|wᵢ|/2 for rounding;
  |Σ wᵢNᵢ| > q + Σ|wᵢ|/2 implies |Σ wᵢXᵢ| > q, so the bar is never too short.

Bars are for the noise alone: they do not know what clamping took away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Law = Literal["laplace", "gaussian"]
Real = int | float | Fraction
Floats = NDArray[np.float64]

SMALL_SCALE = 8.0
"""Below it the lattice shows, and several rounded coordinates are convolved exactly."""

_NEVER = 1e-9  # a noise that is zero but with this probability is no noise
_MAX_ATOMS = 2_000_000


def half_width(
    law: Law, weights: Sequence[Real], scales: Sequence[Real], confidence: float = 0.95
) -> float:
    """The least h with P(|Σ wᵢNᵢ| ≤ h) ≥ confidence (see the module for ≤ vs =).

    `weights` in answer units per grid unit, `scales` in grid units, one of each per coordinate.
    The same for every group, and cached by its arguments. ValueError if lengths differ, a scale
    is negative, or a number is not finite.
    """
    return _half_width(law, *checked(law, weights, scales, confidence), confidence)


def expected_error(law: Law, weights: Sequence[Real], scales: Sequence[Real]) -> float:
    """Root mean squared error √(Σ wᵢ² Var Nᵢ) of Σ wᵢNᵢ, for the rounded law, exactly.

    The noise is unbiased (symmetric), so this is its standard deviation too.
    """
    floats, sizes = checked(law, weights, scales, 0.5)
    return math.hypot(
        *(w * math.sqrt(rounded_variance(law, s)) for w, s in zip(floats, sizes, strict=True))
    )


def rounded_variance(law: Law, scale: Real) -> float:
    """Variance of round(X): 2b² + 1/12 or σ² + 1/12 when large, the exact sum when small."""
    size = float(scale)
    if size == 0.0:
        return 0.0
    if law == "laplace":
        # 2 Σ k² sinh(h) e^{-2hk} = cosh(h) / (2 sinh²(h)) with h = 1/(2b)
        h = 0.5 / size
        return math.exp(-h) if h > 300 else math.cosh(h) / (2 * math.sinh(h) ** 2)
    if size > 2.0:  # by Poisson summation the remainder is below e^{-2π²σ²}
        return size * size + 1 / 12
    values, probabilities = rounded_pmf(law, size)
    return float(np.dot(values * values, probabilities))


def active(law: Law, scale: float) -> bool:
    """Whether the rounded noise is ever anything but 0 (with probability over 1e-9)."""
    return scale > 0 and _tail(law, scale, 0.5) >= _NEVER


def rounded_pmf(law: Law, scale: float, trimmed: float = 1e-10) -> tuple[Floats, Floats]:
    """Atoms -K..K of the rounded law and their probabilities; at most `trimmed` lies beyond."""
    edge = -scale * math.log(trimmed) if law == "laplace" else -scale * _z(trimmed / 2)
    reach = max(0, math.ceil(edge - 0.5))
    if law == "laplace":
        steps: Floats = np.arange(1.0, reach + 1)
        half: Floats = 0.5 * np.exp((0.5 - steps) / scale) * -math.expm1(-1 / scale)
    else:
        tails = [0.5 * _tail(law, scale, k + 0.5) for k in range(reach + 1)]
        half = np.asarray(-np.diff(np.array(tails, dtype=np.float64)))
    probabilities = np.concatenate([half[::-1], [1 - _tail(law, scale, 0.5)], half])
    return np.arange(-reach, reach + 1.0), probabilities


def continuous_quantiles(law: Law, spreads: Floats, confidence: float) -> Floats:
    """Two-sided quantiles of |Σᵢ βᵢXᵢ| for each row of `spreads` (rows, terms), βᵢ = |wᵢ|·scale.

    Gaussian: closed form. Laplace: Newton on the log of the tail. The density is log-concave, so
    the log-tail is concave and Newton from the right never crosses the root: what is returned is
    never below the quantile. All-zero rows give 0.
    """
    largest = spreads.max(axis=1)
    if law == "gaussian":
        return np.asarray(-_z((1 - confidence) / 2) * np.sqrt((spreads * spreads).sum(axis=1)))
    safe = np.where(largest > 0, largest, 1.0)[:, None]
    # A floor under the smallest terms keeps the generator well scaled; it moves the quantile up,
    # by a part in 10^6 at most (second order in the floor).
    betas = np.maximum(spreads / safe, 1e-3)
    terms = betas.shape[1]
    target = math.log1p(-confidence)
    points = betas.sum(axis=1) * (math.log(terms) - target)  # union bound: at or above the root
    for _ in range(60):
        log_tail, slope = _laplace_log_tail(points, betas)
        step = (target - log_tail) / slope
        points = points + step
        if np.all(np.abs(step) <= 1e-9 * points):
            break
    return np.where(largest > 0, points * safe[:, 0], 0.0)


def _laplace_log_tail(points: Floats, betas: Floats) -> tuple[Floats, Floats]:
    """log P(|Σ βᵢLapᵢ| > t) and its derivative in t, by phase-type laws: sums of positives only.

    Σ βᵢLapᵢ = A - B with A, B independent sums of exponentials of means βᵢ: A runs through phases
    1..d. A - B > t means that A, wherever it is at time t, still outlasts a fresh B. So
    P(A - B > t) = e₁ e^{Qt} r with Q A's generator and r the probabilities of outlasting.
    """
    rates = 1 / betas
    rows, phases = rates.shape
    outlast = _outlasting(rates)
    top = rates.max(axis=1)
    squarings = max(0, math.ceil(math.log2(float((top * points).max()) + 1e-300)))
    short = points / 2**squarings
    # Uniformised: Q + top·I has no negative entry, so neither has any term of its series.
    jump = np.zeros((rows, phases, phases))
    index = np.arange(phases)
    jump[:, index, index] = (top[:, None] - rates) * short[:, None]
    jump[:, index[:-1], index[1:]] = rates[:, :-1] * short[:, None]
    power = np.broadcast_to(np.eye(phases), jump.shape)
    walk = power.copy()
    for order in range(1, 19):
        power = power @ jump / order
        walk += power
    walk *= np.exp(-top * short)[:, None, None]
    for _ in range(squarings):
        walk = walk @ walk
    first = walk[:, 0, :]
    tail = 2 * (first * outlast).sum(axis=1)
    # Q r: phase i is left at rate λᵢ for phase i + 1 (or the end, from which nothing outlasts).
    later = np.concatenate([outlast[:, 1:], np.zeros((rows, 1))], axis=1)
    fall = 2 * (first * rates * (later - outlast)).sum(axis=1)
    return np.log(tail), fall / tail


def _outlasting(rates: Floats) -> Floats:
    """P(phases i.. of A last longer than all of B), per row and i: a race of exponentials."""
    rows, phases = rates.shape
    chance = np.zeros((rows, phases + 1, phases + 1))
    chance[:, :phases, phases] = 1.0
    for i in range(phases - 1, -1, -1):
        for j in range(phases - 1, -1, -1):
            mine, theirs = rates[:, i], rates[:, j]
            chance[:, i, j] = (theirs * chance[:, i, j + 1] + mine * chance[:, i + 1, j]) / (
                mine + theirs
            )
    return chance[:, :phases, 0]


def convolved_quantile(
    law: Law, weights: Sequence[float], scales: Sequence[float], confidence: float, trimmed: float
) -> float | None:
    """The exact two-sided quantile of Σ wᵢNᵢ by listing all atoms; None if there are too many."""
    values, chances = np.zeros(1), np.ones(1)
    resolution = 1e-9 * max(abs(w) for w in weights)
    for weight, scale in zip(weights, scales, strict=True):
        atoms, probabilities = rounded_pmf(law, scale, trimmed)
        if atoms.size * values.size > _MAX_ATOMS:
            return None
        sums = np.add.outer(values, atoms * weight).ravel()
        products = np.multiply.outer(chances, probabilities).ravel()
        _, kept, place = np.unique(
            np.rint(sums / resolution), return_index=True, return_inverse=True
        )
        values, chances = sums[kept], np.asarray(np.bincount(place, products), np.float64)
    order = np.argsort(np.abs(values), kind="stable")
    covered = np.cumsum(chances[order])
    hit = int(np.searchsorted(covered, confidence - 1e-12))
    if hit == covered.size:  # the confidence lies beyond the trimmed atoms
        return None
    return float(np.abs(values[order[hit]]))


@lru_cache(maxsize=1024)
def _half_width(
    law: Law, weights: tuple[float, ...], scales: tuple[float, ...], confidence: float
) -> float:
    terms = [(abs(w), s) for w, s in zip(weights, scales, strict=True) if w != 0 and active(law, s)]
    if not terms:
        return 0.0
    if len(terms) == 1:
        weight, scale = terms[0]
        return weight * _one_coordinate(law, scale, confidence)
    sizes = [w for w, _ in terms]
    if max(s for _, s in terms) < SMALL_SCALE:
        exact = convolved_quantile(law, sizes, [s for _, s in terms], confidence, 1e-10)
        if exact is not None:
            return exact
    spreads = np.array([[w * s for w, s in terms]])
    return float(continuous_quantiles(law, spreads, confidence)[0]) + sum(sizes) / 2


def _one_coordinate(law: Law, scale: float, confidence: float) -> float:
    """P(|round(X)| > h) = P(|X| > h + 1/2) for integers h: the least h that is small enough."""
    if law == "laplace":
        edge = -scale * math.log1p(-confidence)
    else:
        edge = -scale * _z((1 - confidence) / 2)
    return float(max(0, math.ceil(edge - 0.5)))


def _tail(law: Law, scale: float, edge: float) -> float:
    """P(|X| > edge) of the continuous law."""
    if law == "laplace":
        return math.exp(-edge / scale)
    return math.erfc(edge / (scale * math.sqrt(2)))


def _z(probability: float) -> float:
    return NormalDist().inv_cdf(probability)


def checked(
    law: Law, weights: Sequence[Real], scales: Sequence[Real], confidence: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The same numbers as floats; ValueError as `half_width` says."""
    if law not in ("laplace", "gaussian"):
        raise ValueError(f"unknown noise law {law!r}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence!r}")
    if len(weights) != len(scales):
        raise ValueError(f"{len(weights)} weights but {len(scales)} scales")
    floats = tuple(float(w) for w in weights)
    sizes = tuple(float(s) for s in scales)
    if not all(math.isfinite(x) for x in floats + sizes) or any(s < 0 for s in sizes):
        raise ValueError("weights and scales must be finite, and scales not negative")
    return floats, sizes
