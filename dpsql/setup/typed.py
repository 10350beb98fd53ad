"""Ranges and values as the owner types them, and ends as the policy writes them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from dpsql.core.domain import Kind, SqlType
from dpsql.errors import InterfaceError
from dpsql.policy.kinds import range_fits
from dpsql.policy.literals import LARGEST, iso
from dpsql.setup.draft import End


def in_order(low: End, high: End) -> bool:
    """low ≤ high, False where the two are of different kinds."""
    if isinstance(low, Fraction) or isinstance(high, Fraction):
        return isinstance(low, Fraction) and isinstance(high, Fraction) and low <= high
    if isinstance(low, datetime) != isinstance(high, datetime):
        return False
    return low <= high


def read_end(text: str) -> End | None:
    """A number or an ISO date as typed; None if it is neither."""
    found = iso(text.strip())
    if found is not None:
        return found
    try:
        number = Decimal(text.strip())
    except ArithmeticError:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 308:
        return None
    return Fraction(number) if abs(Fraction(number)) <= LARGEST else None


def read_range(text: str, type_: SqlType, *, what: str) -> tuple[End, End]:
    """`MIN..MAX` as typed for a column of this type; InterfaceError `init-range` otherwise."""
    ends = [read_end(part) for part in text.split("..")]
    dates = type_.kind in (Kind.DATE, Kind.TIMESTAMP)
    hint = "write 2020-01-01..2025-12-31" if dates else "write two numbers: 0..120"
    if len(ends) != 2 or ends[0] is None or ends[1] is None or not in_order(ends[0], ends[1]):
        raise InterfaceError(f"{what}: {text!r} is no range MIN..MAX", code="init-range", hint=hint)
    if not range_fits(ends[0], type_.kind):
        raise InterfaceError(
            f"{what}: {text!r} cannot clamp a column of type {type_}", code="init-range", hint=hint
        )
    return ends[0], ends[1]


def read_values(text: str, type_: SqlType, *, what: str) -> tuple[str | int, ...]:
    """`a, b, c` as typed, for text or whole numbers; InterfaceError `init-values` otherwise."""
    words = [word.strip() for word in text.split(",")]
    if type_.kind not in (Kind.TEXT, Kind.INTEGER):
        raise InterfaceError(
            f"{what}: values are listed for text and whole numbers, this is {type_}",
            code="init-values",
            hint="give a range instead",
        )
    if not all(words) or len(set(words)) < len(words):
        raise InterfaceError(
            f"{what}: {text!r} is no list of different values",
            code="init-values",
            hint="write a,b,c; values that hold commas go into the file by hand",
        )
    if type_.kind is Kind.TEXT:
        return tuple(words)
    try:
        return tuple(dict.fromkeys(int(word) for word in words))
    except ValueError:
        raise InterfaceError(
            f"{what}: {text!r} holds something that is no whole number",
            code="init-values",
            hint="write 1,2,3",
        ) from None


def end_text(end: End) -> str:
    """An end as the policy's reader takes it: exact decimals, ISO dates."""
    if isinstance(end, datetime):
        return f'"{end.isoformat(sep=" ")}"'
    if isinstance(end, date):
        return end.isoformat()
    if end.denominator == 1:
        return str(end.numerator)
    digits = 0
    while (end * 10**digits).denominator > 1:  # every end here is a finite decimal
        digits += 1
    return format(Decimal((end * 10**digits).numerator).scaleb(-digits), "f")
