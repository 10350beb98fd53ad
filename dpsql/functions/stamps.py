"""STRFTIME(moment, 'format') and TO_CHAR: a moment written by a constant format.

The moment is cut to the years 1 to 9999, so that every part has its usual width and the infinities
give NULL. Over a bounded range the texts are finitely many, and public as those of date_trunc are.
"""

from __future__ import annotations

import datetime as dt
import re

from sqlglot import exp

from dpsql.core.domain import TEMPORAL, TEXT, Domain, Kind, Scalar
from dpsql.core.ir import Call, Expr
from dpsql.functions import instants, listed
from dpsql.functions.forms import cast, constant_text, need, only, result
from dpsql.functions.protocol import Scope

MAX_VALUES = 20_000
_ALLOWED = "Y m d j H M S A a B b"
_PARTS = frozenset(f"%{letter}" for letter in _ALLOWED.split())


class Stamps:
    names: tuple[str, ...] = ("strftime",)
    nodes: tuple[type[exp.Expr], ...] = (exp.TimeToStr,)
    calls: tuple[str, ...] = ()

    def bind(self, node: exp.Expr, scope: Scope) -> Expr:
        only(node, scope, "this", "format")
        form = constant_text(node.args.get("format")) or ""
        used = set(re.findall(r"%.?", form))
        if not form or len(form) > 64 or not used or not used <= _PARTS or not form.isascii():
            scope.refuse(
                node,
                "unsupported-function",
                "a format is a constant text with the parts %Y %m %d %j %H %M %S %A %a %B %b",
                "for example strftime(moment, '%Y-%m')",
            )
        arg = scope.expr(node.this)
        need(node, arg, TEMPORAL, "a date or timestamp is written by a format", scope)
        inside = instants.inside(arg.domain.certain, instants.YEARS)
        nullable = arg.domain.nullable or not inside
        values = _texts(form, used, arg.domain)
        return Call(
            "strftime", (arg,), result(TEXT, (arg,), nullable=nullable, values=values), (form,)
        )

    def emit(self, call: Call, args: tuple[exp.Expr, ...]) -> exp.Expr:
        have = call.args[0].domain
        value = instants.guarded(args[0], have)
        if have.type.kind is Kind.NULL:
            value = cast(value, "TIMESTAMP")
        return exp.TimeToStr(this=value, format=exp.Literal.string(call.options[0]))


def _texts(form: str, used: set[str], domain: Domain) -> tuple[Scalar, ...] | None:
    """All texts of listed moments, or over the declared range day by day (or hour by hour).

    None if too many, or not told by days and hours.
    """
    known = listed.moments(domain)
    if known is not None:
        written = used <= _WRITTEN and all(x.year >= 1000 for x in known)
        return listed.images(domain, lambda x: _written(form, x)) if written else None
    lo, hi = domain.bounds.lo, domain.bounds.hi
    if not isinstance(lo, dt.datetime) or not isinstance(hi, dt.datetime) or lo.year < 1000:
        return None
    if used & {"%M", "%S"}:
        return None
    step = dt.timedelta(hours=1) if "%H" in used else dt.timedelta(days=1)
    start = lo.replace(minute=0, second=0, microsecond=0)
    start = start if "%H" in used else start.replace(hour=0)
    count = (hi - start) // step + 1
    if count > MAX_VALUES:
        return None
    return tuple(dict.fromkeys(_written(form, start + at * step) for at in range(count)))


_WRITTEN = _PARTS - {"%M", "%S"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _written(form: str, x: dt.datetime) -> str:
    """By the engine's rules, whatever the locale here."""
    parts = {
        "%Y": f"{x.year:04}",
        "%m": f"{x.month:02}",
        "%d": f"{x.day:02}",
        "%j": f"{x.timetuple().tm_yday:03}",
        "%H": f"{x.hour:02}",
        "%A": _DAYS[x.weekday()],
        "%a": _DAYS[x.weekday()][:3],
        "%B": _MONTHS[x.month - 1],
        "%b": _MONTHS[x.month - 1][:3],
    }
    return re.sub(r"%[A-Za-z]", lambda part: parts[part.group()], form)


FAMILY = Stamps()
