"""Quantiles from SQL: what is read, what comes back, what it costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import duckdb
import e2e_world as world
import numpy as np
import pytest

from dpsql import accountant
from dpsql.accountant.events import Exponential, Gaussian, Threshold
from dpsql.errors import Error
from dpsql.explain import explain

HUGE, ROWS = 10**9, 2_001
POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "max_per_query": {"epsilon": "1e9", "delta": "1e-2"},
        "default": {"epsilon": "1e12", "delta": "0.5"},
        "total": {"epsilon": "1e12", "delta": "0.9"},
    },
    "bounds": {"max_groups": 3, "max_rows_per_group": 2},
    "tables": {
        "people": {
            "unit": "id",
            "columns": {
                "age": {"min": 0, "max": 120},
                "pay": {"min": 0, "max": 1000},
                "cents": {"min": -10, "max": 90000},
                "born": {"min": dt.date(1990, 1, 1), "max": dt.date(2000, 12, 31)},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 12, 31)},
                "city": {"values": ["a", "b", "c"]},
            },
        }
    },
}


@pytest.fixture(scope="module")
def connection():
    found = duckdb.connect(":memory:")
    found.execute(
        "CREATE TABLE people(id BIGINT PRIMARY KEY, age INTEGER, pay DOUBLE, cents DECIMAL(9,2),"
        " born DATE, seen TIMESTAMP, city VARCHAR, town VARCHAR, free BIGINT, r REAL)"
    )
    found.execute(
        "INSERT INTO people SELECT i, CASE WHEN i % 10 = 0 THEN NULL ELSE 18 + i * 7 % 70 END,"
        " CASE WHEN i % 11 = 0 THEN 'nan'::DOUBLE ELSE i / 4 END, i * 1.25,"
        " DATE '1990-01-01' + CAST(i AS INTEGER), TIMESTAMP '2020-02-01' + INTERVAL 1 HOUR * i,"
        " ['a', 'b', 'z'][1 + i % 3], 't' || CAST(i % 4 AS VARCHAR), i, i / 8"
        f" FROM range({ROWS}) t(i)"
    )
    yield found
    found.close()


@pytest.fixture(scope="module")
def session(connection):
    opened = world.memory_session(connection, {**POLICY, "releases": {"reuse": "off"}})
    yield opened
    opened.close()


def rows(session, sql, **price):
    return session.query(sql, **{"epsilon": HUGE, **price}).table.to_pylist()


def one(session, sql, **price):
    (row,) = rows(session, sql, **price)
    return list(row.values())


# ---- the answer at a huge ε ------------------------------------------------------------------

COLUMNS = {"age": 1, "pay": 2**-6, "cents": 2, "born": 1, "seen": 900}
"""What one cell of a column's grid is at the most: years, money, days, seconds."""


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("q", ["0.1", "0.5", "0.25", "0.999"])
def test_a_quantile_lies_within_a_cell_of_the_value_of_its_rank(session, connection, column, q):
    there = f"{column} IS NOT NULL" + (" AND NOT isnan(pay)" if column == "pay" else "")
    (got,) = one(session, f"SELECT QUANTILE_DISC({column}, {q}) FROM people")
    step = COLUMNS[column]
    width = dt.timedelta(days=step) if column == "born" else step
    if column == "seen":
        width = dt.timedelta(seconds=step)
    below, upto, n = connection.execute(
        f"SELECT COUNT(*) FILTER ({column} < $low), COUNT(*) FILTER ({column} <= $high), COUNT(*)"
        f" FROM people WHERE {there}",
        {"low": shifted(got, width, -1), "high": shifted(got, width, 1)},
    ).fetchone()
    assert below <= float(q) * n <= upto
    kind = {"cents": Decimal, "born": dt.date, "seen": dt.datetime, "age": int, "pay": float}
    assert type(got) is kind[column]


def shifted(value, width, sign):
    return value + Decimal(sign * width) if isinstance(value, Decimal) else value + sign * width


def test_spellings_are_one_quantile(session):
    found = one(
        session,
        "SELECT MEDIAN(age), QUANTILE_CONT(age, 0.5), PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY"
        " age), QUANTILE_DISC(age, 0.5), QUANTILE(age, 0.5), PERCENTILE_DISC(0.5) WITHIN GROUP"
        " (ORDER BY age), APPROX_QUANTILE(age, 0.5), PERCENTILE_CONT(age, 0.5),"
        " APPROX_PERCENTILE(age, 0.5) FROM people",
        epsilon=Fraction(1, 10),  # one draw: they are equal at any noise
    )
    assert len(set(found)) == 1
    assert [type(value) for value in found] == [float] * 3 + [int] * 4 + [float, int]


def test_names_and_types_are_the_engines(session, connection):
    sql = (
        "SELECT MEDIAN(age), MEDIAN(pay), QUANTILE_DISC(age, 0.5), MIN(born), MAX(seen),"
        " PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY pay) AS p25, MEDIAN(born) FROM people"
    )
    answer = session.query(sql, epsilon=HUGE)
    plain = connection.execute(sql).description
    assert list(answer.names) == [column[0] for column in plain]
    shown = ["DOUBLE", "DOUBLE", "BIGINT", "DATE", "TIMESTAMP", "DOUBLE", "TIMESTAMP"]
    assert list(answer.types) == shown


def test_descending_order_counts_from_the_other_end(session):
    up, down = one(
        session,
        "SELECT PERCENTILE_DISC(0.1) WITHIN GROUP (ORDER BY age DESC), QUANTILE_DISC(age, 0.9)"
        " FROM people",
    )
    assert up == down


def test_lists_are_taken_apart(session):
    asked = "SELECT QUANTILE_CONT(pay, [0.75, 0.25, 0.5]) AS q, DP_LOW(q) AS low FROM people"
    for epsilon in (HUGE, 1):
        q, low = one(session, asked, epsilon=epsilon)
        assert q[1] <= q[2] <= q[0]  # in order, whatever the noise
        assert all(a <= b for a, b in zip(low, q, strict=True))
    ends, quartiles = one(
        session, "SELECT APPROX_QUANTILES(age, 1), APPROX_QUANTILES(age, 4) FROM people"
    )
    assert ends == [quartiles[0], quartiles[4]] == [25, 81]
    assert quartiles == sorted(quartiles)


def test_more_than_nine_are_drawn_in_rounds(session, connection):
    """They are the quantiles, in order, without bars; the ends of APPROX_QUANTILES beside them."""
    sql = "SELECT APPROX_QUANTILES(pay, 20) AS q, DP_LOW(q) AS low FROM people"
    plan = planned(session, sql, 1, "1e-6")
    (part,) = plan.histograms
    assert part.tree is not None
    assert (len(part.points), len(part.tree.quantiles), part.tree.rounds) == (2, 19, 5)
    q, low = one(session, sql)
    assert low == [None] * 21
    pay = np.array(
        [v for (v,) in connection.execute("SELECT pay FROM people WHERE NOT isnan(pay)").fetchall()]
    )
    for at, value in enumerate(q):
        below, upto = (pay < value - 2**-6).sum(), (pay <= value + 2**-6).sum()
        assert below - 1 <= at / 20 * len(pay) <= upto + 1
    noisy, _ = one(session, sql, epsilon=1)
    assert noisy == sorted(noisy)
    one_of_them = session.query("SELECT QUANTILE_DISC(pay, 0.5) FROM people", epsilon=1)
    assert one_of_them.privacy.columns[0].half_widths[0] is not None
    assert "5 rounds" in str(explain(session, sql))


def test_filter_expressions_and_nulls(session, connection):
    sql = (
        "SELECT MEDIAN(age) FILTER (WHERE pay > 250), MEDIAN(LEAST(age * 2, 100)),"
        " MEDIAN(cents) FILTER (WHERE age IS NULL) FROM people"
    )
    got = one(session, sql)
    for value, plain in zip(got, connection.execute(sql).fetchone(), strict=True):
        assert abs(value - plain) <= 1


def test_extremes_are_exact_at_a_huge_price_and_inside_at_a_small_one(session):
    assert one(session, "SELECT MIN(age), MAX(age), MIN(born) FROM people") == [
        25,
        81,
        dt.date(1990, 1, 1),
    ]
    low, high, from_, to = one(
        session,
        "SELECT MIN(age) AS a, MAX(age) AS b, DP_LOW(a), DP_HIGH(b) FROM people",
        epsilon=1,
    )
    assert 25 <= low < high <= 81
    assert from_ is None
    assert to is None


def test_quantiles_beside_everything_else(session, connection):
    sql = "SELECT city, COUNT(*) AS n, AVG(age), MEDIAN(age), MAX(age) FROM people GROUP BY city"
    got = {row["city"]: row for row in rows(session, sql)}
    for city, n, mean, _, most in connection.execute(sql).fetchall():
        if city in ("a", "b"):
            assert got[city]["n"] == n
            assert abs(got[city]["avg(age)"] - mean) < 1e-6
            assert got[city]["max(age)"] == most
    assert set(got) == {"a", "b", "c", None}  # c and NULL are empty, and have values all the same
    assert 0 <= got["c"]["median(age)"] <= 120


def test_private_keys(session, connection):
    sql = "SELECT town, MEDIAN(pay) AS m, COUNT(*) FROM people GROUP BY town ORDER BY m"
    got = {row["town"]: row["m"] for row in rows(session, sql)}
    plain = connection.execute(
        "SELECT town, MEDIAN(pay) FROM people WHERE NOT isnan(pay) GROUP BY town"
    )
    for town, median in plain.fetchall():
        assert abs(got[town] - median) <= 2
    assert list(got.values()) == sorted(got.values())


def test_above_the_noise_they_are_numbers(session):
    spread, big = one(
        session,
        "SELECT QUANTILE_CONT(pay, 0.75) - QUANTILE_CONT(pay, 0.25), MEDIAN(pay) > 100"
        " FROM people HAVING MEDIAN(pay) > 0",
    )
    assert abs(spread - 250) <= 3
    assert big is True


def test_two_tables_of_one_statement(session):
    a, b = one(
        session,
        "SELECT (SELECT MEDIAN(age) FROM people), (SELECT MAX(pay) FROM people WHERE pay < 9)",
    )
    assert a == 53
    assert 8 < b <= 9


# ---- bars, refusals --------------------------------------------------------------------------


def test_bars_hold_the_quantile(session, connection):
    """At least 95 % by proof: of 200 below 176 (88 %) is 2e-5; ends are ordered around it."""
    held = 0
    truth = connection.execute("SELECT MEDIAN(age) FROM people").fetchone()[0]
    sql = "SELECT MEDIAN(age) AS m, DP_LOW(m) AS low, DP_HIGH(m) AS high FROM people"
    for _ in range(200):
        m, low, high = one(session, sql, epsilon=Fraction(1, 2))
        assert low <= m <= high
        held += low <= truth <= high
    assert held >= 176


def test_bars_of_dates_are_dates(session):
    m, low, high = one(
        session,
        "SELECT QUANTILE_DISC(born, 0.5) AS m, DP_LOW(m), DP_HIGH(m) FROM people",
        epsilon=1,
    )
    assert dt.date(1990, 1, 1) <= low <= m <= high <= dt.date(2000, 12, 31)
    answer = session.query("SELECT MEDIAN(born) FROM people", epsilon=1)
    (half,) = answer.privacy.columns[0].half_widths
    assert 0 < half < 4_000  # days


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT MIN(city) FROM people", "unsupported-aggregate"),
        ("SELECT MEDIAN(id) FROM people", "unit-aggregated"),
        ("SELECT MEDIAN(DISTINCT age) FROM people", "unsupported-aggregate"),
        ("SELECT MAX(age, 3) FROM people", "unsupported-aggregate"),
        ("SELECT QUANTILE_CONT(age, 2) FROM people", "wrong-arguments"),
        ("SELECT QUANTILE_CONT(age, pay) FROM people", "wrong-arguments"),
        ("SELECT MEDIAN(age > 3) FROM people", "type-mismatch"),
        ("SELECT MEDIAN(r) FROM people", "no-bounds"),
        ("SELECT MEDIAN(seen + INTERVAL 1 DAY, contribution_bounds_per_row => (0, 1)) FROM people",
         "unsupported-option"),
    ],
)  # fmt: skip
def test_what_has_no_range_or_no_meaning_is_refused(session, sql, code):
    with pytest.raises(Error) as refused:
        session.query(sql)
    assert refused.value.code == code


def test_bounds_may_come_with_the_query(session):
    (m,) = one(session, "SELECT MEDIAN(r, contribution_bounds_per_row => (0, 500)) FROM people")
    assert abs(m - 125) <= 1


# ---- price -----------------------------------------------------------------------------------

PRICED = [
    "SELECT MEDIAN(age) FROM people",
    "SELECT MEDIAN(age), COUNT(*), AVG(pay) FROM people",
    "SELECT APPROX_QUANTILES(pay, 9) FROM people",
    "SELECT town, MEDIAN(age), SUM(pay) FROM people GROUP BY town",
    "SELECT city, MIN(age), QUANTILE_CONT(pay, 0.9), MEDIAN(cents) FROM people GROUP BY city",
]


@pytest.mark.parametrize("sql", PRICED)
@pytest.mark.parametrize(("epsilon", "delta"), [(1, "1e-6"), ("0.1", "1e-9"), (10, "1e-3")])
def test_a_release_alone_is_within_its_price(session, sql, epsilon, delta):
    """By the accountant, from the events alone; under pure prices it is ε to the last digit."""
    (release,) = explain(session, sql, epsilon=epsilon, delta=delta).releases
    plan = planned(session, sql, epsilon, delta)
    found = accountant.epsilon(plan.items, delta=plan.delta)
    assert found <= float(plan.epsilon) * (1 + 1e-12)
    if plan.law == "laplace":
        assert sum(event.pure() * count for event, count in plan.items) == plan.epsilon
    else:
        assert found > 0.8 * float(plan.epsilon)
    kinds = {type(event) for event, _ in plan.items}
    assert Exponential in kinds
    assert kinds <= {Exponential, Gaussian, Threshold, *map(type, [e for e, _ in plan.items])}
    assert abs(sum(part.epsilon for part in release.parts) - plan.epsilon) < Fraction(1, 10**9)


def planned(session, sql, epsilon, delta):
    with session.engine.snapshot():
        asked = session.asked_for(epsilon, delta)
        prepared = session.prepare(sql, None, dialect="duckdb", asked=asked)
    return prepared.planned.plans[0]


def test_a_quantile_costs_once_for_each_group_a_unit_touches(session):
    plan = planned(session, "SELECT born, MEDIAN(age) FROM people GROUP BY born", 1, "1e-6")
    own, ends = 1, 2  # the quantile; either end of its interval
    assert sorted(count for event, count in plan.items if isinstance(event, Exponential)) == [
        own, ends
    ]  # fmt: skip
    many = (
        "SELECT CASE WHEN i < 5 THEN 'x' ELSE 'y' END, MEDIAN(age) FROM (SELECT id, age, free % 7"
        " AS i FROM people UNION ALL SELECT id, age, 9 AS i FROM people) t GROUP BY 1"
    )
    plan = planned(session, many, 1, "1e-6")
    assert plan.histograms[0].sensitivity == 2 * plan.histograms[0].weight
    touched = plan.histograms[0].bounds.touched
    assert touched == 2
    assert sorted(count for event, count in plan.items if isinstance(event, Exponential)) == [
        own * touched, ends * touched
    ]  # fmt: skip


def test_shares_follow_expected_errors(session):
    """A quantile far out has more of ε than the median; both more than none beside a count."""
    plan = planned(
        session, "SELECT MEDIAN(age), QUANTILE_CONT(age, 0.99), COUNT(*) FROM people", 1, "1e-30"
    )
    median, far = (point.quantile.epsilon for point in plan.histograms[0].points)
    assert Fraction(11, 10) * median < far < Fraction(3, 2) * median
    (block,) = plan.blocks
    assert block.sensitivity.l1 / block.mechanism.scale > median


def test_repeats_cost_nothing_and_a_smaller_price_is_served_by_a_larger(connection):
    opened = world.memory_session(connection, POLICY)
    try:
        first = opened.query("SELECT MEDIAN(pay), COUNT(*) FROM people", epsilon=1)
        again = opened.query("SELECT COUNT(*), QUANTILE_CONT(pay, 0.5) FROM people", epsilon=1)
        finer = opened.query("SELECT MEDIAN(pay), COUNT(*) FROM people", epsilon=Fraction(1, 2))
        other = opened.query("SELECT QUANTILE_CONT(pay, 0.6), COUNT(*) FROM people", epsilon=1)
        values = list(first.table.to_pylist()[0].values())
        assert list(again.table.to_pylist()[0].values()) == values[::-1]
        assert list(finer.table.to_pylist()[0].values()) == values
        assert (first.privacy.free, again.privacy.free, finer.privacy.free) == (False, True, True)
        assert not other.privacy.free
        larger = opened.query("SELECT MEDIAN(pay), COUNT(*) FROM people", epsilon=2)
        assert float(larger.privacy.epsilon) == 2  # quantiles are not averaged
    finally:
        opened.close()


def test_explain_tells_the_statements_and_the_rank(session):
    told = explain(session, "SELECT MEDIAN(seen), MAX(age), COUNT(*) FROM people")
    (release,) = told.releases
    assert release.sql.count("SELECT k0") == 0
    assert release.sql.count(";") == 2  # three statements: sums, two histograms
    assert "exponential mechanism" in release.mechanism
    median, most, _ = release.columns
    assert median.noise.keys() == {"rank"}
    assert "approximate" in most.note
    assert "empty group" in median.note
    assert "MEDIAN(seen)" in str(told)


def test_the_error_in_rows_is_what_explain_says(session, connection):
    """Mean |rank error| of 150 draws against the expected one: two-sided."""
    sql = "SELECT MEDIAN(pay) FROM people"
    (release,) = explain(session, sql).releases
    wanted = release.columns[0].noise["rank"] / 2**0.5  # mean of the two-sided exponential
    values = np.array(
        [v for (v,) in connection.execute("SELECT pay FROM people WHERE NOT isnan(pay)").fetchall()]
    )
    errors = [
        abs((values < one(session, sql, epsilon=1)[0]).sum() - len(values) / 2) for _ in range(150)
    ]
    assert 0.6 * wanted < np.mean(errors) < 1.7 * wanted + 1
