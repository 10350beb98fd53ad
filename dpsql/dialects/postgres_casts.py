"""CAST and TRY_CAST in PostgreSQL: what would not fit is NULL before it is cast.

Of texts only plain spellings are read, tested by a pattern first: numbers of at most 18 digits,
dates YYYY-MM-DD that exist. DuckDB reads more of them; what PostgreSQL alone would read is NULL.
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import floor

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects import postgres_moments as moments
from dpsql.dialects.postgres_numbers import as_float, nearest, size
from dpsql.dialects.postgres_terms import Term, Write, call, cast, double, pair, refuse, text, when
from dpsql.dialects.told import BIG, BOOL, FLOAT, HUGE, INT, TEXT, Told, shape_of
from dpsql.dialects.told_casts import (
    FALSE,
    HALF,
    INTEGERS,
    TEXTS,
    TIMESTAMPS,
    TRUE,
    constant_of,
    told_of,
)

_D = exp.DType
_NAMES = {
    _D.TINYINT: "SMALLINT",
    _D.UTINYINT: "SMALLINT",
    _D.SMALLINT: "SMALLINT",
    _D.USMALLINT: "INT",
    _D.INT: "INT",
    _D.UINT: "BIGINT",
    _D.BIGINT: "BIGINT",
    _D.UBIGINT: "NUMERIC",
    _D.INT128: "NUMERIC",
}
_INTEGERS = {kind: (name, *INTEGERS[kind]) for kind, name in _NAMES.items()}
"""Name in PostgreSQL, what it is there, and the range of the normal form's type."""

WHOLE = r"^ *[+-]?[0-9]{1,18} *$"
NUMBER = r"^ *[+-]?[0-9]{1,15}([.][0-9]{0,15})?([eE][+-]?[0-9]{1,2})? *$"
PLAIN = r"^ *[+-]?[0-9]{1,18}([.][0-9]{0,18})? *$"


def type_name(node: exp.DataType) -> str:
    """PostgreSQL's name of a type of the normal form."""
    if node.this is _D.ARRAY:
        return f"{type_name(node.expressions[0])}[]"
    if node.this is _D.DECIMAL:
        precision, scale = shape_of(node)
        return f"NUMERIC({precision}, {scale})"
    plain = {
        **{kind: one[0] for kind, one in _INTEGERS.items()},
        **dict.fromkeys(TEXTS, "TEXT"),
        **dict.fromkeys(TIMESTAMPS, "TIMESTAMP"),
        _D.DOUBLE: "DOUBLE PRECISION",
        _D.BOOLEAN: "BOOLEAN",
        _D.DATE: "DATE",
    }
    if node.this not in plain:
        refuse(f"the type {node.sql('duckdb')}")
    return plain[node.this]


def converted(node: exp.Cast, write: Write) -> Term:
    """CAST where the normal form knows that it fits, TRY_CAST where it does not."""
    source, to = node.this, node.to
    name, told = type_name(to), None if to.this is _D.ARRAY else told_of(to)
    if isinstance(source, exp.Placeholder):
        return Term(cast(f"%({source.name})s", name), told or TEXT)
    assert told is not None, "only given lists are lists"
    if isinstance(source, exp.Literal) and source.is_string:
        return _constant(source.name, to, name)
    value, attempt = write(source), isinstance(node, exp.TryCast)
    if value.told.kind is Kind.NULL:
        return Term(cast(cast(value.sql, "BIGINT") if told.huge else value.sql, name), told)
    if told.kind is Kind.TEXT:
        return _as_text(value)
    if told.kind is Kind.BOOLEAN:
        return _as_truth(value)
    if told.kind in (Kind.DATE, Kind.TIMESTAMP):
        return moments.converted(value, told.kind)
    if value.told.kind is Kind.TEXT:
        return _read(value.sql, to, name, told)
    if value.told.kind is Kind.BOOLEAN:
        inner = cast(value.sql, "INT")
        if told.kind is Kind.DECIMAL:
            return _as_decimal(Term(inner, INT), to, name, attempt)
        return Term(inner if name == "INT" else cast(inner, name), told)
    if told.kind is Kind.FLOAT:
        return as_float(value)
    if told.kind is Kind.INTEGER:
        return _as_integer(value, to, attempt)
    return _as_decimal(value, to, name, attempt)


def _constant(value: str, to: exp.DataType, name: str) -> Term:
    """A text that stands in the query. One that is no such value would raise before any row."""
    ends = INTEGERS[to.this][1:] if to.this in INTEGERS else (0, 0)
    found = constant_of(value, to, name, ends, text)
    if found is None:
        refuse(f"this text as {to.sql('duckdb')}", "write the value itself, or NULL")
    return Term(*found)


# ---- to text and truth -----------------------------------------------------------------------


def _as_text(value: Term) -> Term:
    if value.told.kind is Kind.TEXT:
        return value
    if value.told.kind is Kind.FLOAT:
        refuse("a float as text", "round it and cast it to a whole number or DECIMAL first")
    if value.told.kind is Kind.DECIMAL and value.told.digits is None:
        refuse("this DECIMAL as text", "cast it to DECIMAL(p, s) first")
    return Term(cast(value.sql, "TEXT"), TEXT)


def _as_truth(value: Term) -> Term:
    if value.told.kind is Kind.BOOLEAN:
        return value
    if value.told.kind is Kind.TEXT:
        return Term(_truth_of(value.sql), BOOL)
    if value.told.kind not in (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL):
        refuse("a date or timestamp as BOOLEAN")
    zero = double(0.0) if value.told.kind is Kind.FLOAT else "0"
    return Term(pair(value.sql, "<>", zero), BOOL)


def _truth_of(sql: str) -> str:
    """DuckDB's words: PostgreSQL knows others, and raises over all else."""
    lower = call("LOWER", sql)
    words = [f"{lower} IN ({', '.join(map(text, some))})" for some in (TRUE, FALSE)]
    return f"CASE WHEN {words[0]} THEN TRUE WHEN {words[1]} THEN FALSE END"


# ---- to numbers ------------------------------------------------------------------------------


def _as_integer(value: Term, to: exp.DataType, attempt: bool) -> Term:
    name, told, low, high = _INTEGERS[to.this]
    if value.told.kind is Kind.FLOAT:
        return _float_as_integer(value, to, attempt)
    if told.huge:
        if value.told.kind is Kind.DECIMAL:
            refuse("a DECIMAL as HUGEINT", "cast it to BIGINT")
        if value.told.huge:
            return value
        return Term(cast(cast(value.sql, "BIGINT"), "NUMERIC"), HUGE)
    plain = cast(value.sql, name)
    if not attempt:
        return Term(plain, told)
    nearest_ = value.sql if value.told.kind is Kind.INTEGER else call("ROUND", value.sql, "0")
    return Term(when(f"{nearest_} BETWEEN {_signed(low)} AND {_signed(high)}", plain), told)


def _float_as_integer(value: Term, to: exp.DataType, attempt: bool) -> Term:
    """Half to even in both engines. As HUGEINT what fits a BIGINT, and NULL beyond."""
    name, told, low, high = _INTEGERS[to.this]
    if told.huge:
        low, high, name = max(low, -(2**63)), min(high, 2**63 - 1), "BIGINT"
    plain = cast(value.sql, name)
    wide = Term(cast(plain, "NUMERIC"), HUGE) if told.huge else Term(plain, told)
    if not attempt:
        return wide
    first, last = float(low), math.nextafter(float(high), 0) if high > 2**53 else float(high)
    inside = f"{value.sql} BETWEEN {double(first)} AND {double(last)}"
    return Term(when(inside, wide.sql), wide.told)


def _as_decimal(value: Term, to: exp.DataType, name: str, attempt: bool) -> Term:
    precision, scale = shape_of(to)
    told = Told(Kind.DECIMAL, 0, (precision, scale))
    if value.told.kind is Kind.FLOAT:
        return Term(_float_as_decimal(value.sql, precision, scale, name), told)
    plain = cast(value.sql, name)
    if not attempt:
        return Term(plain, told)
    most = f"{10**precision - 1:0{scale + 1}d}"
    end = f"{most[: len(most) - scale]}.{most[len(most) - scale :]}" if scale else most
    rounded = call("ROUND", _numeric(value), str(scale))
    return Term(when(f"{rounded} BETWEEN (- {end}) AND {end}", plain), told)


def _numeric(value: Term) -> str:
    if value.told.kind is Kind.INTEGER and not value.told.huge:
        return cast(cast(value.sql, "BIGINT"), "NUMERIC")
    return value.sql


def _float_as_decimal(sql: str, precision: int, scale: int, name: str) -> str:
    """The nearest multiple of 10^-scale, of 18 digits at most."""
    if scale > 15:
        refuse(f"a float as {name}")
    inside = f"{size(sql)} <= {double(_largest(min(precision, 18), scale))}"
    if scale == 0:
        whole = cast(cast(nearest(sql), "BIGINT"), "NUMERIC")
        return when(inside, cast(whole, name))
    places = nearest(pair(sql, "*", double(10.0**scale)))
    unit = cast(f"'0.{'1'.rjust(scale, '0')}'", f"NUMERIC({scale + 1}, {scale})")
    whole = cast(cast(places, "BIGINT"), "NUMERIC")
    return when(inside, cast(pair(whole, "*", unit), name))


def _largest(precision: int, scale: int) -> float:
    """The largest float that still has `precision` digits once it is rounded to `scale` places.

    Products and roundings of floats are monotone: what is smaller has no more digits.
    """
    factor = 10.0**scale
    most = math.nextafter(float((10**precision - HALF) / 10**scale), math.inf)
    while floor(Fraction(most * factor) + HALF) >= 10**precision:
        most = math.nextafter(most, 0)
    return most


def _signed(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


# ---- from text -------------------------------------------------------------------------------


def _read(sql: str, to: exp.DataType, name: str, told: Told) -> Term:
    if told.kind is Kind.FLOAT:
        return Term(when(f"{sql} ~ {text(NUMBER)}", cast(sql, name)), FLOAT)
    if told.kind is Kind.DECIMAL:
        plain = Term(cast(sql, "NUMERIC(38, 18)"), Told(Kind.DECIMAL, 0, (38, 18)))
        value = _as_decimal(plain, to, name, True)
        return Term(when(f"{sql} ~ {text(PLAIN)}", value.sql), told)
    if told.kind is not Kind.INTEGER:
        refuse(f"a text as {to.sql('duckdb')}")
    whole = cast(sql, "BIGINT")
    target, kind, low, high = _INTEGERS[to.this]
    if target == "BIGINT" and low < 0:
        return Term(when(f"{sql} ~ {text(WHOLE)}", whole), BIG)
    low, high = max(low, -(2**63)), min(high, 2**63 - 1)
    shown = cast(whole, target)
    inside = when(f"{whole} BETWEEN {_signed(low)} AND {_signed(high)}", shown)
    return Term(when(f"{sql} ~ {text(WHOLE)}", inside), kind)
