"""Which database a connection reads, as a text that no other database has."""

from __future__ import annotations

import os
import uuid
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_MEMORY: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, str] = weakref.WeakKeyDictionary()


def of_file(path: str | os.PathLike[str]) -> str:
    """Of a database file: its absolute path with all links followed."""
    return f"duckdb:{os.path.realpath(path)}"


def of_connection(connection: duckdb.DuckDBPyConnection, path: str | None) -> str:
    """Of a connection the owner handed in, whose database has its file at `path`.

    In memory (None) it is this very connection in this process: what is stored for it is found
    again by nobody else, whatever they call their tables. A path that is no file is kept as it is.
    """
    if path is not None:
        return of_file(path) if os.path.exists(path) else f"duckdb:{path}"
    token = _MEMORY.setdefault(connection, uuid.uuid4().hex)
    return f"memory:{os.getpid()}:{token}"
