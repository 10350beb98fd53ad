"""The types a CAST may name, with DuckDB's spelling and the range of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from dpsql.core import nearest
from dpsql.core.domain import (
    ANY,
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    TEXT,
    TIMESTAMP,
    Interval,
    SqlType,
    decimal,
)
from dpsql.functions.protocol import Scope

_Type = exp.DataType.Type


@dataclass(frozen=True, slots=True)
class Target:
    """A cast's target: `name` is DuckDB's (FLOAT is the 4-byte REAL)."""

    name: str
    type: SqlType
    range_: Interval = ANY


def _integer(name: str, bits: int, signed: bool = True) -> Target:
    lo = -(2 ** (bits - 1)) if signed else 0
    hi = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    return Target(name, INTEGER, Interval(Fraction(lo), Fraction(hi)))


_INTEGERS = {
    _Type.TINYINT: _integer("TINYINT", 8),
    _Type.SMALLINT: _integer("SMALLINT", 16),
    _Type.INT: _integer("INTEGER", 32),
    _Type.BIGINT: _integer("BIGINT", 64),
    _Type.INT128: _integer("HUGEINT", 128),
    _Type.UTINYINT: _integer("UTINYINT", 8, signed=False),
    _Type.USMALLINT: _integer("USMALLINT", 16, signed=False),
    _Type.UINT: _integer("UINTEGER", 32, signed=False),
    _Type.UBIGINT: _integer("UBIGINT", 64, signed=False),
}
_TARGETS: dict[exp.DType, Target] = {
    **_INTEGERS,
    _Type.BOOLEAN: Target("BOOLEAN", BOOLEAN),
    _Type.FLOAT: Target("FLOAT", FLOAT),
    _Type.DOUBLE: Target("DOUBLE", FLOAT),
    _Type.DATE: Target("DATE", DATE),
    _Type.TIMESTAMP: Target("TIMESTAMP", TIMESTAMP),
    _Type.TIMESTAMPNTZ: Target("TIMESTAMP", TIMESTAMP),
    _Type.DATETIME: Target("TIMESTAMP", TIMESTAMP),
    **{
        kind: Target("VARCHAR", TEXT)
        for kind in (_Type.TEXT, _Type.VARCHAR, _Type.CHAR, _Type.NVARCHAR, _Type.NCHAR)
    },
}
_WORDS = tuple(
    "boolean tinyint smallint integer bigint hugeint decimal numeric float real double varchar text"
    " char date timestamp datetime".split()
)
_NAMED = {target.name: target for target in _TARGETS.values()}
_DECIMAL = re.compile(r"DECIMAL\((\d+), (\d+)\)\Z")


def _decimal(precision: int, scale: int) -> Target:
    top = Fraction(10**precision - 1, 10**scale)
    return Target(f"DECIMAL({precision}, {scale})", decimal(precision, scale), Interval(-top, top))


def target_named(name: str) -> Target:
    """The target of a bound cast, from its own name."""
    if match := _DECIMAL.match(name):
        return _decimal(int(match[1]), int(match[2]))
    return _NAMED[name]


def read_target(node: exp.Expr, scope: Scope) -> Target:
    """The type named in a CAST; RefusedQuery `unsupported-type` for all but the plain ones."""
    to = node.args["to"]
    if isinstance(to, exp.DataType) and not to.args.get("nested"):
        if to.this == _Type.DECIMAL:
            digits = [_number(param) for param in to.expressions]
            if not digits:
                return _decimal(18, 3)
            precision, scale = (*digits, 0)[:2]
            if 1 <= precision <= 38 and 0 <= scale <= precision and len(digits) <= 2:
                return _decimal(precision, scale)
        elif to.this in _TARGETS:
            return _TARGETS[to.this]
    name = to.sql(dialect="duckdb")[:40]
    scope.refuse(
        node,
        "unsupported-type",
        f"casting to {name} is not available on people's rows",
        nearest.hint(
            name,
            _WORDS,
            "boolean, integers, decimal, float, double, varchar, date and timestamp are",
        ),
    )


def _number(param: exp.Expr) -> int:
    text = str(param.name)
    return int(text) if text.isdigit() and len(text) <= 3 else -1
