"""Between which instants an expression lies: constants, and what a guard keeps between two.

CASE WHEN x BETWEEN DATE 'a' AND DATE 'b' THEN x END
LEAST(GREATEST(x, DATE 'a'), DATE 'b')
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.ranges import between
from dpsql.certify.reader import bare, results
from dpsql.certify.scope import Scope

Instants = tuple[dt.datetime, dt.datetime]

INSTANTS = (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
LONGEST = 6_000_000
"""No year of the engine's DATE is farther from 0."""
_LAST_MONTH = dt.datetime(9999, 12, 1)
_LENGTHS = {
    "WEEK": dt.timedelta(days=7),
    "DAY": dt.timedelta(days=1),
    "HOUR": dt.timedelta(hours=1),
    "MINUTE": dt.timedelta(minutes=1),
    "SECOND": dt.timedelta(seconds=1),
}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def constant(node: exp.Expr) -> dt.datetime | None:
    """The instant of CAST('...' AS DATE) or CAST('...' AS TIMESTAMP), of the years 1 to 9999."""
    node = bare(node)
    if not isinstance(node, exp.Cast) or not isinstance(node.this, exp.Literal):
        return None
    if not node.this.is_string or node.to.this not in INSTANTS:
        return None
    try:
        return dt.datetime.fromisoformat(str(node.this.this))
    except ValueError:
        return None


def instants(node: exp.Expr, scope: Scope) -> Instants | None:
    """Least and greatest instant of the expression, NULL apart; None where it may be any."""
    node = bare(node)
    value = constant(node)
    if value is not None:
        return value, value
    if isinstance(node, (exp.Cast, exp.TryCast)) and isinstance(bare(node.this), exp.Null):
        return dt.datetime.min, dt.datetime.max  # never there, so anywhere
    if isinstance(node, (exp.Cast, exp.TryCast)):
        inner = instants(node.this, scope) if node.to.this in INSTANTS else None
        # A day holds its instants: a TIMESTAMP becomes its DATE, no later.
        return None if inner is None else (_day(inner[0]), inner[1])
    if isinstance(node, exp.Case):
        return _guarded(node) or _hull(results(node), scope)
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        return _clamped(node) or _hull([node.this, *node.expressions], scope)
    if isinstance(node, exp.Nullif):
        return instants(node.this, scope)
    if isinstance(node, (exp.TimestampTrunc, exp.DateTrunc)):
        inner = instants(node.this, scope)
        return None if inner is None else (_truncated(inner[0], node), inner[1])
    if isinstance(node, (exp.Add, exp.Sub)) and isinstance(node.args["expression"], exp.Interval):
        return _shifted(node, instants(node.this, scope))
    return None


def _day(x: dt.datetime) -> dt.datetime:
    return dt.datetime(x.year, x.month, x.day)


def _truncated(x: dt.datetime, node: exp.Expr) -> dt.datetime:
    """No later than the start of the moment's unit, and exactly that for units of days."""
    unit = _unit(node)
    if unit in _MONTHS:
        return dt.datetime(x.year, x.month - (x.month - 1) % _MONTHS[unit], 1)
    return _day(x) - dt.timedelta(days=x.weekday() if unit == "WEEK" else 0)


def _shifted(node: exp.Add | exp.Sub, inner: Instants | None) -> Instants | None:
    """x ± INTERVAL 'n' unit; None where it leaves the years 1 to 9999."""
    step = node.args["expression"]
    unit, text = _unit(step), step.this
    if inner is None or not isinstance(text, exp.Literal) or not str(text.this).isdigit():
        return None
    count = int(text.this) if isinstance(node, exp.Add) else -int(text.this)
    try:
        if unit in _LENGTHS:
            return inner[0] + count * _LENGTHS[unit], inner[1] + count * _LENGTHS[unit]
        months = count * _MONTHS[unit]
        last = _first_of_month(inner[1], months)  # an instant stays within its month
        late = dt.datetime.max if last >= _LAST_MONTH else last + dt.timedelta(days=31)
        return _first_of_month(inner[0], months), late
    except (OverflowError, ValueError, KeyError):
        return None


def _first_of_month(x: dt.datetime, months: int) -> dt.datetime:
    year, month = divmod(x.year * 12 + x.month - 1 + months, 12)
    return dt.datetime(year, month + 1, 1)


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.this).upper() if isinstance(unit, (exp.Var, exp.Literal)) else ""


def _guarded(node: exp.Case) -> Instants | None:
    branches = node.args["ifs"]
    test, value = bare(branches[0].this), bare(branches[0].args["true"])
    plain = node.this is None and len(branches) == 1 and node.args.get("default") is None
    if not plain or not isinstance(test, exp.Between) or bare(test.this) != value:
        return None
    lo, hi = constant(test.args["low"]), constant(test.args["high"])
    return None if lo is None or hi is None or lo > hi else (lo, hi)


def _clamped(node: exp.Expr) -> Instants | None:
    found = between(node) if isinstance(node, exp.Least) else None
    if found is None:
        return None
    lo, hi = constant(found[1]), constant(found[2])
    return None if lo is None or hi is None or lo > hi else (lo, hi)


def _hull(parts: Sequence[exp.Expr], scope: Scope) -> Instants | None:
    spans = [instants(part, scope) for part in parts if not isinstance(bare(part), exp.Null)]
    known = [found for found in spans if found is not None]
    if not known or len(known) < len(spans):
        return None
    return min(lo for lo, _ in known), max(hi for _, hi in known)


# ---- numbers of instants ---------------------------------------------------------------------


def year_span(node: exp.Expr, scope: Scope, *, iso: bool) -> tuple[Fraction, Fraction]:
    """Years, or ISO years, of an expression's instants: neither falls as time goes on."""
    known = instants(node, scope)
    if known is None:
        return Fraction(-LONGEST), Fraction(LONGEST)
    lo, hi = (x.isocalendar().year if iso else x.year for x in known)
    return Fraction(lo), Fraction(hi)


def instants_between(node: exp.DateDiff, scope: Scope) -> tuple[Fraction, Fraction] | None:
    """Boundaries of a unit that can lie between two instants."""
    later, earlier = instants(node.this, scope), instants(node.args["expression"], scope)
    unit = _unit(node)
    if later is None or earlier is None or (unit not in _LENGTHS and unit not in _MONTHS):
        return None
    least = _index(later[0], unit) - _index(earlier[1], unit)
    return Fraction(least), Fraction(_index(later[1], unit) - _index(earlier[0], unit))


def _index(x: dt.datetime, unit: str) -> int:
    """Number of unit boundaries up to x; the year 1 begins on a Monday."""
    if unit in _MONTHS:
        return (x.year * 12 + x.month - 1) // _MONTHS[unit]
    return (x - dt.datetime.min) // _LENGTHS[unit]
