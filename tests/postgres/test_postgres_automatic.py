"""Bounds found on PostgreSQL: the answer's statement is written and certified in its own words."""

from __future__ import annotations

from contextlib import closing

import postgres_world
import pytest

POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {"default": {"epsilon": "1e12", "delta": "0.5"}},
    "tables": {"visits": {"unit": "id"}},
}


@pytest.mark.parametrize(
    ("sql", "truth"),
    [
        ("SELECT COUNT(*) FROM visits", 300),
        ("SELECT SUM(cost) FROM visits", 300 * 299 / 2 - 300 * 50),
        ("SELECT AVG(cost), COUNT(*) FROM visits", 299 / 2 - 50),
    ],
)
def test_found_bounds_cut_nothing_at_huge_epsilon(server, sql, truth):
    url = server.database()
    rows = [(at % 100, at - 50) for at in range(300)]
    postgres_world.fill(url, {"visits": "id BIGINT, cost INT"}, {"visits": rows})
    with closing(postgres_world.session(POLICY, url)) as session:
        answer = session.query(sql, epsilon="1e8", delta="1e-6")
    assert float(answer.table.column(0)[0].as_py()) == pytest.approx(truth, abs=0.01)
    assert answer.privacy.releases[0].bounds_found
