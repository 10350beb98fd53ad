"""A table's column in PostgreSQL's words, read as its type in the catalog has it."""

from __future__ import annotations

from dpsql.core.catalog import CatalogColumn
from dpsql.dialects.postgres_terms import call, cast, when


def read(sql: str, column: CatalogColumn) -> str:
    """A column of a table as its type in the catalog has it (`postgres_types`)."""
    if column.stored == "numeric":
        type_ = f"NUMERIC({column.type.precision}, {column.type.scale})"
        return cast(f"NULLIF({sql}, CAST('NaN' AS NUMERIC))", type_)
    if column.stored == "number":
        edge = f"CAST('1{'0' * 300}' AS NUMERIC)"
        value = cast(call("ROUND", sql, "40"), "DOUBLE PRECISION")
        return when(f"{sql} BETWEEN (- {edge}) AND {edge}", value)
    if column.stored == "real":
        return cast(sql, "DOUBLE PRECISION")
    if column.stored == "zoned":
        return call("TIMEZONE", "'UTC'", sql)
    if column.stored in ("padded", "label"):
        return cast(sql, "TEXT")
    return f'({sql} COLLATE "default")' if column.stored == "collated" else sql
