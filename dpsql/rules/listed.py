"""Rows of constants, each value in its column's own type."""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from dpsql.core.domain import Kind, Scalar, SqlType
from dpsql.core.ir import Listed
from dpsql.functions.literals import emit_literal


def listed(source: Listed, alias: str) -> exp.Values:
    """(VALUES (1, 'a'), (2, 'b')) AS t0(c0, c1): nobody's rows."""
    names = [exp.to_identifier(f"c{i}") for i in range(len(source.types))]
    rows = [
        exp.Tuple(expressions=[_value(v, t) for v, t in zip(row, source.types, strict=True)])
        for row in source.rows
    ]
    table = exp.TableAlias(this=exp.to_identifier(alias), columns=names)
    return exp.Values(expressions=rows, alias=table)


def _value(value: Scalar | None, type_: SqlType) -> exp.Expr:
    if type_.kind is Kind.DECIMAL and isinstance(value, Decimal):
        digits = exp.Literal.string(format(value, "f"))
        return exp.cast(digits, f"DECIMAL({type_.precision}, {type_.scale})")
    return emit_literal(value)
