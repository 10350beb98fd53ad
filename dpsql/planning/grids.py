"""The public integer grid of a summed value, from public numbers only.

Order of construction: grid, then integer bounds rounded outward, then integer sensitivity, then
noise. Finer grids cost nothing but bits, so the unit is chosen well below the noise.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt

from dpsql.aggregates.basis import Grid
from dpsql.core.domain import Interval, Kind, SqlType
from dpsql.errors import RefusedQuery

# n · W · M^d · m < 2^126 with n = 2^48 units leaves this many bits for W · M^d · m.
_TOTAL_BITS = 126 - 48
_EXACT_BITS = 52
_VALUE_BITS = 24
# Squares of 19 bits add up in 64 over 2^25 rows, which engines do in two thirds of the time of 128.
# Rounding then moves Σy² by 0.6·M·√rows at the most, noise by M²/ε: 2^26 rows at ε = 1 are a 100th.
_SQUARE_BITS = 19
_LEAST_STEPS = 256  # of a value of a pair: rounding then moves a variance by a millionth of range²
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
    largest = _largest_row(rows, weight)
    if degree > 1:
        largest = isqrt(largest)
    natural = _natural(kind, bounds)
    if natural is not None:
        row = natural.largest if alone else natural.span
        if row <= largest and natural.largest < 2**_ROW_BITS:
            return natural
    least = _SQUARE_BITS if degree > 1 else _VALUE_BITS
    return _coarse(bounds, largest, alone=alone, epsilon=epsilon, least=least)


def make_pair_grids(
    kinds: tuple[SqlType, SqlType],
    bounds: tuple[Interval, Interval],
    *,
    degrees: tuple[int, int],
    rows: int,
    weight: int,
    epsilon: Fraction,
) -> tuple[Grid, Grid]:
    """Grids of two values with Mx^dx · My^dy within what one row may count.

    Whole units where both fit; else a value that needs little keeps its own, and the other (or
    both, in equal shares) is read on a coarser one.
    """
    most = _largest_row(rows, weight)
    natural = [_natural(kind, span) for kind, span in zip(kinds, bounds, strict=True)]
    sizes = [grid and grid.span**degree for grid, degree in zip(natural, degrees, strict=True)]
    fits = [grid is not None and grid.largest < 2**_ROW_BITS for grid in natural]
    first, second = natural
    if all(fits) and first and second and sizes[0] * sizes[1] <= most:  # type: ignore[operator]
        return first, second
    share = 2 ** (most.bit_length() // sum(degrees) - 1)
    small = [fit and grid.span <= share for fit, grid in zip(fits, natural, strict=True)]  # type: ignore[union-attr]
    found: list[Grid] = []
    for at, degree in enumerate(degrees):
        grid = natural[at]
        if small[at] and grid is not None:
            found.append(grid)
            continue
        left = most // (sizes[1 - at] or 1) if small[1 - at] else share**degree
        root = 2 ** ((left.bit_length() - 1) // degree)
        if root < _LEAST_STEPS:
            raise _too_coarse()
        found.append(_coarse(bounds[at], root, alone=False, epsilon=epsilon))
    return found[0], found[1]


def _too_coarse() -> RefusedQuery:
    return RefusedQuery(
        "with so many rows of one unit the two values could be told apart in a few steps only",
        code="range-too-wide",
        hint="lower max_rows_per_group, or ask with OPTIONS(max_rows_contributed = 1000)",
    )


def _largest_row(rows: int, weight: int) -> int:
    """How much one row may count in all its coordinates, of which a unit counts `rows` rows."""
    room = (2 ** (_TOTAL_BITS) // (rows * weight)) or 1
    return int(min(2**_ROW_BITS, room))


def natural_grid(kind: SqlType, bounds: Interval) -> Grid | None:
    """A grid of the type's own units, where a row's value on it is a BIGINT."""
    natural = _natural(kind, bounds)
    return natural if natural is not None and natural.largest < 2**_ROW_BITS else None


def coarse_grid(bounds: Interval, most: int) -> Grid:
    """A grid of a power of two with about `most` points at the most."""
    return _coarse(bounds, 2 * most, alone=False, epsilon=Fraction(1))


def _natural(kind: SqlType, bounds: Interval) -> Grid | None:
    unit = _natural_unit(kind)
    return None if unit is None else _outward(unit, *bounds.numbers())


def _coarse(
    bounds: Interval, largest: int, *, alone: bool, epsilon: Fraction, least: int = _VALUE_BITS
) -> Grid:
    """A grid of a power of two of at least 2^`least` steps, with a span of at most `largest`."""
    lo, hi = bounds.numbers()
    bits = max(
        least, least - 4 + max(0, epsilon.numerator.bit_length() - epsilon.denominator.bit_length())
    )
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
