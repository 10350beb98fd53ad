"""The tour in the owner's place: the true answers, read past dpsql from the raw file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dpsql.errors import EngineFailed

Truth = Mapping[object, tuple[Any, ...]]
"""True values by group key."""


def true_answers(database: Path, queries: Iterable[str]) -> dict[str, Truth]:
    """The rows of each query, by their first column. Opens and closes the file by itself.

    To be called before a session opens the file: DuckDB allows one configuration at a time.
    """
    import duckdb

    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            return {
                sql: {row[0]: row[1:] for row in connection.execute(sql).fetchall()}
                for sql in queries
            }
    except duckdb.Error:
        raise EngineFailed(f"the demo database {database} cannot be read") from None
