"""Distinct values of 128-bit numbers, whose HASH in DuckDB makes one of many."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import dpsql

DDL = """CREATE TABLE p AS SELECT i AS id, (i - 500)::HUGEINT AS h, (i - 500)::DECIMAL(38, 2) AS n,
    (i % 40)::HUGEINT * 18446744073709551616 + (i * 7) % 25 AS wide, (i - 500)::BIGINT AS b,
    (i - 500)::DECIMAL(18, 2) AS m FROM range(1000) t(i)"""
POLICY: dict[str, Any] = {
    "unit": "person",
    "budgets": {"default": {"epsilon": "1e12", "delta": 0.1}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {"p": {"unit": "id"}},
}
VALUES = ("h", "n", "wide", "b", "m", "h + 1", "h % 100", "b * 3", "n * 2")


@pytest.fixture(scope="module")
def world() -> Any:
    with duckdb.connect() as owner:
        owner.execute(DDL)
        with pytest.warns(UserWarning, match="no ledger"):
            given = dpsql.connect(POLICY, analyst="a", engine=owner, epsilon=1e8, delta=1e-6)
        with given as connection:
            yield owner, connection.cursor()


@pytest.mark.parametrize("value", VALUES)
def test_none_is_taken_for_another(world: Any, value: str) -> None:
    owner, cursor = world
    sql = f"SELECT COUNT(DISTINCT {value}) FROM p"
    assert cursor.execute(sql).fetchall() == owner.execute(sql).fetchall()


def test_within_a_persons_rows(world: Any) -> None:
    owner, cursor = world
    sql = "SELECT COUNT(DISTINCT s) FROM (SELECT id, SUM(b) AS s FROM p GROUP BY id)"
    assert cursor.execute(sql).fetchall() == owner.execute(sql).fetchall()


def test_the_engines_own_hash_would(world: Any) -> None:
    """Why: this is what the statement must not hash."""
    owner, _ = world
    counted = "SELECT COUNT(DISTINCT wide), COUNT(DISTINCT HASH(wide)) FROM p"
    values, hashes = owner.execute(counted).fetchone()
    assert hashes < values
    assert owner.execute("SELECT HASH(-1::HUGEINT) = HASH(0::HUGEINT)").fetchone()[0]
    assert owner.execute("SELECT COUNT(DISTINCT HASH(b)) FROM p").fetchone()[0] == 1000
