"""exp(-x) of a rational x >= 0, enclosed between two integers: no floating point."""

from __future__ import annotations

_GUARD = 24


def exp_minus(numerator: int, denominator: int, bits: int) -> tuple[int, int]:
    """Integers (lo, hi) with lo <= 2^bits * exp(-numerator/denominator) <= hi.

    hi - lo is at most 3, so the enclosure is as wide as 3 units of 2^-bits.
    x = numerator/denominator >= 0 of any size: beyond x >= bits the answer is (0, 1) at once,
    since exp(-x) < 2^-x. Method: floor and ceiling of x on a grid of 2^-precision, x halved until
    it is below 2^-8, Taylor's series of exp(+x) (all terms positive, so dropping low digits
    rounds down and one unit a term bounds the error), squared back, inverted.
    """
    if numerator < 0 or denominator <= 0:
        raise ValueError("exp_minus needs a rational of at least 0")
    if numerator == 0:
        return 1 << bits, 1 << bits
    if numerator >= bits * denominator:
        return 0, 1
    halvings = max(0, (numerator // denominator).bit_length() + 8)
    # Squaring doubles relative error, and exp(x) has about 1.45 x integer bits above the point.
    precision = bits + 2 * halvings + _GUARD
    one = 1 << precision
    small = (numerator << precision) // (denominator << halvings)
    low = high = term_low = term_high = one
    index = 0
    while term_high > 1:
        index += 1
        term_low = (term_low * small >> precision) // index
        term_high = _ceiling(_ceiling(term_high * (small + 1), one), index)
        low += term_low
        high += term_high
    # Terms fall by more than half each (small < 2^-8 one), so what was left out is below term_high.
    high += term_high
    for _ in range(halvings):
        low = low * low >> precision
        high = _ceiling(high * high, one)
    top = 1 << (bits + precision)
    return top // high, _ceiling(top, low)


def _ceiling(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
