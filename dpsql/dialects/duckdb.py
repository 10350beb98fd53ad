"""DuckDB: the owner's database, read only, one snapshot a statement, errors kept from analysts."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable, ForeignKey
from dpsql.dialects.duckdb_types import COLLATED, collated, read_type
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.errors import EngineFailed, Error, PolicyError
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SUPPORTED_MAJORS = (2,)

MAX_KNOWN = 1_000
"""Bound queries that a sealed instance remembers by their text."""

_HARDENED = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
}

FAILED = "the database could not answer this query"
FAILED_HINT = "what was charged stays charged; the owner's log has the reason"


def sealed_instance(*, memory: str = "1GB", threads: int = 1) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory DuckDB that can reach nothing outside itself, its settings locked."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            **_HARDENED,
            "memory_limit": memory,
            "threads": str(threads),
            "temp_directory": "",  # what does not fit fails: nothing is ever written to disk
        },
    )
    connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
    connection.execute("SET lock_configuration = true")
    return connection


class TimedOut(EngineFailed):
    """The time limit stopped a statement, in the very words of any other failure.

    For the ledger's outcome alone: how long a query runs depends on the data, so an analyst gets
    `plain()`, which nothing tells apart from other failures.
    """

    def plain(self) -> EngineFailed:
        return EngineFailed(self.message, code=self.code, hint=self.hint)


@contextlib.contextmanager
def deadline(
    connection: duckdb.DuckDBPyConnection, seconds: float | None
) -> Iterator[threading.Event]:
    """Interrupt what still runs on the connection after so many seconds; None: never.

    Gives an event that is set once the time is up.
    """
    passed = threading.Event()
    if seconds is None:
        yield passed
        return

    def stop() -> None:
        passed.set()
        connection.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


class _Shared:
    """Owner instances of this process, one a file, counted (DuckDB allows one per file)."""

    lock = threading.Lock()
    open: dict[str, tuple[duckdb.DuckDBPyConnection, int, str | None]] = {}  # noqa: RUF012
    """By real path: the instance, how many use it, and its memory limit as the policy has it."""


class DuckDBEngine:
    """The owner's side of DuckDB. Opened read only unless the owner hands in a connection."""

    name = "duckdb"
    default_schema = "main"

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, *, path: str | None, frozen: bool
    ) -> None:
        self._connection = connection
        self._path = path
        self._catalog: Catalog | None = None
        self.frozen = frozen  # read-only file: no one can change the schema while it is open
        self._lock = threading.RLock()

    # ---- opening and closing -------------------------------------------------------------

    @classmethod
    def open(cls, path: Path | str, *, memory: str | None = None) -> DuckDBEngine:
        """Open a database file read only (`:memory:` gives an empty database: for tests)."""
        import duckdb

        check_version(duckdb.__version__)
        if str(path) == ":memory:":
            raise PolicyError(
                "database: an in-memory DuckDB holds no data",
                code="database-url",
                hint="name a file: `database: duckdb:///file.duckdb`",
            )
        real = os.path.realpath(path)
        if not os.path.isfile(real):
            raise EngineFailed(
                f"there is no database file {path}",
                code="engine-missing",
                hint="`database:` in the policy is relative to the policy file",
            )
        if not os.access(real, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            raise EngineFailed(
                f"the database file {path} cannot be opened: permission denied",
                code="engine-open",
                hint="this user needs read permission on it and on the folders above",
            )
        with _Shared.lock:
            if real in _Shared.open:
                owner, users, limit = _Shared.open[real]
                if memory not in (None, limit):
                    raise _other_limit(str(path), limit)
                _Shared.open[real] = (owner, users + 1, limit)
            else:
                owner = _open_read_only(real, str(path), memory)
                _Shared.open[real] = (owner, 1, memory)
        return cls(owner.cursor(), path=real, frozen=True)

    @classmethod
    def adopt(cls, connection: Any) -> DuckDBEngine:
        """Use an owner's open connection, through a cursor of our own."""
        import duckdb

        check_version(duckdb.__version__)
        if not isinstance(connection, duckdb.DuckDBPyConnection):
            raise PolicyError(
                f"engine= takes an open DuckDB connection, not a {type(connection).__name__}",
                code="engine-type",
                hint="engine=duckdb.connect('file.duckdb')",
            )
        try:
            cursor = connection.cursor()
        except duckdb.Error:
            raise EngineFailed("the DuckDB connection passed as engine= is closed") from None
        return cls(cursor, path=None, frozen=False)

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            if self._path is None:
                return
            with _Shared.lock:
                owner, users, limit = _Shared.open[self._path]
                if users == 1:
                    del _Shared.open[self._path]
                    owner.close()
                else:
                    _Shared.open[self._path] = (owner, users - 1, limit)
            self._path = None

    # ---- reading -------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state of the database."""
        with self._lock:
            self._run("BEGIN TRANSACTION READ ONLY")
            try:
                yield
            finally:
                with contextlib.suppress(Error):
                    self._run("ROLLBACK")

    def catalog(self) -> Catalog:
        """Schema and enforced keys; re-read each time where somebody could change them."""
        if self._catalog is None or not self.frozen:
            with self._lock:
                self._catalog = self._read_catalog()
        return self._catalog

    def fetch(self, sql: str, *, timeout: float | None = None) -> pa.Table:
        """Run one statement and return its rows as Arrow (exact integers).

        Raises EngineFailed with one constant text whatever went wrong; `TimedOut` where it was the
        time limit. Ctrl-C stops the statement in the database and stays a KeyboardInterrupt.
        """
        with self._lock, deadline(self._connection, timeout) as passed:
            try:
                return heeding_interrupts(
                    self._connection, lambda: self._connection.sql(sql).to_arrow_table()
                )
            except Exception as problem:  # any engine error is one constant message
                stopped = type(problem).__name__ == "InterruptException"
                if stopped and not passed.is_set():
                    raise KeyboardInterrupt from None  # Ctrl-C, which the engine saw first
                failed = self._failed(problem)
                if stopped:
                    raise TimedOut(failed.message, code=failed.code, hint=failed.hint) from None
                raise failed from None

    def binds(self, sql: str) -> bool:
        """Does the engine accept the statement? Bound against the schema; no row is read."""
        with self._lock:
            try:
                self._connection.sql(sql)
            except Exception as problem:  # in whatever class: what does not bind must not run
                self._failed(problem)
                return False
        return True

    def interrupt(self) -> None:
        """Stop the statement that is running now, from another thread."""
        self._connection.interrupt()

    def _run(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except Exception as problem:  # any engine error is one constant message
            raise self._failed(problem) from None

    def _failed(self, problem: BaseException) -> EngineFailed:
        OWNER_LOG.error("DuckDB: %s", problem)
        return EngineFailed(FAILED, hint=FAILED_HINT)

    def _read_catalog(self) -> Catalog:
        columns = self._rows(
            "SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable,"
            " v.view_name IS NOT NULL FROM duckdb_columns() c LEFT JOIN duckdb_views() v ON"
            " v.schema_name = c.schema_name AND v.view_name = c.table_name"
            " AND v.database_name = c.database_name"
            " WHERE NOT c.internal AND c.database_name = current_database()"
            " ORDER BY c.schema_name, c.table_name, c.column_index"
        )
        constraints = self._rows(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names,"
            " referenced_table, referenced_column_names FROM duckdb_constraints()"
            " WHERE database_name = current_database()"
        )
        made = self._rows(
            "SELECT schema_name, table_name, sql FROM duckdb_tables()"
            " WHERE database_name = current_database() AND sql ILIKE '%COLLATE%'"
        )
        default = self._rows("SELECT current_setting('default_collation')")[0][0]
        return _catalog(columns, constraints, collated(made, everywhere=bool(default)))

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        self._run(sql)
        return list(self._connection.fetchall())


def check_version(version: str) -> None:
    major = int(version.split(".")[0])
    if major not in SUPPORTED_MAJORS:
        raise EngineFailed(
            f"DuckDB {version} is not a version dpsql has been verified on",
            code="engine-version",
            hint=f"install duckdb {SUPPORTED_MAJORS[0]}.x",
        )


def _open_read_only(real: str, shown: str, memory: str | None) -> duckdb.DuckDBPyConnection:
    import duckdb

    config: dict[str, Any] = dict(_HARDENED)
    if memory is not None:
        config["memory_limit"] = memory
    try:
        connection = duckdb.connect(real, read_only=True, config=config)
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
        return connection
    except duckdb.Error as problem:
        OWNER_LOG.error("DuckDB: %s", problem)
        text = str(problem).lower()
        here = "different configuration" in text  # DuckDB: one configuration a file and process
        locked = here or "lock" in text
        if here:
            why = "this process has it open already"
            hint = "close it there, or pass that connection as engine="
        elif locked:
            why = "another process has it open for writing"
            hint = "DuckDB lets one process write or several read: end that one, then ask again"
        else:
            why = "it is no DuckDB database, or of a version that this DuckDB cannot read"
            hint = "correct `database:` in the policy, or restore the file"
        raise EngineFailed(
            f"the database file {shown} cannot be opened: {why}",
            code="engine-locked" if locked else "engine-open",
            hint=hint,
        ) from None


def _other_limit(shown: str, limit: str | None) -> EngineFailed:
    """One instance a file and process has one memory limit; another's is not silently dropped."""
    mine = "without limits.memory" if limit is None else f"with limits.memory {limit}"
    return EngineFailed(
        f"the database file {shown} cannot be opened: this process has it open already, {mine}",
        code="engine-locked",
        hint="close that connection, or give both policies the same limits.memory",
    )


def _catalog(
    columns: list[tuple[Any, ...]],
    constraints: list[tuple[Any, ...]],
    is_collated: Callable[[str, str, str, bool], bool],
) -> Catalog:
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
        name = table if schema == DuckDBEngine.default_schema else f"{schema}.{table}"
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
        )
    return Catalog(tables)
