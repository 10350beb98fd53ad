"""The tables and the policy that latency.py and shapes.py measure on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


def make_data(path: Path, *, rows: int, units: int) -> None:
    """users(uid PK, sex, income) and events(uid, key, bucket, amount), skewed like real logs."""
    connection = duckdb.connect(str(path))
    connection.execute("SELECT setseed(0.5)")
    connection.execute("CREATE TABLE users (uid BIGINT PRIMARY KEY, sex VARCHAR, income DOUBLE)")
    connection.execute(
        "INSERT INTO users SELECT range, CASE WHEN random() < 0.5 THEN 'f' ELSE 'm' END,"
        f" round(exp(10 + random()), 2) FROM range({units})"
    )
    connection.execute(
        "CREATE TABLE events AS SELECT"
        f" CAST(floor({units} * pow(random(), 1.5)) AS BIGINT) AS uid,"
        " CAST(floor(50 * pow(random(), 2)) AS INTEGER) AS key,"
        " CAST(floor(1000 * random()) AS INTEGER) AS bucket,"
        " round(100 * random(), 2) AS amount"
        f" FROM range({rows})"
    )
    connection.close()


def make_policy(path: Path, ledger: str | None) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "version": 1,
        "database": f"duckdb:///{path}",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
        "bounds": {"max_groups": 50, "max_rows_per_group": 100},
        "tables": {
            "users": {
                "unit": "uid",
                "columns": {"sex": {"values": ["f", "m"]}, "income": {"min": 0, "max": 100_000}},
            },
            "events": {
                "unit": "uid",
                "columns": {
                    "key": {"min": 0, "max": 49},
                    "bucket": {"min": 0, "max": 999},
                    "amount": {"min": 0, "max": 100},
                },
            },
        },
    }
    if ledger is not None:
        policy["ledger"] = ledger
    return policy
