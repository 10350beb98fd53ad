"""The same rows as a DuckDB table, as Parquet, CSV and Hive folders give equal bounded integers."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, closing

import files_world as world
import pytest

from dpsql.errors import Error, InternalError
from dpsql.session import Session

GOOD = [json.loads(line) for line in (world.CASES / "good.jsonl").read_text().splitlines()]
KINDS = ("parquet", "csv", "hive", "hive_csv")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    yield from opened(tmp_path_factory.mktemp("files"), world.build())


@pytest.fixture(scope="module")
def odd_sessions(tmp_path_factory):
    """Over rows with NaN, infinities, NULL units, ids of 2^63 - 1 and empty texts."""
    yield from opened(tmp_path_factory.mktemp("odd"), world.build(100, 7, True))


def opened(folder, tables):
    world.write(folder, tables)
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(closing(Session(world.policy(folder, kind), "analyst")))
            for kind in ("duckdb", *KINDS)
        }


def texts(session, case):
    """The bounded statements of a case, and none that take values of releases."""
    with session.engine.snapshot():
        prepared = session.prepare(
            case["sql"], case.get("params"), dialect="duckdb", asked=session.asked_for(None, None)
        )
        return [sql for one in prepared.certified for sql in one.texts if "$" not in sql]


def rows(session, sql):
    with session.engine.snapshot():
        table = session.engine.fetch(sql)
    return sorted(map(repr, zip(*(c.to_pylist() for c in table.columns), strict=True)))


QUICK = [case for case in GOOD if case["tier"] == 1][::2]
LONG = [case for case in GOOD if case not in QUICK]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case["id"])
def test_bounded_integers_are_those_of_the_table(case, sessions):
    """One statement, one salt, five places. The statement of CSV's is run on the table, too."""
    compare(case, sessions)


@pytest.mark.slow
@pytest.mark.parametrize("case", LONG, ids=lambda case: case["id"])
def test_bounded_integers_are_those_of_the_table_at_length(case, sessions):
    compare(case, sessions)


def compare(case, sessions):
    try:
        sent = {"duckdb": texts(sessions["duckdb"], case), "csv": texts(sessions["csv"], case)}
    except InternalError:
        raise
    except Error:
        with pytest.raises(Error):
            texts(sessions["parquet"], case)
        return
    assert len(sent["csv"]) == len(sent["duckdb"])
    for sql in sent["duckdb"]:
        assert "read_" not in sql
        want = rows(sessions["duckdb"], sql)
        for kind in KINDS:
            assert rows(sessions[kind], sql) == want, kind
    for sql in sent["csv"]:
        assert rows(sessions["csv"], sql) == rows(sessions["duckdb"], sql)


TOTAL = [
    "SELECT COUNT(*), SUM(amount) FROM orders",
    "SELECT SUM(CAST(amount AS BIGINT) % 7) FROM orders WHERE 1 / amount > 0 OR amount IS NULL",
    "SELECT SUM(LEAST(GREATEST(SQRT(amount - 100), 0), 50)),"
    " SUM(LEAST(GREATEST(LN(amount), 0), 9)) FROM orders WHERE amount > -5",
    "SELECT AVG(income), VAR_POP(income) FROM users",
    "SELECT SUM(TRY_CAST(city AS INTEGER) % 5), COUNT(TRY_CAST(city AS DATE)) FROM users",
    "SELECT EXTRACT(year FROM ts) AS y, COUNT(*) FROM orders GROUP BY y",
    "SELECT COUNT(*) FROM users WHERE income > 1e300 OR ABS(income) < 1e-300",
    "SELECT city, COUNT(DISTINCT user_id) FROM users GROUP BY city",
    "SELECT LENGTH(city) % 3 AS k, SUM(age) FROM users GROUP BY k",
    "SELECT MEDIAN(income) FROM users",
    "SELECT SUM(o.amount) FROM orders o JOIN users u USING (user_id)"
    " WHERE u.age / (u.age - 30) > 1",
    "SELECT SUM(date_diff('day', u.signup, CAST(o.ts AS DATE)) % 9) FROM orders o JOIN users u"
    " USING (user_id)",
    "SELECT COUNT(*) FROM users WHERE city LIKE '%e%' AND SUBSTR(city, -2, 1) <> 'x'",
]


@pytest.mark.parametrize("sql", TOTAL)
def test_total_forms_give_the_same_on_odd_rows(sql, odd_sessions):
    """No row raises in any of them, and what would have raised is NULL alike."""
    sent = texts(odd_sessions["duckdb"], {"sql": sql})
    assert sent
    for text in sent:
        want = rows(odd_sessions["duckdb"], text)
        for kind in KINDS:
            assert rows(odd_sessions[kind], text) == want, kind


def test_most_cases_are_compared(sessions):
    compared = 0
    for case in GOOD[::5]:
        try:
            compared += bool(texts(sessions["duckdb"], case))
        except Error:
            continue
    assert compared >= 20


def test_answers_name_the_columns_as_the_table_does(sessions):
    for sql in (
        "SELECT COUNT(*), SUM(amount) FROM orders",
        "SELECT city, AVG(age) FROM users GROUP BY 1",
    ):
        names = {kind: session.query(sql).names for kind, session in sessions.items()}
        assert len(set(names.values())) == 1


def test_no_row_of_a_file_is_in_what_analysts_see_of_a_table(sessions):
    told = {kind: re.sub(r"@\w+", "", s.data_version) for kind, s in sessions.items()}
    assert len(set(told.values())) == 1
    assert len({session.data_version for session in sessions.values()}) == len(sessions)
