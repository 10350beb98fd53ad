"""The prices among which the least is found: decimals of three digits, and the cap itself.

A price is found to within 1 %, always upwards, so that near targets come to the same price and a
repeat of a question is the repeat of its release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from dpsql.core.numbers import MIN_EPSILON

_DIGITS = 900  # 100 to 999
_LOWEST = -12  # 1.00e-10 is place 0


@dataclass(frozen=True, slots=True)
class Prices:
    """Places 0, 1, 2, ...; each its ε, rising. The last is the cap."""

    cap: Fraction

    @property
    def first(self) -> int:
        """The least ε that may be asked, or the cap where that is less than three digits above."""
        return min(_place_at_least(MIN_EPSILON), self.last)

    @property
    def last(self) -> int:
        below = _place_at_most(self.cap)
        return below if _at(below) == self.cap else below + 1

    def at(self, place: int) -> Fraction:
        return self.cap if place >= self.last else _at(place)

    def near(self, epsilon: float) -> int:
        """The place whose ε is at least this, within the places that there are."""
        if epsilon <= float(MIN_EPSILON):
            return self.first
        if epsilon >= float(self.cap):
            return self.last
        return max(self.first, min(_place_at_least(Fraction(epsilon)), self.last))


def three_digits_down(value: Fraction) -> Fraction:
    """The decimal of three digits at or below, at least the least ε."""
    return max(_at(_place_at_most(value)), MIN_EPSILON)


def _at(place: int) -> Fraction:
    decade, digits = divmod(place, _DIGITS)
    return (100 + digits) * Fraction(10) ** (decade + _LOWEST)


def _place_at_most(value: Fraction) -> int:
    decade = math.floor(math.log10(value)) - 2
    if value < 100 * Fraction(10) ** decade:  # a logarithm that was rounded up
        decade -= 1
    digits = math.floor(value / Fraction(10) ** decade)
    return (decade - _LOWEST) * _DIGITS + digits - 100


def _place_at_least(value: Fraction) -> int:
    place = _place_at_most(value)
    return place if _at(place) == value else place + 1
