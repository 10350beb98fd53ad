"""The sealed DuckDB above the noise line: only releases and public tables are in it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.dialects.duckdb import sealed_instance
from dpsql.errors import EngineFailed, InvalidQuery

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_RAW = "_raw"
MAX_KNOWN = 1_000  # bound queries remembered by their text


@dataclass(frozen=True)
class Given:
    """A table to be queried. `types` casts columns Arrow cannot type (HUGEINT); '' leaves one."""

    table: pa.Table
    types: Sequence[str]


@dataclass(frozen=True)
class Finished:
    """A result set: Arrow columns with the engine's type names."""

    table: pa.Table
    types: tuple[str, ...]


class Sealed:
    """One instance a session: nothing of another analyst is ever in it.

    It cannot reach files, network, extensions or Python variables; settings are locked, memory
    is capped, and a deadline interrupts whatever runs too long.
    """

    def __init__(self, *, memory: str = "1GB", timeout: float = 60.0) -> None:
        self._memory = memory
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._bound: dict[tuple[str, ...], tuple[str, ...]] = {}

    def run(self, query: exp.Expr, given: Mapping[str, Given]) -> Finished:
        """Run the remainder over `given`. Raises EngineFailed (ours, constant) if it fails."""
        sql = query.sql("duckdb", comments=False)
        with self._lock, self._tables(given) as connection, self._deadline(connection):
            try:
                relation = connection.sql(sql)
                types = tuple(str(kind) for kind in relation.types)
                return Finished(relation.to_arrow_table(), types)
            except Exception:  # the engine's words may quote values: keep them out
                raise EngineFailed(
                    "the part of the query above the noise failed or took too long",
                    code="postprocessing",
                    hint="ask again with another outer query (ORDER BY, LIMIT, arithmetic, ...);"
                    " with `releases: {reuse: budget}` the private answers are stored and free",
                ) from None

    def check(self, query: exp.Expr, given: Mapping[str, Given]) -> tuple[str, ...]:
        """Bind the remainder over empty `given` tables: type errors show before any charge."""
        sql = query.sql("duckdb", comments=False)
        known = (sql, *(str(table.table.schema) for table in given.values()))
        if known in self._bound:
            return self._bound[known]
        with self._lock, self._tables(given) as connection:
            try:
                types = tuple(str(kind) for kind in connection.sql(sql).types)
            except Exception:
                raise InvalidQuery(
                    "the query does not fit the types of its columns",
                    code="does-not-bind",
                    hint="check the functions applied to the aggregates and their arguments",
                ) from None
            if len(self._bound) >= MAX_KNOWN:
                self._bound.clear()
            self._bound[known] = types
            return types

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextlib.contextmanager
    def _tables(self, given: Mapping[str, Given]) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._connection is None:
            self._connection = sealed_instance(memory=self._memory)
        connection = self._connection
        try:
            for name, table in given.items():
                raw = name + _RAW if any(table.types) else name
                connection.register(raw, table.table)
                if raw != name:
                    connection.execute(_view(name, table))
            yield connection
        finally:
            for name, table in given.items():
                if any(table.types):
                    connection.execute(_drop(name))
                    connection.unregister(name + _RAW)
                else:
                    connection.unregister(name)

    @contextlib.contextmanager
    def _deadline(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        timer = threading.Timer(self._timeout, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _name(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _view(name: str, given: Given) -> str:
    """A typed view over the registered table; the next statement replaces it."""
    columns: list[exp.Expr] = []
    for column, kind in zip(given.table.column_names, given.types, strict=True):
        node: exp.Expr = exp.column(exp.to_identifier(column, quoted=True))
        if kind:
            node = exp.cast(node, exp.DataType.build(kind, dialect="duckdb"))
        columns.append(exp.alias_(node, exp.to_identifier(column, quoted=True)))
    query = exp.Select(expressions=columns, from_=exp.From(this=_name(name + _RAW)))
    create = exp.Create(kind="VIEW", this=_name(name), expression=query, replace=True)
    return create.sql("duckdb")


def _drop(name: str) -> str:
    return "DROP VIEW IF EXISTS " + exp.to_identifier(name, quoted=True).sql("duckdb")


class Naming:
    """An empty copy of the declared tables, to ask DuckDB what it would call a query's columns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._schema: object = None
        self._known: dict[str, list[str]] = {}

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
            sql = query.sql("duckdb", comments=False)
            known = text or sql
            if known not in self._known:
                if len(self._known) >= MAX_KNOWN:
                    self._known.clear()
                found = (text and _columns(connection, text)) or _columns(connection, sql)
                if not found:
                    return None
                self._known[known] = found
            return self._known[known]

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
        for key, names in visible.items():
            table = catalog.tables[key]
            if table.schema != "main":
                schema = exp.Create(kind="SCHEMA", this=_name(table.schema), exists=True)
                self._connection.execute(schema.sql("duckdb"))
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
            with contextlib.suppress(Exception):  # an exotic type only costs its table's names
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
