"""CAST and TRY_CAST in Spark: what would not fit is NULL, whatever was known of it.

A float becomes an integer by `rint`, half to even, as DuckDB has it; Spark's own cast cuts off. Of
texts only plain spellings are read, tested by a pattern: Spark alone would read more of them.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects import spark_moments as moments
from dpsql.dialects.spark_numbers import WIDE, as_float
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
from dpsql.dialects.told import BOOL, HUGE, TEXT, Told, shape_of
from dpsql.dialects.told_casts import FALSE, INTEGERS, TEXTS, TIMESTAMPS, TRUE, constant_of, told_of

_D = exp.DType
_NAMES = {
    _D.TINYINT: "TINYINT",
    _D.UTINYINT: "SMALLINT",
    _D.SMALLINT: "SMALLINT",
    _D.USMALLINT: "INT",
    _D.INT: "INT",
    _D.UINT: "BIGINT",
    _D.BIGINT: "BIGINT",
    _D.UBIGINT: WIDE,
    _D.INT128: WIDE,
}
_INTEGERS = {kind: (name, *INTEGERS[kind]) for kind, name in _NAMES.items()}
_INTEGERS[_D.INT128] = (WIDE, HUGE, -(10**38) + 1, 10**38 - 1)
"""Name in Spark, what it is there, and the range of the normal form's type."""

WHOLE = r"^ *[+-]?[0-9]{1,18} *\z"
NUMBER = r"^ *[+-]?[0-9]{1,15}([.][0-9]{0,15})?([eE][+-]?[0-9]{1,2})? *\z"
PLAIN = r"^ *[+-]?[0-9]{1,18}([.][0-9]{0,18})? *\z"
_EDGE = double(2.0**63)
"""The one float that Spark casts to a BIGINT which it is not."""


def type_name(node: exp.DataType) -> str:
    """Spark's name of a type of the normal form."""
    if node.this is _D.ARRAY:
        return f"ARRAY<{type_name(node.expressions[0])}>"
    if node.this is _D.DECIMAL:
        precision, scale = shape_of(node)
        return f"DECIMAL({precision}, {scale})"
    plain = {
        **{kind: one[0] for kind, one in _INTEGERS.items()},
        **dict.fromkeys(TEXTS, "STRING"),
        **dict.fromkeys(TIMESTAMPS, "TIMESTAMP_NTZ"),
        _D.DOUBLE: "DOUBLE",
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
    value = write(source)
    put = attempt if isinstance(node, exp.TryCast) else cast
    if value.told.kind is Kind.NULL:
        return Term(cast(value.sql, name), told)
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
        return Term(inner if name == "INT" else put(inner, name), told)
    if value.told.kind not in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT):
        refuse(f"a moment as {to.sql('duckdb')}")
    if told.kind is Kind.FLOAT:
        return as_float(value)
    if told.kind is Kind.INTEGER:
        return _as_integer(value, to, isinstance(node, exp.TryCast))
    if value.told.kind is Kind.FLOAT:
        return Term(_float_as_decimal(value.sql, *shape_of(to), name), told)
    return Term(put(value.sql, name), told)


_SHORT = 10**33 - 1
"""The largest number whose `-` Spark does not round."""


def _constant(value: str, to: exp.DataType, name: str) -> Term:
    """A text that stands in the query. One that is no such value would raise before any row."""
    low, high = INTEGERS[to.this][1:] if to.this in INTEGERS else (0, 0)
    found = constant_of(value, to, name, (max(low, -_SHORT), min(high, _SHORT)), text)
    if found is None:
        refuse(f"this text as {to.sql('duckdb')}", "write the value itself, or NULL")
    return Term(*found)


# ---- to text and truth -----------------------------------------------------------------------


def _as_text(value: Term) -> Term:
    if value.told.kind is Kind.TEXT:
        return value
    if value.told.kind is Kind.FLOAT:
        refuse("a float as text", "round it and cast it to a whole number or DECIMAL first")
    return Term(cast(value.sql, "STRING"), TEXT)


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
    """DuckDB's words: Spark knows others, and raises over all else."""
    lower = call("lower", sql)
    words = [f"{lower} IN ({', '.join(map(text, some))})" for some in (TRUE, FALSE)]
    return f"CASE WHEN {words[0]} THEN TRUE WHEN {words[1]} THEN FALSE END"


# ---- to numbers ------------------------------------------------------------------------------


def _as_integer(value: Term, to: exp.DataType, attempted: bool) -> Term:
    name, told, low, high = _INTEGERS[to.this]
    put = attempt if attempted else cast
    sql = value.sql
    if value.told.kind is Kind.FLOAT:
        if told.huge:  # what fits a BIGINT, and NULL beyond
            sql = cast(_float_as_integer(sql, "BIGINT", True), WIDE)
        else:
            sql = _float_as_integer(sql, name, attempted)
    elif value.told.kind is Kind.DECIMAL:
        sql = put(call("round", sql, "0"), name)
    elif not (told.huge and value.told.huge):
        sql = put(sql, name)
    if attempted and low == 0:
        sql = when(f"{sql} BETWEEN 0 AND {high}", sql)
    return Term(sql, told)


def _float_as_integer(sql: str, name: str, attempted: bool) -> str:
    whole = call("rint", sql)
    if not attempted:
        return cast(whole, name)
    return attempt(call("nullif", whole, _EDGE) if name == "BIGINT" else whole, name)


def _float_as_decimal(sql: str, precision: int, scale: int, name: str) -> str:
    """The nearest multiple of 10^-scale, of 18 digits at most."""
    if scale > 15:
        refuse(f"a float as {name}")
    scaled = call("try_multiply", sql, double(10.0**scale)) if scale else sql
    whole = attempt(call("nullif", call("round", scaled), _EDGE), "BIGINT")
    if not scale:
        return attempt(whole, name)
    unit = cast(text("0." + "1".rjust(scale, "0")), f"DECIMAL({scale + 1}, {scale})")
    return attempt(call("try_multiply", cast(whole, "DECIMAL(19, 0)"), unit), name)


# ---- from text -------------------------------------------------------------------------------


def _read(sql: str, to: exp.DataType, name: str, told: Told) -> Term:
    patterns = {Kind.FLOAT: NUMBER, Kind.DECIMAL: PLAIN, Kind.INTEGER: WHOLE}
    if told.kind not in patterns:
        refuse(f"a text as {to.sql('duckdb')}")
    value = attempt(when(f"{sql} RLIKE {text(patterns[told.kind])}", sql), name)
    if told.kind is Kind.INTEGER and _INTEGERS[to.this][2] == 0:
        value = when(f"{value} BETWEEN 0 AND {_INTEGERS[to.this][3]}", value)
    return Term(value, told)
