"""generate_series(lo, hi, step), range(...) and unnest([...]) of constants, read here as rows.

What they give is what DuckDB gives, step by step: a month is added to the moment before, so a
series that begins on January 31st goes on from February 29th.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.defaults import constant
from dpsql.binding.scope import Scope
from dpsql.core.domain import TIMESTAMP, Scalar
from dpsql.functions.literals import convert

MAX_ROWS = 10_000
"""Rows that one list or series may have: they stand in the SQL that is sent."""

_MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
_SPANS = {
    "WEEK": dt.timedelta(weeks=1),
    "DAY": dt.timedelta(days=1),
    "HOUR": dt.timedelta(hours=1),
    "MINUTE": dt.timedelta(minutes=1),
    "SECOND": dt.timedelta(seconds=1),
}


@dataclass(frozen=True)
class _Stride:
    """An interval of months or of a fixed length."""

    months: int
    span: dt.timedelta

    def after(self, moment: dt.datetime) -> dt.datetime:
        if not self.months:
            return moment + self.span
        year, month = divmod(moment.year * 12 + moment.month - 1 + self.months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def series(node: exp.GenerateSeries, context: Context) -> list[Scalar | None]:
    """The values of the call. Raises RefusedQuery `unsupported-from` where it is not of constants,
    or of more than MAX_ROWS."""
    ends = [_constant(node.args[name], context) for name in ("start", "end")]
    step = node.args.get("step")
    found: Iterator[Scalar]
    open_end = bool(node.args.get("is_end_exclusive"))
    match ends:
        case [bool(), _] | [_, bool()]:
            no_list(node, context, "it runs between numbers or dates")
        case [int() as first, int() as last]:
            by = 1 if step is None else _constant(step, context)
            if not isinstance(by, int) or isinstance(by, bool) or by == 0:
                no_list(node, context, "its step is a whole number, not 0")
            stop = last if open_end else last + (1 if by > 0 else -1)
            count = len(range(first, stop, by))
            _check_rows(node, count, context)
            return list(range(first, stop, by))
        case [dt.date() as begin, dt.date() as end] if isinstance(step, exp.Interval):
            found = _moments(begin, end, _step(node, step, context), open_end)
        case _:
            no_list(node, context, "it runs between whole numbers, or between dates by an INTERVAL")
    values: list[Scalar | None] = []
    for value in found:
        _check_rows(node, len(values) + 1, context)
        values.append(value)
    _check_rows(node, len(values), context)
    return values


def array(node: exp.Array, context: Context) -> list[Scalar | None]:
    """The elements of [1, 2, 3]."""
    _check_rows(node, len(node.expressions), context)
    return [_constant(element, context) for element in node.expressions]


def no_list(node: exp.Expr, context: Context, why: str) -> NoReturn:
    """`unsupported-from`: these are no rows that can be read off the text."""
    context.refuse(
        node,
        "unsupported-from",
        f"a list in FROM is of constants: {why}",
        "VALUES (1, 'a'), (2, 'b'), unnest(['a', 'b']), generate_series(1, 12),"
        " generate_series(DATE '2024-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)",
    )


def _constant(node: exp.Expr, context: Context) -> Scalar | None:
    found = None if node.find(exp.Column) else constant(Scope(context).expr(node))
    if found is None:
        no_list(node, context, "this is none")
    return found.value


def _check_rows(node: exp.Expr, count: int, context: Context) -> None:
    if not count:
        no_list(node, context, "this one is empty")
    if count > MAX_ROWS:
        no_list(node, context, f"this one has more than {MAX_ROWS:,} rows")


def _moments(begin: dt.date, end: dt.date, step: _Stride, open_end: bool) -> Iterator[dt.datetime]:
    moment, last = _moment(begin), _moment(end)
    while moment < last or (moment == last and not open_end):
        yield moment
        try:
            moment = step.after(moment)
        except (ValueError, OverflowError):  # the year 10,000
            return


def _moment(value: dt.date) -> dt.datetime:
    found = convert(value, TIMESTAMP)
    assert isinstance(found, dt.datetime)
    return found


def _step(node: exp.Expr, interval: exp.Interval, context: Context) -> _Stride:
    amount, unit = interval.this, str(interval.args.get("unit") or "").upper().removesuffix("S")
    amount = amount.unnest() if isinstance(amount, exp.Expr) else None
    text = str(amount.this) if isinstance(amount, exp.Literal) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    if number < 1 or (unit not in _MONTHS and unit not in _SPANS):
        no_list(node, context, "its step is an INTERVAL of one part, such as INTERVAL 1 MONTH")
    if unit in _MONTHS:
        return _Stride(number * _MONTHS[unit], dt.timedelta(0))
    return _Stride(0, number * _SPANS[unit])
