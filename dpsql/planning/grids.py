"""The public integer grid of a summed value, from public numbers only.

Order of construction: grid, then integer bounds rounded outward, then integer sensitivity, then
noise. Finer grids cost nothing but bits, so the unit is chosen well below the noise.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt

from dpsql.aggregates.basis import Grid
from dpsql.core.domain import Interval, Kind, SqlType

# n · W · M^d · m < 2^126 with n = 2^48 units leaves this many bits for W · M^d · m.
_TOTAL_BITS = 126 - 48
_EXACT_BITS = 52
_ROW_BITS = 61  # one row's coordinate is a BIGINT


def make_grid(
    kind: SqlType,
    bounds: Interval,
    *,
    degree: int,
    alone: bool,
    rows: int,
    weight: int,
    epsilon: Fraction,
) -> Grid:
    """The grid of a value clamped to `bounds`, of which a unit counts `rows` rows at most.

    A sum asked `alone` is not shifted: its rows reach max(|lo|, |hi|), others the span.
    """
    lo, hi = bounds.numbers()
    room = (2 ** (_TOTAL_BITS) // (rows * weight)) or 1
    largest = min(2**_ROW_BITS, room) if degree == 1 else isqrt(min(2**_ROW_BITS, room))
    natural = _natural_unit(kind)
    if natural is not None:
        grid = _outward(natural, lo, hi)
        row = grid.largest if alone else grid.span
        if row <= largest and grid.largest < 2**_ROW_BITS:
            return grid
    bits = max(24, 20 + max(0, epsilon.numerator.bit_length() - epsilon.denominator.bit_length()))
    bits = min(bits, largest.bit_length() - 2, _EXACT_BITS)
    # Both ends stay exact doubles on the grid, which the clamp of floats rests on.
    reach = max(abs(lo), abs(hi)) / (1 if alone else 2 ** (_EXACT_BITS - bits))
    width = max(hi - lo, reach, Fraction(1, 2**900))
    return _outward(_power_of_two(width / 2**bits), lo, hi)


def _natural_unit(kind: SqlType) -> Fraction | None:
    if kind.kind is Kind.INTEGER:
        return Fraction(1)
    return Fraction(1, 10**kind.scale) if kind.kind is Kind.DECIMAL else None


def _outward(unit: Fraction, lo: Fraction, hi: Fraction) -> Grid:
    return Grid(unit, floor(lo / unit), ceil(hi / unit))


def _power_of_two(at_least: Fraction) -> Fraction:
    """The least power of two that is not below `at_least`."""
    exponent = at_least.numerator.bit_length() - at_least.denominator.bit_length()
    power = Fraction(2) ** (exponent - 1)
    while power < at_least:
        power *= 2
    return power
