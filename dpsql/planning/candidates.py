"""Candidates for a bound that is chosen privately: public grids, from types and policy alone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from dpsql.core.domain import Interval, Kind, SqlType
from dpsql.errors import InternalError

MOST_ROWS = 2**20
"""Rows of a unit in one group that can be found; a group of more is cut to so many."""
REACH = 2**60
"""The largest total in grid units: one row's coordinate is a BIGINT."""

_EIGHTHS = (128, 140, 152, 166, 181, 197, 215, 235)  # 128 · 2^(i/8), short of a byte
_FLOAT_UNIT = Fraction(1, 2**20)
_LEAST = Fraction(1, 2**10)
_FLOAT_REACH = 2**60  # 2^40 in steps of 2^-20


def ladder(top: int, *, fine: bool, first: int = 1) -> tuple[int, ...]:
    """`first` up to `top` in steps of 2^(1/8) (`fine`) or 2^(1/4), whole numbers.

    Each candidate has few bits, so that it is exact as a double, whatever unit it counts.
    """
    marks = _EIGHTHS if fine else _EIGHTHS[::2]
    found, power = {top}, 0
    while (1 << power) <= top:
        found |= {ceil(Fraction(mark << power, 128)) for mark in marks}
        power += 1
    return tuple(sorted(value for value in found if min(first, top) <= value <= top))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a number without a range is looked at: the unit of its grid, and its ends."""

    unit: Fraction
    lo: int
    hi: int

    @property
    def interval(self) -> Interval:
        return Interval(self.lo * self.unit, self.hi * self.unit)


def reach(kind: SqlType, known: Interval, certain: Interval) -> Reach:
    """The widest range that can be found: of the type, less where an end is `known`.

    Integers and decimals in their own units, others in steps of 2^-20 up to 2^40.
    """
    unit, most = _unit(kind)
    if kind.kind is Kind.INTEGER and certain.bounded:
        low, high = certain.numbers()
        most = min(most, max(int(abs(low)), int(abs(high)), 1))
    lo = -most if known.lo is None else _step(known.lo, unit, most)
    hi = most if known.hi is None else _step(known.hi, unit, most)
    return Reach(unit, min(lo, hi), max(lo, hi))


def _unit(kind: SqlType) -> tuple[Fraction, int]:
    if kind.kind is Kind.INTEGER:
        return Fraction(1), REACH
    if kind.kind is Kind.DECIMAL and kind.scale <= 18:
        return Fraction(1, 10**kind.scale), min(REACH, 10**kind.precision)
    return _FLOAT_UNIT, _FLOAT_REACH


def _step(end: object, unit: Fraction, most: int) -> int:
    if not isinstance(end, Fraction):
        raise InternalError("the end of a number's range is no number", code="internal")
    steps = end / unit
    outward = ceil(abs(steps))
    return max(-most, min(most, outward if steps > 0 else -outward))


def least(unit: Fraction) -> int:
    """The smallest candidate for a bound on values, in units: about 2^-10, or one of them.

    Each step up has its price: a ladder that starts far below the data needs more people.
    """
    return max(1, ceil(_LEAST / unit))
