"""A noisy LIMIT may come out negative: no rows are asked for then, and nothing fails."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from dpsql.pipeline.row_limits import held
from dpsql.session import Session


@pytest.fixture(scope="module")
def session():
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, ok BOOLEAN NOT NULL, x DOUBLE)")
    owner.execute("INSERT INTO t SELECT range, range % 2 = 0, 1.5 FROM range(400)")
    policy = {
        "budgets": {"default": {"epsilon": 1e7, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "ledger": "sqlite://",
        "tables": {"t": {"unit": "id", "columns": {"x": {"min": -9, "max": 9}}}},
    }
    found = Session(policy, "a", engine=owner, epsilon=1e5, delta=1e-6)
    yield found
    found.close()


BY_OK = "SELECT ok, COUNT(*) AS n FROM t GROUP BY ok"
LESS = "(SELECT COUNT(*) - 405 FROM t)"


@pytest.mark.parametrize(
    ("tail", "rows"),
    [
        (f"LIMIT {LESS}", 0),
        (f"LIMIT {LESS} + 6", 1),
        (f"OFFSET {LESS}", 2),
        (f"LIMIT 1 OFFSET {LESS}", 1),
        ("LIMIT (SELECT SUM(x) * 1e300 FROM t)", 2),
        ("LIMIT (SELECT AVG(x) FROM t WHERE x > 5)", 2),  # NULL, or of nothing but noise
        ("LIMIT (SELECT AVG(x) + 0.3 FROM t)", 2),  # 1.8, rounded
    ],
)
def test_a_limit_is_held_within_what_it_can_be(session, tail: str, rows: int) -> None:
    for sql in (f"{BY_OK} ORDER BY ok {tail}", f"SELECT * FROM ({BY_OK} ORDER BY ok {tail}) q"):
        found = session.query(sql).table.num_rows
        assert found == rows or ("x > 5" in tail and found <= 2)


def test_in_a_chain(session) -> None:
    """The step that feeds another aggregate."""
    sql = f"SELECT COUNT(*) FROM t WHERE ok IN (SELECT ok FROM ({BY_OK} LIMIT {LESS}) q)"
    assert abs(session.query(sql).table.column(0)[0].as_py()) <= 1


def test_constants_stay_as_they_are() -> None:
    for sql in ("SELECT 1 LIMIT 3", "SELECT 1 LIMIT 10 PERCENT", "SELECT 1 LIMIT NULL OFFSET 2"):
        query = parse_one(sql, read="duckdb")
        assert held(query) is query
    query = parse_one("SELECT a FROM r LIMIT (SELECT n FROM s)", read="duckdb")
    assert held(query) is not query
    assert query.find(exp.Greatest) is None
