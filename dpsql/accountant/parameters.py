"""Reading and writing the exact parameters of privacy events."""

from __future__ import annotations

import re
from fractions import Fraction

from dpsql.core.numbers import read_number
from dpsql.errors import Error, LedgerError

# Python refuses to print integers of more than 4,300 digits; parameters stay far below, so
# that every event can be written down.
_LARGEST = 10**1000
_RATIONAL = re.compile(r"(0|[1-9][0-9]{0,1000})(?:/([1-9][0-9]{0,1000}))?\Z", re.ASCII)


def positive(value: object, what: str) -> Fraction:
    """The exact value of a number > 0. ValueError for anything else (bool, NaN, inf, text)."""
    number = non_negative(value, what)
    if number == 0:
        raise ValueError(f"{what} must be positive, not 0")
    return number


def non_negative(value: object, what: str) -> Fraction:
    """The exact value of a number >= 0; a float is read as `Decimal(repr(x))`."""
    if isinstance(value, float):
        value = float(value)  # a subclass such as numpy.float64 has another repr
    try:
        number = read_number(value, what)
    except Error as refusal:
        raise ValueError(refusal.message) from None
    if number < 0:
        raise ValueError(f"{what} must not be negative")
    if number.numerator > _LARGEST or number.denominator > _LARGEST:
        raise ValueError(f"{what} is out of range")
    return number


def probability(value: object, what: str) -> Fraction:
    """The exact value of a number in (0, 1]."""
    number = positive(value, what)
    if number > 1:
        raise ValueError(f"{what} must be at most 1")
    return number


def natural(value: object, what: str) -> int:
    """An integer >= 1."""
    number = positive(value, what)
    if number.denominator != 1:
        raise ValueError(f"{what} must be an integer")
    return int(number)


def parse_rational(text: object, what: str) -> Fraction:
    """Read `write_rational`'s text back. LedgerError for any other text."""
    match = _RATIONAL.match(text) if isinstance(text, str) else None
    if match is None:
        raise LedgerError(f"{what} is not an exact number", code="bad-event")
    value = Fraction(int(match[1]), int(match[2] or 1))
    if write_rational(value) != text:  # 2/4, 1/1
        raise LedgerError(f"{what} is not an exact number in lowest terms", code="bad-event")
    return value


def write_rational(value: Fraction | int) -> str:
    """`3/2`, `7`: exact, canonical decimal text."""
    return str(value)
