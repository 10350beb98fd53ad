"""Error bars of counts that were released because they passed a threshold.

A key is shown iff its noisy count reached T, so a shown count is drawn from the noise law *cut
at T*: near T it was pushed up, and a plain ±1.96σ covered 22 % where 95 % was written (n = 30,
T = 46). These intervals invert the cut law: n is kept iff, given that it was released, neither
"at least what was seen" nor "at most what was seen" has probability α/2 or less. Exact, equal
tails, conservative by discreteness (as Clopper and Pearson's). Counts that no upper end can miss,
since what is shown is at least T, are tested one-sided: by "at least what was seen", at α.

A count n whose release had probability below 1e-12 is not considered: without this, at huge ε
a count of 2 would have to be told from a 1 that is never shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dpsql.mechanisms.interval import Floats, Real

Ints = NDArray[np.int64]
LogTail = Callable[[Floats], Floats]

_NEVER_SHOWN = math.log(1e-12)


def threshold_interval_gaussian(
    noisy: ArrayLike,
    *,
    sigma: Real,
    threshold: int,
    at_least: int = 1,
    confidence: float = 0.95,
) -> tuple[Ints, Ints]:
    """(lo, hi) int64 (keys,) for n, from noisy = n + round(N(0, σ²)) shown iff ≥ `threshold`.

    `at_least`: the smallest count that can be shown at all (the owner's minimum, else 1).
    """
    scale = float(sigma)

    def log_tail(x: Floats) -> Floats:
        from scipy.special import log_ndtr

        if scale == 0:
            return np.where(x <= 0, 0.0, -np.inf)
        return np.asarray(log_ndtr(-(x - 0.5) / scale))

    z = -NormalDist().inv_cdf((1 - confidence) / 2)
    reach = max(0, math.ceil(z * scale - 0.5))  # without the cut: the least r, P(N > r) <= alpha
    return _invert(noisy, log_tail, reach, 8 * scale, threshold, at_least, confidence)


def threshold_interval_geometric(
    noisy: ArrayLike,
    *,
    epsilon: Real,
    cutoff: int,
    threshold: int,
    at_least: int = 1,
    confidence: float = 0.95,
) -> tuple[Ints, Ints]:
    """(lo, hi) int64 (keys,) for n, from noisy = n + Z shown iff ≥ `threshold`.

    Z is the symmetric geometric P(z) ∝ e^{-ε|z|} on the integers -cutoff..cutoff, `epsilon` the
    ε of one key (Desfontaines, Voss, Gipson and Mandayam 2020, k-TSGD, whose threshold without an
    owner's minimum is cutoff + 1).
    """
    rate = float(epsilon)
    log_tail = _geometric_log_tail(rate, cutoff)
    edge = -(math.log((1 - confidence) / 2) + math.log1p(math.exp(-rate))) / rate
    reach = min(cutoff, max(0, math.ceil(edge - 1)))  # without the cut: P(Z > reach) <= alpha
    return _invert(noisy, log_tail, reach, 30 / rate, threshold, at_least, confidence)


def _geometric_log_tail(rate: float, cutoff: int) -> LogTail:
    """x ↦ log P(Z ≥ x), from logs of geometric sums (rate up to 1e9 does not underflow)."""
    log_step = math.log(-math.expm1(-rate))

    def log_from(start: Floats) -> Floats:  # log Σ_{z=start}^{cutoff} e^{-rate z}, start ≥ 0
        terms = np.maximum(cutoff - start + 1, 0)
        with np.errstate(divide="ignore"):
            ends = np.log(-np.expm1(-rate * terms))
        return np.asarray(-rate * start + ends - log_step)

    one = np.array([1.0])
    above = math.exp(float(log_from(one)[0])) if cutoff > 0 else 0.0
    log_total = math.log1p(2 * above)

    def log_tail(x: Floats) -> Floats:
        right = log_from(np.maximum(x, 1.0)) - log_total
        # P(Z ≥ x) = 1 - P(Z ≥ 1 - x) for x ≤ 0
        mirrored = np.exp(log_from(np.maximum(1.0 - x, 1.0)) - log_total)
        return np.where(x >= 1, right, np.log1p(-np.minimum(mirrored, 1.0)))

    return log_tail


def _invert(
    noisy: ArrayLike,
    log_tail: LogTail,
    reach: int,
    fading: float,
    threshold: int,
    at_least: int,
    confidence: float,
) -> tuple[Ints, Ints]:
    """Both ends for every distinct noisy count; far above the threshold the cut is not felt.

    Entries below the threshold belong to keys that are not shown; they are read as the threshold.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence!r}")
    shown = np.maximum(np.asarray(noisy, dtype=np.int64), threshold)
    seen, place = np.unique(shown, return_inverse=True)
    alpha = (1 - confidence) / 2
    lows = np.maximum(seen - reach, at_least)
    highs = np.maximum(seen + reach, at_least)
    # Beyond this many noise scales above T, P(shown) differs from 1 by less than 1e-12.
    near = seen < threshold + reach + fading + 1
    if near.any():
        close = seen[near]
        rest = math.log1p(-alpha)
        least = np.array([threshold], dtype=np.int64)
        one_sided = max(
            threshold, int(_upper(least, log_tail, rest, threshold, at_least, reach)[0])
        )
        lows[near] = _lower(close, log_tail, math.log(alpha), threshold, at_least, one_sided)
        highs[near] = _upper(close, log_tail, rest, threshold, at_least, reach)
    # What was shown stays inside its own bar, also where the inversion alone would leave it out.
    highs = np.maximum(highs, seen)
    return lows[place], highs[place]


def _lower(
    seen: Ints, log_tail: LogTail, log_alpha: float, threshold: int, at_least: int, one_sided: int
) -> Ints:
    """Least n ≥ at_least with P(≥ seen | shown) > α(n); the ratio of tails grows with n, α falls.

    `one_sided`: the least upper end that any bar has. A count up to there is below no upper end, so
    it can only be missed by a lower one, and that tail has both halves of the misses.
    """

    def fine(n: Ints) -> NDArray[np.bool_]:
        shown = log_tail((threshold - n).astype(np.float64))
        ratio = log_tail((seen - n).astype(np.float64)) - np.maximum(shown, _NEVER_SHOWN)
        allowed = np.where(n <= one_sided, log_alpha + math.log(2), log_alpha)
        return np.asarray((ratio > allowed) & (shown > _NEVER_SHOWN))

    low = np.full(seen.shape, at_least, dtype=np.int64)
    return _least(fine, low, np.maximum(seen, low))


def _upper(
    seen: Ints, log_tail: LogTail, log_rest: float, threshold: int, at_least: int, reach: int
) -> Ints:
    """Largest n with P(≤ seen | shown) > α, that is P(> seen | shown) < 1 - α."""

    def too_large(n: Ints) -> NDArray[np.bool_]:
        shown = log_tail((threshold - n).astype(np.float64))
        return np.asarray(log_tail((seen + 1 - n).astype(np.float64)) - shown >= log_rest)

    low = np.full(seen.shape, at_least, dtype=np.int64)
    return np.asarray(_least(too_large, low, np.maximum(seen + reach + 1, low)) - 1)


def _least(fine: Callable[[Ints], NDArray[np.bool_]], low: Ints, high: Ints) -> Ints:
    """The least n in [low, high] with fine(n), by bisection; high where none below is fine."""
    widest = int((high - low).max(initial=0))
    for _ in range(widest.bit_length() + 1):
        middle = (low + high) // 2
        yes = fine(middle)
        high = np.where(yes, middle, high)
        low = np.where(yes, low, np.minimum(middle + 1, high))
    return high
