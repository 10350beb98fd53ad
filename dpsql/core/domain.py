"""What is known of an expression's values before any data is read: type, range, values, NULL.

Two ranges are kept apart. `certain` holds for whatever rows the database may contain (it comes
from types, literals and clamps), so overflow safety may rest on it. `declared` is what somebody
has said, the owner in the policy or the analyst in the query, or what an expression holds to by
itself (SIGN, a CASE over literals): it decides the clamp of what is summed, and the clamp is then
enforced, so a wrong declaration costs accuracy, never privacy. The limits of a type are certain
and never declared: nobody chose them, and noise as wide would leave nothing of an answer. So an
end of `declared` is open exactly where nothing but the type limits the values, and `bounds`, which
clamps, sensitivities and public keys rest on, is open there too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction

Scalar = bool | int | float | Decimal | str | dt.date | dt.datetime
Moment = dt.date | dt.datetime
Point = Fraction | dt.datetime


class Kind(Enum):
    NULL = "null"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    OPAQUE = "opaque"

    def __repr__(self) -> str:
        return self.name


NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
TEMPORAL = frozenset({Kind.DATE, Kind.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class SqlType:
    """A SQL type as far as bounding needs it. `scale` is a DECIMAL's digits after the point."""

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.kind is Kind.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        return str(self.kind.value)

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


BOOLEAN = SqlType(Kind.BOOLEAN)
INTEGER = SqlType(Kind.INTEGER)
FLOAT = SqlType(Kind.FLOAT)
TEXT = SqlType(Kind.TEXT)
DATE = SqlType(Kind.DATE)
TIMESTAMP = SqlType(Kind.TIMESTAMP)
NULL = SqlType(Kind.NULL)


def decimal(precision: int, scale: int) -> SqlType:
    return SqlType(Kind.DECIMAL, precision, scale)


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed range; None is an open end. Numbers are Fractions, moments datetimes."""

    lo: Point | None = None
    hi: Point | None = None

    def __post_init__(self) -> None:
        if self.lo is not None and self.hi is not None and self.lo > self.hi:  # type: ignore[operator]
            # An impossible range means no row passes; one point keeps the algebra simple.
            object.__setattr__(self, "hi", self.lo)

    @property
    def bounded(self) -> bool:
        return self.lo is not None and self.hi is not None

    def meet(self, other: Interval) -> Interval:
        return Interval(_tighter(self.lo, other.lo, max), _tighter(self.hi, other.hi, min))

    def join(self, other: Interval) -> Interval:
        lo = None if self.lo is None or other.lo is None else min(self.lo, other.lo)
        hi = None if self.hi is None or other.hi is None else max(self.hi, other.hi)
        return Interval(lo, hi)

    def numbers(self) -> tuple[Fraction, Fraction]:
        """Both ends of a bounded numeric range."""
        if not isinstance(self.lo, Fraction) or not isinstance(self.hi, Fraction):
            raise ValueError("not a bounded numeric range")
        return self.lo, self.hi


ANY = Interval()


def _tighter(a: Point | None, b: Point | None, pick: object) -> Point | None:
    if a is None or b is None:
        return b if a is None else a
    return pick(a, b)  # type: ignore[operator, no-any-return]


def point(value: Scalar) -> Point | None:
    """The value as an end of an Interval; None where intervals do not apply (text)."""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return None
    return Fraction(value)


@dataclass(frozen=True, slots=True)
class Domain:
    """All that is known of an expression's values (see the module docstring).

    `values`: the finite set of public values (NULL apart). Either certain (CASE over literals,
    IN) or declared: then rows outside it are dropped wherever it serves as a group key.
    """

    type: SqlType
    certain: Interval = ANY
    declared: Interval = ANY
    nullable: bool = True
    values: tuple[Scalar, ...] | None = None

    def with_(self, **changes: object) -> Domain:
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def bounds(self) -> Interval:
        """The range an aggregate's argument is clamped to, open where only the type has an end."""
        lo, hi = self.declared.lo, self.declared.hi
        both = self.certain.meet(self.declared)
        return Interval(None if lo is None else both.lo, None if hi is None else both.hi)


def of_literal(value: Scalar | None) -> Domain:
    if value is None:
        return Domain(NULL, nullable=True)
    end = point(value)
    span = Interval(end, end)
    return Domain(literal_type(value), span, span, nullable=False, values=(value,))


def literal_type(value: Scalar) -> SqlType:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, Decimal):
        digits, exponent = value.as_tuple().digits, int(value.as_tuple().exponent)
        scale = max(0, -exponent)
        return decimal(max(len(digits) + max(0, exponent), scale, 1), scale)
    if isinstance(value, float):
        return FLOAT
    if isinstance(value, str):
        return TEXT
    return TIMESTAMP if isinstance(value, dt.datetime) else DATE
