"""Error bars of ratios of noisy answers that may be any number: Fieller's pivot without a range.

As `fieller.py`, for T / B with T = c·S + t and B = d·S + b, public constants t and b among them:
(c - θd)·N has a known law at every θ, and what is accepted is every θ with |T̂ - θB̂| ≤ H(θ). H is
convex in θ and asymptotically linear, so chords between knots that grow geometrically on either
side of the bends of H lie above it and nowhere far. Where |B̂| is not beyond the noise of B
alone, every θ far out is accepted, too, and there is no interval: the divisor may be 0.

Fieller (1954); the pivot is exact, whatever the sums are and however they share their noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from dpsql.mechanisms.fieller import crossing, pivot_widths
from dpsql.mechanisms.interval import Floats, Law, Real, active, checked

_DECADES, _EACH = 4, 24
_FAR = 60  # decades: one knot each, between which H is a line but for a part in 10^8


def open_ratio_interval(
    top: ArrayLike,
    bottom: ArrayLike,
    *,
    numerator: Sequence[Real],
    denominator: Sequence[Real],
    law: Law,
    scales: Sequence[Real],
    slack: tuple[float, float] = (0.0, 0.0),
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """(lo, hi), each (groups,), of T / B; -inf and inf where the divisor may be 0.

    `top`, `bottom`: the noisy T̂ and B̂ of each group. `numerator` c and `denominator` d have one
    weight for each coordinate whose noise is in them, `scales` its scale; `slack`: what T̂ and B̂
    may be off beyond that noise (rounding). ValueError as `interval.half_width`.
    """
    tops, sizes = checked(law, numerator, scales, confidence)
    bottoms, _ = checked(law, denominator, scales, confidence)
    knots, widths, count_width = _table(law, tops, bottoms, sizes, slack, confidence)
    above, below = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    sign = np.where(below < 0, -1.0, 1.0)
    above, below = above * sign, below * sign  # the noise is symmetric
    lower, _ = crossing(above, below, knots, widths)
    upper, _ = crossing(-above, below, -knots[::-1], widths[::-1])
    sure = below > count_width
    return np.where(sure, lower, -np.inf), np.where(sure, -upper, np.inf)


@lru_cache(maxsize=256)
def _table(
    law: Law,
    tops: tuple[float, ...],
    bottoms: tuple[float, ...],
    scales: tuple[float, ...],
    slack: tuple[float, float],
    confidence: float,
) -> tuple[Floats, Floats, float]:
    """Knots, H at each, and the quantile of the denominator's own noise.

    That is inf, and so there is no interval, where one noise is so much smaller than the other that
    no double holds what lies between: a sum of nothing but 0 or 1e-300, say.
    """
    alive = [i for i, scale in enumerate(scales) if active(law, scale)]
    sizes = np.asarray([scales[i] for i in alive])
    c, d = (np.asarray([line[i] for i in alive]) for line in (tops, bottoms))
    with np.errstate(over="ignore", invalid="ignore"):
        knots = _knots(c, d, sizes)
        weights = np.vstack([np.abs(c - np.multiply.outer(knots, d)), np.abs(d)])
        far = (weights * sizes) ** 2
    if not np.isfinite(far.sum(axis=1)).all():
        return np.array([-1.0, 1.0]), np.zeros(2), np.inf
    widths = pivot_widths(law, weights, sizes, confidence)
    loose = np.append(slack[0] + np.abs(knots) * slack[1], slack[1])
    widths = widths + loose
    for array in (knots, widths):
        array.setflags(write=False)
    return knots, widths[:-1], float(widths[-1])


def _knots(c: Floats, d: Floats, sizes: Floats) -> Floats:
    """Around 0 and every bend c_i / d_i, at all scales of the ratio of the two noises."""
    spread = float(np.abs(d * sizes).sum())
    unit = float(np.abs(c * sizes).sum()) / spread if spread else 1.0
    unit = unit or 1.0
    near = np.geomspace(10.0**-_DECADES, 10.0**_DECADES, 2 * _DECADES * _EACH + 1)
    steps = unit * np.append(near, 10.0 ** np.arange(_DECADES + 1, _FAR + 1))
    bends = [0.0, *(float(t / b) for t, b in zip(c, d, strict=True) if b)]
    points = [np.concatenate([[bend], bend - steps, bend + steps]) for bend in sorted(set(bends))]
    return np.unique(np.concatenate(points))
