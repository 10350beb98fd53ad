"""Values for columns of an invented row, by the column's type: SQL over a running number."""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import Kind


class CannotInvent(Exception):
    """No value of such a type can be made up; the text says of which column."""


def different(column: CatalogColumn, number: str) -> str:
    """An expression that differs wherever the integer expression `number` does."""
    kind = column.type.kind
    if kind in (Kind.INTEGER, Kind.DECIMAL) or column.type_text.upper() == "DOUBLE":
        return f"CAST({number} AS {column.type_text})"
    if kind is Kind.TEXT:
        return f"concat('u', {number})"
    if column.type_text.upper() == "UUID":
        return f"CAST(printf('00000000-0000-0000-0000-%012d', {number}) AS UUID)"
    if kind is Kind.DATE:
        return f"DATE '1000-01-01' + CAST({number} AS INTEGER)"
    if kind is Kind.TIMESTAMP:
        return f"TIMESTAMP '1000-01-01' + to_minutes(CAST({number} AS BIGINT))"
    raise CannotInvent(f"column {column.name} ({column.type_text}) would have to differ by person")


def some(column: CatalogColumn) -> str:
    """NULL where that may be, else one value."""
    if column.nullable:
        return f"CAST(NULL AS {column.type_text})"
    if column.type.kind is Kind.BOOLEAN:
        return "true"
    if column.type.kind is Kind.FLOAT:
        return f"CAST(1 AS {column.type_text})"
    return different(column, "1")


def value_at(column: CatalogColumn, value: Fraction) -> str:
    """The nearest value of the type; the largest one of its sign where it holds none so large."""
    certain = column.certain
    if certain.lo is not None and certain.hi is not None:
        value = max(Fraction(certain.lo), min(Fraction(certain.hi), value))  # type: ignore[arg-type]
    if column.type.kind is Kind.INTEGER:
        return f"CAST({int(value)} AS {column.type_text})"
    return f"CAST({float(value)!r} AS {column.type_text})"


def quoted(*names: str) -> str:
    """A name in SQL quotes, with its schema if one is given."""
    return ".".join(exp.to_identifier(name, quoted=True).sql("duckdb") for name in names)
