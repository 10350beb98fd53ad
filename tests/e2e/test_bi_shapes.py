"""What BI tools send (issue 6, point 6): each shape of bi.jsonl meets its fate.

`answered`: at a huge ε it equals plain DuckDB's answer to `sql` (or to `plain`, where the tool's
dialect is not DuckDB's); `metadata`: from policy and schema alone, free; `chain`: answered, or
refused with that code for as long as releases feed no later query; else the code of the refusal.
"""

from __future__ import annotations

from contextlib import closing

import duckdb
import e2e_world as world
import pytest
from e2e_compare import differences, plain, plan_numbers

from dpsql.errors import BudgetExceeded, Error, InternalError
from dpsql.session import Session

SHAPES = {case["id"]: case for case in world.cases("bi.jsonl")}
FREE = {name: case for name, case in SHAPES.items() if case["fate"] == "metadata"}
ANSWERED = {name: case for name, case in SHAPES.items() if case["fate"] in ("answered", "chain")}
REFUSED = {n: c for n, c in SHAPES.items() if n not in FREE and n not in ANSWERED}


@pytest.fixture(scope="module")
def clean(cases_data):
    connection = duckdb.connect(":memory:")
    world.fill(connection, *cases_data)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def session(clean):
    with closing(world.memory_session(clean, epsilon=10**9)) as opened:
        yield opened


def rows(answer):
    columns = [column.to_pylist() for column in answer.table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def test_every_tool_is_there():
    tools = {name.split("-")[0] for name in SHAPES}
    assert {"superset", "metabase", "tableau", "powerbi", "pandas", "dbeaver"} <= tools
    assert all(case["source"] for case in SHAPES.values())


@pytest.mark.parametrize("name", ANSWERED)
def test_it_is_answered_and_right(name, session, clean):
    case = ANSWERED[name]
    dialect = case.get("dialect", "duckdb")
    try:
        answer = session.query(case["sql"], dialect=dialect)
    except Error as refusal:
        if (case["fate"], refusal.code) == ("chain", "chain"):
            return
        raise
    sql = case.get("plain", case["sql"])
    want = plain(clean, sql)
    assert want.rows, "a shape that meets no row shows nothing"
    assert differences(answer, want, **plan_numbers(session, sql)) == []
    assert answer.privacy.epsilon > 0 or not answer.privacy.releases[0].events


# ---- free --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FREE)
def test_metadata_is_free_and_reads_no_row(name, session, monkeypatch):
    case = FREE[name]

    def read(*args, **kwargs):
        raise AssertionError("the database was asked")

    monkeypatch.setattr(session.engine, "fetch", read)
    answer = session.query(case["sql"], dialect=case.get("dialect", "duckdb"))
    assert answer.privacy.epsilon == answer.privacy.delta == 0
    assert answer.privacy.releases == ()
    if case["rows"] is not None:
        assert rows(answer) == case["rows"]


def test_probes_name_and_type_the_columns(session):
    answer = session.query("SELECT *, income > 5 AS rich FROM users WHERE 1 = 0")
    assert answer.names == ("user_id", "age", "income", "city", "signup", "rich")
    assert answer.types == ("BIGINT", "INTEGER", "DOUBLE", "VARCHAR", "DATE", "BOOLEAN")
    assert answer.table.num_rows == 0


def test_the_aggregate_of_nobody_is_one_row_and_paid(session):
    """COUNT(*) WHERE FALSE is no probe: plain SQL has a row there."""
    answer = session.query("SELECT COUNT(*) FROM users WHERE 1 = 0")
    assert rows(answer) == [[0]]
    assert answer.privacy.epsilon > 0


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT nosuch FROM users LIMIT 0", "unknown-column"),
        ("SELECT x FROM nosuch LIMIT 0", "unknown-table"),
        ("SELECT city, MODE(age) FROM users GROUP BY city LIMIT 0", "unsupported-aggregate"),
        ("SELECT getenv('HOME') FROM users LIMIT 0", "unsupported-function"),
        ("SELECT age FROM users WHERE 1 = 1", "row-output"),
        ("SELECT age FROM users WHERE age <> age", "row-output"),
        ("SELECT age FROM users WHERE '1' <> '01'", "row-output"),
        ("SELECT age FROM users WHERE FALSE OR age > 3", "row-output"),
        ("SELECT age FROM users LIMIT 1", "row-output"),
        ("SELECT age FROM users UNION ALL SELECT age FROM users WHERE 1 = 0", "row-output"),
        ("SELECT * FROM (SELECT age FROM users LIMIT 0) t", "unsupported-clause"),
        ("DESCRIBE nosuch", "unknown-table"),
        ("SELECT * FROM information_schema.tables t, users u", "unsupported-from"),
        (
            "SELECT COUNT(*) FROM users WHERE city IN"
            " (SELECT table_name FROM information_schema.tables)",
            "unsupported-from",
        ),
        ("SELECT version(), COUNT(*) FROM users", "unsupported-function"),
        ("SELECT COUNT(*) FROM users WHERE city = current_user", "unsupported-function"),
    ],
)
def test_what_is_no_probe_and_no_catalog_question(sql, code, session):
    with pytest.raises(Error) as problem:
        session.query(sql)
    assert problem.value.code == code


def test_hidden_and_undeclared_names_are_in_no_view(clean):
    clean.execute("CREATE TABLE undeclared (x INTEGER)")
    policy = world.policy_dict()
    policy["tables"]["users"]["columns"]["income"] = {"hidden": True}
    try:
        with closing(world.memory_session(clean, policy)) as session:
            told = [
                rows(session.query(sql))
                for sql in (
                    "SELECT * FROM information_schema.tables",
                    "SELECT * FROM information_schema.columns",
                    "SELECT * FROM information_schema.key_column_usage",
                    "SHOW ALL TABLES",
                    "DESCRIBE users",
                    "SELECT * FROM pg_catalog.pg_tables",
                )
            ]
            assert "income" not in session.query("SELECT * FROM users LIMIT 0").names
            with pytest.raises(Error) as problem:
                session.query("SELECT income FROM users LIMIT 0")
            assert problem.value.code == "unknown-column"
            with pytest.raises(Error):
                session.query("SELECT * FROM undeclared LIMIT 0")
    finally:
        clean.execute("DROP TABLE undeclared")
    text = repr(told)
    assert "age" in text
    assert "income" not in text
    assert "undeclared" not in text


def test_no_answer_about_tables_depends_on_a_row(small):
    """The same with people, and with nobody in the database."""
    told = []
    for data in (small, ([], [], small[2])):
        connection = duckdb.connect(":memory:")
        world.fill(connection, *data)
        with closing(world.memory_session(connection)) as session:
            told.append([rows(session.query(case["sql"])) for case in FREE.values()])
        connection.close()
    assert told[0] == told[1]


KEYS = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, age INTEGER NOT NULL,
                    mail VARCHAR NOT NULL UNIQUE);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (user_id),
                     amount DECIMAL(8, 2), ts TIMESTAMP);
"""
KEY_QUESTIONS = (
    "SELECT * FROM information_schema.columns ORDER BY ALL",
    "SELECT constraint_name, constraint_type, table_name FROM information_schema.table_constraints"
    " WHERE constraint_type <> 'CHECK' ORDER BY ALL",
    "SELECT constraint_name, table_name, column_name, ordinal_position,"
    " position_in_unique_constraint FROM information_schema.key_column_usage ORDER BY ALL",
    "SELECT constraint_name, unique_constraint_name FROM information_schema.referential_constraints"
    " ORDER BY ALL",
    "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY ALL",
    "SELECT tablename, hasindexes FROM pg_catalog.pg_tables ORDER BY ALL",
    "DESCRIBE orders",
    "SHOW TABLES",
)


@pytest.mark.parametrize("sql", KEY_QUESTIONS)
def test_the_views_say_what_duckdb_says(sql):
    """Of tables that are declared whole, but for the database's name and what is read-only."""
    policy = {
        "version": 1,
        "unit": "user",
        "budgets": {"per_query": {"epsilon": 1}, "default": {"epsilon": 1, "delta": "1e-6"}},
        "tables": {
            "users": {"unit": "user_id"},
            "orders": {"unit": "user_id -> users.user_id"},
        },
    }
    connection = duckdb.connect(":memory:")
    connection.execute(KEYS)
    want = connection.execute(sql)
    names = tuple(column[0] for column in want.description)
    expected = [list(row) for row in want.fetchall()]
    with closing(world.memory_session(connection, policy)) as session:
        answer = session.query(sql)
    connection.close()
    own = {"memory": "dpsql"}
    assert answer.names == names
    assert rows(answer) == [[own.get(value, value) for value in row] for row in expected]


# ---- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_politely(name, session, monkeypatch):
    case = REFUSED[name]

    def read(*args, **kwargs):
        raise AssertionError("the database was asked")

    monkeypatch.setattr(session.engine, "fetch", read)
    with pytest.raises(Error) as problem:
        session.query(case["sql"], dialect=case.get("dialect", "duckdb"))
    assert not isinstance(problem.value, (InternalError, BudgetExceeded))
    assert problem.value.code == case["fate"]
    assert problem.value.hint, "a refusal says what to do instead"


# ---- the same release --------------------------------------------------------------------------

BASE = "SELECT city, COUNT(*) AS n, AVG(income) AS a FROM users GROUP BY city"
SAME = (
    BASE + " ORDER BY n DESC LIMIT 1000",
    BASE + " ORDER BY a LIMIT 3 OFFSET 2",
    BASE + " LIMIT 1",
    f"SELECT * FROM ({BASE}) AS virtual_table ORDER BY n DESC LIMIT 1001",
    f"SELECT city FROM ({BASE}) AS q WHERE n > 10",
    f"SELECT COUNT(*) AS rowcount FROM ({BASE} LIMIT 1000) AS rowcount_qry",
    f"WITH q AS ({BASE}) SELECT a, n FROM q ORDER BY 1",
    'SELECT "users"."city" AS "City", AVG("users"."income") AS "avg", COUNT(*) AS "count"'
    ' FROM "main"."users" GROUP BY "users"."city" ORDER BY "count" DESC',
    BASE + " HAVING COUNT(*) > 10",
    BASE + " LIMIT 0",
)


@pytest.fixture(scope="module")
def storing(small):
    connection = duckdb.connect(":memory:")
    world.fill(connection, *small)
    policy = world.policy_dict() | {"releases": {"reuse": "budget"}}
    with closing(world.memory_session(connection, policy, epsilon=1)) as opened:
        yield opened
    connection.close()


@pytest.mark.parametrize("sql", SAME)
def test_what_stands_outside_is_the_same_release(sql, storing):
    first = storing.query(BASE)
    by_city = {row[0]: row[1:] for row in rows(first)}
    again = storing.query(sql)
    assert again.privacy.epsilon == again.privacy.delta == 0
    shown = {name.casefold(): index for index, name in enumerate(again.names)}
    for row in rows(again):
        if "city" in shown and {"n", "count"} & set(shown):
            count = row[shown.get("n", shown.get("count"))]
            assert count == by_city[row[shown["city"]]][0]


def test_another_question_is_another_release(storing):
    storing.query(BASE)
    other = storing.query(BASE.replace("FROM users", "FROM users WHERE age > 30"))
    assert other.privacy.epsilon > 0


def test_sent_twice_it_is_paid_once(small):
    """Superset sends the SQL of a virtual dataset twice, with LIMIT 1."""
    connection = duckdb.connect(":memory:")
    world.fill(connection, *small)
    policy = world.policy_dict() | {"releases": {"reuse": "budget"}}
    with closing(world.memory_session(connection, policy, epsilon=1)) as session:
        paid = [session.query(BASE + " LIMIT 1").privacy.epsilon for _ in range(2)]
        assert paid == [1, 0]
        assert isinstance(session, Session)
    connection.close()
