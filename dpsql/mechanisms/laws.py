"""The two laws of a noise magnitude, each cut into cells of width 1/16.

A magnitude x >= 0 with density proportional to exp(-h(x)) is written x = (v + u) / 16 with v a
whole number and u in [0, 1). A pair is proposed with v of weight exp(-h(v/16)) and u uniform, and
accepted with probability exp(-gamma), gamma = h((v + u)/16) - h(v/16) >= 0. What is accepted has
density proportional to exp(-h) on every cell, which is the law itself (docs/proofs/rounded_noise).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms.exact_exp import exp_minus
from dpsql.mechanisms.lazy import Enclosure, LazyUniform, is_below

CELLS_PER_UNIT = 16
TABLE_BITS = 32

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Law:
    """One magnitude law.

    weight(v)        (numerator, denominator) of h(v/16)
    gamma(v, a, k)   (numerator, denominator) of gamma at u = a / 2^k; never falls as u grows
    gamma_float      the same in floating point, vectorised; absolute error below 2^-46 for v < 2^10
    """

    name: str
    weight: Callable[[int], tuple[int, int]]
    gamma: Callable[[int, int, int], tuple[int, int]]
    gamma_float: Callable[[Floats, Floats], Floats]


EXPONENTIAL = Law(
    "exponential: h(x) = x, the magnitude of a Laplace variable",
    weight=lambda v: (v, 16),
    gamma=lambda v, a, k: (a, 16 << k),
    gamma_float=lambda v, u: u * 0.0625,
)

HALF_GAUSSIAN = Law(
    "half Gaussian: h(x) = x^2 / 2, the magnitude of a Gaussian variable",
    weight=lambda v: (v * v, 512),
    gamma=lambda v, a, k: ((v * a << k + 1) + a * a, 512 << 2 * k),
    gamma_float=lambda v, u: (2.0 * v + u) * u * 0.001953125,
)


@cache
def _cumulative(law: Law, bits: int) -> tuple[tuple[int, int], ...]:
    """Enclosures (in units of 2^-bits) of P(cell <= i), i = 0, 1, ... as far as `bits` can tell.

    The sum to infinity is cut after cell J; from cell 16 on each weight is at most exp(-1/16)
    times the one before it, so what is cut is below 17 times the weight of cell J + 1.
    """
    work = bits + 24
    sums: list[tuple[int, int]] = []
    low = high = 0
    while True:
        weight_low, weight_high = exp_minus(*law.weight(len(sums)), work)
        if len(sums) > CELLS_PER_UNIT and weight_high <= 4:
            break
        low, high = low + weight_low, high + weight_high
        sums.append((low, high))
    total_low, total_high = low, high + 17 * weight_high
    return tuple(
        ((below << bits) // total_high, min(1 << bits, -(-(above << bits) // total_low)))
        for below, above in sums
    )


@cache
def table(law: Law) -> NDArray[np.uint32]:
    """floor(2^32 * P(cell <= i)) for i = 0, 1, ... up to the first entry that reads 2^32 - 1.

    A 32-bit prefix above an entry is above P(cell <= i) whatever bits follow, one below the entry
    is below it, one equal to the entry is undecided. Beyond the table all entries equal its last.
    """
    bits = TABLE_BITS + 64
    entries: list[int] = []
    for low, high in _cumulative(law, bits):
        entry = low >> 64
        if entry != high >> 64:
            raise ArithmeticError("a table entry is not determined at this precision")
        entries.append(entry)
        if entry == (1 << TABLE_BITS) - 1:
            break
    return np.array(entries, dtype=np.uint32)


def exact_cell(law: Law, prefix: int, bits: int = TABLE_BITS) -> int:
    """The cell v = #{i : P(cell <= i) <= U} of a uniform U of which `bits` bits are drawn."""
    uniform = LazyUniform(prefix, bits)

    def at_most(cell: int) -> bool:
        return is_below(uniform, lambda width: _enclosure(law, cell, width))

    low, high = 0, 1
    while not at_most(high):
        low, high = high + 1, 2 * high + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if at_most(middle) else (middle + 1, high)
    return low


def exact_accept(law: Law, cell: int, position: LazyUniform, coin: LazyUniform) -> bool:
    """Whether coin < exp(-gamma(cell, position)), exactly; extends both as far as needed.

    The longer of the two prefixes sets the precision; `position` is extended along with the coin,
    and keeps its new bits, since the rounding that follows must use the very same real.
    """
    while True:
        bits = max(position.bits, coin.bits) + 8
        _, high = exp_minus(*law.gamma(cell, position.prefix, position.bits), bits)
        low, _ = exp_minus(*law.gamma(cell, position.prefix + 1, position.bits), bits)
        shift = bits - coin.bits
        if (coin.prefix + 1) << shift <= low:
            return True
        if coin.prefix << shift >= high:
            return False
        position.extend()
        coin.extend()


def _enclosure(law: Law, cell: int, bits: int) -> Enclosure:
    sums = _cumulative(law, bits)
    return sums[cell] if cell < len(sums) else ((1 << bits) - 1, 1 << bits)
