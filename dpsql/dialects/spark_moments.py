"""Dates and timestamps in Spark. Outside the years 1 to 9999 there are none: they are NULL.

A TIMESTAMP is Spark's TIMESTAMP_NTZ; what takes Spark's own TIMESTAMP is given it in UTC, the
session's zone, where the two have the same clock.
"""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.spark_terms import (
    Term,
    Write,
    attempt,
    call,
    cast,
    double,
    pair,
    refuse,
    text,
    when,
)
from dpsql.dialects.told import BIG, DATE, FLOAT, TEXT, TIMESTAMP

DAY = r"^ *(?!0000)[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} *\z"
YEARS = {
    Kind.DATE: ("CAST('0001-01-01' AS DATE)", "CAST('9999-12-31' AS DATE)"),
    Kind.TIMESTAMP: (
        "CAST('0001-01-01 00:00:00' AS TIMESTAMP_NTZ)",
        "CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP_NTZ)",
    ),
}


def within(value: Term) -> str:
    """Is it of the years 1 to 9999?"""
    low, high = YEARS[value.told.kind]
    return f"{value.sql} BETWEEN {low} AND {high}"


_LOW = r"CAST\('0001-01-01(?: 00:00:00)?' AS (?:DATE|TIMESTAMP_NTZ)\)"
_HIGH = r"CAST\('9999-12-31(?: 23:59:59\.999999)?' AS (?:DATE|TIMESTAMP_NTZ)\)"
_KEPT = re.compile(
    rf"CASE WHEN \(?(?P<x>.*) BETWEEN {_LOW} AND {_HIGH}\)? THEN (?P=x) END\Z"
    r"|CAST\('[0-9]{4}-[0-9:. -]+' AS (?:DATE|TIMESTAMP_NTZ)\)\Z",
    re.DOTALL,
)


def kept(value: Term) -> Term:
    """NULL outside the years; a constant, or what is kept within them already, as it is."""
    if _KEPT.match(value.sql):
        return value
    return Term(when(within(value), value.sql), value.told)


def converted(value: Term, want: Kind) -> Term:
    """A moment or a text as a DATE or TIMESTAMP."""
    have = value.told.kind
    if have is want:
        return value
    if have is Kind.TIMESTAMP:
        return Term(cast(value.sql, "DATE"), DATE)
    if have is Kind.DATE:
        return as_timestamp(value)
    if have is not Kind.TEXT:
        refuse("a number as a moment")
    if want is Kind.TIMESTAMP:
        refuse("a text as TIMESTAMP", "TRY_CAST(x AS DATE) reads YYYY-MM-DD")
    plain = when(f"{value.sql} RLIKE {text(DAY)}", value.sql)
    return Term(attempt(plain, "DATE"), DATE)


def as_timestamp(value: Term) -> Term:
    """A date at midnight; of the years 1 to 9999 alone, which always fits."""
    if value.told.kind is not Kind.DATE:
        return value
    return Term(cast(kept(value).sql, "TIMESTAMP_NTZ"), TIMESTAMP)


def _zoned(value: Term) -> str:
    """As Spark's TIMESTAMP, in UTC."""
    return cast(as_timestamp(value).sql, "TIMESTAMP")


_PARTS = {
    "year": "YEAR",
    "isoyear": "YEAROFWEEK",
    "quarter": "QUARTER",
    "month": "MONTH",
    "week": "WEEK",
    "day": "DAY",
    "hour": "HOUR",
    "minute": "MINUTE",
    "isodow": "DOW_ISO",
    "doy": "DOY",
}


def part(node: exp.Anonymous, write: Write) -> Term:
    """DATE_PART('year', x): whole, and NULL outside the years 1 to 9999."""
    word = str(node.expressions[0].name)
    given = write(node.expressions[1])
    value = kept(given)
    if word == "epoch":
        micros = cast(call("unix_micros", _zoned(given)), "DOUBLE")
        return Term(call("try_divide", micros, double(1e6)), FLOAT)
    if given.told.kind is Kind.DATE and word in ("hour", "minute", "second"):
        return Term(when(within(given), cast("0", "BIGINT")), BIG)
    if word == "second":
        found = call("second", value.sql)
    elif word == "dow":
        found = call("try_mod", call("date_part", "'DOW_ISO'", value.sql), "7")
    elif word in _PARTS:
        found = call("date_part", text(_PARTS[word]), value.sql)
    else:
        refuse(f"the part {word} of a moment")
    return Term(cast(found, "BIGINT"), BIG)


_UNITS = frozenset("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND".split())


def truncated(node: exp.Expr, write: Write) -> Term:
    unit = str(node.args["unit"].name).upper()
    if unit not in _UNITS:
        refuse(f"date_trunc to {unit.lower()}")
    value = as_timestamp(write(node.this))
    return Term(
        cast(call("date_trunc", text(unit), _zoned(kept(value))), "TIMESTAMP_NTZ"), TIMESTAMP
    )


_INTERVALS = {
    "YEAR": ("MONTH", 12),
    "QUARTER": ("MONTH", 3),
    "MONTH": ("MONTH", 1),
    "WEEK": ("DAY", 7),
    "DAY": ("DAY", 1),
    "HOUR": ("HOUR", 1),
    "MINUTE": ("MINUTE", 1),
    "SECOND": ("SECOND", 1),
}
_MOST = {"MONTH": 10**6, "DAY": 10**7, "HOUR": 10**9, "MINUTE": 10**10, "SECOND": 10**10}
"""Beyond the years whatever is moved, and within Spark's intervals."""


def shifted(node: exp.Expr, write: Write) -> Term:
    """x + INTERVAL; the normal form cuts x so that the sum stays within the years."""
    step = node.args["expression"]
    amount, unit = str(step.this.name), str(step.args["unit"].name).upper()
    if re.fullmatch(r"-?[0-9]{1,9}", amount) is None or unit not in _INTERVALS:
        refuse("this INTERVAL")
    word, times = _INTERVALS[unit]
    count = int(amount) * times
    if abs(count) > _MOST[word]:
        refuse("this INTERVAL", "no moment moved so far lies within the years 1 to 9999")
    sign = "+" if isinstance(node, exp.Add) else "-"
    value = kept(as_timestamp(write(node.this)))
    return Term(pair(value.sql, sign, f"INTERVAL '{count}' {word}"), TIMESTAMP)


_SECONDS = {"HOUR": 3600, "MINUTE": 60, "SECOND": 1}


def difference(node: exp.DateDiff, write: Write) -> Term:
    """Boundaries of a unit between two moments, as whole numbers from first to last."""
    unit = str(node.args["unit"].name).upper()
    end, start = write(node.this), write(node.args["expression"])
    counts = [_count(unit, kept(one)) for one in (end, start)]
    return Term(call("try_subtract", *counts), BIG)


def _count(unit: str, value: Term) -> str:
    """Boundaries since some day, for all moments the same."""
    if unit == "DAY":
        return cast(call("unix_date", converted(value, Kind.DATE).sql), "BIGINT")
    if unit in _SECONDS:
        cut = call("date_trunc", text(unit), _zoned(value))
        return pair(call("unix_seconds", cut), "DIV", f"CAST({_SECONDS[unit]} AS BIGINT)")
    if unit not in ("YEAR", "QUARTER", "MONTH"):
        refuse(f"date_diff in {unit.lower()}s")
    years = cast(call("date_part", "'YEAR'", value.sql), "BIGINT")
    if unit == "YEAR":
        return years
    parts = cast(call("date_part", text(unit), value.sql), "BIGINT")
    return call("try_add", call("try_multiply", years, "4" if unit == "QUARTER" else "12"), parts)


FORMATS = {
    "%Y": "yyyy",
    "%m": "MM",
    "%d": "dd",
    "%j": "DDD",
    "%H": "HH",
    "%M": "mm",
    "%S": "ss",
    "%A": "EEEE",
    "%a": "EEE",
    "%B": "MMMM",
    "%b": "MMM",
}


def stamped(node: exp.TimeToStr, write: Write) -> Term:
    pieces = re.split(r"(%.)", str(node.args["format"].name))
    if any(piece.startswith("%") and piece not in FORMATS for piece in pieces):
        refuse("this format of a moment")
    if any("'" in piece or "\\" in piece for piece in pieces):
        refuse("a format with quotes or backslashes")
    return _written(
        write(node.this), "".join(FORMATS.get(p) or (f"'{p}'" if p else "") for p in pieces)
    )


def named(node: exp.Expr, write: Write) -> Term:
    """DAYNAME and MONTHNAME, in English whatever the server's language."""
    return _written(write(node.this), "EEEE" if isinstance(node, exp.Dayname) else "MMMM")


def _written(value: Term, form: str) -> Term:
    if not form:
        refuse("an empty format")
    return Term(call("date_format", _zoned(kept(value)), text(form)), TEXT)
