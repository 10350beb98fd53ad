"""Instants as ranges: the years 1 to 9999, truncation to calendar units, enumeration.

dpsql reads and writes instants as Python datetimes, so everything outside the years 1 to 9999
(DuckDB's BC dates, 294247, the infinities) is cut off before functions that would raise there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from sqlglot import exp

from dpsql.core.domain import Domain, Interval, Kind, Moment
from dpsql.functions.forms import cast, operand, when
from dpsql.functions.literals import emit_literal

FIRST = dt.datetime(1, 1, 1)
LAST = dt.datetime.max
YEARS = Interval(FIRST, LAST)
MAX_POINTS = 100_000
MAX_YEARS = 1_000
"""A range longer than this is nobody's word: it is what a type or a guard leaves."""


def clipped(node: exp.Expr, kind: Kind, reach: Interval = YEARS) -> exp.Expr:
    """The moment where it lies in the range, else NULL."""
    lo, hi = reach.lo, reach.hi
    assert isinstance(lo, dt.datetime)
    assert isinstance(hi, dt.datetime)
    ends: tuple[Moment, Moment] = (lo, hi)
    if kind is Kind.DATE:
        ends = (lo.date(), hi.date())
    inside = exp.Between(this=operand(node), low=emit_literal(ends[0]), high=emit_literal(ends[1]))
    return when(inside, node.copy())


def guarded(node: exp.Expr, domain: Domain, reach: Interval = YEARS) -> exp.Expr:
    """`clipped`, unless the certain range already lies inside; a bare NULL gets a type."""
    if domain.type.kind is Kind.NULL:
        return cast(node, "TIMESTAMP")
    return node if inside(domain.certain, reach) else clipped(node, domain.type.kind, reach)


def inside(a: Interval, reach: Interval) -> bool:
    """Does a range lie within another?"""
    lo, hi = a.lo, a.hi
    if not isinstance(lo, dt.datetime) or not isinstance(hi, dt.datetime):
        return False
    assert isinstance(reach.lo, dt.datetime)
    assert isinstance(reach.hi, dt.datetime)
    return reach.lo <= lo and hi <= reach.hi


def overlap(a: Interval, reach: Interval) -> Interval:
    """What of a range lies within another; all of the other where nothing does."""
    assert isinstance(reach.lo, dt.datetime)
    assert isinstance(reach.hi, dt.datetime)
    late = isinstance(a.lo, dt.datetime) and a.lo > reach.hi
    early = isinstance(a.hi, dt.datetime) and a.hi < reach.lo
    return reach if late or early else a.meet(reach)


def truncate(x: dt.datetime, unit: str) -> dt.datetime:
    """date_trunc for one moment; weeks begin on Monday."""
    if unit == "week":
        day = x.date() - dt.timedelta(days=x.weekday())
        return dt.datetime(day.year, day.month, day.day)
    if unit == "quarter":
        return dt.datetime(x.year, x.month - (x.month - 1) % 3, 1)
    start = {"year": dt.datetime(x.year, 1, 1), "month": dt.datetime(x.year, x.month, 1)}
    if unit in start:
        return start[unit]
    past = dt.timedelta(microseconds=x.microsecond)
    for finer in ("second", "minute", "hour"):
        if unit == finer:
            return x - past
        past += dt.timedelta(**{f"{finer}s": getattr(x, finer)})
    return x - past


def image(a: Interval, f: Callable[[dt.datetime], dt.datetime]) -> Interval:
    """A range of instants through a non-decreasing function."""
    lo, hi = a.lo, a.hi
    return Interval(
        f(lo) if isinstance(lo, dt.datetime) else None,
        f(hi) if isinstance(hi, dt.datetime) else None,
    )


def days(a: Interval) -> Interval:
    return image(a, lambda x: truncate(x, "day"))


def points(a: Interval, unit: str) -> tuple[dt.datetime, ...] | None:
    """All truncated instants of a bounded range; None past 100,000 of them, or 1,000 years."""
    lo, hi = a.lo, a.hi
    if not isinstance(lo, dt.datetime) or not isinstance(hi, dt.datetime):
        return None
    if hi.year - lo.year >= MAX_YEARS:
        return None
    found: list[dt.datetime] = []
    for x in _steps(truncate(lo, unit), unit):
        if x > hi:
            break
        if len(found) == MAX_POINTS:
            return None
        found.append(x)
    return tuple(found)


def every_day(a: Interval) -> tuple[dt.date, ...] | None:
    found = points(a, "day")
    return None if found is None else tuple(x.date() for x in found)


def _steps(x: dt.datetime, unit: str) -> Iterator[dt.datetime]:
    """x, x + 1 unit, x + 2 units, ... until the year 9999 ends."""
    months = {"year": 12, "quarter": 3, "month": 1}.get(unit)
    try:
        while True:
            yield x
            if months is None:
                x += dt.timedelta(**{f"{unit}s": 1})
            else:
                x = shift_months(x, months)
    except (OverflowError, ValueError):
        return


def shift_months(x: dt.datetime, months: int) -> dt.datetime:
    """x plus calendar months, the day cut to the month's last (as DuckDB and PostgreSQL do)."""
    index = x.year * 12 + x.month - 1 + months
    year, month = divmod(index, 12)
    for day in range(x.day, x.day - 4, -1):
        try:
            return x.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day <= 28:
                raise
    raise ValueError("no such month")
