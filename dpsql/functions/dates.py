"""EXTRACT, date_part, year(x) ... second(x), date_trunc.

Parts of a moment are integers within fixed ranges, hence finite public values (month 1..12,
hour 0..23, ...); the year's come from the range of the argument. NULL for the infinities.
date_trunc answers TIMESTAMP in DuckDB 2.0, also of a DATE, and raises far from the present: its
argument is cut to the years 1 to 9999. Over a bounded range of up to 1,000 years its values are
enumerated, weeks from Monday, at most 100,000 of them. Of listed moments the parts and the
truncations are listed, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from dpsql.core import nearest
from dpsql.core.domain import (
    FLOAT,
    INTEGER,
    TEMPORAL,
    TIMESTAMP,
    Domain,
    Interval,
    Kind,
    Scalar,
)
from dpsql.core.ir import Call, Expr
from dpsql.functions import forms, instants, intervals, listed
from dpsql.functions.forms import arity, constant_text, need, only, result
from dpsql.functions.protocol import Scope

UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")

_CYCLES: dict[str, tuple[int, int]] = {
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "dow": (0, 6),
    "isodow": (1, 7),
    "doy": (1, 366),
}
_INDEX: dict[str, Callable[[dt.datetime], int]] = {
    "year": lambda x: x.year,
    "isoyear": lambda x: x.isocalendar().year,
    "quarter": lambda x: (x.month + 2) // 3,
    "month": lambda x: x.month,
    "week": lambda x: x.isocalendar().week,
    "day": lambda x: x.day,
    "hour": lambda x: x.hour,
    "minute": lambda x: x.minute,
    "second": lambda x: x.second,
    "dow": lambda x: x.isoweekday() % 7,
    "isodow": lambda x: x.isoweekday(),
    "doy": lambda x: x.timetuple().tm_yday,
}
"""Each part of a moment, as the engine counts it."""

_ALIASES = {
    "dayofweek": "dow",
    "weekday": "dow",
    "dayofmonth": "day",
    "dayofyear": "doy",
    "weekofyear": "week",
    "isodayofweek": "isodow",
    "dayofweek_iso": "isodow",
    "dayofweekiso": "isodow",
    "isoweek": "week",
    "yr": "year",
    "mon": "month",
    "hr": "hour",
    "min": "minute",
    "sec": "second",
}
_PARTS = (*_CYCLES, "year", "isoyear", "epoch")
_PART_NODES: dict[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.WeekOfYear: "week",
    exp.Day: "day",
    exp.DayOfMonth: "day",
    exp.DayOfWeek: "dow",
    exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "doy",
    exp.Hour: "hour",
    exp.Minute: "minute",
    exp.Second: "second",
}
_BY_NAME = frozenset({"decade", "century", "millennium", "yearweek"})
_TRUNCS = (exp.TimestampTrunc, exp.DateTrunc, exp.DatetimeTrunc)


class Dates:
    names: tuple[str, ...] = ("date_part", "date_trunc")
    nodes: tuple[type[exp.Expr], ...] = (exp.Extract, *_PART_NODES, *_TRUNCS)
    calls: tuple[str, ...] = ("date_part", "datepart", "dow", "weekday", "isoyear")

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, _TRUNCS):
            return _bind_trunc(node, scope)
        if isinstance(node, exp.Extract):
            only(node, scope, "this", "expression")
            word, inner = str(node.this.name), node.args["expression"]
            if word.lower() in _BY_NAME:  # read as a function of that name is
                return scope.expr(exp.Anonymous(this=word, expressions=[inner.copy()]))
            return _bind_part(node, word, inner, scope)
        if not isinstance(node, exp.Anonymous):
            only(node, scope, "this")
            return _bind_part(node, _PART_NODES[type(node)], node.this, scope)
        name = node.name.lower()
        if name in ("date_part", "datepart"):
            part, argument = arity(node, scope, 2)
            return _bind_part(node, constant_text(part) or "", argument, scope)
        return _bind_part(node, name, arity(node, scope, 1)[0], scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        (word,) = call.options
        (value,) = args
        have = call.args[0].domain
        if call.fn == "date_trunc":
            unit = exp.Var(this=word.upper())
            return exp.TimestampTrunc(this=instants.guarded(value, have), unit=unit)
        if word in ("isoyear", "week") or have.type.kind is Kind.NULL:
            value = instants.guarded(value, have)
        return forms.call("date_part", exp.Literal.string(word), value)


def unit_word(text: str) -> str:
    """'MONTHS' -> 'month'; unknown words come back in lower case."""
    word = text.lower()
    word = _ALIASES.get(word, word)
    return word[:-1] if word.endswith("s") and word[:-1] in UNITS else word


# ---- parts -------------------------------------------------------------------------------


def _bind_part(node: exp.Expr, text: str, argument: exp.Expr, scope: Scope) -> Expr:
    part = unit_word(text)
    if part not in _PARTS:
        scope.refuse(
            node,
            "unsupported-function",
            f"{text[:30].lower() or 'this'} is not a part of a date that can be taken here",
            nearest.hint(part, _PARTS, f"available: {', '.join(sorted(_PARTS))}"),
        )
    arg = scope.expr(argument)
    need(node, arg, TEMPORAL, "parts are taken of a date or timestamp", scope)
    have = arg.domain
    nullable = have.nullable or not have.certain.bounded
    options = (part,)
    if part == "epoch":
        certain = intervals.double(_numbers(have.certain, _epoch))
        declared = intervals.double(_numbers(have.declared, _epoch))
        # A moment without a known range still lies within DuckDB's DATE type.
        certain = certain.meet(intervals.span(-(2**48), 2**48))
        domain = result(FLOAT, (arg,), certain=certain, declared=declared, nullable=nullable)
        return Call("date_part", (arg,), domain, options)
    certain, declared, values = _integer_part(part, have)
    domain = result(
        INTEGER, (arg,), certain=certain, declared=declared, nullable=nullable, values=values
    )
    return Call("date_part", (arg,), domain, options)


def _integer_part(part: str, have: Domain) -> tuple[Interval, Interval, tuple[Scalar, ...] | None]:
    if part in _CYCLES:
        lo, hi = _CYCLES[part]
        if have.type.kind is Kind.DATE and part in ("hour", "minute", "second"):
            hi = 0
        values = listed.images(have, _INDEX[part])
        whole = tuple(range(lo, hi + 1))
        return intervals.span(lo, hi), intervals.span(lo, hi), whole if values is None else values
    index = _INDEX[part]
    reach = intervals.span(-6_000_000, 6_000_000)
    certain = _numbers(have.certain, index).meet(reach)
    declared = _numbers(have.declared, index)
    found = listed.images(have, index)
    if found is None and declared.bounded:
        first, last = (int(end) for end in certain.meet(declared).numbers())
        found = tuple(range(first, last + 1)) if last - first < instants.MAX_YEARS else None
    return certain, declared, found


def _numbers(a: Interval, f: Callable[[dt.datetime], int | Fraction]) -> Interval:
    lo, hi = a.lo, a.hi
    return Interval(
        Fraction(f(lo)) if isinstance(lo, dt.datetime) else None,
        Fraction(f(hi)) if isinstance(hi, dt.datetime) else None,
    )


def _epoch(x: dt.datetime) -> Fraction:
    return Fraction((x - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1), 10**6)


# ---- truncation --------------------------------------------------------------------------


def _bind_trunc(node: exp.Expr, scope: Scope) -> Expr:
    only(node, scope, "this", "unit", "unabbreviate", "input_type_preserved")
    unit_node = node.args.get("unit")
    plain = isinstance(unit_node, (exp.Var, exp.Literal))
    unit = unit_word(str(unit_node.name)) if plain and unit_node is not None else ""
    if unit not in UNITS:
        scope.refuse(
            node,
            "unsupported-function",
            "date_trunc takes a constant unit",
            nearest.hint(unit, UNITS, f"available: {', '.join(UNITS)}"),
        )
    arg = scope.expr(node.this)
    need(node, arg, TEMPORAL, "date_trunc needs a date or timestamp", scope)
    have = arg.domain

    def floor(x: dt.datetime) -> dt.datetime:
        return instants.truncate(x, unit)

    certain = instants.image(have.certain, floor)
    values = listed.images(have, floor)
    if values is None:
        values = instants.points(have.bounds, unit)
    domain = result(
        TIMESTAMP,
        (arg,),
        certain=certain.meet(instants.YEARS),
        declared=instants.image(have.declared, floor),
        nullable=have.nullable or not have.certain.bounded,
        values=values,
    )
    return Call("date_trunc", (arg,), domain, (unit,))


FAMILY = Dates()
