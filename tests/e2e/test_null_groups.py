"""The NULL group of a nullable public key: there unless the WHERE leaves no NULL."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import dpsql

POLICY: dict[str, Any] = {
    "unit": "person",
    "budgets": {"default": {"epsilon": "1e12", "delta": 0.1}},
    "bounds": {"max_groups": 3},
    "tables": {
        "p": {
            "unit": "id",
            "columns": {
                "k": {"values": ["a", "b"]},
                "d": {"min": "2020-01-01", "max": "2020-12-31"},
                "n": {"min": 0, "max": 3},
            },
        },
        "reg": {"public": True},
    },
}
DDL = """
CREATE TABLE p (id INTEGER PRIMARY KEY, k VARCHAR, b BOOLEAN, d DATE, n INTEGER, r INTEGER,
    f DOUBLE);
INSERT INTO p SELECT i, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, CASE i % 3 WHEN 0 THEN TRUE
    WHEN 1 THEN FALSE END, CASE WHEN i % 3 > 0 THEN DATE '2020-01-05' + (i % 100)::INTEGER END,
    CASE WHEN i % 3 > 0 THEN i % 3 END, i % 4, i FROM range(300) t(i);
CREATE TABLE reg (r INTEGER PRIMARY KEY, name VARCHAR);
INSERT INTO reg VALUES (0, 'x'), (1, 'y'), (2, NULL), (3, 'z');
"""
LEFT_OUT = [
    ("k", "k IS NOT NULL"),
    ("k", "NOT k IS NULL"),
    ("k", "k <> 'a'"),
    ("k", "k > 'a' OR k < 'b'"),
    ("k", "LENGTH(k) > 0"),
    ("k", "(k IS NOT NULL AND n IS NOT NULL) OR k = 'a'"),
    ("k", "k IS DISTINCT FROM NULL"),
    ("k", "(k IS NULL) = FALSE"),
    ("k", "(k IS NULL) IS FALSE AND n > 0"),
    ("b", "b OR NOT b"),
    ("n", "n + 1 IS NOT NULL"),
    ("n + 1", "n IS NOT NULL"),
    ("n > 1", "n IS NOT NULL"),
    ("date_trunc('month', d)", "d IS NOT NULL"),
    ("EXTRACT(month FROM d)", "d IS NOT NULL"),
    ("EXTRACT(month FROM d)", "d >= DATE '2020-02-01'"),
    ("YEAR(d)", "date_trunc('year', d) IS NOT NULL"),
]
KEPT = [
    ("k", "k IS NOT NULL OR f > 3"),
    ("k", "n IS NOT NULL OR n IS NULL"),
    ("k", "k IS NOT DISTINCT FROM NULL"),
    ("k", "NOT (k = 'a' AND f > 3)"),
    ("b", "b IS NOT TRUE"),
    ("n", "n IS NULL"),
    ("EXTRACT(month FROM d)", "f > 3"),
]
PUBLIC = [
    "SELECT name, COUNT(*) FROM p JOIN reg USING (r) WHERE name IS NOT NULL GROUP BY name",
    "SELECT name, COUNT(*) FROM p JOIN reg USING (r) WHERE name <> 'x' GROUP BY name",
    "SELECT name, COUNT(*) FROM p LEFT JOIN reg USING (r) WHERE name IS NOT NULL GROUP BY name",
    "SELECT name, COUNT(*) FROM p JOIN reg USING (r) GROUP BY name",
    "SELECT g, COUNT(*) FROM (SELECT k AS g FROM p WHERE k IS NOT NULL) GROUP BY g",
    "SELECT MONTH(d) AS g, YEAR(d), COUNT(*) FROM p WHERE d IS NOT NULL GROUP BY 1, YEAR(d)",
]


@pytest.fixture(scope="module")
def world() -> Any:
    with duckdb.connect() as owner:
        owner.execute(DDL)
        with opened(owner) as connection:
            yield owner, connection.cursor()


def opened(owner: Any) -> dpsql.Connection:
    with pytest.warns(UserWarning, match="no ledger"):
        return dpsql.connect(POLICY, analyst="ann", engine=owner, epsilon=1e8, delta=1e-6)


def nulls(rows: list[tuple[Any, ...]]) -> list[int]:
    return [count for *keys, count in rows if None in keys]


@pytest.mark.parametrize(("key", "where"), LEFT_OUT + KEPT)
def test_null_is_a_group_where_it_can_be_one(world: Any, key: str, where: str) -> None:
    """With the plain query's count, and nowhere else; all other groups are as ever."""
    owner, cursor = world
    sql = f"SELECT {key} AS g, COUNT(*) FROM p WHERE {where} GROUP BY 1"
    rows, plain = cursor.execute(sql).fetchall(), owner.execute(sql).fetchall()
    assert nulls(rows) == nulls(plain)
    assert bool(nulls(rows)) is ((key, where) in KEPT)
    assert {row for row in rows if row[1]} == {row for row in plain if row[1]}


@pytest.mark.parametrize("sql", PUBLIC)
def test_also_of_public_tables_and_subqueries(world: Any, sql: str) -> None:
    owner, cursor = world
    assert nulls(cursor.execute(sql).fetchall()) == nulls(owner.execute(sql).fetchall())


def test_infinite_moments_lie_outside_of_a_declared_range(world: Any) -> None:
    """They are in no group, like other rows outside: their month is not a group called NULL."""
    with duckdb.connect() as owner:
        owner.execute(DDL)
        owner.execute(
            "INSERT INTO p SELECT 1000 + i, 'a', TRUE, 'infinity', 1, 1, 1 FROM range(9) t(i)"
        )
        with opened(owner) as given:
            cursor = given.cursor()
            sql = "SELECT MONTH(d), COUNT(*) FROM p WHERE d IS NOT NULL GROUP BY 1"
            rows = cursor.execute(sql).fetchall()
            assert sum(count for _, count in rows) == 200
            assert not nulls(rows)
            means = "SELECT AVG(MONTH(d)), COUNT(MONTH(d)) FROM p WHERE d IS NOT NULL"
            assert cursor.execute(means).fetchone()[1] == 200  # NULL is not counted there
