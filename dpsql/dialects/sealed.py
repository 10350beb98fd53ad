"""The sealed DuckDB above the noise line: only releases and public tables are in it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.dialects.duckdb import MAX_KNOWN, deadline, sealed_instance
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.errors import EngineFailed, InvalidQuery

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_RAW = "_raw"


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
        self._views: dict[str, tuple[pa.Schema, tuple[str, ...]]] = {}

    def run(self, query: exp.Expr, given: Mapping[str, Given]) -> Finished:
        """Run the remainder over `given`. Raises EngineFailed (ours, constant) if it fails."""
        sql = query.sql("duckdb", comments=False)
        with self._lock, self._tables(given) as connection, deadline(connection, self._timeout):
            try:
                relation = connection.sql(sql)
                types = tuple(str(kind) for kind in relation.types)
                return Finished(heeding_interrupts(connection, relation.to_arrow_table), types)
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
            # Binding folds constants and reads types, so it may fail in any class of error. All
            # mean the same: refused, before any charge. No row is in reach that could cause one.
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
                self._views.clear()

    @contextlib.contextmanager
    def _tables(self, given: Mapping[str, Given]) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._connection is None:
            self._connection = sealed_instance(memory=self._memory)
        connection = self._connection
        try:
            for name, table in given.items():
                if any(table.types):
                    connection.register(name + _RAW, table.table)
                    self._see(connection, name, table)
                else:
                    if self._views.pop(name, None) is not None:
                        connection.execute(_drop(name))
                    connection.register(name, table.table)
            yield connection
        finally:
            for name, table in given.items():
                connection.unregister(name + _RAW if any(table.types) else name)

    def _see(self, connection: duckdb.DuckDBPyConnection, name: str, given: Given) -> None:
        """The typed view of a table. It holds no rows: the next table of its kind shares it."""
        kind = (given.table.schema, tuple(given.types))
        if self._views.get(name) != kind:
            self._views.pop(name, None)
            connection.execute(_view(name, given))
            self._views[name] = kind


def _name(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _view(name: str, given: Given) -> str:
    """A typed view over the registered table."""
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
