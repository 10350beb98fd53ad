"""Odd SQL: NULL as an operand, nesting without end. Answered, or refused by name; never our bug."""

from __future__ import annotations

import duckdb
import pytest

import dpsql


@pytest.fixture(scope="module")
def cursor():
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, age INT, f DOUBLE, d DECIMAL(9, 2))")
    owner.execute("INSERT INTO t SELECT range, 20 + range % 50, 1.5, 2.5 FROM range(200)")
    columns = {name: {"min": 0, "max": 100} for name in ("age", "f", "d")}
    policy = {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"t": {"unit": "id", "columns": columns}},
    }
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=owner, epsilon=1e6, delta=1e-6)
    yield connection.cursor()
    connection.close()


def outcome(cursor: dpsql.Cursor, sql: str) -> str:
    try:
        cursor.execute(sql)
    except (dpsql.RefusedQuery, dpsql.InvalidQuery) as refusal:
        return refusal.code
    return "answered"


NOTHING = [
    *(f"{a} {op} {b}" for op in ("+", "-", "*", "%") for a, b in (("age", "NULL"), ("NULL", "d"))),
    *("NULL + NULL", "age // NULL", "NULL // age", "-(age + NULL)", "ABS(NULL)"),
    *("ROUND(NULL)", "TRUNC(NULL)", "ROUND(age + NULL, 1)", "TRUNC(NULLIF(NULL, 1))"),
    *("CASE WHEN age > 3 THEN NULL ELSE age + NULL END", "CAST(NULL AS INT)"),
]


@pytest.mark.parametrize("argument", NOTHING)
def test_a_null_operand_makes_nothing_to_sum(cursor: dpsql.Cursor, argument: str) -> None:
    sql = f"SELECT SUM({argument}, contribution_bounds_per_row => (0, 9)), COUNT({argument}) FROM t"
    assert [float(v) for v in cursor.execute(sql).fetchone()] == [0, 0]
    assert cursor.execute(f"SELECT {argument}, COUNT(*) FROM t GROUP BY 1").fetchall() == [
        (None, 200)
    ]
    sql = f"SELECT COUNT(*) FROM (SELECT id, SUM(age) s FROM t WHERE ({argument}) = 1 GROUP BY 1) q"
    assert cursor.execute(sql).fetchone() == (0,)


@pytest.mark.parametrize(
    "key", ["NULLIF(NULL, age)", "COALESCE(NULL, NULL)", "GREATEST(NULL, NULL)", "NULL"]
)
def test_nothing_at_all_is_a_key(cursor: dpsql.Cursor, key: str) -> None:
    rows = cursor.execute(f"SELECT {key} AS k, COUNT(*) FROM t GROUP BY 1").fetchall()
    assert rows == [(None, 200)]


def test_null_beside_a_number_counts_for_nothing(cursor: dpsql.Cursor) -> None:
    sql = "SELECT SUM(GREATEST(age + NULL, 3)), SUM(COALESCE(NULL + 1, age)) FROM t"
    assert cursor.execute(sql).fetchone() == (600, 8_900)


@pytest.mark.parametrize("count", [30, 100])
def test_long_sums_are_answered(cursor: dpsql.Cursor, count: int) -> None:
    items = " + ".join(["age"] + ["1"] * count)
    assert cursor.execute(f"SELECT COUNT({items}) FROM t").fetchone() == (200,)


DEEP = {
    "a sum": ("age", "{} + 1"),
    "a difference of differences": ("age", "1 - ({})"),
    "functions": ("age", "ABS({})"),
    "parentheses": ("age", "({})"),
    "conditions": ("age", "CASE WHEN age > 3 THEN {} ELSE 0 END"),
    "texts": ("'a'", "LOWER({})"),
    "negations": ("age > 3", "NOT {}"),
    "casts": ("age", "CAST(CAST({} AS VARCHAR) AS INT)"),
}


@pytest.mark.parametrize("shape", list(DEEP))
@pytest.mark.parametrize("count", [20, 101, 300])
def test_what_nests_too_deeply_is_refused(cursor: dpsql.Cursor, shape: str, count: int) -> None:
    sql, around = DEEP[shape]
    for _ in range(count):
        sql = around.format(sql)
    found = outcome(cursor, f"SELECT COUNT({sql}) FROM t")
    assert found in ("answered", "too-deep", "too-complex", "too-long", "syntax")
    if count > 100 and shape != "parentheses":
        assert found != "answered"


def test_long_lists_of_conditions_are_not_deep(cursor: dpsql.Cursor) -> None:
    for word in ("OR", "AND"):
        sql = f" {word} ".join(f"age <> {i}" for i in range(100, 400))
        assert cursor.execute(f"SELECT COUNT(*) FROM t WHERE {sql}").fetchone() == (200,)


def test_deep_remainders_are_refused_before_the_charge(cursor: dpsql.Cursor) -> None:
    for count in (100, 400, 3_000):
        sql = "SELECT " + "ABS(" * count + "COUNT(*)" + ")" * count + " FROM t"
        assert outcome(cursor, sql) in ("answered", "too-deep", "too-complex", "syntax")
