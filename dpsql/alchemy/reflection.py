"""What SQLAlchemy may know of the database: the declared names, no row and no count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc

from dpsql.alchemy.types import reflected
from dpsql.render.declared import bounds, groups

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from dpsql.declared import DeclaredColumn, DeclaredTable, Reference


class Reflection:
    """The part of a dialect that `sqlalchemy.inspect` calls; typed calls, never SQL.

    Views are listed as tables: an analyst sees no difference. Unknown tables, hidden columns
    and undeclared schemas do not exist here, whatever the database holds.
    """

    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        return list(
            dict.fromkeys((default_schema(connection), *(t.schema for t in _declared(connection))))
        )

    def has_schema(self, connection: Connection, schema_name: str, **kw: Any) -> bool:
        return schema_name in self.get_schema_names(connection)

    def get_table_names(
        self, connection: Connection, schema: str | None = None, **kw: Any
    ) -> list[str]:
        wanted = schema or default_schema(connection)
        return [t.name for t in _declared(connection) if t.schema == wanted]

    def has_table(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> bool:
        return _find(connection, table_name, schema) is not None

    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        table = _table(connection, table_name, schema)
        return [_column(table, column) for column in table.columns]

    def get_pk_constraint(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        table = _table(connection, table_name, schema)
        return {"constrained_columns": list(table.primary_key), "name": None}

    def get_unique_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        table = _table(connection, table_name, schema)
        return [{"name": None, "column_names": list(key)} for key in table.unique]

    def get_foreign_keys(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        """Foreign keys, and the steps of the owner's unit paths, which are joined alike."""
        table = _table(connection, table_name, schema)
        near = default_schema(connection) if schema is None else None
        return [_foreign_key(reference, near) for reference in table.references]

    def get_table_comment(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        table = _table(connection, table_name, schema)
        return {"text": "public: may be read exactly" if table.public else "aggregates only"}

    # ---- what there is none of -----------------------------------------------------------

    def get_indexes(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        _table(connection, table_name, schema)
        return []

    def get_check_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        _table(connection, table_name, schema)
        return []

    def get_view_names(
        self, connection: Connection, schema: str | None = None, **kw: Any
    ) -> list[str]:
        return []

    get_materialized_view_names = get_view_names
    get_temp_table_names = get_temp_view_names = get_sequence_names = get_view_names

    def get_view_definition(
        self, connection: Connection, view_name: str, schema: str | None = None, **kw: Any
    ) -> str:
        raise exc.NoSuchTableError(view_name)

    def has_sequence(
        self, connection: Connection, sequence_name: str, schema: str | None = None, **kw: Any
    ) -> bool:
        return False

    def has_index(
        self,
        connection: Connection,
        table_name: str,
        index_name: str,
        schema: str | None = None,
        **kw: Any,
    ) -> bool:
        return False


def default_schema(connection: Connection) -> str:
    """Of the engine: DuckDB's is main, PostgreSQL's public."""
    held: Any = connection.connection
    own: Any = getattr(held, "dbapi_connection", held)  # SQLAlchemy 1.4 has the driver's own here
    return str(own.default_schema)


def _declared(connection: Connection) -> tuple[DeclaredTable, ...]:
    own: Any = connection.connection.dbapi_connection
    tables: tuple[DeclaredTable, ...] = own.tables()
    return tables


def _find(connection: Connection, name: str, schema: str | None) -> DeclaredTable | None:
    """By its name as it is, else ignoring case, as the engine does."""
    wanted = schema or default_schema(connection)
    here = [t for t in _declared(connection) if t.schema == wanted]
    exact = [t for t in here if t.name == name]
    alike = [t for t in here if t.name.casefold() == name.casefold()]
    return next(iter([*exact, *alike]), None)


def _table(connection: Connection, name: str, schema: str | None) -> DeclaredTable:
    found = _find(connection, name, schema)
    if found is None:
        raise exc.NoSuchTableError(name if schema is None else f"{schema}.{name}")
    return found


def _column(table: DeclaredTable, column: DeclaredColumn) -> Mapping[str, Any]:
    said = [f"groups: {groups(table, column)}"]
    if limits := bounds(column.rule):
        said.append(f"clamped to {limits}")
    return {
        "name": column.name,
        "type": reflected(column.type_text),
        "nullable": column.nullable and column.rule.nullable is not False,
        "default": None,
        "autoincrement": False,
        "comment": "; ".join(said),
    }


def _foreign_key(reference: Reference, default: str | None) -> Mapping[str, Any]:
    near = reference.target_schema == default
    return {
        "name": None,
        "constrained_columns": list(reference.columns),
        "referred_schema": None if near else reference.target_schema,
        "referred_table": reference.target,
        "referred_columns": list(reference.target_columns),
        "options": {},
    }
