"""Directed rounding: from exact rationals to floats that are never on the wrong side."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

# A few ulps of a double: covers the rounding of the closed forms in `curves`, whose
# conditioning is that of a handful of operations (see each formula's comment).
_SLACK = 1.0 + 2.0**-46


def float_up(value: Fraction) -> float:
    """The least float that is at least `value`; inf above the largest float."""
    try:
        rounded = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.nextafter(math.inf, 0.0)
    return rounded if Fraction(rounded) >= value else math.nextafter(rounded, math.inf)


def ratio_up(numerator: int, denominator: int) -> float:
    """`float_up` of numerator / denominator, both positive and not necessarily in lowest terms."""
    try:
        rounded = numerator / denominator  # Python rounds it to nearest, whatever the integers
    except OverflowError:
        return math.inf
    p, q = rounded.as_integer_ratio()
    return rounded if p * denominator >= numerator * q else math.nextafter(rounded, math.inf)


def float_down(value: Fraction) -> float:
    """The greatest float that is at most `value`; -inf below the least float."""
    return -float_up(-value)


def inflate(value: float) -> float:
    """A non-negative computed value, made larger than its own rounding error.

    NaN and -inf pass through, so that the caller's check catches them.
    """
    return math.nextafter(value * _SLACK, math.inf)


def ceil_units(value: Fraction, unit: int) -> int:
    """`value` in whole parts of 1/`unit`, rounded up."""
    return -((-value.numerator * unit) // value.denominator)


def as_decimal(value: Fraction) -> Decimal:
    """The fraction at the context's precision, rounded as the context says."""
    return Decimal(value.numerator) / Decimal(value.denominator)
