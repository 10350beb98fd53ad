"""A small database of 400 people, asked at so much ε that answers are the plain ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dbapi") / "people.duckdb"
    with duckdb.connect(str(path)) as owner:
        owner.execute(
            "CREATE TABLE people(id BIGINT PRIMARY KEY, age INTEGER, pay DECIMAL(10,2),"
            " rate DOUBLE, born DATE, seen TIMESTAMP, member BOOLEAN, city VARCHAR)"
        )
        owner.execute(
            "INSERT INTO people SELECT i, 20 + i % 50, (i % 7) * 1.25, i / 10.0,"
            " DATE '2000-01-01' + CAST(i % 2 AS INTEGER),"
            " TIMESTAMP '2020-01-01 12:00:00' + INTERVAL 1 DAY * (i % 2),"
            " CASE WHEN i % 4 = 3 THEN NULL ELSE i % 2 = 0 END,"
            " CASE WHEN i % 2 = 0 THEN 'Berlin' ELSE '<b>Oslo' END FROM range(400) t(i)"
        )
        owner.execute("CREATE TABLE numbers AS SELECT i AS n FROM range(5000) t(i)")
        owner.execute("CREATE TABLE exotic(big HUGEINT, price DECIMAL(12,3), yes BOOLEAN)")
        owner.execute("INSERT INTO exotic VALUES (10000000000000000000000, 1.5, TRUE)")
        owner.execute("INSERT INTO exotic VALUES (NULL, NULL, NULL)")
    return path


def _policy(people: Path, folder: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "database": f"duckdb:///{people}",
        "ledger": f"sqlite:///{folder}/ledger.db",
        "unit": "person",
        "releases": {"reuse": "budget"},
        "budgets": {
            "per_query": {"epsilon": 1e7, "delta": 1e-9},
            "max_per_query": {"epsilon": 1e9, "delta": 1e-3},
            "default": {"epsilon": 1e12, "delta": 0.4},
            "analysts": {"poor": {"epsilon": 1, "delta": 1e-6}},
            "total": {"epsilon": 1e12, "delta": 0.9},
        },
        "bounds": {"max_groups": 2, "max_rows_per_group": 1},
        "tables": {
            "people": {
                "unit": "id",
                "columns": {
                    "age": {"min": 0, "max": 120},
                    "pay": {"min": 0, "max": 10},
                    "rate": {"min": 0, "max": 40},
                    "born": {"min": "2000-01-01", "max": "2000-01-02"},
                    "city": {"values": ["Berlin", "<b>Oslo"]},
                },
            },
            "numbers": {"public": True},
            "exotic": {"public": True},
        },
    }


@pytest.fixture
def policy(people: Path, tmp_path: Path) -> dict[str, Any]:
    return _policy(people, tmp_path)


@pytest.fixture(scope="session")
def shared(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dpsql.Connection]:
    """One connection for tests that do not look at the budget."""
    policy = _policy(people, tmp_path_factory.mktemp("shared"))
    with dpsql.connect(policy, analyst="alice") as connection:
        yield connection


@pytest.fixture
def connect(policy: dict[str, Any]) -> Iterator[Callable[..., dpsql.Connection]]:
    with ExitStack() as opened:

        def make(analyst: str = "alice", **options: Any) -> dpsql.Connection:
            return opened.enter_context(dpsql.connect(policy, analyst=analyst, **options))

        yield make
