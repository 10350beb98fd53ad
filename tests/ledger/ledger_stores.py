"""Both homes of a ledger under the same tests: a file's path stands for a schema of a server, too.

`both` runs a test on SQLite and on PostgreSQL. Within it `ledger_cases.url(path)` names the file,
or the schema that stands for it; `tables`, `rows`, `forge` and `insert` reach into either.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from dpsql.ledger.database import where_is
from dpsql.ledger.remembered import Remembered

both = pytest.mark.parametrize(
    "store", ["sqlite", "18", pytest.param("16", marks=pytest.mark.slow)], indirect=True
)
both_slow = pytest.mark.parametrize(
    "store",
    [
        "sqlite",
        pytest.param("18", marks=pytest.mark.slow),
        pytest.param("16", marks=pytest.mark.slow),
    ],
    indirect=True,
)
"""Cheap in a file alone."""

DATABASE: list[str] = []
"""The URL of the server's database under test; empty for SQLite."""


def url(path: Path) -> str:
    if not DATABASE:
        return f"sqlite:///{path}"
    mark = "&" if "?" in DATABASE[0] else "?"
    return f"{DATABASE[0]}{mark}schema={schema(path)}"


def schema(path: Path) -> str:
    return "l_" + hashlib.sha256(str(path).encode()).hexdigest()[:16]


class Shell:
    """A server's tables as an owner with psql has them, in sqlite3's words."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        cursor = self._raw.cursor()
        sql = sql.replace("%", "%%").replace("?", "%s").replace(" AS BLOB)", " AS BYTEA)")
        cursor.execute(re.sub(r"\b[xX]'([0-9a-fA-F]*)'", r"'\\x\1'::bytea", sql), values)
        return Cursor(cursor)

    def executemany(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        for row in rows:
            self.execute(sql, row)


class Cursor:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.description = cursor.description
        self.rowcount = cursor.rowcount

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(map(_plain, row)) for row in self._cursor.fetchall()]

    def fetchone(self) -> tuple[Any, ...] | None:
        found = self._cursor.fetchone()
        return None if found is None else tuple(map(_plain, found))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


@contextmanager
def tables(path: Path) -> Iterator[Any]:
    """The ledger as an intruder with a shell has it."""
    if DATABASE:
        with closing(psycopg2.connect(DATABASE[0])) as raw, raw:
            raw.cursor().execute(
                f"SET search_path = {schema(path)}; SET session_replication_role = replica"
            )
            yield Shell(raw)
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        with connection:
            yield connection


TABLES = ("schema", "entries", "releases", "answers", "asked", "refusals")
_BACKUPS: dict[str, dict[str, list[tuple[Any, ...]]]] = {}


def backup(path: Path, to: Path) -> None:
    """What lies at `path` now, for `restore`."""
    if not DATABASE:
        shutil.copy(path, to)
        return
    with tables(path) as shell:
        _BACKUPS[str(to)] = {
            name: shell.execute(f"SELECT * FROM dpsql_{name}").fetchall() for name in TABLES
        }


def restore(kept: Path, path: Path) -> None:
    """Put it back in the place of what is there."""
    if not DATABASE:
        shutil.copy(kept, path)
        return
    with tables(path) as shell:
        for name, rows in _BACKUPS[str(kept)].items():
            shell.execute(f"DELETE FROM dpsql_{name}")
            for row in rows:
                shell.execute(f"INSERT INTO dpsql_{name} VALUES ({', '.join('?' * len(row))})", row)


def lose(path: Path) -> None:
    """Nothing is there any more."""
    if not DATABASE:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return
    with closing(psycopg2.connect(DATABASE[0])) as raw, raw:
        raw.cursor().execute(f"DROP SCHEMA {schema(path)} CASCADE")


def seen(path: Path, folder: Path) -> Remembered:
    """What a user remembers of the ledger there."""
    return Remembered(where_is(url(path)), folder)
