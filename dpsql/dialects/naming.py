"""What DuckDB would call a query's columns, asked of an empty copy of the declared tables."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.dialects.duckdb import deadline
from dpsql.dialects.duckdb_open import MAX_KNOWN, sealed_instance
from dpsql.dialects.sealed import BIND_SECONDS

if TYPE_CHECKING:
    import duckdb


_PARAMETER = re.compile(r"[?:$@%]")


class Naming:
    """An empty copy of the declared tables, to ask DuckDB what it would call a query's columns."""

    def __init__(self, functions: Sequence[str] = ()) -> None:
        """`functions`: ours that the engine does not know, each of one argument."""
        self._functions = functions
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._schema: object = None
        self._known: dict[tuple[str | None, str], list[str]] = {}

    def names(
        self,
        query: exp.Expr,
        catalog: Catalog,
        visible: Mapping[str, Sequence[str]],
        text: str | None = None,
    ) -> list[str] | None:
        """Column names as the engine gives them to the same text; None if it cannot bind it.

        `visible`: catalog key of each declared table and its columns that exist for analysts.
        `text`: what the analyst wrote, where it is in the engine's own dialect (the regenerated
        text calls VAR_SAMP another name). No table here holds a row.
        """
        with self._lock:
            connection = self._ready(catalog, visible)
            # One text is many queries if it may have parameters; then its writing out tells them.
            one = text is not None and _PARAMETER.search(text) is None
            sql = "" if one else query.sql("duckdb", comments=False)
            known = (text, sql)
            if known not in self._known:
                sql = sql or query.sql("duckdb", comments=False)
                if len(self._known) >= MAX_KNOWN:
                    self._known.clear()
                with deadline(connection, BIND_SECONDS):
                    found = (text and _columns(connection, text)) or _columns(connection, sql)
                    found = found or _columns(connection, self._plainer(query))
                if not found:
                    return None
                self._known[known] = found
            return self._known[known]

    def _plainer(self, query: exp.Expr) -> str:
        """The text with numbers for our functions inside: one that reads an aggregate's alias.

        `SELECT COUNT(*) AS n, dp_low(n)` does not bind in DuckDB where a column is called n too.
        """
        copied = query.copy()
        for node in list(copied.find_all(exp.Anonymous)):
            if node.name.lower() in self._functions and node.parent_select is not copied:
                node.replace(exp.Literal.number("0e0"))
        return copied.sql("duckdb", comments=False)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ready(
        self, catalog: Catalog, visible: Mapping[str, Sequence[str]]
    ) -> duckdb.DuckDBPyConnection:
        if self._connection is not None and self._schema == catalog:
            return self._connection
        if self._connection is not None:
            self._connection.close()
        self._connection = sealed_instance(memory="256MB")
        self._schema = catalog
        self._known.clear()
        for function in self._functions:
            self._connection.execute(f"CREATE MACRO {function}(x) AS x")
        for key, names in visible.items():
            table = catalog.tables[key]
            columns = [
                exp.ColumnDef(
                    this=exp.to_identifier(name, quoted=True),
                    kind=exp.DataType.build(table.columns[name].type_text, dialect="duckdb"),
                )
                for name in names
            ]
            target = exp.Table(
                this=exp.to_identifier(table.name, quoted=True),
                db=exp.to_identifier(table.schema, quoted=True),
            )
            create = exp.Create(kind="TABLE", this=exp.Schema(this=target, expressions=columns))
            # An exotic type, or a schema called as a database is here, costs its table's names.
            with contextlib.suppress(Exception):
                if table.schema != "main":
                    name = exp.Table(this=exp.to_identifier(table.schema, quoted=True))
                    schema = exp.Create(kind="SCHEMA", this=name, exists=True)
                    self._connection.execute(schema.sql("duckdb"))
                self._connection.execute(create.sql("duckdb"))
                if table.schema != "main" and key == table.name:  # of the engine's default schema
                    target.set("db", None)
                    self._connection.execute(create.sql("duckdb"))
        return self._connection


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str] | None:
    """Names of one SELECT's columns; it is bound, not run."""
    import duckdb

    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            return None
        return list(connection.sql(sql).columns)
    except Exception:  # the regenerated text, or positions, name the columns then
        return None
