"""PostgreSQL: the owner's database through psycopg2, read only, one snapshot a statement.

Nothing is created in it, not even a temporary table; a role that may SELECT is enough.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from dpsql.core.catalog import Catalog
from dpsql.dialects import postgres_rows as travel
from dpsql.dialects.engine import TimedOut
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.dialects.postgres_catalog import CHECKS, read_catalog
from dpsql.dialects.postgres_checks import in_duckdb
from dpsql.dialects.postgres_open import BEGIN, connect, failed, identity_of, log
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg2.extensions
    import pyarrow as pa

T = TypeVar("T")

_GRACE = 5.0
"""Seconds after our own time limit until the server's ends the statement by itself."""
_CANCELLED = "57014"
_PERMISSION = "42501"
_BUSY = "55P03"
# Taken along into a forked process, and kept: the socket is the other process's, which would read
# what this one is answered, and closing it says goodbye for both.
_INHERITED: list[object] = []


class PostgresEngine:
    """The owner's side of PostgreSQL: one connection, opened anew if it was lost meanwhile."""

    dialect = "postgresql"
    default_schema = "public"
    frozen = False
    marks = False

    def __init__(self, url: str, *, watched: Iterable[str] = ()) -> None:
        """`watched`: names of the tables that must not change while a snapshot is open."""
        self._url = url
        self._watched = tuple(watched)
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._connection = self._connected()
        self.identity = identity_of(self._connection, url)
        self._catalog: Catalog | None = None
        self._inside = self._fresh = False

    @classmethod
    def open(cls, url: str, *, watched: Iterable[str] = ()) -> PostgresEngine:
        """Connect by the policy's URL. EngineFailed, PolicyError without the server's words."""
        return cls(url, watched=watched)

    @property
    def mark(self) -> str:
        """A server does not tell cheaply whether rows have changed."""
        return ""

    def close(self) -> None:
        if self._pid == os.getpid():
            with self._lock:
                self._connection.close()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread at a time, on a connection of this process's own."""
        if self._pid != os.getpid():
            _INHERITED.append(self._connection)
            self._lock = threading.RLock()  # the old one may be held by a thread we lack
            with _saying():
                self._connection = self._connected()
            self._inside, self._pid = False, os.getpid()
        with self._lock:
            yield

    def _connected(self) -> psycopg2.extensions.connection:
        connection = connect(self._url)
        travel.prepared(connection)
        return connection

    # ---- snapshots -----------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state; tables that are watched keep their shape meanwhile."""
        with self._turn():
            with _saying():
                self._begin()
            self._inside = True
            self._fresh = False
            try:
                yield
            finally:
                self._inside = False
                with contextlib.suppress(_Refused):
                    self._run("ROLLBACK")

    def _begin(self) -> None:
        """A transaction, on a new connection if the old one is gone: nothing is charged yet."""
        import psycopg2

        try:
            self._connection.rollback()
            self._run(BEGIN)
        except (_Refused, psycopg2.Error):
            with contextlib.suppress(psycopg2.Error):
                self._connection.close()
            self._connection = self._connected()
            if identity_of(self._connection, self._url) != self.identity:
                raise EngineFailed(
                    "the server has another database now than when this session was opened",
                    code="engine-missing",
                    hint="connect again",
                ) from None
            self._run(BEGIN)
        self._hold()

    def _hold(self) -> None:
        """Before the snapshot is taken: nobody alters these tables until it ends.

        One that cannot be locked (a view that is materialized, a table that may be read by columns
        alone, one that is gone) is left out, which the owner's log says, and no other with it.
        """
        held = [
            f"{_quoted(table.schema)}.{_quoted(table.name)}"
            for name in self._watched
            if self._catalog is not None and (table := self._catalog.find(name)) is not None
        ]
        if held and not self._locked(held) and len(held) > 1:
            for one in held:
                self._locked([one])

    def _locked(self, tables: Sequence[str]) -> bool:
        """Whether these tables, all of them, are locked until the transaction ends."""
        self._run("SAVEPOINT held")
        try:
            self._run(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE")
        except _Refused as problem:
            if problem.state == _BUSY:
                raise EngineFailed(
                    "a table of this policy is being changed just now",
                    code="engine-locked",
                    hint="ask again when its owner is done; nothing was charged",
                ) from None
            self._run("ROLLBACK TO SAVEPOINT held")
            if len(tables) == 1:
                OWNER_LOG.info("PostgreSQL: %s is not locked while it is read", tables[0])
            return False
        return True

    # ---- reading -------------------------------------------------------------------------

    def catalog(self) -> Catalog:
        """Schema and enforced keys, in the snapshot if one is open."""
        with self._turn():
            if self._catalog is None or not (self._inside and self._fresh):
                with self._reading(), _saying():
                    self._catalog = read_catalog(self._rows, self.default_schema)
                self._fresh = self._inside
            return self._catalog

    def checks(self) -> Sequence[tuple[str, str, str]]:
        known = {(table.schema, table.name) for table in self.catalog().tables.values()}
        with self._turn(), self._reading(), _saying():
            found = [(a, b, in_duckdb(text)) for a, b, text in self._rows(CHECKS)]
        return [(a, b, text) for a, b, text in found if text is not None and (a, b) in known]

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """As `Engine.fetch`: one statement, by Arrow, with constants where values are given."""
        with self._turn(), self._reading(), _saying():
            text = travel.with_given(sql, given)
            return self._within(timeout, lambda cursor: _table(cursor, text))

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """Planned, not run: names, types, rights and policies on rows all show here.

        EngineFailed where the role may not read what it reads, or it is stopped after `timeout`.
        """
        with self._turn(), self._reading(), _saying():
            text = travel.with_given(sql, None)
            try:
                self._within(timeout, lambda cursor: cursor.execute(f"EXPLAIN {text}"))
            except _Refused as problem:
                self._again()
                if problem.state == _PERMISSION:
                    raise EngineFailed(
                        "the role of this policy may not read a table that it declares",
                        code="engine-open",
                        hint="GRANT SELECT on it; a policy on rows must not apply to the role",
                    ) from None
                return False
        return True

    # ---- running -------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Within the open snapshot, or one of its own."""
        if self._inside:
            yield
            return
        with self.snapshot():
            yield

    def _again(self) -> None:
        """A failed statement ends a transaction: begin another, as fresh as the first was."""
        self._run("ROLLBACK")
        self._run(BEGIN)
        self._hold()

    def _within(self, seconds: float | None, work: Callable[[psycopg2.extensions.cursor], T]) -> T:
        """Run `work` on a cursor, cancelled in the server after so many seconds or on Ctrl-C."""
        canceller = _Canceller(self._connection)
        limit = 0 if seconds is None else int((seconds + _GRACE) * 1000)
        with canceller.after(seconds):
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {limit}")
                    return heeding_interrupts(canceller, lambda: work(cursor))
            except Exception as problem:
                stopped = getattr(problem, "pgcode", None) == _CANCELLED
                if stopped and canceller.asked and not canceller.late.is_set():
                    raise KeyboardInterrupt from None
                refused = self._refused(problem)
                if stopped:
                    said = failed()
                    raise TimedOut(said.message, code=said.code, hint=said.hint) from None
                raise refused from None

    def _run(self, sql: str) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
        except Exception as problem:
            raise self._refused(problem) from None

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        except Exception as problem:
            raise self._refused(problem) from None

    def _refused(self, problem: BaseException) -> _Refused:
        log(problem, self._url)
        return _Refused(getattr(problem, "pgcode", None))


class _Refused(Exception):
    """What the server refused, by its SQLSTATE: for decisions here alone, it never leaves."""

    def __init__(self, state: str | None) -> None:
        super().__init__(state)
        self.state = state


@contextlib.contextmanager
def _saying() -> Iterator[None]:
    """Whatever the server refuses, in the one constant text."""
    try:
        yield
    except _Refused:
        raise failed() from None


class _Canceller:
    """Stops what a connection runs; `late`: because its time was up."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._connection = connection
        self.late = threading.Event()
        self.asked = False

    def interrupt(self) -> None:
        self.asked = True
        with contextlib.suppress(Exception):  # it may have ended by itself
            self._connection.cancel()

    @contextlib.contextmanager
    def after(self, seconds: float | None) -> Iterator[None]:
        if seconds is None:
            yield
            return

        def stop() -> None:
            self.late.set()
            self.interrupt()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _table(cursor: psycopg2.extensions.cursor, sql: str) -> pa.Table:
    cursor.execute(sql)
    assert cursor.description is not None
    return travel.table(cursor.description, cursor.fetchmany)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
