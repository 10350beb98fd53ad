"""Opening DuckDB: a database file once a process, read only; or a sealed one in memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.dialects.duckdb_drift import refuse_drift
from dpsql.errors import EngineFailed, PolicyError
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import duckdb

SUPPORTED_MAJORS = (2,)

MAX_KNOWN = 1_000
"""Bound queries that a sealed instance remembers by their text."""

HARDENED = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
}

ZONE = "SET GLOBAL TimeZone = 'UTC'"
"""As on every engine: what a view makes of a moment is no matter of who opened the database."""


def sealed_instance(*, memory: str = "1GB", threads: int = 1) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory DuckDB that can reach nothing outside itself, its settings locked."""
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            **HARDENED,
            "memory_limit": memory,
            "threads": str(threads),
            "temp_directory": "",  # what does not fit fails: nothing is ever written to disk
        },
    )
    connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
    connection.execute("SET lock_configuration = true")
    return connection


def check_version(version: str) -> None:
    major = int(version.split(".")[0])
    if major not in SUPPORTED_MAJORS:
        raise EngineFailed(
            f"DuckDB {version} is not a version dpsql has been verified on",
            code="engine-version",
            hint=f"install duckdb {SUPPORTED_MAJORS[0]}.x",
        )


@dataclass
class _Instance:
    """An owner's instance, how many use it, its memory limit as the policy has it, its spill.

    `mark`: the state of the file that it has open.
    """

    owner: duckdb.DuckDBPyConnection
    memory: str | None
    unspill: weakref.finalize[..., Any]
    mark: str
    users: int = 1


class _Shared:
    """Owner instances of this process, one a file, counted (DuckDB allows one per file)."""

    lock = threading.Lock()
    open: dict[str, _Instance] = {}  # noqa: RUF012
    """By real path."""


def acquire(path: Path | str, memory: str | None) -> tuple[duckdb.DuckDBPyConnection, str, str]:
    """The file's one read-only instance in this process, the real path to `release` it by, and
    the state of the file that it has open ('' where that changed meanwhile).

    PolicyError for `:memory:`; EngineFailed where the file cannot be opened, or is open already
    under another memory limit.
    """
    import duckdb

    check_version(duckdb.__version__)
    if str(path) == ":memory:":
        raise PolicyError(
            "database: an in-memory DuckDB holds no data",
            code="database-url",
            hint="name a file: `database: duckdb:///file.duckdb`",
        )
    real = os.path.realpath(path)
    refuse_no_file(real, path)
    with _Shared.lock:
        instance = _Shared.open.get(real)
        if instance is None:
            instance = _Shared.open[real] = _open_read_only(real, str(path), memory)
        else:
            if memory not in (None, instance.memory):
                raise _other_limit(str(path), instance.memory)
            instance.users += 1
    return instance.owner, real, instance.mark


def refuse_no_file(real: str, path: Path | str) -> None:
    """EngineFailed where there is no file that could be opened; `path` is what to call it."""
    if os.path.isdir(real):
        raise EngineFailed(
            f"the database file {path} cannot be opened: it is a folder, not a file",
            code="engine-open",
            hint="name the file in it: `database: duckdb:///folder/file.duckdb`",
        )
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


def release(real: str) -> None:
    """Give an acquired instance back; the last to do so closes it."""
    with _Shared.lock:
        instance = _Shared.open[real]
        instance.users -= 1
        if instance.users == 0:
            del _Shared.open[real]
            instance.owner.close()
            instance.unspill()


def _open_read_only(real: str, shown: str, memory: str | None) -> _Instance:
    """Hardened as the sealed instances are, but that it may spill: into a folder of this user's.

    DuckDB's own place for that is beside the file, under one name for all processes.
    """
    import duckdb

    spill = tempfile.mkdtemp(prefix="dpsql-")
    config: dict[str, Any] = {**HARDENED, "temp_directory": spill}
    if memory is not None:
        config["memory_limit"] = memory
    connection, before = None, file_mark(real)
    try:
        connection = duckdb.connect(real, read_only=True, config=config)
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
        connection.execute(ZONE)
        connection.execute("SET lock_configuration = true")
        refuse_drift(connection, duckdb.__version__, ours=True)
        unspill = weakref.finalize(connection, remove_spill, spill, os.getpid())
        return _Instance(connection, memory, unspill, before if before == file_mark(real) else "")
    except EngineFailed:
        _give_up(connection, spill)
        raise
    except duckdb.Error as problem:
        _give_up(connection, spill)
        OWNER_LOG.error("DuckDB: %s", problem)
        text = str(problem).lower()
        here = "different configuration" in text  # DuckDB: one configuration a file and process
        locked = here or held_elsewhere(text)
        if here:
            why = "this process has it open already"
            hint = "close it there, or pass that connection as engine="
        elif locked:
            why = "another process has it open for writing"
            hint = "DuckDB lets one process write or several read: end that one, then ask again"
        else:
            why = (
                "it is no DuckDB database, or of a version that this DuckDB cannot read"
                if os.path.getsize(real)
                else "it is empty"
            )
            hint = "correct `database:` in the policy, or restore the file"
        raise EngineFailed(
            f"the database file {shown} cannot be opened: {why}",
            code="engine-locked" if locked else "engine-open",
            hint=hint,
        ) from None


def held_elsewhere(problem: str) -> bool:
    """Is DuckDB's text of another process that holds the file? A corrupt *block* is none."""
    return "set lock on file" in problem.lower()


def file_mark(path: str) -> str:
    """Which state of a database file this is: another after every write to it; '' of no file.

    The time of its last change of status cannot be set back as that of its content can.
    """
    found = []
    for one in (path, f"{path}.wal"):
        try:
            status = os.stat(one)
        except OSError:
            found.append("-")
            continue
        parts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        found.append(":".join(map(str, (*parts, status.st_ctime_ns))))
    return "" if found[0] == "-" else " ".join(found)


def last_change(paths: Iterable[str]) -> float:
    """The newest time of any of the files, or of a log beside it; 0 where there is none."""
    newest = 0.0
    for path in paths:
        for one in (path, f"{path}.wal"):
            with contextlib.suppress(OSError):
                status = os.stat(one)
                newest = max(newest, status.st_mtime, status.st_ctime)
    return newest


def _give_up(connection: duckdb.DuckDBPyConnection | None, spill: str) -> None:
    if connection is not None:
        connection.close()
    remove_spill(spill, os.getpid())


def remove_spill(spill: str, pid: int) -> None:
    """A forked child ends too, and the folder is its parent's."""
    if os.getpid() == pid:
        shutil.rmtree(spill, ignore_errors=True)


def _other_limit(shown: str, limit: str | None) -> EngineFailed:
    """One instance a file and process has one memory limit; another's is not silently dropped."""
    mine = "without limits.memory" if limit is None else f"with limits.memory {limit}"
    return EngineFailed(
        f"the database file {shown} cannot be opened: this process has it open already, {mine}",
        code="engine-locked",
        hint="close that connection, or give both policies the same limits.memory",
    )
