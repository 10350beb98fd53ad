"""Finite sets of whole numbers: histogram keys such as FLOOR(x / 10) * 10 and age // 5 are public.

A rounding of a value with a declared range has finitely many results. They are listed, so that as
a group key they are shown without a threshold; a row beyond the declared range is in none of them,
as with a column of integers between `min` and `max`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from dpsql.core.domain import Domain, Interval, Kind, Scalar, SqlType
from dpsql.core.ir import Expr, Lit
from dpsql.functions import intervals

MAX_INTEGERS = 1_000
MAX_OTHERS = 200
"""Keys that are not integers are told apart value by value."""
_EXACT = 2**24
"""Whole numbers below it are exact in every type, REAL too."""


def steps(
    type_: SqlType, certain: Interval, declared: Interval, unit: Fraction = Fraction(1)
) -> tuple[Scalar, ...] | None:
    """The multiples of a whole `unit` within both ranges, as values of the type; None if many.

    None too where nothing but a type limits the values: nobody has said that these are the groups.
    """
    if not declared.bounded or unit.denominator != 1:
        return None
    most = MAX_INTEGERS if type_.kind is Kind.INTEGER else MAX_OTHERS
    first = last = 0
    for within in (declared, certain.meet(declared)):
        lo, hi = intervals.low(within), intervals.high(within)
        if lo is None or hi is None:
            return None
        first, last = math.ceil(lo / unit), math.floor(hi / unit)
        if not 0 <= last - first < most:
            return None
    return _as(type_, [int(step * unit) for step in range(first, last + 1)])


def mapped(
    domain: Domain, left: Expr, right: Expr, operation: Callable[[int, int], int]
) -> tuple[Scalar, ...] | None:
    """The results of an operation with a constant on finitely many whole numbers."""
    constants = [isinstance(arg, Lit) for arg in (left, right)]
    if constants[0] == constants[1]:
        return None
    sides = [_whole(arg) for arg in (left, right)]
    if sides[0] is None or sides[1] is None:
        return None
    found = dict.fromkeys(operation(a, b) for a in sides[0] for b in sides[1])
    return _as(domain.type, list(found))


def _whole(arg: Expr) -> list[int] | None:
    values = arg.domain.values
    if values is None or not arg.domain.type.numeric or len(values) > MAX_INTEGERS:
        return None
    found: list[int] = []
    for value in values:
        if not isinstance(value, (int, float, Decimal)) or not -_EXACT < value < _EXACT:
            return None
        if value != int(value):
            return None
        found.append(int(value))
    return found


def _as(type_: SqlType, numbers: list[int]) -> tuple[Scalar, ...] | None:
    """The numbers as Python's values of the type."""
    if any(abs(number) >= _EXACT for number in numbers):
        return None
    if type_.kind is Kind.INTEGER:
        return tuple(numbers)
    if type_.kind is Kind.FLOAT:
        return tuple(float(number) for number in numbers)
    return tuple(Decimal(number) for number in numbers) if type_.kind is Kind.DECIMAL else None
