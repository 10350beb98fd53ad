"""Error bars of ratios of noisy sums (AVG): Fieller's exact pivot, for any of our noise laws.

Fieller (1954), "Some problems in interval estimation". Coordinates x = S + N; the ratio
θ = c·S / d·S makes (c - θd)·S = 0, so (c - θd)·x = (c - θd)·N has a known law whatever S is. The
interval is every θ with |(c - θd)·x| ≤ H(θ), H(θ) the two-sided quantile of |(c - θd)·N|.

For a symmetric log-concave noise, H is a norm of c - θd (Bobkov 2010, "Convex bodies and norms
associated to convex measures"), hence convex in θ. So (a) chords between knots lie above it, and
a tabulated H errs to the wide side only; (b) where d·x exceeds the quantile of |d·N|, what is
accepted is one interval, found by binary search over the knots. Where it does not, the noise may
be all there is, and the whole range is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dpsql.mechanisms.interval import (
    Floats,
    Law,
    Real,
    active,
    checked,
    continuous_quantiles,
    convolved_quantile,
)

_EXACT_BELOW = 4.0  # two coordinates of smaller scales: H from the rounded law, atom by atom
_UNIFORM = 64
_CLUSTER = 16


def ratio_interval(
    values: ArrayLike,
    *,
    numerator: Sequence[Real],
    denominator: Sequence[Real],
    law: Law,
    scales: Sequence[Real],
    low: Real,
    high: Real,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Interval of θ = c·S/d·S, known to lie in [low, high], from noisy `values` (terms, groups).

    `numerator` c and `denominator` d have one weight per term, `scales` one noise scale. Any
    linear basis fits: centred (n, s) is c = (0, 1), d = (1, 0); AVG from the variance basis
    (S0, S1, S2) is c = (0, 1/(2M), 1/M), d = (1, 1, 1)/M². Returns (lo, hi), each (groups,).

    Coverage is at least `confidence` up to the flatness of rounded laws (two terms), and errs to
    the wide side with three or more terms of scale below 4.
    """
    coordinates = np.asarray(values, dtype=np.float64)
    tops, sizes = checked(law, numerator, scales, confidence)
    bottoms, _ = checked(law, denominator, scales, confidence)
    knots, widths, count_width = _table(
        law, tops, bottoms, sizes, float(low), float(high), confidence
    )
    top = np.asarray(tops) @ coordinates
    bottom = np.asarray(bottoms) @ coordinates
    lower, over = crossing(top, bottom, knots, widths)
    # Mirrored (θ → -θ), the upper end is a lower end.
    upper, under = crossing(-top, bottom, -knots[::-1], widths[::-1])
    upper = -upper
    # Nothing in the range is accepted (2.5 % of the time when all rows sit at one end, say): the
    # noise carried the answer past the end; keep that end and the pivot's width beside it.
    sure = bottom > count_width
    divisor = np.where(sure, bottom, 1.0)
    lower = np.where(over, np.maximum(knots[0], knots[-1] - widths[-1] / divisor), lower)
    upper = np.where(under, np.minimum(knots[-1], knots[0] + widths[0] / divisor), upper)
    return np.where(sure, lower, knots[0]), np.where(sure, upper, knots[-1])


def crossing(
    top: Floats, bottom: Floats, knots: Floats, widths: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Where top - θ·bottom - H(θ) stops being positive, and whether it never does in the range.

    `knots` ascend, `widths` are H at each; bottom > the slope of H where the answer is to be used.
    """

    def excess(at: NDArray[np.intp]) -> Floats:
        return np.asarray(top - knots[at] * bottom - widths[at])

    left = np.zeros(top.shape, dtype=np.intp)
    right = np.full(top.shape, knots.size - 1, dtype=np.intp)
    at_start, at_end = excess(left), excess(right)
    for _ in range(int(knots.size).bit_length()):
        middle = (left + right) // 2
        positive = excess(middle) > 0
        left = np.where(positive, middle, left)
        right = np.where(positive, right, middle)
    left = np.minimum(left, knots.size - 2)
    right = left + 1
    before, after = excess(left), excess(right)
    drop = np.where(before > after, before - after, 1.0)
    share = np.clip(before / drop, 0.0, 1.0)
    found = knots[left] + share * (knots[right] - knots[left])
    return np.where(at_start <= 0, knots[0], found), at_end > 0


@lru_cache(maxsize=256)
def _table(
    law: Law,
    tops: tuple[float, ...],
    bottoms: tuple[float, ...],
    scales: tuple[float, ...],
    low: float,
    high: float,
    confidence: float,
) -> tuple[Floats, Floats, float]:
    """Knots over [low, high], H at each, and the quantile of the denominator's own noise."""
    if not low < high:
        raise ValueError(f"low must lie below high, not {low!r} and {high!r}")
    knots = _knots(tops, bottoms, low, high)
    weights = np.abs(np.asarray(tops) - np.multiply.outer(knots, np.asarray(bottoms)))
    weights = np.vstack([weights, np.abs(bottoms)])
    alive = [i for i, scale in enumerate(scales) if active(law, scale)]
    if not alive:
        return knots, np.zeros(knots.size), 0.0
    widths = pivot_widths(
        law, weights[:, alive], np.asarray([scales[i] for i in alive]), confidence
    )
    for array in (knots, widths):
        array.setflags(write=False)
    return knots, widths[:-1], float(widths[-1])


def pivot_widths(law: Law, weights: Floats, sizes: Floats, confidence: float) -> Floats:
    """The two-sided quantile of |Σ wᵢNᵢ| for each row of `weights` ≥ 0 (rows, terms).

    No scale is 0. Two small rounded noises are convolved; else as `interval.half_width`.
    """
    if not sizes.size:
        return np.zeros(len(weights))
    if sizes.size <= 2 and sizes.max() < _EXACT_BELOW:
        return _exact_widths(law, weights, sizes, confidence)
    spread = continuous_quantiles(law, weights * sizes, confidence)
    return np.asarray(spread + weights.sum(axis=1) / 2)


def _exact_widths(law: Law, weights: Floats, sizes: Floats, confidence: float) -> Floats:
    widths = np.zeros(len(weights))
    for row, line in enumerate(weights):
        if line.max() > 0:
            exact = convolved_quantile(law, line.tolist(), sizes.tolist(), confidence, 1e-6)
            if exact is None:
                spread = continuous_quantiles(law, (line * sizes)[None, :], confidence)
                exact = float(spread[0]) + float(line.sum()) / 2
            widths[row] = exact
    return widths


def _knots(tops: tuple[float, ...], bottoms: tuple[float, ...], low: float, high: float) -> Floats:
    """Even knots, and denser ones where a coordinate's weight cᵢ - θdᵢ vanishes (H bends there)."""
    steps = (high - low) * 0.5 ** np.arange(1, _CLUSTER + 1)
    points = [np.linspace(low, high, _UNIFORM + 1)]
    for top, bottom in zip(tops, bottoms, strict=True):
        if bottom != 0:
            bend = top / bottom
            points.append(np.concatenate([[bend], bend - steps, bend + steps]))
    knots = np.unique(np.concatenate(points))
    return knots[(knots >= low) & (knots <= high)]
