"""What a column rule may hold: the ends of a range, and the members of a finite domain."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction

from dpsql.errors import PolicyError
from dpsql.policy.fields import given, items, number, wrong
from dpsql.policy.nodes import Node, Scalar, Where, describe, describe_value

Bound = Fraction | date
"""An end of a range; a `datetime` is a `date`."""

Literal = str | bool | int | Decimal | date
"""A member of a domain, as SQL can write it."""

MAX_VALUES = 100_000
LARGEST = Fraction(10**308)
FINEST = 10**400

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\Z", re.ASCII)
_ZONE = re.compile(r".*:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_NOT_DECIMAL = re.compile(r"0[xo][0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)


def read_range(low: Node | None, high: Node | None, where: Where) -> tuple[Bound, Bound] | None:
    """`min` and `max`: both or neither, of one kind, low ≤ high."""
    if low is None and high is None:
        return None
    if low is None or high is None:
        raise where.error(
            f"`{'min' if low is None else 'max'}` is missing",
            code="bad-range",
            hint="a clamp range needs both ends",
        )
    ends = _bound(low), _bound(high)
    if _kind(ends[0]) != _kind(ends[1]):
        raise high.where.error(
            "`min` and `max` are of different kinds",
            code="bad-range",
            hint="write two numbers, two dates, or two timestamps",
        )
    if ends[1] < ends[0]:  # type: ignore[operator]
        raise high.where.error(
            f"`max` ({_shown(high)}) lies below `min` ({_shown(low)})", code="bad-range"
        )
    return ends


def read_values(node: Node) -> tuple[Literal, ...]:
    """`values`: one kind of literal, no NULL, none twice, at most 100,000.

    An unquoted ISO date is a date, a quoted one text; a text is turned into a date where the
    column is one (`kinds.fit_value`).
    """
    found: dict[tuple[str, Literal], Node] = {}
    members = items(node)
    if len(members) > MAX_VALUES:
        raise node.where.error(f"more than {MAX_VALUES:,} values", code="bad-value")
    for item in members:
        value = _literal(item)
        key = (_kind(value), value)
        if key in found:
            raise item.where.error(
                f"{describe_value(value)} stands twice in `values`", code="duplicate-value"
            )
        found[key] = item
    kinds = {kind for kind, _ in found}
    if len(kinds) > 1:
        raise node.where.error(
            f"`values` mixes {' and '.join(sorted(kinds))}",
            code="wrong-type",
            hint="put text in quotes",
        )
    return tuple(value for _, value in found)


def in_range(value: Literal, ends: tuple[Bound, Bound]) -> bool:
    """Whether a domain's member lies in the range; False where the two cannot be compared."""
    comparable: object = value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        comparable = Fraction(value)
    elif isinstance(value, str):
        comparable = iso(value)
    if not isinstance(comparable, (Fraction, date)) or _kind(comparable) != _kind(ends[0]):
        return False
    return bool(ends[0] <= comparable <= ends[1])  # type: ignore[operator]


def iso(text: str) -> date | None:
    """A date or timestamp in ISO form (ValueError never; None if the text is neither)."""
    try:
        if _DATE.match(text):
            return date.fromisoformat(text)
        if _TIMESTAMP.match(text):
            return datetime.fromisoformat(text)
    except ValueError:
        return None
    return None


def _bound(node: Node) -> Bound:
    given(node)
    if not isinstance(node, Scalar):
        raise wrong(node, "a number or a date")
    if isinstance(node.value, date):
        return _without_zone(node, node.value)
    if isinstance(node.value, str):
        if _ZONE.match(node.value):
            raise _zoned(node)
        found = iso(node.value)
        if found is not None:
            return found
        if _looks_iso(node.value):
            raise _no_such_day(node, node.value)
    bound = number(node)
    if abs(bound) > LARGEST or bound.denominator > FINEST:
        raise node.where.error(
            "a range must lie within ±1e308 and have at most 400 decimals", code="bad-number"
        )
    return bound


def _literal(node: Node) -> Literal:
    if not isinstance(node, Scalar):
        raise wrong(node, "a value")
    value = node.value
    if value is None:
        raise node.where.error(
            "NULL is not written in `values`",
            code="bad-value",
            hint="it belongs to the domain by itself, unless `nullable: false`; quote text 'null'",
        )
    if isinstance(value, str):
        return _text(node, value)
    if isinstance(value, bool):
        return value
    if isinstance(value, date):
        return _without_zone(node, value)
    exact = number(node)
    if abs(exact) > LARGEST or exact.denominator > FINEST:
        raise node.where.error("the value is out of range", code="bad-number")
    if isinstance(value, int):
        return int(value)
    return _decimal(node, exact)


def _text(node: Scalar, value: str) -> Literal:
    if not node.plain:
        return str(value)
    if _NOT_DECIMAL.fullmatch(value):
        raise node.where.error(
            f"{value} is not a decimal number",
            code="bad-number",
            hint="write it in decimal, or in quotes if it is text",
        )
    found = iso(value)
    if found is None and _looks_iso(value):
        raise _no_such_day(node, value)
    return str(value) if found is None else found


def _decimal(node: Scalar, exact: Fraction) -> Decimal:
    """The decimal equal to `exact`: a Decimal itself, a float's shortest text, a Fraction's own."""
    if isinstance(node.value, Decimal):
        return node.value
    if isinstance(node.value, float):
        return Decimal(repr(node.value))
    if FINEST % exact.denominator:  # only factors 2 and 5, each at most 400 times
        raise node.where.error(f"{describe(node)} has no finite decimal form", code="bad-number")
    with localcontext(prec=2000):
        return Decimal(exact.numerator) / Decimal(exact.denominator)


def _without_zone(node: Node, value: date) -> date:
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise _zoned(node)
    return value


def _zoned(node: Node) -> PolicyError:
    return node.where.error(
        "timestamps with a time zone are not read",
        code="bad-value",
        hint="write the time as the column stores it, without a zone",
    )


def _looks_iso(text: str) -> bool:
    return bool(_DATE.match(text) or _TIMESTAMP.match(text))


def _no_such_day(node: Node, text: str) -> PolicyError:
    return node.where.error(
        f"{text} is not a day of the calendar", code="bad-value", hint="quote it if it is text"
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "booleans"
    if isinstance(value, str):
        return "text"
    if isinstance(value, datetime):
        return "timestamps"
    if isinstance(value, date):
        return "dates"
    return "numbers"


def _shown(node: Node) -> str:
    return describe(node).removeprefix("the number ").removeprefix("the date ")
