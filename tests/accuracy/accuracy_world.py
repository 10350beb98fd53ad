"""People with one row each, orders with several, and a session on a small or a large database."""

from __future__ import annotations

from typing import Any

import duckdb

from dpsql.core.targets import Reached, read_aims
from dpsql.session import Session

POLICY: dict[str, Any] = {
    "version": 1,
    "unit": "person",
    "ledger": "sqlite://",
    "releases": {"reuse": "budget"},
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-7"},
        "max_per_query": {"epsilon": 20, "delta": "1e-5"},
        "default": {"epsilon": 100, "delta": "1e-4"},
    },
    "bounds": {"max_groups": 3, "max_rows_per_group": 5},
    "tables": {
        "people": {
            "unit": "id",
            "columns": {
                "sex": {"values": ["f", "m"]},
                "income": {"min": 0, "max": 30000},
                "age": {"min": 0, "max": 100},
            },
        },
        "orders": {"unit": "person", "columns": {"amount": {"min": 0, "max": 500}}},
    },
}


def session(people: int = 3000, **changes: Any) -> Session:
    connection = duckdb.connect(":memory:")
    connection.execute(
        "CREATE TABLE people(id INTEGER PRIMARY KEY, sex VARCHAR, income INTEGER, age INTEGER,"
        " town VARCHAR)"
    )
    connection.execute("CREATE TABLE orders(person INTEGER, amount DOUBLE, item VARCHAR)")
    connection.execute(
        "INSERT INTO people SELECT i, CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END, 7000 + i % 3000,"
        f" 20 + i % 60, 't' || i % 3 FROM range({people}) t(i)"
    )
    connection.execute(
        f"INSERT INTO orders SELECT i % {max(people, 1)}, i % 90, 'i' || i % 5"
        f" FROM range({2 * people}) t(i)"
    )
    return Session({**POLICY, **changes}, "ann", engine=connection)


def reached(asking: Session, sql: str, **said: Any) -> dict[int, Reached]:
    """Prices found for a statement's targets."""
    with asking.engine.snapshot():
        bound = asking.bind(sql, None, dialect="duckdb")
        asked = asking.asked_for(None, None, read_aims(**said))
        return dict(asking.plan(bound, asked=asked).reached)
