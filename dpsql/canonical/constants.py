"""Literals by value: what type a constant was written in matters only where it does."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from fractions import Fraction

from dpsql.core.domain import TIMESTAMP, Kind, Scalar, SqlType
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.literals import convert, lit
from dpsql.functions.targets import target_named

EXACT = frozenset({Kind.INTEGER, Kind.DECIMAL})

_SINGLE_DIGITS = 2**24
_SINGLE_RANGE = 2**100
_DIGITS = re.compile(r"\s*-?[0-9]{1,18}\s*\Z", re.ASCII)


def type_text(kind: SqlType) -> str:
    """The type, with its digits where it has some."""
    return f"{kind.kind.value}:{kind.precision}:{kind.scale}"


def value_text(value: Scalar | None) -> str:
    """The value with its Python type, so that 1, 1.0, TRUE and '1' are four."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, Decimal):
        return f"d{Fraction(value)}"
    if isinstance(value, float):
        return f"f{value!r}"
    if isinstance(value, dt.datetime):
        return f"t{value.isoformat()}"
    if isinstance(value, dt.date):
        return f"D{value.isoformat()}"
    return json.dumps(value)


def folded(expr: Expr) -> Expr:
    """A cast of a literal as the literal it gives, where that is certain; else the expression.

    Certain are: whole numbers and their digits as an integer within the target's range, exact
    numbers as a DECIMAL that holds them, short dyadic numbers as a DOUBLE, text as text, a date as
    its midnight and a moment as its day. Everything else stays the engine's own business.
    """
    if not isinstance(expr, Call) or expr.fn != "cast":
        return expr
    arg = folded(expr.args[0])
    if not isinstance(arg, Lit) or arg.value is None or isinstance(arg.value, bool):
        return expr
    value = _cast(arg.value, expr.options[0], expr.domain.type)
    if value is None:
        return expr
    return Lit(value, lit(value).domain.with_(type=expr.domain.type))


def _cast(value: Scalar, name: str, want: SqlType) -> Scalar | None:
    kind = want.kind
    if isinstance(value, str):
        if kind is Kind.TEXT:
            return value
        if kind is not Kind.INTEGER or not _DIGITS.match(value):
            return None
        value = int(value)
    if kind is Kind.INTEGER or kind is Kind.DECIMAL:
        found = None if isinstance(value, float) else convert(value, want)
        return found if found is not None and _within(found, name) else None
    if kind is Kind.FLOAT:
        short = name == "DOUBLE" and single(value)
        return convert(value, want) if short else None
    if kind is Kind.TIMESTAMP:
        return convert(value, TIMESTAMP) if isinstance(value, dt.date) else None
    if kind is Kind.DATE and isinstance(value, dt.date):
        return value.date() if isinstance(value, dt.datetime) else value
    return None


def _within(value: Scalar, name: str) -> bool:
    span, exact = target_named(name).range_, Fraction(value)  # type: ignore[arg-type]
    lo, hi = span.lo, span.hi
    return isinstance(lo, Fraction) and isinstance(hi, Fraction) and lo <= exact <= hi


def single(value: Scalar | None) -> bool:
    """Is it a number that REAL, DOUBLE and the exact types all hold as it is?

    A float of either width compares with it in one way, whatever type it was written in.
    """
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return False
    if value is None or isinstance(value, (bool, str, dt.date)):
        return False
    exact = Fraction(value)
    whole = exact.denominator & (exact.denominator - 1) == 0
    return whole and abs(exact.numerator) < _SINGLE_DIGITS and exact.denominator < _SINGLE_RANGE


def number_text(value: Scalar) -> str:
    """A number alone, for comparisons that see nothing else of it."""
    return f"n{Fraction(value)}"  # type: ignore[arg-type]
