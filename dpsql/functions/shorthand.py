"""Functions that are another way to write what is available: each is read as that.

NVL2, DECODE, ZEROIFNULL, NULLIFZERO, EQUAL_NULL, SAFE_DIVIDE, SQUARE, DEGREES, RADIANS, PI,
ADD, SUBTRACT, MULTIPLY, DIVIDE, ORD, LAST_DAY, EPOCH, DECADE, CENTURY, MILLENNIUM, YEARWEEK,
MAKE_DATE, TIME_BUCKET, WIDTH_BUCKET.
Nothing of their own reaches the engine, so their total forms, ranges and NULLs are those of the
expression they stand for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.forms import arity, need, only
from dpsql.functions.protocol import Scope
from dpsql.sql.caret import title

Reader = Callable[[exp.Expr, Scope], exp.Expr]
MAX_BUCKETS = 100
_BUCKET_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


class Shorthand:
    names: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.nodes: tuple[type[exp.Expr], ...] = tuple(_NODES)
        self.calls: tuple[str, ...] = tuple(_CALLS)

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.Anonymous):
            return scope.expr(_CALLS[node.name.lower()](node, scope))
        return scope.expr(_NODES[type(node)](node, scope))

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        raise AssertionError("a shorthand has no form of its own")


def _number(text: str) -> exp.Expr:
    return exp.Literal.number(text)


def _case(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Case:
    ifs = [exp.If(this=test.copy(), true=value.copy()) for test, value in branches]
    return exp.Case(ifs=ifs, default=None if default is None else default.copy())


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=exp.paren(node.copy()), expression=exp.Null())


def _one(node: exp.Expr, scope: Scope) -> exp.Expr:
    """The argument of a call of one."""
    if isinstance(node, exp.Anonymous):
        return exp.paren(arity(node, scope, 1)[0].copy())
    only(node, scope, "this")
    return exp.paren(node.this.copy())


# ---- NULLs and choices -----------------------------------------------------------------------


def _nvl2(node: exp.Expr, scope: Scope) -> exp.Expr:
    only(node, scope, "this", "true", "false")
    default = node.args.get("false")
    return _case((exp.Not(this=_is_null(node.this)), node.args["true"]), default=default)


def _decode(node: exp.Expr, scope: Scope) -> exp.Expr:
    """DECODE(x, a, 1, b, 2, 0): NULL equals NULL there."""
    subject, *rest = node.expressions
    default = rest.pop() if len(rest) % 2 else None
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    if not pairs:
        scope.invalid(node, "wrong-arguments", "DECODE takes a value and pairs of match and result")
    same = [exp.NullSafeEQ(this=subject.copy(), expression=match.copy()) for match, _ in pairs]
    return _case(*zip(same, (value for _, value in pairs), strict=True), default=default)


def _zero_if_null(node: exp.Expr, scope: Scope) -> exp.Expr:
    return exp.Coalesce(this=_one(node, scope), expressions=[_number("0")])


def _null_if_zero(node: exp.Expr, scope: Scope) -> exp.Expr:
    return exp.Nullif(this=_one(node, scope), expression=_number("0"))


def _equal_null(node: exp.Expr, scope: Scope) -> exp.Expr:
    only(node, scope, "this", "expression")
    return exp.NullSafeEQ(this=node.this.copy(), expression=node.args["expression"].copy())


def _null_test(node: exp.Expr, scope: Scope) -> exp.Expr:
    return _is_null(_one(node, scope))


# ---- numbers ---------------------------------------------------------------------------------


def _divided(node: exp.Expr, scope: Scope) -> exp.Expr:
    """Dividing by zero is NULL here whoever divides."""
    only(node, scope, "this", "expression")
    return exp.Div(
        this=exp.paren(node.this.copy()), expression=exp.paren(node.args["expression"].copy())
    )


def _square(node: exp.Expr, scope: Scope) -> exp.Expr:
    return exp.Pow(this=_one(node, scope), expression=_number("2"))


def _times(factor: float) -> Reader:
    def read(node: exp.Expr, scope: Scope) -> exp.Expr:
        return exp.Mul(this=_one(node, scope), expression=_number(f"{factor!r}e0"))

    return read


def _operator(kind: type[exp.Binary]) -> Reader:
    """DuckDB's names of its operators: DIVIDE is //."""

    def read(node: exp.Expr, scope: Scope) -> exp.Expr:
        assert isinstance(node, exp.Anonymous)
        left, right = (exp.paren(part.copy()) for part in arity(node, scope, 2))
        return kind(this=left, expression=right)

    return read


def _ord(node: exp.Expr, scope: Scope) -> exp.Expr:
    return exp.Unicode(this=_one(node, scope))


def _pi(node: exp.Expr, scope: Scope) -> exp.Expr:
    return _number(f"{math.pi!r}e0")


def _width_bucket(node: exp.Expr, scope: Scope) -> exp.Expr:
    """0 below `low`, 1 to n within, n + 1 from `high` on: a CASE over constants, hence public."""
    only(node, scope, "this", "min_value", "max_value", "num_buckets")
    args = [_constant(node, node.args.get(name), scope) for name in ("min_value", "max_value")]
    (low, high), count = args, _constant(node, node.args.get("num_buckets"), scope)
    if not low < high or count.denominator != 1 or not 1 <= count <= MAX_BUCKETS:
        scope.refuse(
            node,
            "unsupported-function",
            f"WIDTH_BUCKET takes constant ends, low before high, and 1 to {MAX_BUCKETS} buckets",
            "width_bucket(x, 0, 100, 10)",
        )
    n = int(count)
    subject = exp.paren(node.this.copy())
    ends = [low + (high - low) * at / n for at in range(n + 1)]
    branches = [
        (exp.LT(this=subject, expression=_literal(end)), _number(str(at)))
        for at, end in enumerate(ends)
    ]
    there = exp.Not(this=_is_null(subject))
    return _case(*branches, (there, _number(str(n + 1))))


def _constant(node: exp.Expr, part: exp.Expr | None, scope: Scope) -> Fraction:
    bound = None if part is None else scope.expr(part)
    value = bound.value if isinstance(bound, Lit) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        _no_constant(node, scope)
    return Fraction(value)


def _no_constant(node: exp.Expr, scope: Scope) -> NoReturn:
    scope.refuse(
        node,
        "unsupported-function",
        f"the ends and the number of buckets of {title(node)} are constants",
        "width_bucket(x, 0, 100, 10)",
    )


def _literal(value: Fraction) -> exp.Expr:
    """As an integer where it is one, else as a DOUBLE."""
    text = str(int(value)) if value.denominator == 1 else f"{float(value):.17e}"
    if text.startswith("-"):
        return exp.Neg(this=_number(text[1:]))
    return _number(text)


# ---- dates -----------------------------------------------------------------------------------


def _part(name: str, node: exp.Expr) -> exp.Expr:
    return exp.Extract(this=exp.Var(this=name.upper()), expression=node.copy())


def _epoch(node: exp.Expr, scope: Scope) -> exp.Expr:
    return _part("epoch", _one(node, scope))


def _by_year(size: int, first: int) -> Reader:
    """DECADE, CENTURY, MILLENNIUM of the years from 1 on."""

    def read(node: exp.Expr, scope: Scope) -> exp.Expr:
        year = _part("year", _one(node, scope))
        shifted = exp.paren(exp.Add(this=year.copy(), expression=_number(str(first))))
        index = exp.IntDiv(this=shifted, expression=_number(str(size)))
        return _case((exp.GT(this=year, expression=_number("0")), index))

    return read


def _yearweek(node: exp.Expr, scope: Scope) -> exp.Expr:
    """By ISO years and weeks, from the year 1 on."""
    moment = _one(node, scope)
    year = _part("isoyear", moment)
    hundreds = exp.Mul(this=year.copy(), expression=_number("100"))
    index = exp.Add(this=hundreds, expression=_part("week", moment))
    return _case((exp.GT(this=year, expression=_number("0")), index))


def _last_day(node: exp.Expr, scope: Scope) -> exp.Expr:
    month = exp.TimestampTrunc(this=_one(node, scope), unit=exp.Var(this="MONTH"))
    later = exp.Add(this=month, expression=_interval("MONTH"))
    return exp.cast(exp.Sub(this=exp.paren(later), expression=_interval("DAY")), exp.DType.DATE)


def _interval(unit: str) -> exp.Expr:
    return exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this=unit))


def _make_date(node: exp.Expr, scope: Scope) -> exp.Expr:
    """Days that do not exist are NULL."""
    if isinstance(node, exp.Anonymous):
        parts = arity(node, scope, 3)
    else:
        only(node, scope, "year", "month", "day")
        given = [node.args.get(name) for name in ("year", "month", "day")]
        parts = [part for part in given if part is not None]
    if len(parts) != 3:
        scope.invalid(node, "wrong-arguments", "make_date takes 3 arguments: year, month, day")
    for part in parts:
        kind = scope.expr(part).domain.type.kind
        if kind not in (Kind.INTEGER, Kind.NULL):
            need(node, scope.expr(part), (Kind.INTEGER,), "MAKE_DATE takes whole numbers", scope)
    texts = [exp.cast(part.copy(), exp.DType.TEXT) for part in parts]
    dash = exp.Literal.string("-")
    joined = texts[0]
    for text in texts[1:]:
        first: exp.Expr = exp.DPipe(this=joined, expression=dash.copy(), safe=True)
        joined = exp.DPipe(this=first, expression=text, safe=True)  # type: ignore[assignment]
    return exp.TryCast(this=exp.paren(joined), to=exp.DataType.build("DATE"), safe=True)


def _time_bucket(node: exp.Expr, scope: Scope) -> exp.Expr:
    """TIME_BUCKET(INTERVAL 1 month, x) is date_trunc; weeks begin on Mondays for both."""
    step, moment = node.this, node.args.get("expression")
    word = step.args.get("unit") if isinstance(step, exp.Interval) else None
    unit = "" if word is None else str(word.name).lower().removesuffix("s")
    single = isinstance(step, exp.Interval) and step.this is not None and step.this.name == "1"
    if not single or unit not in _BUCKET_UNITS or moment is None or node.args.get("zone"):
        scope.refuse(
            node,
            "unsupported-function",
            "TIME_BUCKET takes one whole unit: INTERVAL 1 month",
            f"units: {', '.join(_BUCKET_UNITS)}; or date_trunc('month', x)",
        )
    return exp.TimestampTrunc(this=moment.copy(), unit=exp.Var(this=unit.upper()))


_NODES: dict[type[exp.Expr], Reader] = {
    exp.Nvl2: _nvl2,
    exp.DecodeCase: _decode,
    exp.EqualNull: _equal_null,
    exp.SafeDivide: _divided,
    exp.Degrees: _times(180 / math.pi),
    exp.Radians: _times(math.pi / 180),
    exp.Pi: _pi,
    exp.WidthBucket: _width_bucket,
    exp.LastDay: _last_day,
    exp.TimeToUnix: _epoch,
    exp.DateFromParts: _make_date,
    exp.DateBin: _time_bucket,
}
_CALLS: dict[str, Reader] = {
    "zeroifnull": _zero_if_null,
    "nullifzero": _null_if_zero,
    "isnull": _null_test,
    "square": _square,
    "add": _operator(exp.Add),
    "subtract": _operator(exp.Sub),
    "multiply": _operator(exp.Mul),
    "divide": _operator(exp.IntDiv),
    "ord": _ord,
    "epoch": _epoch,
    "decade": _by_year(10, 0),
    "century": _by_year(100, 99),
    "millennium": _by_year(1000, 999),
    "yearweek": _yearweek,
    "make_date": _make_date,
}

FAMILY = Shorthand()
