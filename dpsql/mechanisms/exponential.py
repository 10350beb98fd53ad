"""One index out of many, with probability proportional to width · exp(-rate · penalty), exactly.

A float filter decides nearly always; where the uniform lies too near to a boundary for floats,
exact arithmetic goes on with the same lazily extended bits. Weights are never rounded to
integers: that would change ratios of probabilities, which is what privacy rests on.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms import entropy
from dpsql.mechanisms.exact_exp import exp_minus
from dpsql.mechanisms.lazy import WORD, LazyUniform

# Relative half-width of the float filter: 2^-38 for exp and the products (numpy's exp is taken to
# be right to 2^-41), one rounding for each partial sum apart. Tests raise it to force exactness.
MARGIN = 2.0**-38
_ROUNDING = 2.0**-50
_BITS = 53


def choose_index(penalties: NDArray[Any], widths: NDArray[np.int64], rate: Fraction) -> int:
    """Index i with probability widths[i] · exp(-rate · penalties[i]) / Σ of the same, exactly.

    penalties: 1-d, int64 below 2^62 or Python integers of any size (object). widths: integers >= 0
    below 2^53, same shape, not all 0. rate: a rational >= 0. ValueError otherwise.

    Float error: with x = rate · penalty, |exp(-x) - truth| <= exp(-x) (x 2^-51 + 2^-41), and where
    a term is at least 2^-40 of the total x is below 64 + log2(width); so all terms together are
    off by less than 2^-39 of the total, and each partial sum by 2^-53 of it more a term.
    """
    if rate < 0 or penalties.shape != widths.shape or not widths.size or int(widths.min()) < 0:
        raise ValueError("choose_index needs rate >= 0 and as many widths >= 0 as penalties")
    if not widths.any():
        raise ValueError("choose_index needs something to choose from")
    # A width of 0 is never chosen; the least penalty is taken from those that may be.
    shifted = penalties - penalties[widths > 0].min()
    uniform = LazyUniform(int(entropy.words(1)[0]) >> (WORD - _BITS), _BITS)
    with np.errstate(under="ignore", over="ignore"):
        exponents = np.maximum(float(rate) * shifted.astype(np.float64), 0.0)
        ends = np.cumsum(widths * np.exp(-exponents))
    total = float(ends[-1])
    slack = total * (MARGIN + widths.size * _ROUNDING)
    place = uniform.prefix * 2.0**-_BITS * total
    index = int(np.searchsorted(ends, place, side="right"))
    below = float(ends[index - 1]) if index else -slack
    if index < widths.size and below + slack <= place <= float(ends[index]) - slack:
        return index
    return _exactly(shifted.tolist(), widths.tolist(), rate, uniform)


def _exactly(penalties: list[int], widths: list[int], rate: Fraction, uniform: LazyUniform) -> int:
    """The same index by enclosures of every weight, narrowed until one holds the uniform."""
    while True:
        bits = uniform.bits + len(widths).bit_length() + 8
        low, high = [], []
        for penalty, width in zip(penalties, widths, strict=True):
            lo, hi = _weight(rate, penalty, bits) if width else (0, 0)
            low.append(width * lo)
            high.append(width * hi)
        lows, highs = list(accumulate(low)), list(accumulate(high))
        # The place lies in [prefix · Σlow, (prefix + 1) · Σhigh) / 2^bits of the uniform.
        first, last = uniform.prefix * lows[-1], (uniform.prefix + 1) * highs[-1]
        for index, (lo, hi) in enumerate(zip(lows, highs, strict=True)):
            if first >= hi << uniform.bits:
                continue
            if last <= lo << uniform.bits:
                return index
            break
        uniform.extend()


def _weight(rate: Fraction, penalty: int, bits: int) -> tuple[int, int]:
    if penalty <= 0:  # of width 0 if below
        return 1 << bits, 1 << bits
    return exp_minus(rate.numerator * penalty, rate.denominator, bits)


def uniform_below(bound: int) -> int:
    """An integer in 0..bound-1, all equally likely: words are drawn until one is below."""
    if bound < 1:
        raise ValueError("nothing lies below this bound")
    size = max(1, -(-(bound - 1).bit_length() // WORD))
    while True:
        drawn = 0
        for word in entropy.words(size).tolist():
            drawn = drawn << WORD | word
        drawn >>= size * WORD - max(1, (bound - 1).bit_length())
        if drawn < bound:
            return drawn
