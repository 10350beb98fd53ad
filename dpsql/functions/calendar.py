"""date_diff, date - date, moment + INTERVAL, dayname, monthname.

date_diff counts unit boundaries. Arguments are cut to
the years 1 to 9999, so nothing overflows and the infinities give NULL. INTERVALs are constants
of one unit; the moment is cut so that the sum stays inside these years; the sum is a TIMESTAMP.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from sqlglot import exp

from dpsql.core import nearest
from dpsql.core.domain import (
    ANY,
    INTEGER,
    TEMPORAL,
    TEXT,
    TIMESTAMP,
    Domain,
    Interval,
    Kind,
    of_literal,
)
from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions import forms, instants, listed
from dpsql.functions.dates import UNITS, unit_word
from dpsql.functions.forms import (
    cast,
    constant_int,
    constant_text,
    mismatch,
    need,
    only,
    operand,
    result,
)
from dpsql.functions.protocol import Scope

MAX_SHIFT_DAYS = 400_000
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_MONTH_COUNT = {"month": 1, "quarter": 3, "year": 12}
_DIFF_UNITS = tuple(unit for unit in UNITS if unit != "week")
_ADDED = (exp.DateAdd, exp.TsOrDsAdd, exp.TimestampAdd, exp.DatetimeAdd)
_TAKEN = (exp.DateSub, exp.TimestampSub, exp.DatetimeSub)
_NAMES: dict[type[exp.Expr], str] = {exp.Dayname: "dayname", exp.Monthname: "monthname"}


class Calendar:
    names: tuple[str, ...] = ("date_diff", "date_shift", "dayname", "monthname")
    nodes: tuple[type[exp.Expr], ...] = (
        exp.DateDiff,
        exp.Dayname,
        exp.Monthname,
        *_ADDED,
        *_TAKEN,
    )
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        if isinstance(node, exp.DateDiff):
            return _bind_diff(node, scope)
        if isinstance(node, (*_ADDED, *_TAKEN)):
            return bind_shift(node, scope)
        only(node, scope, "this")
        name = _NAMES[type(node)]
        arg = scope.expr(node.this)
        need(node, arg, TEMPORAL, f"{name} needs a date or timestamp", scope)
        nullable = arg.domain.nullable or not arg.domain.certain.bounded
        words = _DAYS if name == "dayname" else _MONTHS
        index = dt.datetime.weekday if name == "dayname" else _month
        found = listed.images(arg.domain, index)
        kept = words if found is None else tuple(words[at] for at in found)
        return Call(name, (arg,), result(TEXT, (arg,), nullable=nullable, values=kept))

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        if call.fn == "date_diff":
            return _emit_diff(call, args)
        if call.fn == "date_shift":
            return _emit_shift(call, args[0])
        return forms.call(call.fn, *args)


def _month(x: dt.datetime) -> int:
    return x.month - 1


# ---- differences -------------------------------------------------------------------------


def _bind_diff(node: exp.DateDiff, scope: Scope) -> Expr:
    only(node, scope, "this", "expression", "unit", "date_part_boundary")
    word = node.args.get("unit")
    unit = "day" if word is None else unit_word(str(word.name))
    if unit not in _DIFF_UNITS:
        # Weeks: DuckDB and sqlglot disagree on where one begins.
        scope.refuse(
            node,
            "unsupported-function",
            "date_diff takes a constant unit",
            nearest.hint(unit, _DIFF_UNITS, f"available: {', '.join(_DIFF_UNITS)}"),
        )
    end, start = scope.expr(node.this), scope.expr(node.args["expression"])
    for arg in (start, end):
        need(node, arg, TEMPORAL, "date_diff needs dates or timestamps", scope)
    return _diff(unit, start, end)


def bind_difference(node: exp.Expr, left: Expr, right: Expr, scope: Scope) -> Expr:
    """`date - date`, in days; of timestamps it would be an INTERVAL, which is refused."""
    if {left.domain.type.kind, right.domain.type.kind} != {Kind.DATE}:
        mismatch(
            node,
            scope,
            "the difference of timestamps is an interval, which has no range",
            "count whole units instead: date_diff('hour', start, finish)",
        )
    return _diff("day", right, left)


def _diff(unit: str, start: Expr, end: Expr) -> Call:
    a, b = start.domain, end.domain
    certain = _span(unit, a.certain.meet(instants.YEARS), b.certain.meet(instants.YEARS))
    declared = ANY
    if a.declared.bounded and b.declared.bounded:
        declared = _span(unit, a.declared, b.declared)
    inside = a.certain.bounded and b.certain.bounded
    nullable = a.nullable or b.nullable or not inside
    domain = result(INTEGER, (start, end), certain=certain, declared=declared, nullable=nullable)
    return Call("date_diff", (start, end), domain, (unit,))


def since_epoch(unit: str, moment: Expr) -> Call:
    """Days or seconds from 1970 to a moment."""
    first = dt.date(1970, 1, 1)
    epoch = first if moment.domain.type.kind is Kind.DATE else dt.datetime(1970, 1, 1)
    return _diff(unit, Lit(epoch, of_literal(epoch)), moment)


def since_epoch_range(unit: str, moments: Interval) -> Interval:
    """The same of both ends of a bounded range."""
    start = Interval(dt.datetime(1970, 1, 1), dt.datetime(1970, 1, 1))
    return _span(unit, start, moments.meet(instants.YEARS))


def _span(unit: str, start: Interval, end: Interval) -> Interval:
    """The least and greatest number of boundaries between two ranges."""
    first, last = _ends(start), _ends(end)
    shortest = _index(last[0], unit) - _index(first[1], unit)
    longest = _index(last[1], unit) - _index(first[0], unit)
    return Interval(Fraction(shortest), Fraction(longest))


def _ends(a: Interval) -> tuple[dt.datetime, dt.datetime]:
    assert isinstance(a.lo, dt.datetime)
    assert isinstance(a.hi, dt.datetime)
    return a.lo, a.hi


def _index(x: dt.datetime, unit: str) -> int:
    """Number of unit boundaries up to x."""
    if unit in _MONTH_COUNT:
        return (x.year * 12 + x.month - 1) // _MONTH_COUNT[unit]
    return (x - instants.FIRST) // dt.timedelta(seconds=_SECONDS[unit])


def _emit_diff(call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
    kinds = {arg.domain.type.kind for arg in call.args}
    start, end = (
        _aligned(instants.guarded(node, arg.domain), arg.domain, kinds)
        for arg, node in zip(call.args, args, strict=True)
    )
    unit = exp.Var(this=call.options[0].upper())
    return exp.DateDiff(this=end, expression=start, unit=unit, date_part_boundary=True)


def _aligned(node: exp.Expr, have: Domain, kinds: set[Kind]) -> exp.Expr:
    """A date beside a timestamp becomes one: cut to the years 1 to 9999 it always can."""
    if have.type.kind is Kind.DATE and Kind.TIMESTAMP in kinds:
        return cast(node, "TIMESTAMP")
    return node


# ---- moment + INTERVAL -------------------------------------------------------------------


def is_interval(node: object) -> bool:
    return isinstance(node, exp.Interval)


def days_shifted(node: exp.Expr, left: Expr, right: Expr) -> exp.Expr | None:
    """`date + 3`, `3 + date`, `date - 3`: whole days, still a date. None if it is none of them."""
    kinds = (left.domain.type.kind, right.domain.type.kind)
    value, count = node.this, constant_int(right)
    if isinstance(node, exp.Add) and kinds[1] is Kind.DATE:
        value, count = node.args["expression"], constant_int(left)
    elif kinds[0] is not Kind.DATE or not isinstance(node, (exp.Add, exp.Sub)):
        return None
    if count is None:
        return None
    step = exp.Interval(this=exp.Literal.string(str(count)), unit=exp.Var(this="DAY"))
    return exp.cast(type(node)(this=value.copy(), expression=step), exp.DType.DATE)


def _in_units(node: exp.Expr, count: exp.Expr) -> exp.Expr:
    """The INTERVAL of DATEADD(day, -3, x): a count and a unit apart."""
    unit = node.args.get("unit")
    negative = isinstance(count, exp.Neg)
    literal = count.this if isinstance(count, exp.Neg) else count
    if is_interval(count) or unit is None or not isinstance(literal, exp.Literal):
        return count
    text = f"-{literal.name}" if negative else literal.name
    return exp.Interval(this=exp.Literal.string(text), unit=exp.Var(this=unit.name))


def bind_shift(node: exp.Expr, scope: Scope) -> Expr:
    """`x + INTERVAL n unit`, `INTERVAL n unit + x`, `x - INTERVAL n unit`, date_add(x, ...)."""
    only(node, scope, "this", "expression", "unit")
    value, step = node.this, _in_units(node, node.args["expression"])
    if is_interval(value) and isinstance(node, exp.Add):
        value, step = step, value
    backwards = isinstance(node, (exp.Sub, *_TAKEN))
    count, unit = _read_interval(node, step, scope)
    count = -count if backwards else count
    arg = scope.expr(value)
    need(node, arg, TEMPORAL, "an interval is added to a date or timestamp", scope)
    reach = _reach(count, unit)
    have = arg.domain

    def shifted(x: dt.datetime) -> dt.datetime:
        return _shift(x, count, unit)

    certain = instants.image(instants.overlap(have.certain, reach), shifted)
    declared = ANY
    if have.declared.bounded:
        declared = instants.image(instants.overlap(have.declared, reach), shifted)
    known = listed.moments(have)
    within = known is not None and all(instants.inside(Interval(x, x), reach) for x in known)
    domain = result(
        TIMESTAMP,
        (arg,),
        certain=certain,
        declared=declared,
        nullable=have.nullable or not instants.inside(have.certain, reach),
        values=listed.images(have, shifted) if within else None,
    )
    return Call("date_shift", (arg,), domain, (str(count), unit))


def _read_interval(node: exp.Expr, step: exp.Expr, scope: Scope) -> tuple[int, str]:
    if isinstance(step, exp.Interval) and isinstance(step.args.get("unit"), exp.Var):
        text = constant_text(step.this)
        if text is None and isinstance(step.this, exp.Literal):
            text = str(step.this.this)
        unit = unit_word(str(step.args["unit"].name))
        digits = (text or "").strip()
        if digits.removeprefix("-").isdigit() and len(digits) <= 12 and unit in UNITS:
            count = int(digits)
            if _room(count, unit) <= MAX_SHIFT_DAYS:
                return count, unit
    scope.refuse(
        node,
        "unsupported-expression",
        "an interval must be a whole constant number of one unit, at most 1,000 years",
        "for example INTERVAL 7 DAY",
    )


def _room(count: int, unit: str) -> int:
    """Whole days that `count` units at most take."""
    if unit in _MONTH_COUNT:
        return abs(count) * _MONTH_COUNT[unit] * 31
    return -(-abs(count) * _SECONDS[unit] // 86_400)


def _reach(count: int, unit: str) -> Interval:
    room = dt.timedelta(days=_room(count, unit))
    if count < 0:
        return Interval(instants.FIRST + room, instants.LAST)
    return Interval(instants.FIRST, instants.LAST - room)


def _shift(x: dt.datetime, count: int, unit: str) -> dt.datetime:
    if unit in _MONTH_COUNT:
        return instants.shift_months(x, count * _MONTH_COUNT[unit])
    return x + count * dt.timedelta(seconds=_SECONDS[unit])


def _emit_shift(call: Call, node: exp.Expr) -> exp.Expr:
    count, unit = int(call.options[0]), call.options[1]
    have = call.args[0].domain
    value = instants.guarded(node, have, _reach(count, unit))
    if have.type.kind is Kind.DATE:
        value = cast(value, "TIMESTAMP")
    step = exp.Interval(this=exp.Literal.string(str(abs(count))), unit=exp.Var(this=unit.upper()))
    operation = exp.Sub if count < 0 else exp.Add
    return operation(this=operand(value), expression=step)


FAMILY = Calendar()
