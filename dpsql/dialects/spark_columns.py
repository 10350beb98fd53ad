"""A table's column in Spark's words, read as its type in the catalog has it."""

from __future__ import annotations

from dpsql.core.catalog import CatalogColumn
from dpsql.dialects.spark_terms import cast


def read(sql: str, column: CatalogColumn) -> str:
    """A column of a table as its type in the catalog has it (`spark_types`)."""
    if column.stored == "real":
        return cast(sql, "DOUBLE")
    if column.stored == "zoned":
        return cast(sql, "TIMESTAMP_NTZ")
    return f"trim(TRAILING ' ' FROM {sql})" if column.stored == "padded" else sql
