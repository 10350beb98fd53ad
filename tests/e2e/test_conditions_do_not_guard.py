"""A filter tells nothing of what a row may hold: the engine may compute on rows that it drops."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import duckdb
import pytest

from dpsql.binding.scope import Scope
from dpsql.core.ir import Col
from dpsql.errors import InternalError
from dpsql.session import Session

LARGEST = 2**63 - 1
KEYED = "SELECT x * x * x % 3, COUNT(*) FROM t WHERE x BETWEEN 0 AND 50 GROUP BY 1"
QUERIES = [
    "SELECT SUM(x * x * x) FILTER (WHERE x BETWEEN 0 AND 50) FROM t",
    "SELECT AVG(x * x * x) FILTER (WHERE x BETWEEN 0 AND 50) FROM t",
    "SELECT SUM(x * x * x) FROM t WHERE x BETWEEN 0 AND 50",
    "SELECT SUM(y) FROM (SELECT id, x * x * x AS y FROM t WHERE x BETWEEN 0 AND 50) q WHERE y > 7",
    "SELECT SUM(CASE WHEN x BETWEEN 0 AND 50 THEN x * x * x ELSE 0 END) FROM t",
    KEYED,
]


def ask(sql):
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, x BIGINT)")
    owner.execute("INSERT INTO t SELECT range, range % 50 FROM range(3000)")
    owner.execute(f"INSERT INTO t VALUES (-1, {LARGEST}), (-2, {-LARGEST - 1})")
    policy = {
        "budgets": {"default": {"epsilon": 10, "delta": 1e-5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "ledger": "sqlite://",
        "tables": {"t": {"unit": "id"}},
    }
    with closing(Session(policy, "a", engine=owner, epsilon=1, delta=1e-6)) as session:
        return session.query(sql)


@pytest.mark.parametrize("sql", QUERIES)
def test_rows_that_are_dropped_raise_nothing(sql):
    assert ask(sql).table.num_rows > 0


def test_a_guard_by_a_filter_is_not_certified(monkeypatch):
    """With `certain` narrowed by the condition, casts would be as narrow as it says."""

    def narrowed(self, expr):
        change = isinstance(expr, Col) and self.narrowing.get((expr.source, expr.name))
        return replace(expr, domain=change(expr.domain)) if change else expr

    monkeypatch.setattr(Scope, "_narrow", narrowed)
    with pytest.raises(InternalError, match="a cast fits whatever it is given"):
        ask(KEYED)
