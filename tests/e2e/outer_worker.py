"""One query in a process of its own: how it ended, how long it took, how much memory at most."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from typing import Any

import duckdb

import dpsql


def database() -> duckdb.DuckDBPyConnection:
    owner = duckdb.connect(config={"threads": 2})
    owner.execute(
        "CREATE TABLE users AS SELECT range AS id, range % 50 AS age, 'c' || range % 5 AS city"
        " FROM range(2000)"
    )
    owner.execute("CREATE TABLE cal AS SELECT range AS d, 'x' || range AS s FROM range(3000)")
    return owner


def policy() -> dict[str, Any]:
    return {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 5, "max_rows_per_group": 5},
        "limits": {"timeout": "2s"},
        "ledger": "sqlite://",
        "tables": {
            "users": {"unit": "id", "columns": {"age": {"min": 0, "max": 49}}},
            "cal": {"public": True},
        },
    }


def main(sql: str) -> None:
    warnings.simplefilter("ignore")
    without, text = "without text_length ", sql
    if sql.startswith(without):
        import dpsql.pipeline.bind as bind

        text = sql.removeprefix(without)
        bind.check_text_length = lambda *_: None  # type: ignore[assignment]
        resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9, 8 * 10**9))
    connection = dpsql.connect(policy(), analyst="a", engine=database(), epsilon=1, delta=1e-6)
    started = time.monotonic()
    try:
        connection.execute(text)
        error = ""
    except dpsql.Error as problem:
        error = f"{type(problem).__name__} {problem.code}"
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"error": error, "seconds": seconds, "bytes": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
