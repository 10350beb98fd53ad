"""Constants that no logarithm takes make nothing known, and no error."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.session import Session

POLICY = {
    "budgets": {"default": {"epsilon": 1000, "delta": 0.5}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "ledger": "sqlite://",
    "tables": {"t": {"unit": "id", "columns": {"x": {"min": 0, "max": 9}}}},
}


@pytest.fixture(scope="module")
def session():
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t AS SELECT range AS id, range % 10 AS x FROM range(100)")
    found = Session(POLICY, "a", engine=owner, epsilon=1, delta=1e-6)
    yield found
    found.close()


@pytest.mark.parametrize(
    "shown", ["ln(1 + 0 * COUNT(*))", "COUNT(*) / 1e-300", "sqrt(abs(SUM(x)) * 1e300)"]
)
def test_it_is_planned_all_the_same(session, shown):
    assert session.query(f"SELECT COUNT(*), SUM(x), {shown} FROM t").table.num_rows == 1
