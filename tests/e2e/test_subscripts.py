"""x[2] above the noise line is the place that plain DuckDB means, or is refused."""

from __future__ import annotations

import pytest
from e2e_compare import differences, plain, plan_numbers

from dpsql.errors import RefusedQuery

RIGHT = [
    "SELECT kind[2] AS k, COUNT(*) AS n FROM visits GROUP BY kind ORDER BY n, k",
    "SELECT u[2] AS k, n FROM (SELECT UPPER(kind) AS u, COUNT(*) AS n FROM visits GROUP BY 1) t"
    " ORDER BY n, k",
    "SELECT q[1] AS a, q[2] AS b FROM (SELECT QUANTILE_CONT(n, [0.1, 0.9]) AS q FROM events) t",
    "SELECT (SELECT QUANTILE_CONT(n, [0.1, 0.9]) FROM events)[2] AS b",
]
REFUSED = [
    "SELECT UPPER(kind)[2] AS k, COUNT(*) FROM visits GROUP BY UPPER(kind)",
    "SELECT UPPER(kind) AS u, u[2] AS k, COUNT(*) FROM visits GROUP BY kind",
    "SELECT CAST(kind AS VARCHAR)[2] AS k, COUNT(*) FROM visits GROUP BY CAST(kind AS VARCHAR)",
    "SELECT QUANTILE_CONT(n, [0.1, 0.9])[1] AS a FROM events",
    "SELECT (QUANTILE_CONT(n, [0.1, 0.9]))[1] AS a FROM events",
    "SELECT QUANTILE_CONT(n, [0.1, 0.9]) AS q, q[1] AS a FROM events",
]


@pytest.mark.parametrize("sql", RIGHT)
def test_a_place_is_the_one_that_is_meant(sql, wide_session, plain_duckdb):
    answer = wide_session.query(sql)
    want = plain(plain_duckdb, sql, unit="pid")
    assert differences(answer, want, **plan_numbers(wide_session, sql)) == []


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_be_off_by_one_is_refused(sql, wide_session):
    with pytest.raises(RefusedQuery) as problem:
        wide_session.query(sql)
    assert problem.value.code == "unsupported-function"
    assert problem.value.hint
