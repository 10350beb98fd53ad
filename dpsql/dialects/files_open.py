"""One DuckDB over files and attached databases: it reads these, and nothing else ever.

Opened for one state of the files and shared in the process by who finds the same state.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dpsql.core.files import Layout
from dpsql.dialects.duckdb_drift import refuse_drift
from dpsql.dialects.duckdb_open import (
    HARDENED,
    ZONE,
    check_version,
    file_mark,
    held_elsewhere,
    refuse_no_file,
    remove_spill,
)
from dpsql.dialects.files_find import Found, find, literal
from dpsql.dialects.files_text import identifier, text
from dpsql.dialects.files_views import create, view
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import duckdb

State = Mapping[tuple[str, str], tuple[Found, ...]]
"""The files of each table, by (schema, name)."""


def look(layout: Layout) -> State:
    """The files as they lie there now. EngineFailed `files-missing`, `files-unreadable`."""
    return {place: find(_shown(place), source) for place, source in layout.files.items()}


def _shown(place: tuple[str, str]) -> str:
    schema, name = place
    return name if schema == "main" else f"{schema}.{name}"


@dataclass
class Opened:
    """An instance, the columns it does not show (table, column), and how many use it."""

    owner: duckdb.DuckDBPyConnection
    key: str
    unspill: weakref.finalize[..., Any]
    left_out: tuple[tuple[str, str], ...] = ()
    mark: str = ""
    """The state of the database files beside; '' where one changed meanwhile."""
    users: int = 1


@dataclass
class _Shared:
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: dict[str, Opened] = field(default_factory=dict)


_SHARED = _Shared()


def acquire(layout: Layout, state: State, memory: str | None) -> Opened:
    """The process's instance over these files in this state; give it back by `release`."""
    parts = (
        layout.database,
        tuple(sorted(layout.attached.items())),
        tuple(sorted(layout.files.items())),
        tuple(sorted(state.items())),
        memory,
    )
    key = repr(parts)
    with _SHARED.lock:
        opened = _SHARED.open.get(key)
        if opened is None:
            opened = _SHARED.open[key] = _open(layout, state, memory, key)
        else:
            opened.users += 1
    return opened


def release(opened: Opened) -> None:
    """Give an instance back; the last to do so closes it."""
    with _SHARED.lock:
        opened.users -= 1
        if opened.users == 0:
            del _SHARED.open[opened.key]
            opened.owner.close()
            opened.unspill()


def _open(layout: Layout, state: State, memory: str | None, key: str) -> Opened:
    import duckdb

    check_version(duckdb.__version__)
    for path in (layout.database, *layout.attached.values()):
        if path is not None:
            refuse_no_file(os.path.realpath(path), path)
    spill = tempfile.mkdtemp(prefix="dpsql-")
    config = {name: value for name, value in HARDENED.items() if name != "enable_external_access"}
    config |= {"temp_directory": spill} | ({} if memory is None else {"memory_limit": memory})
    connection, before = None, marks(layout)
    try:
        connection = _connected(layout.database, config)
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on stdout
        # A file that is replaced is read anew: no part of it is taken from before.
        connection.execute("SET enable_external_file_cache = false")
        for name, path in layout.attached.items():
            _attach(connection, name, path)
        paths = [path for found in state.values() for one in found for path in _texts(one.path)]
        connection.execute(f"SET allowed_paths = [{', '.join(map(text, paths))}]")
        connection.execute("SET enable_external_access = false")
        left_out: list[tuple[str, str]] = []
        for place, source in layout.files.items():
            made = view(connection, _shown(place), source, state[place])
            create(connection, place, made.select)
            left_out += [(_shown(place), name) for name in made.left_out]
        connection.execute(ZONE)
        connection.execute("SET lock_configuration = true")
        refuse_drift(connection, duckdb.__version__, ours=True)
        unspill = weakref.finalize(connection, remove_spill, spill, os.getpid())
        mark = before if before == marks(layout) else ""
        return Opened(connection, key, unspill, tuple(left_out), mark)
    except BaseException:
        if connection is not None:
            connection.close()
        remove_spill(spill, os.getpid())
        raise


def marks(layout: Layout) -> str:
    """The state of the database files of a layout."""
    paths = (layout.database, *layout.attached.values())
    return repr([file_mark(os.path.realpath(path)) for path in paths if path is not None])


def _connected(path: str | None, config: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    import duckdb

    if path is None:
        return duckdb.connect(":memory:", config=dict(config))
    try:
        return duckdb.connect(path, read_only=True, config=dict(config))
    except duckdb.Error as problem:
        raise _not_opened(path, problem) from None


def _attach(connection: duckdb.DuckDBPyConnection, name: str, path: str) -> None:
    import duckdb

    taken = connection.execute(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = current_database()"
        f" AND lower(schema_name) = {text(name.lower())}"
    ).fetchone()
    if taken:
        raise EngineFailed(
            f"the database has a schema {name}, and one of that name cannot be attached",
            code="engine-open",
            hint="choose another name under `attach`",
        )
    try:
        connection.execute(f"ATTACH {text(path)} AS {identifier(name)} (TYPE duckdb, READ_ONLY)")
    except duckdb.Error as problem:
        raise _not_opened(path, problem) from None


def _not_opened(path: str, problem: BaseException) -> EngineFailed:
    OWNER_LOG.error("DuckDB: %s", problem)
    told = str(problem)
    locked = held_elsewhere(told) or "different configuration" in told.lower()
    return EngineFailed(
        f"the database file {path} cannot be opened: "
        + ("it is open elsewhere" if locked else "it is no DuckDB database"),
        code="engine-locked" if locked else "engine-open",
        hint="close it there, or pass that connection as engine="
        if locked
        else "correct the policy, or restore the file",
    )


def _texts(path: str) -> tuple[str, ...]:
    """As it is opened, and as it is named (see `literal`)."""
    return tuple(dict.fromkeys((path, literal(path))))
