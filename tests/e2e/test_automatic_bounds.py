"""Bounds that nobody declares: found before the answer, of a price that is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import duckdb
import pytest

import dpsql
from dpsql.pipeline import execute

UNITS = 400

DDL = f"""
CREATE TABLE people (
    id INTEGER PRIMARY KEY, i INTEGER, b BIGINT, h HUGEINT, n DECIMAL(10, 2), nn DECIMAL(38, 4),
    d DOUBLE, kind INTEGER, word VARCHAR);
CREATE TABLE visits (
    nr INTEGER PRIMARY KEY, id INTEGER NOT NULL REFERENCES people, cost INTEGER, fee DOUBLE,
    kind INTEGER);
INSERT INTO people SELECT p, p % 90 - 20, p % 90, p % 90, p % 90, p % 90, CASE p % 50 WHEN 0 THEN
    'nan'::DOUBLE WHEN 1 THEN 'inf'::DOUBLE WHEN 2 THEN NULL ELSE p % 90 - 9 END, p % 3,
    'word' || p FROM range({UNITS}) t(p);
INSERT INTO visits SELECT v, v % {UNITS}, v % 100 - 30, v % 100, v % 3
    FROM range({3 * UNITS}) t(v);
"""

TABLES: dict[str, Any] = {
    "people": {"unit": "id", "columns": {"kind": {"values": [0, 1, 2], "nullable": False}}},
    "visits": {
        "unit": "id -> people.id",
        "columns": {"kind": {"values": [0, 1, 2], "nullable": False}},
    },
}
AUTO = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto')"


def opened(
    owner: Any, epsilon: float = 1e9, bounds: dict[str, Any] | None = None, **policy: Any
) -> dpsql.Connection:
    whole = {
        "unit": "person",
        "budgets": {"default": {"epsilon": "1e12", "delta": 0.5}},
        "bounds": {"max_groups": 3} if bounds is None else bounds,
        "tables": TABLES,
        **policy,
    }
    with pytest.warns(UserWarning, match="no ledger"):
        return dpsql.connect(whole, analyst="ann", engine=owner, epsilon=epsilon, delta=1e-6)


@pytest.fixture(scope="module")
def owner() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute(DDL)
        yield connection


@pytest.fixture(scope="module")
def cursor(owner: Any) -> Iterator[Any]:
    with opened(owner) as connection:
        yield connection.cursor()


FINITE = "WHERE isfinite(d)"
PLAIN = {
    "SELECT COUNT(*) FROM visits": "",
    "SELECT SUM(cost) FROM visits": "",
    "SELECT SUM(i), SUM(b) FROM people": "",
    "SELECT SUM(h), SUM(n), SUM(nn) FROM people": "",
    "SELECT SUM(d) FROM people": FINITE,
    "SELECT AVG(i), VAR_POP(n) FROM people": "",
    "SELECT AVG(d), STDDEV(d) FROM people": FINITE,
    "SELECT kind, COUNT(*), SUM(cost), AVG(fee) FROM visits GROUP BY kind ORDER BY kind": "",
    "SELECT kind, SUM(cost) FILTER (WHERE cost > 0) FROM visits GROUP BY kind ORDER BY kind": "",
    "SELECT cost, COUNT(*) FROM visits GROUP BY cost ORDER BY cost": "",
    "SELECT AVG(x) FROM (SELECT id, SUM(cost) AS x FROM visits GROUP BY id)": "",
    "SELECT SUM(i + 2 * b) FROM people WHERE b > 5": "",
    "SELECT AVG(LENGTH(word)) FROM people": "",
    # One end is known, many rows of a person: the total is not cut at one row's end.
    "SELECT SUM(cost) FROM visits WHERE cost <= 3": "",
    "SELECT SUM(LEAST(cost, 2)) FROM visits": "",
    "SELECT SUM(-cost) FROM visits WHERE cost <= 3": "",
    "SELECT SUM(CASE WHEN cost > 1 THEN 1 ELSE cost END) FROM visits": "",
    "SELECT SUM(CAST(LEAST(cost, 100) AS TINYINT)) FROM visits": "",
    "SELECT SUM(cost) FILTER (WHERE cost > 2), SUM(cost) FILTER (WHERE cost <= 2) FROM visits": "",
}


@pytest.mark.parametrize("sql", PLAIN)
def test_answered_as_the_plain_query(cursor: Any, owner: Any, sql: str) -> None:
    """At huge ε no candidate that cuts anybody is chosen."""
    got = cursor.execute(sql).fetchall()
    want = owner.execute(f"{sql} {PLAIN[sql]}").fetchall()
    assert len(got) == len(want)
    for mine, plain in zip(got, want, strict=True):
        for value, exact in zip(mine, plain, strict=True):
            assert float(value) == pytest.approx(float(exact), rel=1e-5, abs=1e-4)


def test_a_declared_bound_may_be_found_too(owner: Any) -> None:
    tables = {**TABLES, "visits": {**TABLES["visits"], "max_rows_per_unit": 10**6}}
    with opened(owner, bounds={"max_groups": 3}, tables=tables) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM visits")
        (release,) = cursor.privacy.releases
        assert not release.bounds_found
        count = cursor.execute(f"{AUTO} COUNT(*) FROM visits").fetchone()[0]
        assert count == 3 * UNITS
        (found,) = cursor.privacy.releases[0].bounds_found
        assert found.name == "rows of a person in one group"
        assert 3 <= found.value <= 20
        assert len(cursor.privacy.releases) == 2


def test_declared_bounds_are_kept_unless_asked(owner: Any) -> None:
    with opened(owner, bounds={"max_groups": 3, "max_rows_per_group": 1}) as connection:
        cursor = connection.cursor()
        assert cursor.execute("SELECT COUNT(*) FROM visits").fetchone()[0] == UNITS
        asked = cursor.execute(f"{AUTO} COUNT(*) FROM visits").fetchone()[0]
        assert asked == UNITS  # no more than the policy lets count


@pytest.mark.parametrize(
    ("bounds", "sql"),
    [
        ({"max_groups": 3, "undeclared": "refuse"}, "SELECT COUNT(*) FROM visits"),
        ({"max_groups": 3, "undeclared": "refuse"}, "SELECT SUM(i) FROM people"),
        ({"max_groups": 3}, f"{AUTO[:-6]}declared') SUM(i) FROM people"),
        ({"max_groups": 3}, f"{AUTO[:-6]}declared') COUNT(*) FROM visits"),
        ({}, "SELECT cost, COUNT(*) FROM visits GROUP BY cost"),
        ({"max_groups": 3}, "SELECT MEDIAN(cost) FROM visits"),
        ({"max_groups": 3}, "SELECT CORR(i, b), COUNT(*) FROM people"),
    ],
)
def test_refused_before_anything_is_charged(owner: Any, bounds: dict[str, Any], sql: str) -> None:
    with opened(owner, bounds=bounds) as connection:
        cursor = connection.cursor()
        before = connection._session.ledger.head()
        with pytest.raises(dpsql.RefusedQuery) as refusal:
            cursor.execute(sql)
        assert refusal.value.code == "no-bounds"
        assert connection._session.ledger.head() == before


def test_an_unknown_word_is_an_error(cursor: Any) -> None:
    with pytest.raises(dpsql.InvalidQuery, match="bounds has a value"):
        cursor.execute(
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'some') SUM(i) FROM people"
        )


# ---- price -----------------------------------------------------------------------------------


PRICED = (
    "SELECT COUNT(*) FROM visits",
    "SELECT SUM(i) FROM people",
    "SELECT kind, AVG(cost), COUNT(*) FROM visits GROUP BY kind",
    "SELECT cost, SUM(fee) FROM visits GROUP BY cost",
    "SELECT VAR_POP(d), SUM(n) FROM people",
)


@pytest.mark.parametrize("sql", PRICED)
def test_the_price_is_that_asked_and_knows_no_data(owner: Any, sql: str) -> None:
    """Two databases, whose bounds are found to be different: the same events to the last digit."""
    with duckdb.connect() as other:
        other.execute(DDL)
        other.execute("UPDATE people SET i = i * 1000, n = n * 1000, d = d / 64")
        other.execute("UPDATE visits SET cost = cost * 50, fee = fee * 3000")
        other.execute("INSERT INTO visits SELECT v, v % 90, 7, 9, 1 FROM range(9000, 20000) t(v)")
        events, told, found = [], [], []
        for database in (owner, other):
            with opened(database, epsilon=25) as connection:
                cursor = connection.cursor()
                told.append(cursor.explain(sql).to_dict())
                cursor.execute(sql)
                report = cursor.privacy
                assert report.epsilon == 25
                assert report.delta == Fraction(1, 10**6)
                events.append(report.events)
                found.append([one.value for one in report.releases[0].bounds_found])
                choices = [
                    one for one in report.releases if one.mechanism == "exponential mechanism"
                ]
                assert sum(one.epsilon for one in choices) == Fraction(5, 2)
        assert events[0] == events[1]
        assert told[0] == told[1]
        assert found[0] != found[1]
        assert told[0]["epsilon"] == 25


def test_found_bounds_are_reused_for_nothing(owner: Any) -> None:
    """By later queries over the same rows, whatever they ask of the value."""
    with opened(owner, epsilon=2) as connection:
        cursor = connection.cursor()
        first = cursor.execute("SELECT AVG(i) FROM people").fetchall()
        assert cursor.privacy.epsilon == 2
        assert cursor.execute("SELECT AVG(i) FROM people").fetchall() == first
        assert cursor.privacy.epsilon == 0
        told = cursor.explain("SELECT VAR_POP(i) FROM people")
        assert told.epsilon == 2  # the full price, whatever is stored
        cursor.execute("SELECT VAR_POP(i) FROM people")
        assert cursor.privacy.epsilon == Fraction(9, 5)  # the bounds were paid for
        assert [one.free for one in cursor.privacy.releases] == [False, True, True]
        cursor.execute("SELECT AVG(i) FROM people WHERE b > 5")
        assert cursor.privacy.epsilon == 2  # other rows, other bounds


def test_off_draws_all_anew(owner: Any) -> None:
    with opened(owner, epsilon=2, releases={"reuse": "off"}) as connection:
        cursor = connection.cursor()
        for _ in range(2):
            cursor.execute("SELECT SUM(i) FROM people")
            assert cursor.privacy.epsilon == 2


def test_a_failure_after_the_bounds_keeps_the_charge(
    owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The choice has run, the answer fails: nothing is stored, the whole charge stands."""
    runs: list[str] = []
    real = execute.run

    def failing(certified: Any, *args: Any, **named: Any) -> Any:
        runs.append(certified.sql)
        if len(runs) == 2:
            raise dpsql.EngineFailed("the database failed")
        return real(certified, *args, **named)

    with opened(owner, epsilon=2) as connection:
        cursor = connection.cursor()
        session = connection._session
        monkeypatch.setattr(execute, "run", failing)
        with pytest.raises(dpsql.EngineFailed):
            cursor.execute("SELECT COUNT(*) FROM visits")
        once = session.account(session.budget_spec).spent
        cursor.execute("SELECT COUNT(*) FROM visits")
        assert cursor.privacy.epsilon == 2
        assert len(runs) == 4
        twice = session.account(session.budget_spec).spent
        assert twice == once + once


def test_equal_aggregates_share_their_bounds(owner: Any) -> None:
    with opened(owner, epsilon=2) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT (SELECT COUNT(*) FROM visits), (SELECT COUNT(*) FROM visits)")
        assert cursor.privacy.epsilon == 2


def test_a_scan_is_not_the_count_that_somebody_asks(owner: Any) -> None:
    """Its release holds marks: nobody may be given them for counts, nor counts for marks."""
    with opened(owner) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM visits")
        session = connection._session
        with session.engine.snapshot():
            prepared = session.prepare(
                "SELECT COUNT(*) FROM visits", None, dialect="duckdb", asked=session.asked
            )
        planned = prepared.planned
        assert planned.plans[1].choice is not None
        from dataclasses import replace

        from dpsql.canonical import canonical

        assert (
            canonical(replace(planned.plans[1], choice=None)).question != planned.forms[1].question
        )


def test_the_report_says_what_was_found(cursor: Any) -> None:
    cursor.execute("SELECT AVG(b) FROM people WHERE b < 30")
    told = cursor.privacy.to_json()["releases"][0]["bounds_found"]
    assert set(told) == {"high end of b", "low end of b"} or set(told) == {"low end of b"}
    text = cursor.explain("SELECT COUNT(*) FROM visits").to_text()
    assert "choice of a bound: rows of a person in one group" in text
    assert "cuts and noise follow them, the price does not" in text
