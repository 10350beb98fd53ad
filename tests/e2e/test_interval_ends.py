"""DP_LOW, DP_HIGH and report_format: intervals in SQL, of the very release without them."""

from __future__ import annotations

import json

import duckdb
import pytest
from e2e_world import fill, make_data, memory_session, policy_dict

from dpsql.errors import Error, InternalError, InvalidQuery, RefusedQuery

BY_CITY = "SELECT city, COUNT(*) AS n, AVG(age) AS a FROM users GROUP BY city"


@pytest.fixture(scope="module")
def session():
    policy = {**policy_dict(), "releases": {"reuse": "budget"}}
    policy["bounds"] = {"max_groups": 1, "max_rows_per_group": 1}
    with duckdb.connect(":memory:") as connection:
        fill(connection, *make_data().build(400, 7, False))
        session = memory_session(connection, policy, epsilon="2")
        yield session
        session.close()


def spent(session):
    return session.ledger.spent(session.budget_spec.key)


def rows(answer):
    return list(zip(*(column.to_pylist() for column in answer.table.columns), strict=True))


def test_ends_are_those_of_the_error_bar(session):
    plain = session.query(BY_CITY)
    answer = session.query(
        "SELECT city, COUNT(*) AS n, AVG(age) AS a, DP_LOW(n) AS low, DP_HIGH(n) AS high,"
        " dp_interval_low(a) AS al, DP_HIGH(AVG(age)) AS ah FROM users GROUP BY city"
    )
    assert answer.privacy.free
    assert [row[:3] for row in rows(answer)] == rows(plain)
    counts, averages = answer.privacy.columns[1:3]
    assert len(rows(answer)) > 2
    for index, (_, n, a, low, high, al, ah) in enumerate(rows(answer)):
        assert (high - low) / 2 == pytest.approx(counts.half_widths[index])
        assert (ah - al) / 2 == pytest.approx(averages.half_widths[index])
        assert low <= n <= high
        assert al <= a <= ah
    assert [column.computed for column in answer.privacy.columns] == [False] * 7


SAME = [
    "SELECT DP_LOW(a) AS low, city, COUNT(*) AS n, AVG(age) AS a FROM users GROUP BY city",
    "SELECT city, COUNT(*) AS n, AVG(age) AS a FROM users GROUP BY city HAVING DP_LOW(n) > 0",
    "SELECT city, COUNT(*) AS n, AVG(age) AS a FROM users GROUP BY ALL"
    " QUALIFY RANK() OVER (ORDER BY DP_HIGH(a) DESC) < 9 ORDER BY DP_HIGH(n) DESC, city",
    "SELECT city, COUNT(*, report_format => 'JSON') AS n, AVG(age, report_format => 'JSON') AS a"
    " FROM users GROUP BY city",
    "SELECT DP_HIGH(AVG(age)), COUNT(*), AVG(age), DP_LOW(COUNT(*)) FROM users GROUP BY city",
    "SELECT high FROM (SELECT city, COUNT(*) AS n, AVG(age) AS a, DP_HIGH(a) AS high FROM users"
    " GROUP BY city) t WHERE high > 0 ORDER BY 1",
    "WITH t AS (SELECT city, COUNT(*) AS n, AVG(age) AS a, DP_HIGH(n) - DP_LOW(n) AS width"
    " FROM users GROUP BY city) SELECT SUM(width) FROM t",
]


@pytest.mark.parametrize("sql", SAME)
def test_intervals_do_not_change_the_release(session, sql):
    """Free after the query without them: one fingerprint, wherever they stand."""
    session.query(BY_CITY)
    before = spent(session)
    answer = session.query(sql)
    assert answer.privacy.free
    assert spent(session) == before


def test_a_query_of_ends_alone_pays_for_its_aggregate_once(session):
    sql = "SELECT DP_LOW(SUM(age)) AS low FROM users WHERE age > 20"
    assert session.query(sql).privacy.epsilon > 0
    assert session.query("SELECT SUM(age) FROM users WHERE age > 20").privacy.free


def test_having_and_order_by_read_the_ends(session):
    every = session.query("SELECT city, COUNT(*) AS n, DP_LOW(n) AS low FROM users GROUP BY city")
    lows = sorted(row[2] for row in rows(every))
    middle = lows[len(lows) // 2]
    some = session.query(
        "SELECT city, COUNT(*) AS n, DP_LOW(n) AS low FROM users GROUP BY city"
        f" HAVING DP_LOW(n) >= {middle!r} ORDER BY DP_LOW(n) DESC"
    )
    assert [row[2] for row in rows(some)] == [low for low in reversed(lows) if low >= middle]


def test_names_are_those_the_engine_would_give(session):
    answer = session.query("SELECT COUNT(*) AS n, DP_LOW(n), DP_HIGH(COUNT(*)) FROM users")
    assert answer.names == ("n", "dp_low(n)", "dp_high(count_star())")
    hidden = session.query("SELECT SUM(age) AS age, DP_LOW(age) FROM users")
    assert hidden.names == ("age", "dp_low(age)")  # the engine itself would take the column
    inside = session.query(
        "WITH c AS (SELECT city, COUNT(*) AS age, DP_LOW(age) AS low FROM users GROUP BY city)"
        " SELECT SUM(low), MAX(age) FROM c"
    )
    assert inside.names == ("sum(low)", "max(age)")


def test_report_format_json(session):
    answer = session.query(
        "SELECT city, COUNT(*, report_format => 'JSON') AS n, SUM(age,"
        " contribution_bounds_per_row => (0, 50), report_format => 'json') FILTER (WHERE age > 30)"
        " FROM users GROUP BY city"
    )
    plain = session.query(
        "SELECT city, COUNT(*) AS n, SUM(age, contribution_bounds_per_row => (0, 50))"
        " FILTER (WHERE age > 30) AS s, DP_LOW(n), DP_HIGH(n), DP_LOW(s), DP_HIGH(s)"
        " FROM users GROUP BY city"
    )
    assert plain.privacy.free
    assert answer.types[1:] == ("JSON", "JSON")
    assert not any(column.computed for column in answer.privacy.columns)
    for (city, n, s), expected in zip(rows(answer), rows(plain), strict=True):
        assert city == expected[0]
        assert json.loads(n) == {"value": expected[1], "low": expected[3], "high": expected[4]}
        assert json.loads(s) == {"value": expected[2], "low": expected[5], "high": expected[6]}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT city, DP_LOW(city) FROM users GROUP BY city", "no-interval"),
        ("SELECT city AS c, COUNT(*), DP_LOW(c) FROM users GROUP BY city", "no-interval"),
        ("SELECT COUNT(*) * SUM(age) AS n, DP_LOW(n) FROM users", "no-interval"),
        ("SELECT ROUND(COUNT(*)) AS n, DP_LOW(n) FROM users", "no-interval"),
        ("SELECT COUNT(*) AS n, DP_HIGH(m) FROM users", "no-interval"),
        ("SELECT COUNT(*) AS n, DP_LOW(u.n) FROM users u", "no-interval"),
        ("SELECT COUNT(*) AS n, DP_LOW() FROM users", "no-interval"),
        ("SELECT COUNT(*) AS n, DP_LOW(n, 2) FROM users", "no-interval"),
        ("SELECT COUNT(*) AS n, DP_LOW(DP_LOW(n)) FROM users", "no-interval"),
        ("SELECT DP_LOW(a), b AS a, a AS b, COUNT(*) FROM users", "no-interval"),
        ("SELECT COUNT(*) AS n, SUM(age) AS n, DP_LOW(n) FROM users", "ambiguous-column"),
        ("SELECT DP_LOW(age) FROM users", "no-interval"),
        ("SELECT COUNT(*) FROM users WHERE DP_LOW(age) > 3", "unsupported-function"),
        ("SELECT SUM(DP_LOW(age)) FROM users", "unsupported-function"),
        ("SELECT DP_LOW(COUNT(*)) FROM regions", "no-interval"),
        ("SELECT DP_LOW(1)", "no-interval"),
        ("SELECT DP_LOW(n) FROM (SELECT COUNT(*) AS n FROM users) t", "no-interval"),
        (
            "SELECT AVG(n) FROM (SELECT user_id, COUNT(*) AS n, DP_LOW(n) AS low FROM users"
            " GROUP BY user_id) t",
            "unsupported-function",
        ),
        ("SELECT COUNT(*, report_format => 'PROTO') FROM users", "unsupported-option"),
        ("SELECT COUNT(*, report_format => 1) FROM users", "unsupported-option"),
        ("SELECT SUM(COUNT(*), report_format => 'JSON') OVER () FROM users", "unsupported-option"),
        ("SELECT COUNT(*, report_format => 'JSON') FROM regions", "unsupported-option"),
        ("SELECT COUNT(*, format => 'JSON') FROM users", "unsupported-option"),
        ("SELECT json_object('value', COUNT(*)) FROM users", "unsupported-function"),
        (
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(report_format = 'JSON') COUNT(*) FROM users",
            "unsupported-option",
        ),
    ],
)
def test_refusals_name_the_reason_and_charge_nothing(session, sql, code):
    before = spent(session)
    with pytest.raises((RefusedQuery, InvalidQuery)) as caught:
        session.query(sql)
    assert caught.value.code == code
    assert caught.value.hint
    assert spent(session) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*, report_format => 'JSON') + 1 FROM users",
        "SELECT SUM(COUNT(*, report_format => 'JSON')) OVER () FROM users",
        "SELECT ROUND(AVG(age, report_format => 'JSON')) FROM users",
    ],
)
def test_a_report_is_no_number(session, sql):
    before = spent(session)
    with pytest.raises(Error) as caught:
        session.query(sql)
    assert not isinstance(caught.value, InternalError)
    assert spent(session) == before
