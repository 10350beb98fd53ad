"""What the catalog views hold: the declared tables and columns, as the engine spells them.

From the policy and the schema alone. A hidden column, a table that the policy does not list, and
every number about rows are not in them; what no key of DuckDB says is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dpsql.binding.catalog_views import CATALOG, VIEWS
from dpsql.core.domain import Kind
from dpsql.declared import DeclaredTable, Reference

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, object]

_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_BITS |= {f"U{name}": bits for name, bits in _BITS.items()}
_BITS |= {"FLOAT": 24, "DOUBLE": 53}


def rows(schema: str, view: str, tables: Sequence[DeclaredTable]) -> pa.Table:
    """The view over these tables."""
    import pyarrow as pa

    types = {
        "VARCHAR": pa.string(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
    }
    columns = VIEWS[schema, view]
    found = list(_MAKERS[schema, view](tables))
    assert all(set(row) <= set(columns) for row in found)
    arrays = {
        name: pa.array([row.get(name) for row in found], type=types[kind])
        for name, kind in columns.items()
    }
    return pa.table(arrays)


def _schemata(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for schema in dict.fromkeys(table.schema for table in tables):
        yield {"catalog_name": CATALOG, "schema_name": schema, "schema_owner": CATALOG}


def _tables(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    """Nothing can be inserted; a view is shown as what an analyst sees: a table."""
    for table in tables:
        yield {
            **_place(table),
            "table_type": "BASE TABLE",
            "is_insertable_into": "NO",
            "is_typed": "NO",
        }


def _columns(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        for position, column in enumerate(table.columns, start=1):
            yield {
                **_place(table),
                "column_name": column.name,
                "ordinal_position": position,
                "is_nullable": _yes(column.nullable),
                "data_type": column.type_text,
                **_precision(column.type_text, column.type),
                "is_generated": "NEVER",
            }


def _precision(text: str, kind: Any) -> Row:
    if kind.kind is Kind.DECIMAL:
        numbers = (kind.precision, 10, kind.scale)
    elif text in _BITS:
        numbers = (_BITS[text], 2, 0)
    else:
        return {}
    names = ("numeric_precision", "numeric_precision_radix", "numeric_scale")
    return dict(zip(names, numbers, strict=True))


def _described(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        unique = {key[0] for key in table.unique if len(key) == 1}
        for position, column in enumerate(table.columns, start=1):
            primary = column.name in table.primary_key
            yield {
                "table_schema": table.schema,
                "table_name": table.name,
                "column_name": column.name,
                "column_type": column.type_text,
                "null": _yes(column.nullable),
                "key": "PRI" if primary else "UNI" if column.name in unique else None,
                "ordinal_position": position,
            }


def _pg_tables(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        yield {
            "schemaname": table.schema,
            "tablename": table.name,
            "tableowner": CATALOG,
            "hasindexes": bool(table.primary_key or table.unique),
            "hasrules": False,
            "hastriggers": False,
        }


# ---- keys --------------------------------------------------------------------------------------


def _keys(table: DeclaredTable) -> Iterator[tuple[str, str, tuple[str, ...], Reference | None]]:
    """Name, kind, columns: as DuckDB names them."""
    if table.primary_key:
        name = f"{table.name}_{'_'.join(table.primary_key)}_pkey"
        yield name, "PRIMARY KEY", table.primary_key, None
    for key in table.unique:
        yield f"{table.name}_{'_'.join(key)}_key", "UNIQUE", key, None
    for reference in table.references:
        names = (table.name, *reference.columns, *reference.target_columns, "fkey")
        name = "_".join(names)
        yield name, "FOREIGN KEY", reference.columns, reference


def _constraints(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        for name, kind, _, reference in _keys(table):
            yield {
                **_constraint(table, name),
                **_place(table),
                "constraint_type": kind,
                "is_deferrable": "NO",
                "initially_deferred": "NO",
                "enforced": _yes(reference is None or reference.enforced),
                "nulls_distinct": "YES",
            }


def _usage(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        for name, _, columns, reference in _keys(table):
            for position, column in enumerate(columns, start=1):
                yield {
                    **_constraint(table, name),
                    **_place(table),
                    "column_name": column,
                    "ordinal_position": position,
                    "position_in_unique_constraint": None if reference is None else position,
                }


def _references(tables: Sequence[DeclaredTable]) -> Iterator[Row]:
    for table in tables:
        for name, _, _, reference in _keys(table):
            if reference is not None:
                yield {
                    **_constraint(table, name),
                    "unique_constraint_catalog": CATALOG,
                    "unique_constraint_schema": reference.target_schema,
                    "unique_constraint_name": _target(reference, tables),
                    "match_option": "NONE",
                    "update_rule": "NO ACTION",
                    "delete_rule": "NO ACTION",
                }


def _target(reference: Reference, tables: Iterable[DeclaredTable]) -> str | None:
    place = (reference.target_schema, reference.target)
    for table in tables:
        if (table.schema, table.name) == place:
            for name, kind, columns, _ in _keys(table):
                if kind != "FOREIGN KEY" and columns == reference.target_columns:
                    return name
    return None


def _place(table: DeclaredTable) -> dict[str, object]:
    return {"table_catalog": CATALOG, "table_schema": table.schema, "table_name": table.name}


def _constraint(table: DeclaredTable, name: str) -> dict[str, object]:
    return {
        "constraint_catalog": CATALOG,
        "constraint_schema": table.schema,
        "constraint_name": name,
    }


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


_MAKERS: Mapping[tuple[str, str], Callable[[Sequence[DeclaredTable]], Iterator[Row]]] = {
    ("information_schema", "schemata"): _schemata,
    ("information_schema", "tables"): _tables,
    ("information_schema", "columns"): _columns,
    ("information_schema", "table_constraints"): _constraints,
    ("information_schema", "key_column_usage"): _usage,
    ("information_schema", "referential_constraints"): _references,
    ("pg_catalog", "pg_tables"): _pg_tables,
    ("dpsql_catalog", "described"): _described,
}
assert set(_MAKERS) == set(VIEWS)
