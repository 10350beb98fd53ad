"""DuckDB's schema and enforced keys, read from its own catalog functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable, ForeignKey
from dpsql.dialects.duckdb_types import COLLATED, collated, read_type

# Tables, views and macros of all open databases: a view may read any of them. Of all that is read
# here it takes the longest, by far: the engine has thousands of functions of its own.
_MENTIONED = (
    "SELECT 1 FROM (SELECT sql, internal FROM duckdb_tables()"
    " UNION ALL SELECT sql, internal FROM duckdb_views()"
    " UNION ALL SELECT macro_definition, internal FROM duckdb_functions()) AS t(sql, internal)"
    " WHERE NOT internal AND sql ILIKE '%COLLATE%' LIMIT 1"
)


def read_catalog(
    rows: Callable[[str], list[tuple[Any, ...]]], default_schema: str, *, database: str = ""
) -> Catalog:
    """`rows` runs one statement. `database`: an attached one, by a plain word; else our own."""
    mine = f"'{database}'" if database else "current_database()"
    columns = rows(
        "SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable,"
        " v.view_name IS NOT NULL FROM duckdb_columns() c LEFT JOIN duckdb_views() v ON"
        " v.schema_name = c.schema_name AND v.view_name = c.table_name"
        " AND v.database_name = c.database_name"
        f" WHERE NOT c.internal AND c.database_name = {mine}"
        " ORDER BY c.schema_name, c.table_name, c.column_index"
    )
    constraints = rows(
        "SELECT schema_name, table_name, constraint_type, constraint_column_names,"
        " referenced_table, referenced_column_names FROM duckdb_constraints()"
        f" WHERE database_name = {mine}"
    )
    made = rows(
        "SELECT schema_name, table_name, sql FROM duckdb_tables()"
        f" WHERE database_name = {mine}"
        " AND (sql ILIKE '%COLLATE%' OR sql ILIKE '%GENERATED%')"
    )
    doubtful = bool(made) or any(row[5] for row in columns)  # else nothing hands on a collation
    mentioned = doubtful and bool(rows(_MENTIONED))
    default = rows("SELECT current_setting('default_collation')")[0][0]
    databases = rows("SELECT database_name, current_database() FROM duckdb_databases()")
    return _catalog(
        columns,
        constraints,
        collated(made, mentioned=mentioned, everywhere=bool(default)),
        default_schema,
        {str(name).casefold(): str(current) for name, current in databases},
    )


def _catalog(
    columns: list[tuple[Any, ...]],
    constraints: list[tuple[Any, ...]],
    is_collated: Callable[[str, str, str, bool], bool],
    default_schema: str,
    databases: Mapping[str, str],
) -> Catalog:
    """`databases`: by the name of each that is open, which a schema may share, ours."""
    grouped: dict[tuple[str, str], dict[str, CatalogColumn]] = {}
    views: set[tuple[str, str]] = set()
    for schema, table, column, type_text, nullable, is_view in columns:
        if is_collated(schema, table, column, bool(is_view)) and type_text == "VARCHAR":
            type_text = COLLATED  # equality merges spellings, and with them people
        kind, certain = read_type(type_text)
        grouped.setdefault((schema, table), {})[column] = CatalogColumn(
            column, type_text, kind, certain, bool(nullable)
        )
        if is_view:
            views.add((schema, table))
    tables = {}
    for (schema, table), found in grouped.items():
        mine = [row for row in constraints if (row[0], row[1]) == (schema, table)]
        name = table if schema == default_schema else f"{schema}.{table}"
        tables[name] = CatalogTable(
            schema,
            table,
            found,
            tuple(
                tuple(row[3])
                for row in mine
                if row[2] in ("PRIMARY KEY", "UNIQUE")
                and all(not found[column].nullable for column in row[3])
            ),
            tuple(
                ForeignKey(tuple(row[3]), row[4], tuple(row[5]))
                for row in mine
                if row[2] == "FOREIGN KEY"
            ),
            (schema, table) in views,
            next((tuple(row[3]) for row in mine if row[2] == "PRIMARY KEY"), ()),
            databases.get(schema.casefold(), ""),
        )
    return Catalog(tables)
