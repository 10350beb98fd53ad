"""DuckDB: the owner's database, read only, one snapshot a statement, errors kept from analysts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.core.catalog import Catalog
from dpsql.dialects.duckdb_catalog import read_catalog
from dpsql.dialects.duckdb_drift import refuse_drift
from dpsql.dialects.duckdb_identity import of_connection, of_file
from dpsql.dialects.duckdb_open import acquire, check_version, file_mark, last_change, release
from dpsql.dialects.duckdb_views import moving
from dpsql.dialects.engine import FAILED, FAILED_HINT, TimedOut
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.errors import EngineFailed, Error, PolicyError
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_CHECKS = (
    "SELECT schema_name, table_name, expression FROM duckdb_constraints()"
    " WHERE constraint_type = 'CHECK' AND database_name = current_database()"
)
_BATCH = 100_000  # rows of a piece of a stream
_PATH = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"


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


class DuckDBEngine:
    """The owner's side of DuckDB. Opened read only unless the owner hands in a connection."""

    dialect = "duckdb"
    default_schema = "main"

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        path: str | None,
        frozen: bool,
        identity: str,
        mark: str = "",
    ) -> None:
        self.identity = identity  # which database this is: equal for no other
        self.marks = path is not None  # of a file that we have opened ourselves
        self._mark = mark
        self._connection = connection
        self._path = path
        self._catalog: Catalog | None = None
        self.frozen = frozen  # read-only file: no one can change the schema while it is open
        self._lock = threading.RLock()

    # ---- opening and closing -------------------------------------------------------------

    @classmethod
    def open(cls, path: Path | str, *, memory: str | None = None) -> DuckDBEngine:
        """Open a database file read only; `:memory:` is refused."""
        owner, real, mark = acquire(path, memory)
        return cls(owner.cursor(), path=real, frozen=True, identity=of_file(real), mark=mark)

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
            (path,) = cursor.execute(_PATH).fetchone() or (None,)
        except duckdb.Error:
            raise EngineFailed("the DuckDB connection passed as engine= is closed") from None
        refuse_drift(cursor, duckdb.__version__, ours=False)
        return cls(cursor, path=None, frozen=False, identity=of_connection(connection, path))

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            if self._path is None:
                return
            release(self._path)
            self._path = None

    # ---- reading -------------------------------------------------------------------------

    @property
    def mark(self) -> str:
        """The state of the file when it was opened; '' of a connection that others may write by."""
        return self._mark

    def mark_now(self) -> str:
        """The state of the file at this moment; '' where it is not known."""
        return file_mark(self._path) if self._mark and self._path is not None else ""

    def last_change(self) -> float:
        """When any file that is read was last written to, in seconds since 1970; 0: unknown."""
        return last_change([self._path]) if self._path is not None else 0.0

    def stream(self, sql: str) -> tuple[list[tuple[str, str]], pa.RecordBatchReader]:
        """Columns (name, type) and rows of a statement for the owner, piece by piece.

        EngineFailed as for `fetch`, but while the pieces are read whatever the engine raises.
        """
        with self._lock:
            columns = self.described(sql)
            try:
                return columns, self._connection.sql(sql).to_arrow_reader(_BATCH)
            except Exception as problem:  # in whatever class
                raise self._failed(problem) from None

    def described(self, sql: str) -> list[tuple[str, str]]:
        """Columns (name, type) of a statement's rows, for the owner; no row is read."""
        with self._lock:
            return [(str(name), str(type_)) for name, type_, *_ in self._rows(f"DESCRIBE {sql}")]

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state of the database."""
        with self._lock:
            self._begin()
            try:
                yield
            finally:
                with contextlib.suppress(Error):
                    self._run("ROLLBACK")

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN TRANSACTION READ ONLY")
        except Exception as problem:  # in whatever class
            failed = self._failed(problem)
            if type(problem).__name__ != "ConnectionException":
                raise failed from None
            raise EngineFailed(
                "the connection to the DuckDB database is closed",
                code="engine-missing",
                hint="connect again; this query was not charged",
            ) from None

    def catalog(self) -> Catalog:
        """Schema and enforced keys; re-read each time where somebody could change them."""
        if self._catalog is None or not self.frozen:
            with self._lock:
                self._catalog = read_catalog(self._rows, self.default_schema)
        return self._catalog

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """Run one statement and return its rows as Arrow (exact integers).

        `given`: values of its parameters.

        Raises EngineFailed with one constant text whatever went wrong; `TimedOut` where it was the
        time limit. Ctrl-C stops the statement in the database and stays a KeyboardInterrupt.
        """
        parameters: dict[str, Any] = {"params": given} if given else {}
        with self._lock, deadline(self._connection, timeout) as passed:
            try:
                return heeding_interrupts(
                    self._connection,
                    lambda: self._connection.sql(sql, **parameters).to_arrow_table(),
                )
            except Exception as problem:  # any engine error is one constant message
                stopped = type(problem).__name__ == "InterruptException"
                if stopped and not passed.is_set():
                    raise KeyboardInterrupt from None  # Ctrl-C, which the engine saw first
                failed = self._failed(problem)
                if stopped:
                    raise TimedOut(failed.message, code=failed.code, hint=failed.hint) from None
                raise failed from None

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """Does the engine accept the statement? Bound against the schema; no row is read.

        One with parameters is prepared and let go: only with values would it be bound otherwise.
        EngineFailed where it is stopped after `timeout`.
        """
        with self._lock, deadline(self._connection, timeout) as passed:
            try:
                if "$" in sql:
                    self._connection.execute(f"PREPARE dpsql_bound AS {sql}")
                    self._connection.execute("DEALLOCATE dpsql_bound")
                else:
                    self._connection.sql(sql)
            except Exception as problem:  # in whatever class: what does not bind must not run
                failed = self._failed(problem)
                if passed.is_set():
                    raise failed from None
                return False
        return True

    def checks(self) -> list[tuple[str, str, str]]:
        """(schema, table, condition) of each CHECK."""
        with self._lock:
            return [(str(a), str(b), str(c)) for a, b, c in self._rows(_CHECKS)]

    def moving(self, view: str) -> str:
        """What makes a view's rows change though no file does (`now`, `random`); '' if nothing."""
        with self._lock:
            return moving(self._rows, view)

    def _run(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except Exception as problem:  # any engine error is one constant message
            raise self._failed(problem) from None

    def _failed(self, problem: BaseException) -> EngineFailed:
        OWNER_LOG.error("DuckDB: %s", problem)
        return EngineFailed(FAILED, hint=FAILED_HINT)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        self._run(sql)
        return list(self._connection.fetchall())
