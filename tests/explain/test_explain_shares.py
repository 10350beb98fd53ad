"""The parts of a release add up to its price, and predicted error bars are the answers' own."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

import dpsql

OPTIONS = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS"

QUERIES = [
    "SELECT COUNT(*) AS n, SUM(age) AS s FROM users",
    "SELECT age > 30 AS old, COUNT(*) AS n, SUM(age) AS s FROM users GROUP BY 1",
    "SELECT item, SUM(amount) AS s, COUNT(*) AS n FROM orders GROUP BY item",
    f"{OPTIONS}(max_groups_contributed = 2) item, SUM(amount) AS s FROM orders GROUP BY item",
    "SELECT region, COUNT(*) AS n FROM orders JOIN regions USING (region) GROUP BY region",
    f"{OPTIONS}(delta = 1e-3) item, COUNT(DISTINCT user_id) AS u, SUM(amount) AS s, COUNT(*) AS n"
    " FROM orders GROUP BY item",
]


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("epsilon", ["0.1", "1", "20"])
def test_parts_add_up_to_what_is_paid(cursor: dpsql.Cursor, sql: str, epsilon: str) -> None:
    told = cursor.explain(sql, epsilon=epsilon)
    for release in told.releases:
        assert sum(part.epsilon for part in release.parts) == release.epsilon
        assert sum(part.share for part in release.parts) == 1
        chosen = [part.name for part in release.parts if part.name == "choice of groups"]
        named = {name for part in release.parts for name in part.columns}
        assert named == {column.aggregate for column in release.columns}
        if release.threshold is not None:
            assert chosen or "COUNT(DISTINCT user_id)" in release.parts[-1].columns
        for column in release.columns:
            assert column.aggregate in release.parts[column.part].columns
    assert sum(release.epsilon for release in told.releases) == told.epsilon


def test_laplace_parts_are_prices_of_their_own(cursor: dpsql.Cursor) -> None:
    """Not shares of a total that was made to fit: sensitivity over scale, each on its own."""
    (release,) = cursor.explain("SELECT SUM(age), AVG(age * age) FROM users").releases
    sum_, average = release.columns
    assert sum_.scale is not None
    assert 120 / sum_.scale == pytest.approx(float(release.parts[sum_.part].epsilon))
    assert average.part != sum_.part


def test_the_choice_of_groups_pays_its_share(cursor: dpsql.Cursor) -> None:
    (release,) = cursor.explain("SELECT city, SUM(age) FROM users GROUP BY city").releases
    *_, (event, count) = release.events
    assert event["event"] == "threshold"
    assert release.threshold is not None
    assert float(release.parts[-1].epsilon) == pytest.approx(0.4 * float(release.epsilon))
    assert count == 1


def test_a_hidden_count_is_a_part_too(cursor: dpsql.Cursor) -> None:
    sql = f"{OPTIONS}(min_privacy_units_per_group=40) r.region, SUM(amount) FROM orders o"
    sql += " JOIN regions r ON r.region = o.region GROUP BY 1"
    (release,) = cursor.explain(sql).releases
    assert len(release.columns) == 1
    assert len(release.parts) == 2
    assert "which groups are shown" in release.parts[1].name
    assert sum(part.epsilon for part in release.parts) == release.epsilon


@pytest.mark.parametrize("sql", QUERIES[:5])
def test_predicted_error_bars_are_the_answers_own(
    connect: Callable[..., dpsql.Connection], sql: str
) -> None:
    budgets = {
        "per_query": {"epsilon": 5, "delta": 1e-4},
        "default": {"epsilon": 1000, "delta": 0.1},
    }
    cursor = connect(budgets=budgets, releases={"reuse": "off"}).cursor()
    (release,) = cursor.explain(sql).releases
    told = {name: column for column in release.columns for name in column.shown_as}
    seen: dict[str, list[float]] = {}
    for _ in range(5):
        cursor.execute(sql)
        assert cursor.privacy is not None
        for column in cursor.privacy.columns:
            halves = [half for half in column.half_widths or () if half is not None]
            seen.setdefault(column.name, []).extend(halves if column.name in told else [])
    for name, column in told.items():
        assert seen[name], "no group was shown"
        assert statistics.median(seen[name]) == pytest.approx(column.half_width, rel=1e-9)


def test_where_bounds_come_from(connect: Callable[..., dpsql.Connection]) -> None:
    cursor = connect().cursor()

    def sources(argument: str, where: str = "") -> tuple[Any, ...]:
        sql = f"SELECT SUM({argument}) FROM users {where}"
        (column,) = cursor.explain(sql).releases[0].columns
        assert column.range is not None
        return (*column.range.sources, column.range.value)

    assert sources("age") == ("policy", (0, 120))
    assert sources("age", "WHERE age < 50") == ("policy", "where", (0, 49))
    assert sources("age", "WHERE age BETWEEN 20 AND 50") == ("where", (20, 50))
    assert sources("age, contribution_bounds_per_row => (5, 60)") == ("query", (5, 60))
    assert sources("CAST(age > 30 AS TINYINT)") == ("expression", (0, 1))
    assert sources("CAST(age AS TINYINT) + 1") == ("expression", "policy", (1, 121))
    assert sources("CASE WHEN age > 30 THEN age ELSE 0 END") == (
        *("expression", "where", "policy"),
        (0, 120),
    )
    for undeclared in ("CAST(city AS TINYINT)", "LENGTH(city)"):
        scan, release = cursor.explain(f"SELECT SUM({undeclared}) FROM users").releases
        assert release.columns[0].range is not None
        assert release.columns[0].range.sources == ("automatic",)
        assert scan.columns[0].aggregate.startswith("choice of a bound: total of")
    strict = connect(bounds={"undeclared": "refuse"}).cursor()
    for undeclared in ("CAST(city AS TINYINT)", "LENGTH(city)"):
        with pytest.raises(dpsql.RefusedQuery, match=r"only a type limits it|only its low end"):
            strict.explain(f"SELECT SUM({undeclared}) FROM users")
    assert sources("CASE WHEN age > 30 THEN 2 ELSE 0 END") == ("expression", (0, 2))
    assert sources("age * 2 + 1") == ("expression", "policy", (1, 241))
    undeclared = connect(tables={"users": {"unit": "id"}}, bounds={"undeclared": "refuse"}).cursor()
    with pytest.raises(dpsql.RefusedQuery, match=r"users\.age has none in the policy"):
        undeclared.explain("SELECT SUM(age) FROM users")
    wider = {"users": {"unit": "id", "columns": {"age": {"min": "-1e10", "max": "1e10"}}}}
    connection = connect(tables=wider).cursor()
    (column,) = connection.explain("SELECT SUM(age) FROM users").releases[0].columns
    assert column.range is not None
    assert column.range.sources == ("type",)
    assert "the type of users.age" in column.range.origin
    inner = "(SELECT user_id, COUNT(*) AS n FROM orders GROUP BY 1)"
    (release,) = cursor.explain(f"SELECT AVG(n) FROM {inner}").releases
    assert release.columns[0].range is not None
    assert release.columns[0].range.sources == ("subquery",)
    assert "the subquery makes one row of each user" in release.why


def test_a_share_that_is_not_epsilon_over_epsilon_is_explained(
    shop: Callable[..., dpsql.Connection],
) -> None:
    """Small prices take less than their part of ε; a price near the budget's takes its part."""
    cursor = shop({}).cursor()
    sql, whole = "SELECT COUNT(*) FROM users", None
    for epsilon, explained in (("0.01", True), ("half", False)):
        price = str(whole / 2) if epsilon == "half" and whole else epsilon
        told = cursor.explain(sql, epsilon=price)
        whole = told.budget_epsilon
        assert whole is not None
        assert told.to_dict()["budget"]["epsilon"] == float(whole)
        alone = float(told.epsilon / whole)
        assert (abs(told.share - alone) > alone / 10) is explained
        assert ("Rényi" in told.to_text()) is explained


def test_what_is_shown_divides_and_is_told(cursor: dpsql.Cursor) -> None:
    """A sum of ages up to 120 beside a count: their difference is all but the sum's error."""
    sql = "SELECT SUM(age) - COUNT_IF(city = 'c1') AS d FROM users"
    told = cursor.explain(sql)
    (release,) = told.releases
    assert release.division is not None
    assert release.division.known
    large, small = (part for part in release.parts if part.columns)
    assert large.share > 20 * small.share
    assert release.division.gain > 1.5
    text = " ".join(told.to_text().split())
    assert f"it would be {release.division.gain:.2f} times as large" in text
    assert told.to_dict()["releases"][0]["division"]["gain"] == release.division.gain


def test_one_part_is_not_divided(cursor: dpsql.Cursor) -> None:
    (release,) = cursor.explain("SELECT COUNT(*) FROM users").releases
    assert release.division is None
    assert release.to_dict()["division"] is None


def test_what_feeds_another_query_is_divided_as_not_known(cursor: dpsql.Cursor) -> None:
    sql = (
        "SELECT COUNT(*) FROM users WHERE age >"
        " (SELECT SUM(age) - COUNT_IF(city = 'c1') FROM users)"
    )
    (release,) = (one for one in cursor.explain(sql).releases if one.division is not None)
    assert release.division is not None
    assert not release.division.known
    assert "is not known" in release.division.why
