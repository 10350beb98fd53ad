"""Every gain that explain claims is what explain says of the improved query or policy itself."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

import dpsql
from dpsql.explain import explain
from dpsql.explanation import Explanation, Improvement, ReleaseExplanation

QUERIES = {
    "SELECT COUNT(*) FROM users": {"larger-epsilon"},
    "SELECT city, COUNT(*) AS n, AVG(age) FROM users GROUP BY city ORDER BY 2 DESC, city": {
        "declare-values",
        "narrow-range",
        "drop-column",
        "larger-epsilon",
        "larger-delta",
    },
    "SELECT UPPER(item) AS i, SUM(amount) FROM orders GROUP BY i": {
        "declare-values",
        "fewer-groups",
        "fewer-rows",
        "narrow-range",
    },
    "SELECT item, region, COUNT(*) FROM orders GROUP BY 1, 2 ORDER BY 3": {
        "declare-values",
        "fewer-rows",
        "fewer-groups",
    },
    "SELECT DISTINCT item FROM orders": {"fewer-groups", "larger-epsilon"},
    "SELECT date_trunc('day', came) AS d, COUNT(*), SUM(price) FROM visits GROUP BY 1 ORDER BY d": {
        "coarser-key",
        "drop-column",
        "fewer-groups",
        "fewer-rows",
    },
    "SELECT came, COUNT(*) FROM visits GROUP BY came": {"coarser-key", "declare-values"},
    "SELECT date_trunc('year', came) AS y, kind, SUM(price) AS s FROM visits GROUP BY ALL": {
        "drop-key"
    },
    "SELECT SUM(price) AS a, SUM(CASE WHEN price > 3 THEN 1 ELSE 0 END) AS b FROM visits"
    " HAVING AVG(price) > 1": {"narrow-range", "fewer-rows", "drop-column"},
    "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.3, max_rows_contributed = 4) VAR_POP("
    "price, contribution_bounds_per_row => (-10, 30)), COUNT(*) FROM visits": {
        "fewer-rows",
        "narrow-range",
        "larger-epsilon",
    },
    "SELECT (SELECT COUNT(*) FROM users) + (SELECT SUM(amount) FROM orders) AS x": {"narrow-range"},
    "SELECT 'u' AS t, COUNT(*) FROM users UNION ALL SELECT 'v', COUNT(*) FROM visits": {
        "fewer-rows"
    },
    "WITH v AS (SELECT user_id, price * 2 AS p FROM visits WHERE price < 20)"
    " SELECT SUM(p) FROM v": {"narrow-range", "fewer-rows"},
    "SELECT AVG(n) FROM (SELECT user_id, COUNT(*) AS n FROM visits GROUP BY 1)": {"narrow-range"},
    "SELECT region, COUNT(*) FROM orders JOIN regions USING (region) GROUP BY region"
    " HAVING COUNT(*) > 3": {"fewer-rows"},
}


@pytest.fixture
def tables(databases: dict[str, Any]) -> dict[str, Any]:
    return {
        "visits": {
            "unit": "user_id",
            "columns": {
                "came": {"min": "2020-01-01", "max": "2026-12-31"},
                "price": {"min": 0, "max": 40},
                "kind": {"values": ["a", "b", "c"]},
            },
        }
    }


def _merged(policy: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The policy with each dotted path set."""
    result: dict[str, Any] = {**policy}
    for path, value in changes.items():
        *parents, last = path.split(".")
        node = result
        for name in parents:
            node[name] = dict(node.get(name, {}))
            node = node[name]
        node[last] = value
    return result


def _halves(release: ReleaseExplanation, rows: dict[str, int | None]) -> dict[str, float | None]:
    return {
        c.aggregate: c.half_at(rows[c.aggregate]) for c in release.columns if c.aggregate in rows
    }


def _check(better: Improvement, before: ReleaseExplanation, after: ReleaseExplanation) -> None:
    rows = {gain.aggregate: gain.rows for gain in better.gains}
    assert _halves(after, rows) == {gain.aggregate: gain.after for gain in better.gains}
    assert _halves(before, rows) == {gain.aggregate: gain.before for gain in better.gains}
    assert better.units_before == (before.threshold and before.threshold.even)
    assert better.units_after == (after.threshold and after.threshold.even)
    ratios = [g.after / g.before for g in better.gains]
    if better.units_before is not None:
        ratios.append((better.units_after or 1) / better.units_before)
    assert min(ratios) < 0.951
    assert max(ratios) < 1.011 or better.kind == "declare-values"


@pytest.mark.parametrize("sql", QUERIES)
def test_each_gain_comes_true(
    shop: Callable[..., dpsql.Connection], tables: dict[str, Any], sql: str
) -> None:
    cursor = shop(tables).cursor()
    told = cursor.explain(sql)
    assert QUERIES[sql] <= {b.kind for release in told.releases for b in release.improvements}
    for index, release in enumerate(told.releases):
        for better in release.improvements:
            if better.sql is None:
                assert better.policy is not None
                changed = shop(_merged(tables, _under_tables(better.policy)))
                other = _explained(changed.cursor(), sql)
            else:
                assert better.who == "analyst"
                other = _explained(cursor, better.sql)
            _check(better, release, other.releases[index])
            if better.share is not None:
                assert other.share == pytest.approx(better.share)


def _explained(cursor: dpsql.Cursor, sql: str, **price: Any) -> Explanation:
    return explain(cursor.connection._session, sql, advice=False, **price)


def _under_tables(policy: Any) -> dict[str, Any]:
    assert all(path.startswith("tables.") for path in policy)
    return {path.removeprefix("tables."): value for path, value in policy.items()}


def _only(told: Explanation) -> ReleaseExplanation:
    (release,) = told.releases
    return release


def test_gains_are_in_the_text(cursor: dpsql.Cursor) -> None:
    told = cursor.explain("SELECT item, SUM(amount) FROM orders GROUP BY item")
    text = " ".join(str(told).split())
    for better in _only(told).improvements:
        assert better.text in text
        assert better.caution in text
    assert "all groups are shown" in text


def test_declared_keys_have_no_threshold(cursor: dpsql.Cursor) -> None:
    told = _only(cursor.explain("SELECT city, COUNT(*) FROM users GROUP BY city"))
    better = told.improvements[0]
    assert (better.kind, better.who, better.units_after) == ("declare-values", "owner", None)
    assert list(better.policy or ()) == ["tables.users.columns.city.values"]
    assert better.units_before is not None


def test_prices_stay_within_what_may_be_asked(connect: Callable[..., dpsql.Connection]) -> None:
    budgets = {
        "per_query": {"epsilon": 1, "delta": 1e-7},
        "max_per_query": {"epsilon": 1.5, "delta": 1e-7},
        "default": {"epsilon": 10, "delta": 1e-4},
    }
    sql = "SELECT city, COUNT(*) FROM users GROUP BY city"
    kinds = {b.kind for b in _only(connect(budgets=budgets).cursor().explain(sql)).improvements}
    assert not kinds & {"larger-epsilon", "larger-delta"}
    budgets |= {"max_per_query": {"epsilon": 8, "delta": 1e-7}, "default": {"epsilon": 1.5}}
    told = connect(budgets=budgets | {"default": {"epsilon": 1.5, "delta": 1e-4}}).cursor()
    kinds = {b.kind for b in _only(told.explain(sql)).improvements}
    assert "larger-epsilon" not in kinds  # the budget would not cover it
    assert "declare-values" in kinds


def test_another_price_is_asked_in_the_same_call(cursor: dpsql.Cursor) -> None:
    sql = "SELECT city, COUNT(*), AVG(age) FROM users GROUP BY city"
    release = _only(cursor.explain(sql, epsilon="0.7"))
    for better in release.improvements:
        if better.sql is not None:
            other = _only(_explained(cursor, better.sql, epsilon="0.7"))
            _check(better, release, other)
            doubled = better.kind == "larger-epsilon"
            assert other.epsilon == (Fraction(14, 10) if doubled else Fraction(7, 10))


def test_other_dialects_and_parameters(cursor: dpsql.Cursor) -> None:
    told = cursor.explain(
        "SELECT `item`, SUM(amount) FROM `orders` WHERE amount > ? GROUP BY 1",
        [3],
        dialect="bigquery",
    )
    release = _only(told)
    assert {"fewer-rows", "narrow-range"} <= {b.kind for b in release.improvements}
    for better in release.improvements:
        if better.sql is not None:
            _check(better, release, _only(_explained(cursor, better.sql)))


def test_the_law_that_was_not_chosen(cursor: dpsql.Cursor) -> None:
    few = _only(cursor.explain("SELECT COUNT(*) FROM users"))
    assert (few.mechanism, few.other_law and few.other_law.mechanism) == (
        "rounded Laplace",
        "rounded Gaussian",
    )
    many = _only(cursor.explain("SELECT item, COUNT(*) FROM orders GROUP BY item"))
    assert many.other_law is not None
    assert many.other_law.mechanism != many.mechanism
    assert many.other_law.units is not None
    for told in (few, many):
        assert told.other_law is not None
        (name, rows, half) = told.other_law.half_widths[0]
        assert rows is None
        assert half is not None
        assert half >= (told.columns[0].half_width or 0)
        assert name == told.columns[0].aggregate
