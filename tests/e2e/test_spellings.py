"""The same question in other words: sqlglot's dialects, GoogleSQL's OPTIONS, parameters."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from e2e_compare import differences, plain, plan_numbers

from dpsql.errors import Error, InternalError

OPTIONS = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS({}) "

# (dialect, text, the same in DuckDB's words)
DIALECTS = [
    (
        "postgres",
        "SELECT date_trunc('month', seen)::date AS m, COUNT(*) AS n FROM visits"
        " WHERE kind ~~ 'b%' GROUP BY 1",
        "SELECT CAST(date_trunc('month', seen) AS DATE) AS m, COUNT(*) AS n FROM visits"
        " WHERE kind LIKE 'b%' GROUP BY 1",
    ),
    (
        "mysql",
        "SELECT `city` AS c, COUNT(*) AS n FROM `persons` WHERE `age` > 30 GROUP BY `city`",
        "SELECT city AS c, COUNT(*) AS n FROM persons WHERE age > 30 GROUP BY city",
    ),
    (
        "bigquery",
        "SELECT city AS c, SUM(IF(age > 30, 1, 0)) AS n FROM persons GROUP BY city",
        "SELECT city AS c, SUM(CASE WHEN age > 30 THEN 1 ELSE 0 END) AS n FROM persons"
        " GROUP BY city",
    ),
    (
        "snowflake",
        "SELECT IFF(age > 30, 'old', 'young') AS g, AVG(income) AS m FROM persons GROUP BY g",
        "SELECT CASE WHEN age > 30 THEN 'old' ELSE 'young' END AS g, AVG(income) AS m"
        " FROM persons GROUP BY g",
    ),
    (
        "tsql",
        "SELECT TOP 2 city AS c, COUNT(*) AS n FROM persons GROUP BY city ORDER BY SUM(age) DESC",
        "SELECT city AS c, COUNT(*) AS n FROM persons GROUP BY city ORDER BY SUM(age) DESC LIMIT 2",
    ),
    (
        "postgres",
        "SELECT city AS c, COUNT(*) AS n FROM persons GROUP BY city ORDER BY SUM(age) DESC"
        " OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY",
        "SELECT city AS c, COUNT(*) AS n FROM persons GROUP BY city ORDER BY SUM(age) DESC"
        " LIMIT 2 OFFSET 1",
    ),
    (
        "spark",
        "SELECT kind AS k, COUNT(DISTINCT pid) AS n FROM events WHERE kind RLIKE 'x' IS NULL"
        " OR n > 0 GROUP BY kind",
        None,
    ),
    (
        "sqlite",
        "SELECT city AS c, COUNT(*) AS n FROM persons WHERE city IS NOT 'Aix' GROUP BY city",
        None,
    ),
]


@pytest.mark.parametrize(("dialect", "text", "same"), DIALECTS)
def test_other_dialects(dialect, text, same, wide_session, plain_duckdb):
    try:
        answer = wide_session.query(text, dialect=dialect)
    except InternalError:
        raise
    except Error:
        assert same is None, "refused"
        return
    if same is not None:
        want = plain(plain_duckdb, same, unit="pid")
        assert differences(answer, want, **plan_numbers(wide_session, same)) == []


GOOGLE = [
    (
        OPTIONS.format("epsilon=1e9, delta=1e-4, max_groups_contributed=4")
        + "kind AS k, COUNT(*) AS n FROM visits GROUP BY kind",
        "SELECT kind AS k, COUNT(*) AS n FROM visits GROUP BY kind",
    ),
    (
        OPTIONS.format("max_rows_contributed=12, group_selection_strategy=PUBLIC_GROUPS")
        + "kind AS k, SUM(cost) AS s FROM visits GROUP BY kind",
        "SELECT kind AS k, SUM(cost) AS s FROM visits GROUP BY kind",
    ),
    (
        OPTIONS.format("min_privacy_units_per_group=10")
        + "city AS c, AVG(age) AS a FROM persons GROUP BY city",
        "SELECT city AS c, AVG(age) AS a FROM persons GROUP BY city",
    ),
    (
        OPTIONS.format("")
        + "SUM(x, contribution_bounds_per_row => (-10, 10)) AS s, COUNT(*) AS n FROM events",
        "SELECT SUM(CASE WHEN x > 10 THEN 10 WHEN x < -10 THEN -10 ELSE x END) AS s,"
        " COUNT(*) AS n FROM events",
    ),
    (
        "SELECT t.k FROM ("
        + OPTIONS.format("epsilon=1e9")
        + "kind AS k, COUNT(*) AS n FROM visits GROUP BY kind) t WHERE t.n > 100 ORDER BY t.k",
        "SELECT t.k FROM (SELECT kind AS k, COUNT(*) AS n FROM visits GROUP BY kind) t"
        " WHERE t.n > 100 ORDER BY t.k",
    ),
]


@pytest.mark.parametrize(("text", "same"), GOOGLE)
def test_google_options(text, same, wide_session, plain_duckdb):
    answer = wide_session.query(text)
    want = plain(plain_duckdb, same, unit="pid")
    assert differences(answer, want, **plan_numbers(wide_session, same)) == []


@pytest.mark.parametrize(
    "options",
    [
        "epsilon=0",
        "epsilon=-1",
        "epsilon=1e10",
        "epsilon='nan'",
        "epsilon=1, epsilon=1",
        "delta=1",
        "max_groups_contributed=0",
        "max_groups_contributed=2.5",
        "max_groups_contributed=-3",
        "min_privacy_units_per_group=-1",
        "group_selection_strategy=NONE",
        "group_selection_strategy=PUBLIC_GROUPS",
        "lower=0",
        "epsilon=(SELECT COUNT(*) FROM persons)",
        "epsilon=age",
        "epsilon",
    ],
)
def test_bad_options(options, wide_session):
    before = wide_session.ledger.spent(wide_session.budget_spec.key)
    with pytest.raises(Error) as caught:
        wide_session.query(OPTIONS.format(options) + "city, COUNT(*) FROM persons GROUP BY city")
    assert not isinstance(caught.value, InternalError)
    assert wide_session.ledger.spent(wide_session.budget_spec.key) == before


@pytest.mark.parametrize(
    "options", ["max_groups_contributed=1000000", "max_rows_contributed=99999"]
)
def test_options_only_tighten(options, wide_session):
    """The owner's bounds hold whatever the analyst asks."""
    text = OPTIONS.format(options) + "n, COUNT(*) FROM events GROUP BY n"
    report = wide_session.query(text).privacy.releases[0]
    assert report.max_groups <= 40
    assert report.max_rows_per_group <= 40


PARAMETERS = [
    ("SELECT COUNT(*) FROM persons WHERE age > ? AND city = ?", [30, "Aix"]),
    ("SELECT COUNT(*) FROM persons WHERE born < ?", [dt.date(2001, 1, 1)]),
    ("SELECT COUNT(*) FROM visits WHERE seen < ?", [dt.datetime(2020, 6, 1, 12)]),
    ("SELECT COUNT(*) FROM visits WHERE cost > ?", [Decimal("100.25")]),
    ("SELECT COUNT(*) FROM persons WHERE income < ?", [99.5]),
    ("SELECT COUNT(*) FROM persons WHERE vip = ?", [True]),
    ("SELECT SUM(n * ?) FROM events", [3]),
    ("SELECT city, COUNT(*) FROM persons GROUP BY city HAVING COUNT(*) > ? LIMIT ?", [5, 100]),
]


@pytest.mark.parametrize(("text", "values"), PARAMETERS)
def test_parameters(text, values, wide_session, plain_duckdb):
    answer = wide_session.query(text, values)
    want = plain(plain_duckdb, text, values, unit="pid")
    want.names = list(answer.names)  # DuckDB names `?` as it likes
    assert differences(answer, want, **plan_numbers(wide_session, text, values)) == []


@pytest.mark.parametrize(
    "value",
    ["NaN", [], b"x", 10**400, {"a": {"b": 1}}, object(), float("nan"), float("inf"), "x\0y", None],
)
def test_odd_parameters(value, wide_session):
    """Typed validation: an answer or one of our refusals, never a fault (hostile bad-425)."""
    for text in (
        "SELECT COUNT(*) FROM persons WHERE city = ?",
        "SELECT COUNT(*) FROM persons WHERE age > ?",
        "SELECT COUNT(*) FROM persons WHERE age IN (?)",
    ):
        try:
            wide_session.query(text, [value])
        except InternalError:
            raise
        except Error:
            pass


@pytest.mark.parametrize("given", [[], [1, 2], {"a": 1}, None, "x", 5])
def test_parameters_that_do_not_fit(given, wide_session):
    with pytest.raises(Error) as caught:
        wide_session.query("SELECT COUNT(*) FROM persons WHERE age > ?", given)
    assert not isinstance(caught.value, InternalError)
