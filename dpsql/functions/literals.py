"""Constants: reading dates from text, normalising to a type, and writing them as DuckDB AST."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import Kind, Scalar, SqlType, literal_type, of_literal
from dpsql.core.ir import Lit
from dpsql.functions.protocol import Scope

_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*\Z", re.ASCII)
_TIMESTAMP = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?\s*\Z",
    re.ASCII,
)
_WIDE = Context(prec=80)
_MOST_DIGITS = 38


def lit(value: Scalar | None) -> Lit:
    return Lit(value, of_literal(value))


def emit_literal(value: Scalar | None) -> exp.Expr:
    """The constant with exactly DuckDB's type for it (INTEGER, DECIMAL, DOUBLE, VARCHAR, ...)."""
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        return exp.Literal.string(value)
    if isinstance(value, dt.datetime):
        return _cast(value.isoformat(" "), "TIMESTAMP")
    if isinstance(value, dt.date):
        return _cast(value.isoformat(), "DATE")
    if isinstance(value, float) and not math.isfinite(value):
        return _cast(repr(value), "DOUBLE")
    return _number(value)


def _number(value: int | float | Decimal) -> exp.Expr:
    negative = math.copysign(1, value) < 0 if isinstance(value, float) else value < 0
    if isinstance(value, float):
        # Without an exponent DuckDB would read a DECIMAL.
        text = repr(abs(value))
        text = text if "e" in text else text + "e0"
    else:
        if not _fits_hugeint(value) and _digits(value) > _MOST_DIGITS:
            return _cast(_double(value), "DOUBLE")  # no exact type holds it
        if isinstance(value, Decimal) and _unreadable(value):
            return _exact(value)
        text = format(value.copy_abs(), "f") if isinstance(value, Decimal) else str(abs(value))
    literal = exp.Literal.number(text)
    return exp.Neg(this=literal) if negative else literal


def _exact(value: Decimal) -> exp.Expr:
    type_ = literal_type(value)
    return _cast(format(value, "f"), f"DECIMAL({type_.precision}, {type_.scale})")


def _double(value: int | Decimal) -> str:
    try:
        return repr(float(value))
    except OverflowError:
        return "inf" if value > 0 else "-inf"


def _fits_hugeint(value: int | Decimal) -> bool:
    """Does DuckDB read the digits as a HUGEINT, though they be 39?"""
    return isinstance(value, int) and -(2**127) <= value < 2**127


def _digits(value: int | Decimal) -> int:
    """Digits that an exact type must have for the value."""
    return len(str(abs(value))) if isinstance(value, int) else literal_type(value).precision


def _unreadable(value: Decimal) -> bool:
    """Would DuckDB read the digits as another type: an INTEGER, or, of so many, a DOUBLE?

    Writing `1.0` for a DECIMAL(1, 0) would not do: what it meets is then cast to a scale of 1, for
    which a value of 38 digits has no room.
    """
    text = format(value.copy_abs(), "f")
    return "." not in text or len(text) >= _MOST_DIGITS  # the point apart: on the safe side


def _cast(text: str, type_name: str) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType.build(type_name))


# ---- reading -----------------------------------------------------------------------------


def parse_date(text: str) -> dt.date | None:
    """`YYYY-MM-DD`; None for anything else (infinity, BC, five-digit years included)."""
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def parse_timestamp(text: str) -> dt.datetime | None:
    """`YYYY-MM-DD[ HH:MM[:SS[.ffffff]]]` (T allowed between), without a zone; else None."""
    match = _TIMESTAMP.match(text)
    if match is None:
        return None
    micros = int((match[7] or "0").ljust(6, "0"))
    hour, minute, second = (int(part or 0) for part in match.groups()[3:6])
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3]))
        return dt.datetime.combine(day, dt.time(hour, minute, second, micros))
    except ValueError:
        return None


def read_moment(node: exp.Expr, text: str, kind: Kind, scope: Scope) -> Lit:
    """A DATE or TIMESTAMP constant; InvalidQuery `bad-literal` where the text is neither."""
    if kind is Kind.DATE:
        day = parse_date(text)
        if day is None and (moment := parse_timestamp(text)) and moment.time() == dt.time():
            day = moment.date()
        if day is not None:
            return lit(day)
        scope.invalid(
            node,
            "bad-literal",
            f"'{text[:40]}' is not a date",
            "write DATE '2024-12-31', or TIMESTAMP '2024-12-31 10:00:00' for a time of day",
        )
    moment = parse_timestamp(text)
    if moment is not None:
        return lit(moment)
    scope.invalid(
        node,
        "bad-literal",
        f"'{text[:40]}' is not a timestamp",
        "write TIMESTAMP '2024-12-31 10:00:00', years 0001 to 9999, no time zone",
    )


# ---- normalising -------------------------------------------------------------------------


def convert(value: Scalar, type_: SqlType) -> Scalar | None:
    """The value as the engine returns it from an expression of `type_`; None if it has none.

    Exact, except that FLOAT takes the nearest double.
    """
    kind = type_.kind
    if kind is Kind.FLOAT and isinstance(value, (int, Decimal, float)):
        return None if isinstance(value, bool) else float(value)
    if kind is Kind.INTEGER and isinstance(value, (int, Decimal, float)):
        return _integer(value)
    if kind is Kind.DECIMAL and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _decimal(value, type_.scale)
    if kind is Kind.TIMESTAMP and isinstance(value, dt.date):
        if isinstance(value, dt.datetime):
            return value
        return dt.datetime(value.year, value.month, value.day)
    wanted = {Kind.BOOLEAN: bool, Kind.TEXT: str, Kind.DATE: dt.date}.get(kind)
    if wanted is None or not isinstance(value, wanted) or isinstance(value, dt.datetime):
        return None
    return value


def _integer(value: int | Decimal | float) -> int | None:
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    exact = Fraction(value)
    return int(exact) if exact.denominator == 1 else None


def _decimal(value: int | Decimal, scale: int) -> Decimal | None:
    number = Decimal(value)
    quantum = Decimal(1).scaleb(-scale)
    rounded = number.quantize(quantum, rounding=ROUND_HALF_UP, context=_WIDE)
    return rounded if rounded == number else None
