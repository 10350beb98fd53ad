"""The sealed DuckDB above the noise line: only releases and public tables are in it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.dialects import trial
from dpsql.dialects.duckdb import deadline
from dpsql.dialects.duckdb_open import MAX_KNOWN, sealed_instance
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.errors import EngineFailed, Error, RefusedQuery

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_RAW = "_raw"
_NOT_FOUND = re.compile(
    r'Referenced (?:column|table) "([^"\n]+)" (?:was )?not found'
    r"|Referenced column (\S+) not found"
    r'|does not have a column named "([^"\n]+)"'
    r'|Column "([^"\n]+)" does not exist'
)

MAX_ROWS = 1_000_000
"""Rows of one answer, at most: it is handed out whole, in memory."""
MAX_BYTES = 2**30
"""Bytes of one answer, at most, as Arrow counts them."""
BIND_SECONDS = 10.0
"""A query is bound, before any charge, within this time or refused."""

_BATCH = 65_536  # rows fetched between two looks at the caps


@dataclass(frozen=True)
class TypedTable:
    """A public or released table to be queried, as Arrow.

    `types` casts columns that Arrow cannot type (HUGEINT); '' leaves one.
    """

    table: pa.Table
    types: Sequence[str]


@dataclass(frozen=True)
class Finished:
    """A result set: Arrow columns with the engine's type names."""

    table: pa.Table
    types: tuple[str, ...]


Described = tuple[tuple[str, ...], tuple[str, ...]]
"""Names and engine's types of columns, in order."""


class DoesNotBind(Exception):
    """The engine refuses the text. `unresolved`: the name that stands for nothing, if that is why.

    For the caller, who knows the analyst's own text and can point at the name.
    """

    def __init__(self, unresolved: str | None) -> None:
        super().__init__(unresolved)
        self.unresolved = unresolved


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
        self._bound: dict[tuple[str, ...], Described] = {}
        self._passes: dict[tuple[str, ...], bool] = {}
        self._views: dict[str, tuple[pa.Schema, tuple[str, ...]]] = {}

    def run(self, sql: str, given: Mapping[str, TypedTable]) -> Finished:
        """Run the remainder over `given`. Raises EngineFailed (ours, constant) if it fails."""
        with (
            self._lock,
            self._tables(given, _failed) as connection,
            deadline(connection, self._timeout),
            _saying(_failed),
        ):
            relation = connection.sql(sql)
            types = tuple(str(kind) for kind in relation.types)
            found = heeding_interrupts(connection, lambda: _fetch(relation.to_arrow_reader(_BATCH)))
        if found is None:
            raise too_many_rows()
        return Finished(found, types)

    def check(self, query: exp.Expr, sql: str, given: Mapping[str, TypedTable]) -> tuple[str, ...]:
        """The types of `describe`: type errors show before any charge.

        `query` is what `sql` says. DoesNotBind, too, where it needs a conversion that the engine
        binds and does not have, as one made-up row shows.
        """
        _, types = self.describe(sql, given)
        if trial.worth_trying(query, {name: each.table for name, each in given.items()}):
            self._try(sql, given)
        return types

    def computes(self, sql: str) -> bool:
        """Does the query, which reads no table, end without an error? Yes where that is not found.

        So it is where it does not bind, and where it takes long. What the engine says is kept
        nowhere, nor is a frame that held its result.
        """
        with self._lock, self._tables({}, lambda: DoesNotBind(None)) as connection:
            return trial.computes(connection, sql)

    def _try(self, sql: str, given: Mapping[str, TypedTable]) -> None:
        known = _known(sql, given)
        if known not in self._passes:
            rows = {n: TypedTable(trial.one_row(t.table), t.types) for n, t in given.items()}
            with (
                self._lock,
                self._tables(rows, lambda: DoesNotBind(None)) as connection,
                deadline(connection, trial.SECONDS),
            ):
                found = not trial.impossible(connection, sql)
            if len(self._passes) >= MAX_KNOWN:
                self._passes.clear()
            self._passes[known] = found
        if not self._passes[known]:
            raise DoesNotBind(None)

    def describe(self, sql: str, given: Mapping[str, TypedTable]) -> Described:
        """Bind a query over the `given` tables: names and types of its columns.

        Releases come empty and public tables whole; binding reads no row of either.

        DoesNotBind says which name it was, if one was.
        """
        known = _known(sql, given)
        if known in self._bound:
            return self._bound[known]
        started = time.monotonic()
        with self._lock, self._tables(given, lambda: DoesNotBind(None)) as connection:
            try:
                with deadline(connection, BIND_SECONDS):
                    relation = connection.sql(sql)
                    found = tuple(relation.columns), tuple(str(kind) for kind in relation.types)
            # Binding folds constants and reads types, so it may fail in any class of error. All
            # mean the same: refused, before any charge. No row is read, so none could cause one.
            except Exception as problem:
                if time.monotonic() - started >= BIND_SECONDS:
                    raise _too_slow() from None
                raise DoesNotBind(_unresolved(problem)) from None
            if len(self._bound) >= MAX_KNOWN:
                self._bound.clear()
            self._bound[known] = found
            return found

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._views.clear()

    @contextlib.contextmanager
    def _tables(
        self, given: Mapping[str, TypedTable], problem: Callable[[], Exception]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The instance with the tables in it; `problem` is what is said if that fails."""
        with _saying(problem):
            if self._connection is None:
                self._connection = sealed_instance(memory=self._memory)
            connection = self._connection
        try:
            with _saying(problem):
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
            with contextlib.suppress(Exception):  # what is left over is replaced the next time
                for name, table in given.items():
                    connection.unregister(name + _RAW if any(table.types) else name)

    def _see(self, connection: duckdb.DuckDBPyConnection, name: str, given: TypedTable) -> None:
        """The typed view of a table. It holds no rows: the next table of its kind shares it."""
        kind = (given.table.schema, tuple(given.types))
        if self._views.get(name) != kind:
            self._views.pop(name, None)
            connection.execute(_view(name, given))
            self._views[name] = kind


# ---- within the caps -------------------------------------------------------------------------


def _fetch(reader: pa.RecordBatchReader) -> pa.Table | None:
    """All rows, fetched as they are made; None as soon as there are too many."""
    import pyarrow as pa

    batches, rows, size = [], 0, 0
    for batch in reader:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > MAX_ROWS or size > MAX_BYTES:
            return None
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


# ---- what is said ----------------------------------------------------------------------------


@contextlib.contextmanager
def _saying(problem: Callable[[], Exception]) -> Iterator[None]:
    """Whatever goes wrong, memory included, in these words: the engine's may quote values."""
    try:
        yield
    except Exception:
        raise problem() from None


_FREE = " with `releases: {reuse: budget}` the private answers are stored and asking again is free"


def _failed() -> Error:
    return EngineFailed(
        "the part of the query above the noise failed or took too long",
        code="postprocessing",
        hint="ask again with another outer query (ORDER BY, LIMIT, arithmetic, ...);" + _FREE,
    )


def too_many_rows() -> Error:
    """For an answer that turned out larger than MAX_ROWS or MAX_BYTES."""
    return EngineFailed(
        f"the answer has more than {MAX_ROWS:,} rows, or more than {MAX_BYTES >> 30} GB",
        code="too-many-rows",
        hint="add LIMIT, a filter or an aggregate around it; what was charged stays charged, but"
        + _FREE,
    )


def _too_slow() -> Error:
    return RefusedQuery(
        f"the query could not be understood within {BIND_SECONDS:.0f} seconds",
        code="too-complex",
        hint="simplify what is computed from the aggregates",
    )


def _known(sql: str, given: Mapping[str, TypedTable]) -> tuple[str, ...]:
    """What binding depends on."""
    return (sql, *(f"{t.table.schema} {tuple(t.types)}" for t in given.values()))


# ---- SQL -------------------------------------------------------------------------------------


def _unresolved(problem: Exception) -> str | None:
    """The name DuckDB's binder could not find (its text repeats the query's own)."""
    found = _NOT_FOUND.search(str(problem))
    return None if found is None else next(name for name in found.groups() if name)


def _name(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _view(name: str, given: TypedTable) -> str:
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
