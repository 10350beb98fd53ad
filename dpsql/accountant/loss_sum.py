"""The sum of many grid losses by one FFT, tilted to where it is asked, bounded from above.

With f_i(l) = mass_i(l) e^{theta l} / M_i the sum has mass f(l) e^{K - theta l}, f the convolution
of the f_i and K the sum of the log M_i (an Esscher transform): f is spread around the epsilon in
question, so that an error of f is small against delta there, not against 1. What is not exact:
- the convolution is circular: it adds what lies a whole window away, never subtracts;
- losses beyond the window: at most e^{K(theta + s) - (theta + s) b} for any s (Chernoff);
- the FFT: its error in l2 is at most `_FFT_ERROR` log2(N) relative (Higham 2002, Thm 24.2, whose
  constant is below 8 ulps), carried through products and powers in `_fft_error`;
- rounding of logs and exponentials: K and the weights are raised by a bound on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dpsql.accountant.loss_cells import Array
from dpsql.accountant.loss_grid import LossGrid

_ULP = 2.0**-53
_FFT_ERROR = 16 * _ULP
_POWER_ERROR = 8 * _ULP
_MARGIN = 2.0**-40

Spectrum = np.ndarray[Any, np.dtype[np.complex128]]
Parts = Sequence[tuple[LossGrid, int]]


@dataclass(frozen=True, slots=True)
class LossSum:
    """The upper end of the law of the summed loss; see `delta_from_above`.

    `tilted[j]` is f at the loss (start + j) * step, off by at most `error` in l2.
    """

    step: float
    start: int
    tilted: Array
    exponent: float
    log_scale: float
    error: float
    beyond: float

    @classmethod
    def of(cls, parts: Parts, exponent: float, start: int, points: int) -> LossSum:
        """The sum in the window of `points` (a power of two) grid points from `start` on."""
        step = parts[0][0].step
        spectrum = np.ones(points // 2 + 1, dtype=np.complex128)
        log_scale, offset, norms, total = 0.0, 0, 0.0, 0
        for grid, count in parts:
            folded, log_moment, norm = _fold(grid, exponent, points)
            spectrum *= _power(np.fft.rfft(folded), count)
            log_scale += count * log_moment + abs(count * log_moment) * _MARGIN
            offset += count * grid.start
            norms += count * norm
            total += count
        tilted = np.roll(np.fft.irfft(spectrum, points), (offset - start) % points)
        end = (start + points) * step
        infinite = math.fsum(count * grid.infinite for grid, count in parts) * (1 + _MARGIN)
        return cls(
            step,
            start,
            tilted,
            exponent,
            log_scale,
            _fft_error(points, norms, total),
            infinite + math.exp(min(0.0, _log_tail(parts, exponent, end))),
        )

    def delta_from_above(self, epsilon: float) -> float:
        """At least E[(1 - e^{epsilon - L})_+]; `epsilon` in the window, or below it (then 1)."""
        if epsilon < self.start * self.step:
            return 1.0
        weights, scale = self._weights(epsilon)
        if weights.size == 0:
            return min(1.0, self.beyond)
        inside = float(weights @ self.tilted[-weights.size :])
        doubt = math.sqrt(float(weights @ weights)) * self.error + weights.size * 2 * _ULP
        return min(1.0, scale * (max(inside, 0.0) + doubt) * (1 + _MARGIN) + self.beyond)

    def _weights(self, epsilon: float) -> tuple[Array, float]:
        """(1 - e^{epsilon - l}) e^{-theta (l - epsilon)} for l > epsilon, and their scale."""
        first = math.floor(epsilon / self.step) + 1 - self.start
        losses = (self.start + np.arange(max(first, 0), self.tilted.size)) * self.step - epsilon
        with np.errstate(under="ignore"):
            weights: Array = -np.expm1(-losses) * np.exp(-self.exponent * losses)
        log_scale = self.log_scale - self.exponent * epsilon
        log_scale += (abs(self.log_scale) + self.exponent * abs(epsilon)) * _MARGIN
        return weights, math.exp(min(log_scale, 700.0))


def log_moment(parts: Parts, exponent: float) -> float:
    """K(exponent) = log E[e^{exponent L}] of the sum, rounded up."""
    total = math.fsum(count * grid.log_moment(exponent) for grid, count in parts)
    return total + abs(total) * _MARGIN


def _fold(grid: LossGrid, exponent: float, points: int) -> tuple[Array, float, float]:
    """f_i with sum at most 1 on a circle of `points`, log M_i rounded up, and its l2 norm."""
    terms, slack = grid.tilted(exponent)
    scale = grid.log_moment(exponent)
    with np.errstate(under="ignore"):
        shares = np.exp(terms - scale)
    places = np.arange(shares.size) % points
    folded: Array = np.bincount(places, shares, points).astype(np.float64)
    norm = math.sqrt(float(folded @ folded))
    # shares are rounded by e^{+-2 slack} and summed; the moment pays for it
    return folded, scale + 3 * slack + (2 + shares.size / points) * 2.0**-50, norm


def _power(values: Spectrum, count: int) -> Spectrum:
    """values^count by repeated squaring: each product of complex numbers errs by 3 ulps."""
    result = np.ones_like(values)
    while count:
        if count & 1:
            result = result * values
        count >>= 1
        if count:
            values = values * values
    return result


def _fft_error(points: int, norms: float, total: int) -> float:
    """Bounds the l2 distance of the computed f from the exact one.

    A transform of f_i errs by eta |f_i| in l2 (in units where transforms keep l2). All |f_i^| are
    at most 1, so a product of powers errs by the sum of count_i eta |f_i|, and its own rounding
    by `_POWER_ERROR` for each factor; the way back adds eta. The factor covers that the computed
    transforms may exceed 1 by eta sqrt(N).
    """
    eta = _FFT_ERROR * math.log2(points)
    excess = total * eta * math.sqrt(points)
    if excess > 1:
        return math.inf
    return math.exp(excess) * (eta * (norms + 1) + _POWER_ERROR * total)


def _log_tail(parts: Parts, exponent: float, end: float) -> float:
    """log of an upper bound of P(L >= end): Chernoff, at a good exponent of a few."""
    best = 0.0
    for factor in (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0):
        t = exponent * factor
        best = min(best, log_moment(parts, t) - t * end + (abs(t * end) + 1) * _MARGIN)
    return best
