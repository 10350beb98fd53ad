"""A ledger in a schema of a PostgreSQL server, which processes on many machines share.

Every write takes one advisory lock for its transaction before it reads, so what it read cannot
change before it commits; and UNIQUE(prev) refuses a second successor of an entry to whoever takes
no lock. Settings are pinned for each transaction, so that they hold through a pooler, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from dpsql.errors import LedgerError
from dpsql.ledger import postgres_faults as faults
from dpsql.ledger import postgres_schema as tables
from dpsql.ledger import postgres_wire as wire
from dpsql.ledger.doubts import in_doubt, lost
from dpsql.ledger.postgres_target import connect, read_target
from dpsql.ledger.where import Where
from dpsql.owner_log import log_server

_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITE = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"
_SETTINGS = (
    # an answer that was seen is never forgotten: its charge is on disk before
    ("synchronous_commit", "on"),
    ("row_security", "off"),  # a policy on rows is an error, not a filter
    ("standard_conforming_strings", "on"),
    ("bytea_output", "hex"),
    ("statement_timeout", "0"),
    # a process that was stopped, or whose machine is gone, does not hold the lock for ever
    ("idle_in_transaction_session_timeout", "60s"),
)
# Engines inherited over fork: kept, never closed here. The sockets are another process's.
_INHERITED: list[Engine] = []


class Postgres:
    """Connections to one ledger in a server: a `Database`."""

    shared = True

    def __init__(self, url: str, *, patience: float, read_only: bool = False) -> None:
        self._target = read_target(url)
        self.name = self._target.name
        self.patience = patience
        self.read_only = read_only
        self._pid = os.getpid()
        self._engine = self._connect()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._transaction(_READ, self.patience) as (connection, transaction):
            yield connection
            _undo(connection, transaction)

    @contextmanager
    def write(self, patience: float | None = None) -> Iterator[Connection]:
        if self.read_only:
            raise faults.read_only(self.name)
        wait = self.patience if patience is None else patience
        alone = f"SELECT pg_catalog.pg_advisory_xact_lock({self._target.lock})"
        with self._transaction(_WRITE, wait, alone) as (connection, transaction):
            yield connection
            self._commit(connection, transaction)

    def close(self) -> None:
        if self._pid == os.getpid():
            self._engine.dispose()

    def version(self, connection: Connection) -> int:
        return tables.stored_version(connection, self._target.schema)

    def prepare(self, connection: Connection) -> bool:
        return tables.prepare(connection, self._target)

    def strangers(self, connection: Connection) -> list[str]:
        return tables.strangers(connection, self._target.schema)

    def damage(self, connection: Connection) -> list[str]:
        return []  # what its own checksums find is an error of the read

    def locked(self) -> LedgerError:
        return faults.locked(self.name, self.patience)

    @contextmanager
    def _transaction(
        self, kind: str, wait: float, first: str = ""
    ) -> Iterator[tuple[Connection, RootTransaction]]:
        self._own_process()
        with (
            faults.translated(self.name, self._target.url, wait),
            self._engine.connect() as connection,
        ):
            transaction = connection.begin()
            try:
                raw = connection.connection.dbapi_connection
                with wire.answered_within(raw, wait + wire.ANSWER_SECONDS):  # it waits for the lock
                    connection.exec_driver_sql(
                        "; ".join(filter(None, [kind, *self._pinned(wait), first]))
                    )
                yield connection, transaction
            except BaseException:
                with suppress(Exception):  # it may have gone: then the server rolls back
                    _undo(connection, transaction)
                raise

    def _pinned(self, wait: float) -> Iterator[str]:
        # Last of all what anybody may create: a temporary table never stands for one of ours.
        yield f'SET LOCAL search_path = pg_catalog, "{self._target.schema}", pg_temp'
        yield f"SET LOCAL lock_timeout = '{max(1, round(wait * 1000))}ms'"
        for name, value in _SETTINGS:
            yield f"SET LOCAL {name} = '{value}'"

    def _commit(self, connection: Connection, transaction: RootTransaction) -> None:
        """`Lost`: it is undone. `InDoubt`: COMMIT was sent and the server's word never came.

        Not in ANSWER_SECONDS, either: the transaction may still commit, and holds its lock until it
        has ended, so whoever finds out about it (`Journal._find_out`) sees its end or is in doubt.
        """
        import psycopg2.extensions as states

        raw: Any = connection.connection.dbapi_connection
        if raw.get_transaction_status() != states.TRANSACTION_STATUS_INTRANS:
            raise lost(self.name)  # COMMIT would undo it and say that all is well
        try:
            with wire.answered_within(raw, wire.ANSWER_SECONDS):
                transaction.commit()
        except DBAPIError as error:
            if raw.closed or error.connection_invalidated or faults.went(error.orig):
                log_server("ledger", error.orig or error, self._target.url)
                raise in_doubt(self.name) from None
            raise

    def _own_process(self) -> None:
        if self._pid != os.getpid():
            _INHERITED.append(self._engine)
            self._engine = self._connect()
            self._pid = os.getpid()

    def _connect(self) -> Engine:
        engine = create_engine(
            "postgresql+psycopg2://",
            creator=lambda: connect(self._target, self.patience),
            poolclass=QueuePool,
            pool_pre_ping=True,  # a connection that went while it was idle is opened anew
            pool_timeout=max(1.0, self.patience),
            use_native_hstore=False,  # it would ask for it on a cursor that nothing bounds
        )
        wire.bound(engine.dialect, self.patience)
        return engine


def _undo(connection: Connection, transaction: RootTransaction) -> None:
    with wire.answered_within(connection.connection.dbapi_connection, wire.ANSWER_SECONDS):
        transaction.rollback()


def where(url: str) -> Where:
    """Where the ledger of that URL lies. Opens nothing."""
    target = read_target(url)

    def holds() -> bool:
        database = Postgres(url, patience=10, read_only=True)
        try:
            with database.read() as connection:
                return bool(database.version(connection))
        finally:
            database.close()

    return Where(target.name, target.key, holds, lambda: True)


def require_usable(url: str) -> list[tuple[str, str]]:
    """Warnings, each with a way out; LedgerError if this role could not charge. Creates nothing."""
    database = Postgres(url, patience=10, read_only=True)
    try:
        with database.read() as connection:
            return tables.usable(connection, read_target(url))
    finally:
        database.close()
