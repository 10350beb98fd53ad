"""What explain promises is what execute does: price, shares, error bars, thresholds, bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

import dpsql
from dpsql.expected import threshold_explanation
from dpsql.explanation import Explanation, ReleaseExplanation, number
from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold

OPTIONS = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS"


def _only(explanation: Explanation) -> ReleaseExplanation:
    (release,) = explanation.releases
    return release


def _bounds(release: ReleaseExplanation) -> dict[str, tuple[object, str]]:
    return {bound.name: (bound.value, bound.origin) for bound in release.bounds}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM users",
        "SELECT city, COUNT(*), SUM(age) FROM users GROUP BY city",
        "SELECT (SELECT COUNT(*) FROM users) + (SELECT SUM(amount) FROM orders) AS x",
        "SELECT (SELECT COUNT(*) FROM users) * (SELECT COUNT(*) FROM users) AS x",
        "SELECT item, AVG(amount) FROM orders GROUP BY item",
    ],
)
def test_price_and_shares_come_true(cursor: dpsql.Cursor, sql: str) -> None:
    cursor.execute("SELECT COUNT(*) FROM users WHERE age < 30")
    told = cursor.explain(sql)
    assert told.fits
    cursor.execute(sql)
    assert cursor.privacy is not None
    assert (cursor.privacy.epsilon, cursor.privacy.delta) == (told.epsilon, told.delta)
    assert told.epsilon == sum(release.epsilon for release in told.releases)
    events = tuple(event for release in told.releases for event in release.events)
    assert cursor.privacy.events == events
    budget = cursor.connection.budget()
    assert budget.share == told.share_after
    assert budget.selection_share == told.selection_after
    assert told.share + told.remaining + told.share_before == pytest.approx(1)


def test_the_sum_comes_first(cursor: dpsql.Cursor) -> None:
    sql = "SELECT (SELECT COUNT(*) FROM users) + (SELECT SUM(amount) FROM orders) AS x"
    first = str(cursor.explain(sql)).splitlines()[0]
    assert first.split() == "price ε = 2, δ = 2e-07, the sum of 2 releases".split()


def test_equal_aggregates_are_one_release(cursor: dpsql.Cursor) -> None:
    sql = "SELECT (SELECT COUNT(*) FROM users) * (SELECT COUNT(*) FROM users) AS x"
    assert len(cursor.explain(sql).releases) == 1


def test_price_arguments(cursor: dpsql.Cursor) -> None:
    sql = "SELECT COUNT(*) FROM users"
    told = cursor.explain(sql, epsilon="0.25", delta=1e-9)
    assert (told.epsilon, told.delta) == (Fraction(1, 4), Fraction(1, 10**9))
    assert cursor.explain(f"{OPTIONS}(epsilon=2) COUNT(*) FROM users", epsilon=3).epsilon == 2
    assert cursor.explain("SELECT COUNT(*) FROM `users`", dialect="bigquery").epsilon == 1
    told = cursor.explain("SELECT COUNT(*) FROM users WHERE age > ?", [30])
    assert "30" in _only(told).sql


def test_a_price_that_does_not_fit_is_told(cursor: dpsql.Cursor) -> None:
    told = cursor.explain("SELECT COUNT(*) FROM users", epsilon=50)
    assert not told.fits
    assert told.remaining == 0
    assert "does not cover it" in str(told)
    assert told.to_json()["budget"]["fits"] is False
    with pytest.raises(dpsql.BudgetExceeded):
        cursor.execute("SELECT COUNT(*) FROM users", epsilon=50)


def test_total_counts_too(connect: Callable[..., dpsql.Connection]) -> None:
    budgets = {
        "default": {"epsilon": 10, "delta": 1e-4},
        "per_query": {"epsilon": 1, "delta": 1e-7},
        "total": {"epsilon": 2, "delta": 1e-4},
    }
    cursor = connect(budgets=budgets).cursor()
    assert cursor.explain("SELECT COUNT(*) FROM users", epsilon=1).fits
    assert not cursor.explain("SELECT COUNT(*) FROM users", epsilon=3).fits


def test_public_queries_cost_nothing(cursor: dpsql.Cursor) -> None:
    told = cursor.explain("SELECT COUNT(*) FROM regions")
    assert told.releases == ()
    assert told.epsilon == told.delta == told.share == 0
    assert told.fits
    assert "nothing" in str(told)


# ---- error bars ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS a FROM users",
        "SELECT SUM(age) AS a FROM users",
        "SELECT SUM(amount) AS a, COUNT(*) AS b FROM orders",
        "SELECT SUM(amount) AS a, AVG(amount) AS x FROM orders",
        "SELECT age > 30 AS old, COUNT(DISTINCT id) AS a FROM users GROUP BY 1",
        f"{OPTIONS}(max_rows_contributed=2) region, SUM(amount) AS a FROM orders"
        " JOIN regions USING (region) GROUP BY 1",
    ],
)
def test_half_widths_known_beforehand_come_true(cursor: dpsql.Cursor, sql: str) -> None:
    told = {c.shown_as: c.half_width for c in _only(cursor.explain(sql)).columns}
    cursor.execute(sql)
    assert cursor.privacy is not None
    for column in cursor.privacy.columns:
        if column.name in ("a", "b"):
            assert column.half_widths is not None
            for half in column.half_widths:
                assert half == pytest.approx(told[(column.name,)], rel=1e-9)


def test_noise_is_in_answer_units(cursor: dpsql.Cursor) -> None:
    (column,) = _only(cursor.explain("SELECT SUM(amount) FROM orders", epsilon=2)).columns
    assert column.mechanism == "rounded Laplace"
    # one group, five rows of at most 100 each: scale 500 / ε, sd √2 of it
    assert column.noise["answer"] == pytest.approx(math.sqrt(2) * 250, rel=1e-3)
    assert column.half_width == pytest.approx(250 * math.log(20), rel=1e-2)


def test_averages_depend_on_the_rows(cursor: dpsql.Cursor) -> None:
    (column,) = _only(cursor.explain("SELECT AVG(age) FROM users", epsilon=1)).columns
    assert column.half_width is None
    assert set(column.noise) == {"sum", "rows"}
    halves = [half for _, half in column.half_widths]
    assert all(half is not None for half in halves)
    assert halves == sorted(halves, reverse=True)  # type: ignore[type-var]
    rows, half = column.half_widths[-1]
    assert half == pytest.approx(120 * math.log(20) / rows, rel=0.5)
    assert "falls with the rows" in column.note


def test_variances_too(cursor: dpsql.Cursor) -> None:
    (column,) = _only(cursor.explain("SELECT STDDEV_POP(age) AS s FROM users")).columns
    assert column.aggregate == "STDDEV_POP(age)"
    assert column.shown_as == ("s",)
    assert all(half is not None and half >= 0 for _, half in column.half_widths)


def test_hidden_aggregates_are_explained(cursor: dpsql.Cursor) -> None:
    sql = "SELECT city, COUNT(*) AS n FROM users GROUP BY city HAVING SUM(age) > 5"
    columns = {c.aggregate: c.shown_as for c in _only(cursor.explain(sql)).columns}
    assert columns == {"COUNT(*)": ("n",), "SUM(age)": ()}


def test_words_of_aggregates(cursor: dpsql.Cursor) -> None:
    sql = (
        "SELECT SUM(age + 1) FILTER (WHERE city = 'c1' AND age >= 3), COUNT(DISTINCT id) FROM users"
    )
    words = [column.aggregate for column in _only(cursor.explain(sql)).columns]
    assert words[0] == "SUM(age + 1) FILTER(WHERE city = 'c1' AND age >= 3)"
    assert words[1] == "COUNT(DISTINCT id)" or words[1] == "COUNT(*)"


# ---- keys and thresholds ---------------------------------------------------------------------


def test_private_keys(cursor: dpsql.Cursor) -> None:
    told = cursor.explain("SELECT item, COUNT(*) FROM orders GROUP BY item")
    release = _only(told)
    assert [(key.name, key.groups) for key in release.keys] == [("item", None)]
    assert release.groups is None
    assert release.threshold is not None
    assert release.threshold.words("user") in " ".join(str(told).split())


def test_public_keys(cursor: dpsql.Cursor) -> None:
    sql = "SELECT age > 3 AS old, COUNT(*) FROM users GROUP BY 1"
    release = _only(cursor.explain(sql))
    assert [(key.name, key.groups) for key in release.keys] == [("old", 3)]
    assert release.groups == 3
    assert release.threshold is None
    assert _bounds(release)["max_groups"][0] == 1


def test_min_units(cursor: dpsql.Cursor) -> None:
    private = f"{OPTIONS}(min_privacy_units_per_group=40) item, COUNT(*) FROM orders GROUP BY item"
    threshold = _only(cursor.explain(private)).threshold
    assert threshold is not None
    assert threshold.min_units == 40
    assert threshold.even > 40
    assert "one of fewer than 40 is never shown" in " ".join(str(cursor.explain(private)).split())
    public = (
        f"{OPTIONS}(min_privacy_units_per_group=40) age > 3 AS old, COUNT(*) FROM users GROUP BY 1"
    )
    told = cursor.explain(public)
    assert "at least 40" in str(told)
    assert [column.aggregate for column in _only(told).columns] == ["COUNT(*)"]


@pytest.mark.parametrize("epsilon", [Fraction(1, 10), Fraction(1), Fraction(20)])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("min_units", [0, 10])
def test_geometric_thresholds_in_words(epsilon: Fraction, groups: int, min_units: int) -> None:
    threshold = TruncatedGeometricThreshold(epsilon, Fraction(1, 10**6), groups, min_units)
    ratio = math.exp(-float(threshold.epsilon_per_key))

    def shown(count: int) -> float:
        return 1 - float(threshold.pmf(count, ratio)[None])

    told = threshold_explanation(threshold)
    assert shown(told.even) >= 0.5 > shown(told.even - 1)
    assert shown(told.likely) >= 0.99
    assert shown(told.likely - 1) < 0.99 or told.likely == told.even


@pytest.mark.parametrize("sigma", [Fraction(1, 3), Fraction(5), Fraction(70)])
@pytest.mark.parametrize("min_units", [0, 10])
def test_gaussian_thresholds_in_words(sigma: Fraction, min_units: int) -> None:
    threshold = GaussianThreshold(sigma, Fraction(1, 10**6), 2, min_units)

    def shown(count: int) -> float:
        edge = threshold.threshold - count - 0.5
        return math.erfc(edge / float(sigma) / math.sqrt(2)) / 2

    told = threshold_explanation(threshold)
    assert shown(told.even) >= 0.5 > shown(told.even - 1)
    assert shown(told.likely) >= 0.99
    assert shown(told.likely - 1) < 0.99 or told.likely == told.even


# ---- bounds ----------------------------------------------------------------------------------


def test_bounds_say_where_they_came_from(cursor: dpsql.Cursor) -> None:
    release = _only(cursor.explain("SELECT item, SUM(amount) FROM orders GROUP BY item"))
    bounds = _bounds(release)
    assert bounds["max_groups"][0] == 3
    assert "max_groups" in bounds["max_groups"][1]
    assert bounds["max_rows_per_group"] == (5, "bounds.max_rows_per_group of the policy")
    assert bounds["range of amount"] == ((0, 100), "min and max of orders.amount in the policy")
    assert release.strategy == "cap"


def test_options_come_first(cursor: dpsql.Cursor) -> None:
    sql = f"{OPTIONS}(max_groups_contributed=2, max_rows_contributed=2) item, SUM(amount)"
    bounds = _bounds(_only(cursor.explain(sql + " FROM orders GROUP BY item")))
    assert bounds["max_groups"][0] == 2
    assert bounds["max_rows_per_group"] == (2, "max_rows_contributed of the query")


def test_enforced_keys(cursor: dpsql.Cursor) -> None:
    release = _only(cursor.explain("SELECT COUNT(*) FROM users"))
    assert release.strategy == "row"
    bounds = _bounds(release)
    assert bounds["max_rows_per_group"] == (1, "the database enforces one row per user")
    assert "one row per user" in release.why


def test_weights(connect: Callable[..., dpsql.Connection]) -> None:
    tables = {
        "orders": {
            "unit": "user_id",
            "max_rows_per_unit": 6,
            "columns": {
                "amount": {"min": 0, "max": 100},
                "region": {"values": ["north", "south", "east", "west"]},
            },
        }
    }
    cursor = connect(tables=tables, bounds={"max_groups": 5, "max_rows_per_group": 6}).cursor()
    release = _only(cursor.explain("SELECT region, SUM(amount) FROM orders GROUP BY region"))
    assert release.strategy == "weights"
    assert _bounds(release)["max_rows_per_unit"] == (6, "max_rows_per_unit of the policy's tables")


def test_computed_ranges(cursor: dpsql.Cursor) -> None:
    bounds = _bounds(_only(cursor.explain("SELECT SUM(age * 2) FROM users WHERE age < 50")))
    value, origin = bounds["range of age * 2"]
    assert value == (0, 98)
    assert "worked out" in origin
    narrowed = _bounds(_only(cursor.explain("SELECT SUM(age) FROM users WHERE age < 50")))
    assert narrowed["range of age"][0] == (0, 49)
    assert "WHERE" in narrowed["range of age"][1]


def test_salt_and_prettiness(cursor: dpsql.Cursor) -> None:
    told = cursor.explain("SELECT item, SUM(amount) FROM orders GROUP BY item")
    sql = _only(told).sql
    assert sql.splitlines()[-1] in told.to_text(sql=True)
    assert "'fresh salt'" in sql
    assert len(sql.splitlines()) > 10


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (5086.4, "5,086"), (0.03125, "0.0312"), (1.23456e12, "1.23e+12"), (12, "12")],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_tables_joined_late_are_told(cursor: dpsql.Cursor) -> None:
    """A user's city is read of one row, after the user's orders are aggregated."""
    told = cursor.explain("SELECT city, COUNT(*) FROM orders JOIN users ON id = user_id GROUP BY 1")
    assert told.releases[0].joined_late == ("users",)
    assert told.to_dict()["releases"][0]["joined_late"] == ["users"]
    words = " ".join(str(told).split())
    assert "users after each user's rows are aggregated: by enforced keys" in words
    early = cursor.explain(
        "SELECT item, COUNT(*) FROM orders JOIN users ON id = user_id GROUP BY 1"
    )
    assert early.releases[0].joined_late == ()
    assert "joined" not in str(early)
