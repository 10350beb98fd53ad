"""DP_LOW and DP_HIGH of what is computed: the ends of the report's bar, for nothing."""

from __future__ import annotations

import pytest

from dpsql.errors import Error

MEAN = "SELECT g, SUM(x) / COUNT(*) AS r FROM visits GROUP BY g"


def rows(answer):
    return list(zip(*(column.to_pylist() for column in answer.table.columns), strict=True))


@pytest.mark.parametrize(
    "value",
    [
        "SUM(x) / COUNT(*)",
        "100.0 * COUNT_IF(x > 50) / COUNT(*)",
        "SUM(y) - 2 * SUM(x)",
        "1 - 3 * AVG(x)",
        "COUNT(DISTINCT id) * 2",
    ],
)
def test_ends_are_those_of_the_bar_and_cost_nothing(opened, value):
    session = opened()
    plain = session.query(f"SELECT g, {value} AS r FROM visits GROUP BY g")
    shown = session.query(
        f"SELECT g, {value} AS r, DP_LOW(r) AS low, DP_HIGH(r) AS high, DP_LOW({value}) AS again"
        " FROM visits GROUP BY g"
    )
    assert shown.privacy.free
    assert [column.computed for column in shown.privacy.columns] == [False] * 5
    for (_, r, low, high, again), bar in zip(
        rows(shown), plain.privacy.columns[1].intervals, strict=True
    ):
        if bar is None:  # of NULL, which nobody is in: the divisor may be 0
            assert low is None or high is None
            continue
        assert (low, high) == pytest.approx(bar)
        assert again == low
        assert low <= r <= high


@pytest.mark.parametrize(
    "clauses",
    [
        "HAVING DP_LOW(r) > 10",
        "HAVING DP_HIGH(SUM(x) / COUNT(*)) > 10 ORDER BY DP_LOW(r)",
        "ORDER BY r",
    ],
)
def test_ends_choose_and_order_rows(opened, clauses):
    session = opened()
    answer = session.query(f"{MEAN} {clauses}")
    assert answer.table.num_rows >= 3
    assert answer.privacy.columns[1].intervals is not None
    assert session.query(f"{MEAN} HAVING DP_LOW(r) > 1000").table.num_rows == 0


def test_ends_in_a_nested_query(opened):
    session = opened()
    inner = "SELECT g, SUM(x) / COUNT(*) AS r, DP_LOW(r) AS low FROM visits GROUP BY g"
    bars = session.query(MEAN).privacy.columns[1].intervals
    for sql in (
        f"SELECT MIN(low) FROM ({inner}) t",
        f"WITH t AS ({inner}) SELECT MIN(low) FROM t",
    ):
        answer = session.query(sql)
        assert answer.table.column(0)[0].as_py() == pytest.approx(
            min(bar[0] for bar in bars if bar)
        )


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT AVG(x) / AVG(y) AS r, DP_LOW(r) FROM visits", "no interval"),
        ("SELECT SUM(x) * SUM(y) AS r, DP_HIGH(r) FROM visits", "DP_HIGH of what has no interval"),
        (
            "SELECT ROUND(SUM(x) / COUNT(*), 2) AS r, DP_LOW(r) FROM visits",
            "only sums, differences",
        ),
        ("SELECT CASE WHEN COUNT(*) > 5 THEN 1 END AS r, DP_LOW(r) FROM visits", "only sums"),
        ("SELECT g, g + 1 AS r, DP_LOW(r), COUNT(*) FROM visits GROUP BY g", "from no aggregate"),
        ("SELECT COUNT(*), DP_LOW(1 + 1) FROM visits", "from no aggregate"),
        (
            "SELECT COUNT(*) FROM visits WHERE x > (SELECT DP_LOW(SUM(x) / COUNT(*)) FROM visits)",
            "cannot feed another query",
        ),
        ("SELECT dpsql_end(COUNT(*)) FROM visits", "dpsql_end"),
    ],
)
def test_refusals_charge_nothing(opened, sql, told):
    session = opened()
    with pytest.raises(Error) as caught:
        session.query(sql)
    assert told in caught.value.message
    assert caught.value.exit_code == 3
    assert session.budget().share == 0
