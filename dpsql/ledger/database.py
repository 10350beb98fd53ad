"""What the ledger asks of a database, and which room answers for a URL: `sqlite` or `postgres`.

All that is charged rests on these promises, on which docs/proofs/ledger.md builds: a write is alone
from its first read on, or not committed; what it committed is on disk when it returns; and where it
cannot be known whether it committed, `InDoubt` is raised, never silence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError

from dpsql.errors import LedgerError
from dpsql.ledger.doubts import InDoubt, lost
from dpsql.ledger.where import Where

SERVERS = ("postgresql", "postgresql+psycopg2", "postgres")


class Database(Protocol):
    """One ledger's tables. `read()` and `write()` are transactions; errors: LedgerError only."""

    name: str
    patience: float
    read_only: bool
    shared: bool
    """May processes of several machines have it open?"""

    def read(self) -> AbstractContextManager[Connection]:
        """A read transaction: one unchanging view of the ledger."""

    def write(self, patience: float | None = None) -> AbstractContextManager[Connection]:
        """A serialised write transaction; durable when the block ends without error.

        `patience`: how long to wait for another writer, if not as long as this database's. What it
        read cannot change before it commits. `Lost`: surely nothing was written. `InDoubt`.
        """

    def close(self) -> None:
        """Close the connections of this process."""

    def version(self, connection: Connection) -> int:
        """The schema's version, 0 where there is none yet. LedgerError if it is not ours to read"""

    def prepare(self, connection: Connection) -> bool:
        """Bring it to the newest schema inside the caller's write transaction.

        True if nothing was there before: the caller writes the first entry in the same transaction.
        """

    def strangers(self, connection: Connection) -> list[str]:
        """What is there and no dpsql makes, or is missing, so that writing could be undone."""

    def damage(self, connection: Connection) -> list[str]:
        """What the engine itself finds broken."""

    def locked(self) -> LedgerError:
        """Another writer held it for the whole time we may wait."""


def open_database(url: str, *, patience: float, read_only: bool = False) -> Database:
    """Connections to the ledger of that URL; a file is created if it may be. LedgerError."""
    if is_server(url):
        from dpsql.ledger.postgres import Postgres

        return Postgres(url, patience=patience, read_only=read_only)
    from dpsql.ledger.sqlite import SQLite

    return SQLite(path_of(url), patience=patience, read_only=read_only)


def where_is(url: str) -> Where:
    """Where the ledger of that URL lies. Opens nothing. LedgerError `ledger-url`."""
    if is_server(url):
        from dpsql.ledger.postgres import where as in_server

        return in_server(url)
    from dpsql.ledger.sqlite import where

    return where(path_of(url))


@contextmanager
def doubtless(database: Database, patience: float) -> Iterator[Connection]:
    """A write of what is no charge: in doubt it is called lost, and may be there."""
    try:
        with database.write(patience) as connection:
            yield connection
    except InDoubt:
        raise lost(database.name) from None


def usable(url: str) -> list[tuple[str, str]]:
    """Warnings, each with a way out; LedgerError if this user could not charge on it.

    Creates nothing.
    """
    if is_server(url):
        from dpsql.ledger.postgres import require_usable as in_server

        return in_server(url)
    from dpsql.ledger.sqlite import require_usable

    path = path_of(url)
    if path is not None:
        require_usable(path)
    return []


def is_server(url: str) -> bool:
    """Whether it names tables in a PostgreSQL server, and no file."""
    return url.partition("://")[0] in SERVERS


def path_of(url: str) -> str | None:
    """The absolute file of `sqlite:///file`, None for `sqlite://`. LedgerError for other URLs."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _bad_url("the ledger's URL cannot be read") from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _bad_url(f"a ledger on {parsed.drivername} is not built yet")
    if parsed.query or parsed.host or parsed.username:
        raise _bad_url("a SQLite ledger is a plain path, without host or parameters")
    if parsed.database in (None, "", ":memory:"):
        return None
    return os.path.abspath(str(parsed.database))


def _bad_url(why: str) -> LedgerError:
    return LedgerError(
        why,
        code="ledger-url",
        hint="write `ledger: sqlite:///dpsql-ledger.db` (relative), `sqlite:////absolute/path.db`, "
        "`sqlite://` for one in memory, or `postgresql://role@host/db?schema=dpsql`",
    )
