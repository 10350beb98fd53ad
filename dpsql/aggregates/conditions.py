"""Calls that count the rows of a condition, and conditions that no row meets together.

COUNT(*) FILTER (WHERE p), COUNT_IF(p), COUNT(CASE WHEN p THEN 1 END) and
SUM(CASE WHEN p THEN 1 ELSE 0 END) all say the number of rows for which p is true. On `exclusive`
only answers rest, never privacy: a tally counts each row once whatever its conditions are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from dpsql.core.domain import Kind
from dpsql.core.ir import Aggregate, Call, Expr, Lit

_BELOW = {"lt": True, "lte": False}
_ABOVE = {"gt": True, "gte": False}
_MIRRORED = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte", "eq": "eq"}

Span = tuple[Fraction | None, bool, Fraction | None, bool]
"""Least value, is it left out; largest value, is it left out. None: no end."""


def tested(call: Aggregate) -> Expr | None:
    """The condition whose rows the call counts, of all rows; None if it does something else."""
    if call.quantile is not None or call.other is not None:
        return None
    if call.fn in ("count", "count_star") and call.arg is None:
        return call.where
    arg = call.arg
    if call.where is not None or not isinstance(arg, Call) or arg.fn != "case":
        return None
    if len(arg.args) != 3 or not all(isinstance(part, Lit) for part in arg.args[1:]):
        return None
    then, other = (part.value for part in arg.args[1:] if isinstance(part, Lit))
    counts = call.fn == "count" and then is not None and other is None
    whole = arg.domain.type.kind is Kind.INTEGER
    sums = call.fn == "sum" and whole and _is(then, 1) and _is(other, 0)
    return arg.args[0] if counts or sums else None


def exclusive(one: Expr, other: Expr) -> bool:
    """Is no row of both? Proved from comparisons of one expression, or not at all."""
    return any(_apart(a, b) for a in _parts(one) for b in _parts(other))


def order(test: Expr) -> str:
    """By what a condition says, where it is read here; so spellings of it stand in one place."""
    parts = []
    for part in _parts(test):
        x, words, span = _read(part)
        read = "" if x is None else f"{x!r} {sorted(words or ())} {span}"
        parts.append(read or repr(part))
    return " and ".join(sorted(parts))


def _is(value: object, number: int) -> bool:
    return type(value) is int and value == number


def _parts(test: Expr) -> Iterator[Expr]:
    """The conditions that must all hold."""
    if isinstance(test, Call) and test.fn == "and":
        for part in test.args:
            yield from _parts(part)
    else:
        yield test


def _apart(one: Expr, other: Expr) -> bool:
    if _negated(one) == other or _negated(other) == one:
        return True
    (x, words, span), (y, others, limits) = _read(one), _read(other)
    if x is None or x != y:
        return False
    if words is not None and others is not None:
        return not words & others
    return span is not None and limits is not None and _disjoint(span, limits)


def _negated(test: Expr) -> Expr | None:
    return test.args[0] if isinstance(test, Call) and test.fn == "not" else None


def _read(test: Expr) -> tuple[Expr | None, frozenset[str] | None, Span | None]:
    """What is compared, and with what: words, or a span of whole numbers."""
    if not isinstance(test, Call) or not test.args:
        return None, None, None
    if test.fn in _MIRRORED and isinstance(test.args[0], Lit):  # 5 < x
        test = replace(test, fn=_MIRRORED[test.fn], args=test.args[::-1])
    x, values = test.args[0], [part.value for part in test.args[1:] if isinstance(part, Lit)]
    if len(values) + 1 != len(test.args) or isinstance(x, Lit):
        return None, None, None
    kind = x.domain.type.kind
    if kind is Kind.TEXT and test.fn in ("eq", "in"):
        return x, _words(values), None
    if kind is not Kind.INTEGER or not values or any(type(value) is not int for value in values):
        return None, None, None
    numbers = [Fraction(value) for value in values if isinstance(value, int)]
    if test.fn in ("eq", "in"):
        return x, frozenset(map(str, numbers)), (min(numbers), False, max(numbers), False)
    if test.fn in _BELOW:
        return x, None, (None, False, numbers[0], _BELOW[test.fn])
    if test.fn in _ABOVE:
        return x, None, (numbers[0], _ABOVE[test.fn], None, False)
    if test.fn == "between" and len(numbers) == 2:
        return x, None, (numbers[0], False, numbers[1], False)
    return None, None, None


def _words(values: Sequence[object]) -> frozenset[str] | None:
    """As they differ under every collation: plain ASCII, without case and blanks at the end."""
    if not all(isinstance(value, str) and value.isascii() for value in values):
        return None
    return frozenset(str(value).casefold().rstrip() for value in values)


def _disjoint(one: Span, other: Span) -> bool:
    return _before(one, other) or _before(other, one)


def _before(one: Span, other: Span) -> bool:
    _, _, end, left_out = one
    start, cut, _, _ = other
    if end is None or start is None:
        return False
    return end < start or (end == start and (left_out or cut))
