"""A ledger in an SQLite file: created 0600, WAL, synchronous=FULL, one writer at a time.

Measured: a check followed by an insert let 17 answers through a budget of 10 with
8 processes; BEGIN IMMEDIATE let 10. synchronous=NORMAL loses the last commits in a power cut, so
a charge would be forgotten after its answer was seen: it is never used here.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool, StaticPool

from dpsql.errors import LedgerError
from dpsql.ledger import faults, schema
from dpsql.ledger.where import Where

_MODE = 0o600
_NOWHERE = (-1, -1)
# Engines inherited over fork: kept, never closed here. Closing an SQLite connection that another
# process opened can checkpoint and delete the write-ahead log under its feet.
_INHERITED: list[Engine] = []


class SQLite:
    """Connections to one ledger file (or to one private in-memory database): a `Database`.

    A write holds SQLite's only write lock from its first statement.
    """

    shared = False

    def __init__(self, path: str | None, *, patience: float, read_only: bool = False) -> None:
        self.path = path
        self.name = path or "in memory"
        self.patience = patience
        self.read_only = read_only
        self._pid = os.getpid()
        self._one_at_a_time = threading.RLock()
        if path is not None:
            _require_file(path, read_only)
        self._identity = _identity(path)
        self._log: tuple[int, int] | None = None
        self._open = 0
        self._engine = self._connect()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one unchanging view of the ledger."""
        with self._guarded(), self._engine.connect() as connection, connection.begin():
            self._opened()
            yield connection

    @contextmanager
    def write(self, patience: float | None = None) -> Iterator[Connection]:
        """A serialised write transaction; durable on disk when the block ends without error.

        `patience`: how long to wait for another writer, if not as long as this database's.
        """
        if self.read_only:
            raise faults.read_only(self.name)
        with self._guarded(), self._engine.connect() as connection:
            wait = self.patience if patience is None else patience
            connection = connection.execution_options(dpsql_write=True, dpsql_wait=wait)
            with connection.begin():
                self._opened()
                yield connection
            # A log that was unlinked meanwhile took the commit along: then nothing may be answered.
            self._require_same()

    def close(self) -> None:
        """Close the connections of this process."""
        if self._pid == os.getpid():
            self._engine.dispose()

    def version(self, connection: Connection) -> int:
        return schema.stored_version(connection)

    def prepare(self, connection: Connection) -> bool:
        return schema.migrate(connection)

    def strangers(self, connection: Connection) -> list[str]:
        return [f"the file: holds {name!r}, no dpsql's" for name in schema.strangers(connection)]

    def damage(self, connection: Connection) -> list[str]:
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        return [] if found == "ok" else ["the file: SQLite finds it damaged"]

    def locked(self) -> LedgerError:
        return faults.locked(self.name, self.patience)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        self._own_process()
        turn = self._turn() if self.path is None else nullcontext()
        with turn, faults.translated(self.name, self.patience):
            self._require_same()
            yield

    def _require_same(self) -> None:
        """LedgerError unless the path still names the files that our connections have open.

        SQLite goes on with files that were unlinked, its log included, and forgets them at the end.
        The log stays as long as one connection is open (`_closed`).
        """
        if _identity(self.path) != self._identity:
            raise _replaced(self.name)
        if self._log is not None and _identity(f"{self.path}-wal") != self._log:
            raise _replaced(self.name)

    def _opened(self) -> None:
        """With a connection open: remember which log it has."""
        if self._log is None and self.path is not None and not self.read_only:
            log = _identity(f"{self.path}-wal")
            self._log = None if log == _NOWHERE else log

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # One shared connection: a second transaction on it would join the first.
        if not self._one_at_a_time.acquire(timeout=self.patience):
            raise faults.locked(self.name, self.patience)
        try:
            yield
        finally:
            self._one_at_a_time.release()

    def _own_process(self) -> None:
        if self._pid == os.getpid():
            return
        if self.path is None:
            raise LedgerError(
                "a ledger in memory cannot be shared with a forked process: each would spend "
                "the whole budget",
                code="ledger-forked",
                hint="use a file: `ledger: sqlite:///dpsql-ledger.db`",
            )
        _INHERITED.append(self._engine)
        self._log, self._open = None, 0
        self._one_at_a_time = threading.RLock()
        self._engine = self._connect()
        self._pid = os.getpid()

    def _connect(self) -> Engine:
        def connection() -> sqlite3.Connection:
            if self.path is None:
                return sqlite3.connect(":memory:", check_same_thread=False)
            # mode=rw: never let SQLite create the file, its permissions would be the umask's.
            wish = _reader_mode(self.path) if self.read_only else "rw"
            uri = f"file:{quote(self.path)}?mode={wish}"
            return sqlite3.connect(uri, uri=True, timeout=self.patience, check_same_thread=False)

        pool = StaticPool if self.path is None else QueuePool
        engine = create_engine("sqlite://", creator=connection, poolclass=pool)
        event.listen(engine, "connect", self._configure)
        event.listen(engine, "close", self._closed)
        event.listen(engine, "begin", _begin)
        return engine

    def _closed(self, _raw: sqlite3.Connection, _record: object) -> None:
        """With its last connection (Ctrl-C closes one) SQLite deletes the log; another follows."""
        self._open -= 1
        if self._open < 1:
            self._log = None

    def _configure(self, raw: sqlite3.Connection, _record: object) -> None:
        # SQLAlchemy's documented recipe: the driver opens no transaction, `_begin` does.
        raw.isolation_level = None
        raw.text_factory = _text
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA trusted_schema = OFF")
        if self.read_only:
            raw.execute("PRAGMA query_only = ON")
        if self.path is None or self.read_only or _somebody_elses(raw):
            return
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the platter
        raw.execute("PRAGMA checkpoint_fullfsync = ON")
        _write_ahead(raw, self.patience)
        self._open += 1


def where(path: str | None) -> Where:
    """Where that file lies, in memory for None."""
    if path is None:
        return Where("in memory", None, lambda: False, lambda: False)
    key = os.path.realpath(path)
    return Where(path, key, lambda: _holds_bytes(path), lambda: os.path.lexists(path))


def _holds_bytes(path: str) -> bool:
    """A file that holds something, or cannot be looked at (opening it will say why)."""
    try:
        return os.stat(path).st_size > 0 or _holds_bytes(f"{path}-wal")
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _text(raw: bytes) -> str:
    """Stored text; of bytes that are none, what no text of ours is, for the reader to refuse."""
    return raw.decode("utf-8", "surrogateescape")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if "dpsql_wait" in options:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(options['dpsql_wait'] * 1000)}")
    write = options.get("dpsql_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN DEFERRED")


def _somebody_elses(raw: sqlite3.Connection) -> bool:
    """Other tables and none of ours: schema.py will refuse it, and we leave it as it is."""
    names = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return bool(names) and "dpsql_schema" not in names


def _write_ahead(raw: sqlite3.Connection, patience: float) -> None:
    """Switch to WAL. SQLite's busy timeout does not cover the switch, so wait here."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if raw.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("no write-ahead log on this file system")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _require_file(path: str, read_only: bool) -> None:
    """See that the file is there and usable, creating it 0600 (and durably) if it may be."""
    folder = _require_place(path)
    if read_only:
        if not may(path, os.R_OK):
            raise faults.unreachable(path, "there is no such file that this user may read")
        return
    if not os.path.exists(path):
        _create(path, folder)
    require_usable(path)


def require_usable(path: str) -> None:
    """LedgerError if this user could not write a ledger here. Creates nothing."""
    folder = _require_place(path)
    with suppress(OSError):
        if os.stat(path).st_nlink > 1:
            raise faults.linked(path)
    ours = not os.path.exists(path) or may(path, os.R_OK | os.W_OK)
    if not (ours and may(folder, os.W_OK | os.X_OK)):
        raise faults.read_only(path)


def _require_place(path: str) -> str:
    """The directory, seen to be there and to hold no directory of the ledger's name."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise faults.unreachable(path, f"the directory {folder} does not exist")
    if os.path.isdir(path):
        raise faults.unreachable(path, "it is a directory, not a file", f"{path}/ledger.db")
    return folder


def _create(path: str, folder: str) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
    except FileExistsError:
        return  # another process was first
    except PermissionError:
        raise faults.read_only(path) from None
    except OSError as error:
        raise faults.unreachable(path, (error.strerror or "the system refuses").lower()) from None
    if os.name == "posix":  # the directory entry itself must survive a power cut
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reader_mode(path: str) -> str:
    """How an auditor opens the file so that nothing of theirs is left beside it.

    Even reading a WAL database makes its log and index files, and only a connection that may
    write removes them again; left behind, they would belong to the auditor and lock the owner out.
    """
    if may(path, os.W_OK) and may(os.path.dirname(path), os.W_OK):
        return "rw"  # with query_only, see _configure
    return "ro" if Path(f"{path}-wal").exists() else "ro&immutable=1"


def may(path: str, how: int) -> bool:
    """os.access for the user we act as, where the system can tell."""
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


def _identity(path: str | None) -> tuple[int, int] | None:
    """Which file the path names now (device, inode); None in memory."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return _NOWHERE
    return found.st_dev, found.st_ino


def _replaced(path: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} was moved, deleted or replaced while it was open",
        code="ledger-replaced",
        hint="put the file back and connect again; charges on a file that nobody can find any "
        "more would be lost",
    )
