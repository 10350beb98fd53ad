"""dpsql.sql.conditions: each rewriting means the same in three-valued logic, and elsewhere nothing
is touched. Compared in DuckDB over all combinations of TRUE, FALSE, NULL and small numbers.
"""

from __future__ import annotations

import itertools

import duckdb
import pytest
import sqlglot

from dpsql.sql.conditions import plain_conditions

VALUES = {"p": (True, False, None), "q": (True, False, None), "a": (1, 2, None), "b": (1, 3, None)}

SAME = [
    ("a = ANY (ARRAY[1, 2])", "a IN (1, 2)"),
    ("a = ANY ([1, NULL])", "a IN (1, NULL)"),
    ("a <> ALL ([1, NULL])", "NOT a IN (1, NULL)"),
    ("a <> ALL ([1, 2]) IS NULL", "(NOT a IN (1, 2)) IS NULL"),
    ("a BETWEEN SYMMETRIC b AND 2", "a BETWEEN b AND 2 OR a BETWEEN 2 AND b"),
    ("a IS NOT NULL", "a > 0 IS NOT NULL"),
    ("p IS NOT TRUE AND q IS NOT NULL", "(p = FALSE OR p IS NULL) AND NOT q IS NULL"),
    ("(a = b AND p) OR (a = b AND q)", "a = b AND (p OR q)"),
    ("(a = b AND p) OR a = b", "a = b"),
    ("((a = b AND p) OR (q AND a = b)) AND (p OR q)", "a = b AND (p OR q) AND (p OR q)"),
    ("q AND ((a = b AND p AND a = 1) OR (a = 1 AND a = b AND q))", "q AND a = b AND a = 1"
     " AND (p OR q)"),
]  # fmt: skip


def _written(condition: str) -> str:
    sql = f"SELECT 1 FROM t WHERE {condition}"
    root = plain_conditions(sqlglot.parse_one(sql, dialect="postgres"), sql)
    return str(root.args["where"].this.sql("duckdb"))


@pytest.mark.parametrize(("condition", "means"), SAME)
def test_it_means_the_same(condition: str, means: str) -> None:
    written = _written(condition)
    assert written != condition
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE t (p BOOLEAN, q BOOLEAN, a INTEGER, b INTEGER)")
    for row in itertools.product(*VALUES.values()):
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row)
    original = condition if "SYMMETRIC" not in condition else means
    odd = f"SELECT p, q, a, b FROM t WHERE ({written}) IS DISTINCT FROM ({original})"
    assert connection.execute(odd).fetchall() == []
    assert connection.execute(odd.replace(original, means)).fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    "condition",
    ["a = 1 OR a = 2", "(p AND q) OR (p AND a = 1)", "a = b OR (a = b + 1 AND p)", "a > ANY (b)"],
)
def test_others_stay_as_they_are(condition: str) -> None:
    sql = f"SELECT 1 FROM t WHERE {condition}"
    root = sqlglot.parse_one(sql, dialect="postgres")
    before = root.sql("duckdb")
    assert plain_conditions(root, sql).sql("duckdb") == before
