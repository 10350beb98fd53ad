"""Two databases of one schema with different people in them: explain must not tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql


def _fill(path: Path, people: int, spread: int) -> None:
    with duckdb.connect(str(path)) as owner:
        owner.execute("CREATE TABLE users(id BIGINT PRIMARY KEY, age INTEGER, city VARCHAR)")
        owner.execute(
            "CREATE TABLE orders(user_id BIGINT, item VARCHAR, amount DOUBLE, region VARCHAR)"
        )
        owner.execute(
            "CREATE TABLE visits(user_id BIGINT, came DATE, price DECIMAL(8,2), kind VARCHAR)"
        )
        owner.execute(
            f"INSERT INTO visits SELECT i % {people}, DATE '2024-01-01' + (i % 400)::INT, i % 30,"
            f" 'a' FROM range({2 * people}) t(i)"
        )
        owner.execute("CREATE TABLE regions(region VARCHAR)")
        owner.execute("INSERT INTO regions VALUES ('north'), ('south')")
        owner.execute(
            f"INSERT INTO users SELECT i, 20 + i % {spread}, 'c' || i % {spread}"
            f" FROM range({people}) t(i)"
        )
        owner.execute(
            f"INSERT INTO orders SELECT i % {people}, 'i' || i % {spread}, i % 90, 'north'"
            f" FROM range({3 * people}) t(i)"
        )


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("explain")
    sizes = {"large": (600, 7), "small": (1, 1)}
    for name, (people, spread) in sizes.items():
        _fill(folder / f"{name}.duckdb", people, spread)
    return {name: folder / f"{name}.duckdb" for name in sizes}


@pytest.fixture
def shop(connect: Callable[..., dpsql.Connection]) -> Callable[..., dpsql.Connection]:
    """`shop(tables)`: a connection to the large database with further tables or other columns."""

    def make(tables: dict[str, Any]) -> dpsql.Connection:
        usual: dict[str, Any] = {
            "users": {"unit": "id", "columns": {"age": {"min": 0, "max": 120}}},
            "orders": {"unit": "user_id", "columns": {"amount": {"min": -50, "max": 100}}},
            "regions": {"public": True},
        }
        for name, table in tables.items():
            old = usual.get(name, {})
            columns = {**old.get("columns", {}), **table.get("columns", {})}
            usual[name] = {**old, **table, "columns": columns}
        return connect(tables=usual, bounds={"max_groups": 60, "max_rows_per_group": 5})

    return make


@pytest.fixture
def connect(
    databases: dict[str, Path], tmp_path: Path
) -> Iterator[Callable[..., dpsql.Connection]]:
    with ExitStack() as opened:

        def make(name: str = "large", **changes: Any) -> dpsql.Connection:
            policy = _policy(databases[name], tmp_path / f"{name}.db") | changes
            return opened.enter_context(dpsql.connect(policy, analyst="alice"))

        yield make


def _policy(database: Path, ledger: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "database": f"duckdb:///{database}",
        "ledger": f"sqlite:///{ledger}",
        "unit": "user",
        "releases": {"reuse": "budget"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-7},
            "max_per_query": {"epsilon": 100, "delta": 1e-3},
            "default": {"epsilon": 10, "delta": 1e-4},
            "total": {"epsilon": 100, "delta": 1e-3},
        },
        "bounds": {"max_groups": 3, "max_rows_per_group": 5},
        "tables": {
            "users": {"unit": "id", "columns": {"age": {"min": 0, "max": 120}}},
            "orders": {"unit": "user_id", "columns": {"amount": {"min": 0, "max": 100}}},
            "regions": {"public": True},
        },
    }
