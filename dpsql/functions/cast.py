"""CAST, TRY_CAST, `::` and DATE(x).

Every cast that could raise is written TRY_CAST: what does not fit becomes NULL. The engine's
rounding is kept (a double to an integer half to even, a decimal half away from zero). Text read
as a date or timestamp must fall into the years 1 to 9999; `infinity` becomes NULL. Numbers and
moments do not convert into each other. A constant text cast to a moment is a constant, read here.
The limits of the target's type are certain, and declared by nobody: `CAST(x AS INTEGER)` says how
x is stored, not how large it is.
"""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import (
    ANY,
    NUMERIC,
    TEMPORAL,
    Domain,
    Interval,
    Kind,
    Scalar,
)
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import forms, instants, intervals, listed
from dpsql.functions.arithmetic import as_number
from dpsql.functions.forms import mismatch, only, result
from dpsql.functions.literals import convert, lit, parse_date, parse_timestamp, read_moment
from dpsql.functions.protocol import Scope
from dpsql.functions.targets import Target, read_target, target_named


class Casts:
    names: tuple[str, ...] = ("cast",)
    nodes: tuple[type[exp.Expr], ...] = (exp.Cast, exp.TryCast, exp.Date)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "to", "safe")
        if isinstance(node, exp.Date):
            target = target_named("DATE")
        else:
            target = read_target(node, scope)
        arg = scope.expr(node.this)
        if isinstance(arg, Lit) and isinstance(arg.value, str) and target.type.kind in TEMPORAL:
            return _constant(node, arg.value, target.type.kind, scope)
        return _bind(node, arg, target, scope)

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        target = target_named(call.options[0])
        (value,) = args
        have, want = call.args[0].domain, target.type.kind
        if _safe(have, target):
            return forms.cast(value, target.name)
        attempt = forms.try_cast(value, target.name)
        if have.type.kind is Kind.TEXT and want in TEMPORAL:
            return instants.clipped(attempt, want)
        return attempt


def _constant(node: exp.Expr, text: str, kind: Kind, scope: Scope) -> Lit:
    if isinstance(node, exp.TryCast):
        read = parse_date if kind is Kind.DATE else parse_timestamp
        if read(text) is None:
            return lit(None)
    return read_moment(node, text, kind, scope)


def _bind(node: exp.Expr, arg: Expr, target: Target, scope: Scope) -> Call:
    have, want = arg.domain.type.kind, target.type.kind
    if have is Kind.OPAQUE:
        mismatch(
            node,
            scope,
            "a column of this type cannot be converted",
            "columns of this type can be counted and tested with IS NULL",
        )
    crossing = {have, want} & TEMPORAL and {have, want} & (NUMERIC | {Kind.BOOLEAN})
    if crossing:
        _no_way(node, have, want, scope)
    certain, declared = _ranges(arg.domain, target)
    domain = result(
        target.type,
        (arg,),
        certain=certain,
        declared=declared,
        nullable=arg.domain.nullable or not _safe(arg.domain, target),
        values=_values(arg.domain, target),
    )
    return Call("cast", (arg,), domain, (target.name,))


def _no_way(node: exp.Expr, have: Kind, want: Kind, scope: Scope) -> NoReturn:
    mismatch(
        node,
        scope,
        f"{have.value} does not convert to {want.value}",
        "take parts of a moment with EXTRACT(... FROM ...), differences with date_diff",
    )


def _safe(have: Domain, target: Target) -> bool:
    """Can this cast never fail, whatever the rows hold?"""
    kind, want = have.type.kind, target.type.kind
    if kind is Kind.NULL or want is Kind.TEXT:
        return True
    if kind is Kind.TEXT:
        return False
    if want is Kind.BOOLEAN:
        return True
    if want is Kind.FLOAT:
        return kind is not Kind.FLOAT or target.name == "DOUBLE"
    if want in TEMPORAL:
        return want is Kind.DATE or kind is Kind.TIMESTAMP or have.certain.bounded
    if kind is Kind.BOOLEAN:
        return want is Kind.INTEGER
    if kind is Kind.FLOAT:
        return False
    return intervals.inside(_rounded(have.certain, have, target), target.range_)


def _ranges(have: Domain, target: Target) -> tuple[Interval, Interval]:
    kind, want = have.type.kind, target.type.kind
    if want in TEMPORAL:
        if kind is Kind.TEXT:
            return instants.YEARS, ANY
        if want is Kind.DATE:
            return instants.days(have.certain), instants.days(have.declared)
        return have.certain, have.declared
    if want not in NUMERIC:
        return ANY, ANY
    if kind is Kind.BOOLEAN:
        unit = intervals.span(0, 1)
        return unit, unit
    if kind is Kind.TEXT:
        return target.range_, _unsigned(target)
    number = as_number(have)
    certain = _rounded(number.certain, number, target).meet(target.range_)
    return certain, _rounded(number.declared, number, target).meet(_unsigned(target))


def _unsigned(target: Target) -> Interval:
    """What an integer type's name says of values: that an unsigned one has none below 0."""
    plain = target.type.kind is Kind.INTEGER and target.range_.lo == 0
    return Interval(Fraction(0), None) if plain else ANY


def _rounded(a: Interval, have: Domain, target: Target) -> Interval:
    """A range through the cast's rounding (monotone)."""
    want = target.type.kind
    if want is Kind.FLOAT:
        return intervals.single(a) if target.name == "FLOAT" else intervals.double(a)
    if want is Kind.INTEGER:
        return intervals.monotone(a, _to_even if have.type.kind is Kind.FLOAT else _away)
    unit = Fraction(1, 10**target.type.scale)
    lo, hi = intervals.low(a), intervals.high(a)
    # Decimals from floats round a scaled double: outward to the next step is sure.
    return Interval(
        None if lo is None else math.floor(lo / unit) * unit,
        None if hi is None else math.ceil(hi / unit) * unit,
    )


def _to_even(x: Fraction) -> Fraction:
    return Fraction(round(x))


def _away(x: Fraction) -> Fraction:
    nearest = Fraction(math.floor(abs(x) + Fraction(1, 2)))
    return -nearest if x < 0 else nearest


def _values(have: Domain, target: Target) -> tuple[Scalar, ...] | None:
    kind, want = have.type.kind, target.type.kind
    if want is Kind.BOOLEAN:
        return (False, True)
    if kind is Kind.TIMESTAMP and want is Kind.DATE:
        days = listed.images(have, dt.datetime.date)
        return instants.every_day(have.bounds) if days is None else days
    if have.values is None:
        return None
    if kind is Kind.TEXT and want is Kind.DATE:
        return listed.days_in(have.values)
    if want is Kind.TEXT:
        texts = tuple(_text(value) for value in have.values)
        return None if None in texts else texts  # type: ignore[return-value]
    if kind is Kind.BOOLEAN and want is Kind.INTEGER:
        return tuple(int(bool(value)) for value in have.values)
    converted = [convert(value, target.type) for value in have.values]
    kept = [
        v for v in converted if v is not None and (want not in NUMERIC or _inside(v, target.range_))
    ]
    return tuple(dict.fromkeys(kept)) if len(kept) == len(converted) else None


def _inside(value: Scalar, range_: Interval) -> bool:
    exact = Fraction(value)  # type: ignore[arg-type]
    lo, hi = intervals.low(range_), intervals.high(range_)
    return (lo is None or lo <= exact) and (hi is None or exact <= hi)


def _text(value: Scalar) -> str | None:
    """How DuckDB writes the value; None where Python might differ (floats, decimals)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    return None


FAMILY = Casts()
