"""The catalog views an analyst may read: their columns, named and typed as in DuckDB.

What they hold comes from the policy and the schema (dpsql.catalog_rows). Columns that would be
statistics (rows, sizes) are in none of them.
"""

from __future__ import annotations

from sqlglot import exp

CATALOG = "dpsql"
"""The database's name in the views; `dpsql.main.users` is read as `main.users`."""

_TEXT, _WHOLE, _LONG, _BOOL = "VARCHAR", "INTEGER", "BIGINT", "BOOLEAN"
_CONSTRAINT = ("constraint_catalog", "constraint_schema", "constraint_name")
_TABLE = ("table_catalog", "table_schema", "table_name")


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, _TEXT)


VIEWS: dict[tuple[str, str], dict[str, str]] = {
    ("information_schema", "schemata"): _texts(
        *("catalog_name", "schema_name", "schema_owner", "default_character_set_catalog"),
        *("default_character_set_schema", "default_character_set_name", "sql_path"),
    ),
    ("information_schema", "tables"): _texts(
        *_TABLE,
        *("table_type", "self_referencing_column_name", "reference_generation"),
        *("user_defined_type_catalog", "user_defined_type_schema", "user_defined_type_name"),
        *("is_insertable_into", "is_typed", "commit_action", "TABLE_COMMENT"),
    ),
    ("information_schema", "columns"): {
        **_texts(*_TABLE, "column_name"),
        "ordinal_position": _WHOLE,
        **_texts("column_default", "is_nullable", "data_type"),
        "character_maximum_length": _WHOLE,
        "character_octet_length": _WHOLE,
        "numeric_precision": _WHOLE,
        "numeric_precision_radix": _WHOLE,
        "numeric_scale": _WHOLE,
        "datetime_precision": _WHOLE,
        "interval_type": _TEXT,
        "interval_precision": _WHOLE,
        **_texts("character_set_catalog", "character_set_schema", "character_set_name"),
        **_texts("collation_catalog", "collation_schema", "collation_name"),
        **_texts("domain_catalog", "domain_schema", "domain_name"),
        **_texts("udt_catalog", "udt_schema", "udt_name"),
        **_texts("scope_catalog", "scope_schema", "scope_name"),
        "maximum_cardinality": _LONG,
        "dtd_identifier": _TEXT,
        "is_self_referencing": _BOOL,
        "is_identity": _BOOL,
        **_texts("identity_generation", "identity_start", "identity_increment"),
        **_texts("identity_maximum", "identity_minimum"),
        "identity_cycle": _BOOL,
        **_texts("is_generated", "generation_expression"),
        "is_updatable": _BOOL,
        "COLUMN_COMMENT": _TEXT,
    },
    ("information_schema", "table_constraints"): _texts(
        *_CONSTRAINT,
        *_TABLE,
        *("constraint_type", "is_deferrable", "initially_deferred", "enforced", "nulls_distinct"),
    ),
    ("information_schema", "key_column_usage"): {
        **_texts(*_CONSTRAINT, *_TABLE, "column_name"),
        "ordinal_position": _LONG,
        "position_in_unique_constraint": _LONG,
    },
    ("information_schema", "referential_constraints"): _texts(
        *_CONSTRAINT,
        *("unique_constraint_catalog", "unique_constraint_schema", "unique_constraint_name"),
        *("match_option", "update_rule", "delete_rule"),
    ),
    ("pg_catalog", "pg_tables"): {
        **_texts("schemaname", "tablename", "tableowner", "tablespace"),
        **dict.fromkeys(("hasindexes", "hasrules", "hastriggers"), _BOOL),
    },
    ("dpsql_catalog", "described"): {
        **_texts("table_schema", "table_name", "column_name", "column_type"),
        **_texts("null", "key", "default", "extra"),
        "ordinal_position": _WHOLE,
    },
}


def is_view(table: exp.Table) -> bool:
    """Does a FROM item name one of the views, with its schema?"""
    if table.args.get("catalog") or not isinstance(table.this, exp.Identifier):
        return False
    return (table.db.casefold(), table.name.casefold()) in VIEWS
