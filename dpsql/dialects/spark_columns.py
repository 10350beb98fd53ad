"""Columns in sight; a table's column read as its type in the catalog has it (`spark_types`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import Kind
from dpsql.dialects.spark_terms import (
    BIG,
    BOOL,
    DATE,
    FLOAT,
    INT,
    OPAQUE,
    TEXT,
    TIMESTAMP,
    Told,
    cast,
)

_KINDS = {
    Kind.TEXT: TEXT,
    Kind.FLOAT: FLOAT,
    Kind.BOOLEAN: BOOL,
    Kind.DATE: DATE,
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.OPAQUE: OPAQUE,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A column in sight: its type, and the base table's column if it is one."""

    told: Told
    base: CatalogColumn | None = None


Sources = Mapping[str, Mapping[str, Seen]]
"""Alias → name → column; all folded."""


def seen_of(column: CatalogColumn) -> Seen:
    return Seen(_told_of(column), column)


def _told_of(column: CatalogColumn) -> Told:
    kind = column.type.kind
    if kind is Kind.INTEGER:
        return BIG if column.type_text == "BIGINT" else INT
    if kind is Kind.DECIMAL:
        return Told(kind, 0, (column.type.precision, column.type.scale))
    return _KINDS[kind]


def read(sql: str, column: CatalogColumn) -> str:
    """A column of a table as its type in the catalog has it (`spark_types`)."""
    if column.stored == "real":
        return cast(sql, "DOUBLE")
    if column.stored == "zoned":
        return cast(sql, "TIMESTAMP_NTZ")
    return f"trim(TRAILING ' ' FROM {sql})" if column.stored == "padded" else sql
