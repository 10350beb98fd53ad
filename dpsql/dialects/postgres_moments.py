"""Dates and timestamps in PostgreSQL. Outside the years 1 to 9999 a date as timestamp is NULL."""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.postgres_terms import Term, Write, call, cast, pair, refuse, text, when
from dpsql.dialects.told import BIG, DATE, FLOAT, TEXT, TIMESTAMP

_LEAP = "(?:(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26]))|(?:(?:0[48]|[2468][048]|[13579][26])00))"
DAY = (
    "^ *(?!0000)(?:[0-9]{4}-(?:0?[13578]|1[02])-(?:0?[1-9]|[12][0-9]|3[01])"
    "|[0-9]{4}-(?:0?[469]|11)-(?:0?[1-9]|[12][0-9]|30)"
    "|[0-9]{4}-0?2-(?:0?[1-9]|1[0-9]|2[0-8])"
    f"|{_LEAP}-0?2-29) *$"
)
"""A day of the years 1 to 9999 that exists."""
YEARS = {
    Kind.DATE: ("CAST('0001-01-01' AS DATE)", "CAST('9999-12-31' AS DATE)"),
    Kind.TIMESTAMP: (
        "CAST('0001-01-01 00:00:00' AS TIMESTAMP)",
        "CAST('9999-12-31 23:59:59.999999' AS TIMESTAMP)",
    ),
}


def converted(value: Term, want: Kind) -> Term:
    """A moment or a text as a DATE or TIMESTAMP."""
    have = value.told.kind
    if have is want:
        return value
    if have is Kind.TIMESTAMP:
        return Term(cast(value.sql, "DATE"), DATE)
    if have is Kind.DATE:
        return as_timestamp(value)
    if want is Kind.TIMESTAMP:
        refuse("a text as TIMESTAMP", "TRY_CAST(x AS DATE) reads YYYY-MM-DD")
    return Term(when(f"{value.sql} ~ {text(DAY)}", cast(value.sql, "DATE")), DATE)


def as_timestamp(value: Term) -> Term:
    """A date at midnight; of the years 1 to 9999 alone, which always fits."""
    if value.told.kind is not Kind.DATE:
        return value
    low, high = YEARS[Kind.DATE]
    inside = f"{value.sql} BETWEEN {low} AND {high}"
    return Term(when(inside, cast(value.sql, "TIMESTAMP")), TIMESTAMP)


PARTS = frozenset("year isoyear quarter month week day hour minute second dow isodow doy".split())


def part(node: exp.Anonymous, write: Write) -> Term:
    """DATE_PART('year', x): whole, and NULL outside the years 1 to 9999.

    PostgreSQL has infinite parts of the infinities, and no year 0 before the first.
    """
    word = str(node.expressions[0].name)
    given = write(node.expressions[1])
    if given.told.kind is Kind.DATE and word in ("hour", "minute", "second"):
        low, high = YEARS[Kind.DATE]  # 0, and certainly so
        return Term(when(f"{given.sql} BETWEEN {low} AND {high}", cast("0", "BIGINT")), BIG)
    # PostgreSQL's own DATE_PART of a date converts it, and raises where that does not fit.
    value = as_timestamp(given)
    if word == "epoch":
        return Term(
            when(call("ISFINITE", value.sql), call("DATE_PART", "'epoch'", value.sql)), FLOAT
        )
    if word not in PARTS:
        refuse(f"the part {word} of a moment")
    found = call("FLOOR", call("DATE_PART", text(word), value.sql))
    low, high = YEARS[Kind.TIMESTAMP]
    return Term(when(f"{value.sql} BETWEEN {low} AND {high}", cast(found, "BIGINT")), BIG)


def truncated(node: exp.Expr, write: Write) -> Term:
    unit = str(node.args["unit"].name).lower()
    value = as_timestamp(write(node.this))
    return Term(call("DATE_TRUNC", text(unit), value.sql), TIMESTAMP)


def shifted(node: exp.Expr, write: Write) -> Term:
    """x + INTERVAL; the normal form cuts x so that the sum stays within the years."""
    step = node.args["expression"]
    amount, unit = str(step.this.name), str(step.args["unit"].name).upper()
    if re.fullmatch(r"-?[0-9]{1,9}", amount) is None:
        refuse("this INTERVAL")
    sign = "+" if isinstance(node, exp.Add) else "-"
    value = as_timestamp(write(node.this))
    return Term(pair(value.sql, sign, cast(text(f"{amount} {unit}"), "INTERVAL")), TIMESTAMP)


_STEPS = {"YEAR": ("year", 1), "QUARTER": ("quarter", 4), "MONTH": ("month", 12)}
_SECONDS = {"HOUR": 3600, "MINUTE": 60, "SECOND": 1}


def difference(node: exp.DateDiff, write: Write) -> Term:
    """Boundaries of a unit between two moments, as whole numbers from first to last."""
    unit = str(node.args["unit"].name).upper()
    end, start = write(node.this), write(node.args["expression"])
    if unit == "DAY":
        days = pair(cast(end.sql, "DATE"), "-", cast(start.sql, "DATE"))
        return Term(cast(days, "BIGINT"), BIG)
    counts = [_count(unit, one) for one in (end, start)]
    return Term(pair(counts[0], "-", counts[1]), BIG)


def _count(unit: str, value: Term) -> str:
    if unit in _SECONDS:
        moment = as_timestamp(value).sql
        whole = call("DATE_PART", "'epoch'", call("DATE_TRUNC", text(unit.lower()), moment))
        return pair(cast(whole, "BIGINT"), "/", cast(str(_SECONDS[unit]), "BIGINT"))
    value = as_timestamp(value)
    if unit not in _STEPS:
        refuse(f"date_diff in {unit.lower()}s")
    word, per_year = _STEPS[unit]
    years = cast(call("DATE_PART", "'year'", value.sql), "BIGINT")
    if per_year == 1:
        return years
    parts = cast(call("DATE_PART", text(word), value.sql), "BIGINT")
    return pair(pair(years, "*", str(per_year)), "+", parts)


_FORMATS = {
    "%Y": "YYYY",
    "%m": "MM",
    "%d": "DD",
    "%j": "DDD",
    "%H": "HH24",
    "%M": "MI",
    "%S": "SS",
    "%A": "FMDay",
    "%a": "Dy",
    "%B": "FMMonth",
    "%b": "Mon",
}


def stamped(node: exp.TimeToStr, write: Write) -> Term:
    pieces = re.split(r"(%.)", str(node.args["format"].name))
    if any(piece.startswith("%") and piece not in _FORMATS for piece in pieces):
        refuse("this format of a moment")
    if any('"' in piece or "\\" in piece for piece in pieces):
        refuse("a format with quotes or backslashes")
    form = "".join(_FORMATS.get(p) or (f'"{p}"' if p else "") for p in pieces)
    return Term(call("TO_CHAR", as_timestamp(write(node.this)).sql, text(form)), TEXT)


def named(node: exp.Expr, write: Write) -> Term:
    """DAYNAME and MONTHNAME, in English whatever the server's language."""
    form = "FMDay" if isinstance(node, exp.Dayname) else "FMMonth"
    return Term(call("TO_CHAR", as_timestamp(write(node.this)).sql, text(form)), TEXT)
