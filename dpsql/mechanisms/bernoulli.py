"""Exact coins of probability exp(-x): a uniform's bits are compared with it, as far as needed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms import entropy
from dpsql.mechanisms.exact_exp import exp_minus
from dpsql.mechanisms.lazy import LazyUniform, is_below

# Half-width of the float filter in `bernoulli_exp`; tests raise it to force exact arithmetic.
MARGIN = 2.0**-40


def bernoulli_exp(rate: Fraction, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """One coin for each entry t >= 0 of `times`, True with probability exactly exp(-rate * t).

    rate: a rational of at least 0. The float filter decides unless the coin is within 2^-40 of
    exp(-rate t); there exact arithmetic continues on the same bits. Float error: with x = rate t
    in floating point, |exp(-x) - truth| <= x exp(-x) 2^-51 + 2^-51 < 2^-49.
    ValueError for a negative rate or entry.
    """
    if rate < 0 or (times.size and int(times.min()) < 0):
        raise ValueError("bernoulli_exp needs rate >= 0 and times >= 0")
    prefix = entropy.words(times.size) >> np.uint64(11)
    gap = prefix * 2.0**-53 - np.exp(-float(rate) * times.astype(np.float64))
    coins = gap < 0
    for index in np.flatnonzero(np.abs(gap) <= MARGIN).tolist():
        numerator = rate.numerator * int(times[index])

        def enclose(bits: int, numerator: int = numerator) -> tuple[int, int]:
            return exp_minus(numerator, rate.denominator, bits)

        coins[index] = is_below(LazyUniform(int(prefix[index]), 53), enclose)
    return coins
