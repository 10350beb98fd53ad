"""Opening what `dpsql init` was given: there is no policy yet, and no error speaks of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.errors import EngineFailed

if TYPE_CHECKING:
    from dpsql.dialects.engine import Engine


def open_file(path: Path) -> Engine:
    """A DuckDB file's engine. EngineFailed where it cannot be opened."""
    try:
        return DuckDBEngine.open(path)
    except EngineFailed as problem:
        if problem.code != "engine-open" or "`database:`" not in problem.hint:
            raise
        hint = (
            "name a DuckDB file, .csv or .parquet files (by that ending), a folder of them, or a"
            " server: `dpsql init --help`"
        )
        raise EngineFailed(problem.message, code=problem.code, hint=hint) from None


def open_server(url: str, *, spark: bool) -> Engine:
    """A server's engine, of all its tables. EngineFailed where it cannot be reached."""
    if spark:
        from dpsql.dialects.spark import SparkEngine

        return SparkEngine.open(url)
    from dpsql.dialects.postgres import PostgresEngine

    return PostgresEngine.open(url)
