"""What goes wrong on PostgreSQL: in plain words of our own, the charge as the rules say.

Nothing is created in the database and a role with SELECT is enough. What the server says is for
the owner's log alone, and a password is not even there.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import postgres_server
import postgres_world
import psycopg2
import pytest

from dpsql.dialects.postgres import PostgresEngine
from dpsql.errors import EngineFailed, Error, PolicyError
from dpsql.owner_log import OWNER_LOG
from dpsql.policy import load

POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "default": {"epsilon": 100, "delta": "1e-3"},
    },
    "bounds": {"max_groups": 3, "max_rows_per_group": 2},
    "tables": {"t": {"unit": "id", "columns": {"n": {"min": 0, "max": 10}}}},
}
SQL = "SELECT COUNT(*), SUM(n) FROM t"
CONSTANT = "the database could not answer this query"


def execute(url, *statements):
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def url(server):
    made = server.database()
    execute(
        made,
        "CREATE TABLE t(id BIGINT, n INT)",
        "INSERT INTO t SELECT i % 50, i % 11 FROM generate_series(1, 500) s(i)",
    )
    return made


@pytest.fixture
def session(url):
    with closing(postgres_world.session(POLICY, url)) as opened:
        yield opened


@contextmanager
def owner_log():
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    OWNER_LOG.addHandler(handler)
    try:
        yield lines
    finally:
        OWNER_LOG.removeHandler(handler)


def spent(session):
    return session.budget().spent


# ---- rights ----------------------------------------------------------------------------------


def test_a_role_that_may_select_is_enough(server, url):
    role = f"reader_{os.getpid()}_{time.monotonic_ns()}"
    execute(url, f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON t TO {role}")
    with closing(postgres_world.session(POLICY, postgres_server.as_user(url, role))) as session:
        assert session.query(SQL).table.num_rows == 1
    relations = "SELECT COUNT(*) FROM pg_class WHERE relnamespace::regnamespace::text IN ('public')"
    assert execute(url, relations) == [(1,)]
    execute(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_table_without_rights_is_not_there(server, url):
    role = f"reader_{os.getpid()}_{time.monotonic_ns()}"
    execute(url, f"CREATE ROLE {role} LOGIN")
    with pytest.raises(PolicyError) as caught:
        postgres_world.session(POLICY, postgres_server.as_user(url, role))
    assert "t" in caught.value.message
    execute(url, f"DROP ROLE {role}")


def test_a_policy_on_rows_is_an_error_before_any_charge(server, url):
    """Which rows it shows could depend on anything: then nobody can say what was counted."""
    role = f"reader_{os.getpid()}_{time.monotonic_ns()}"
    execute(
        url,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT SELECT ON t TO {role}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (n > 3)",
    )
    with closing(postgres_world.session(POLICY, postgres_server.as_user(url, role))) as session:
        before = spent(session)
        with pytest.raises(EngineFailed) as caught:
            session.query(SQL)
        assert caught.value.code == "engine-open"
        assert "policy on rows" in caught.value.hint
        assert spent(session) == before
    execute(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_session_can_write_nothing(session):
    engine = session.engine
    for text in ("INSERT INTO public.t VALUES (1, 1)", "CREATE TEMP TABLE x(a INT)"):
        with pytest.raises(EngineFailed) as caught:
            engine.fetch(text)
        assert CONSTANT in str(caught.value)
    assert engine.fetch("SELECT COUNT(*) AS n FROM public.t").column(0)[0].as_py() == 500


def test_settings_are_ours_whatever_the_roles_are(server, url):
    name = urlsplit(url).path[1:]
    execute(
        url,
        f"ALTER DATABASE {name} SET search_path = 'nowhere'",
        f"ALTER DATABASE {name} SET standard_conforming_strings = off",
        f"ALTER DATABASE {name} SET DateStyle = 'German'",
        f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'",
        f"ALTER DATABASE {name} SET extra_float_digits = -10",
    )
    engine = PostgresEngine.open(url)
    found = engine.fetch(
        "SELECT current_setting('search_path') AS a, current_setting('TimeZone') AS b,"
        " CAST(DATE '2020-01-31' AS TEXT) AS c, 'a\\b' AS d, 0.1::float8 + 0.2 AS e"
    ).to_pylist()
    engine.close()
    assert found == [
        {"a": "pg_catalog, pg_temp", "b": "UTC", "c": "2020-01-31", "d": "a\\b", "e": 0.1 + 0.2}
    ]


# ---- connections -----------------------------------------------------------------------------


def test_a_connection_lost_between_queries_is_opened_anew(session, url):
    session.query(SQL)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dpsql'"
    execute(url, kill + " AND datname = current_database()")
    assert session.query(SQL).table.num_rows == 1


def test_a_connection_lost_in_mid_query_is_charged_and_said_in_our_words(session, url, monkeypatch):
    """From the charge on nothing is given back: rows may have been read."""
    real = session.engine.fetch

    def slow(sql, **more):
        pid = session.engine._connection.get_backend_pid()
        kill = threading.Timer(0.3, execute, (url, f"SELECT pg_terminate_backend({pid})"))
        kill.start()
        try:
            return real("SELECT pg_sleep(5)", **more)
        finally:
            kill.join()

    monkeypatch.setattr(session.engine, "fetch", slow)
    before = spent(session)
    with owner_log() as lines, pytest.raises(EngineFailed) as caught:
        session.query(SQL)
    assert caught.value.message == CONSTANT
    assert "terminat" not in str(caught.value)
    assert any("terminat" in line for line in lines)
    assert spent(session) > before
    monkeypatch.undo()
    assert session.query(SQL).table.num_rows == 1


def test_a_server_that_is_gone_charges_nothing_and_comes_back(request):
    with postgres_server.running("16") as server:
        if server.folder is None:
            pytest.skip("this server is not ours to stop")
        url = server.database()
        execute(url, "CREATE TABLE t(id BIGINT, n INT)")
        with closing(postgres_world.session(POLICY, url)) as session:
            session.query(SQL)
            before = spent(session)
            server.stop()
            with pytest.raises(EngineFailed) as caught:
                session.query(SQL)
            assert caught.value.code == "engine-missing"
            assert str(server.folder) not in str(caught.value)
            assert spent(session) == before
            server.start()
            assert session.query(SQL).table.num_rows == 1


def test_the_time_limit_stops_the_server_and_is_said_as_any_failure(session):
    started = time.monotonic()
    with pytest.raises(EngineFailed) as caught:
        session.engine.fetch("SELECT pg_sleep(30)", timeout=0.3)
    assert time.monotonic() - started < 5
    assert caught.value.message == CONSTANT
    assert session.engine.fetch("SELECT 1 AS a").num_rows == 1


def test_ctrl_c_stops_the_statement_in_the_server(session, url):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.engine.fetch("SELECT pg_sleep(30)")
    assert time.monotonic() - started < 5
    running = "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%'"
    assert execute(url, running + " AND state = 'active' AND application_name = 'dpsql'") == [(0,)]
    assert session.engine.fetch("SELECT 1 AS a").num_rows == 1


# ---- schema ----------------------------------------------------------------------------------


def test_a_table_is_held_while_a_query_runs(session, url):
    """ALTER waits: what was checked is what runs."""
    session.engine.catalog()
    alter = ("SET lock_timeout = '200ms'", "ALTER TABLE t ALTER n TYPE TEXT")
    with session.engine.snapshot(), pytest.raises(psycopg2.errors.LockNotAvailable):
        execute(url, *alter)
    execute(url, "ALTER TABLE t ALTER n TYPE TEXT")


def test_a_table_that_cannot_be_locked_leaves_the_others_held(url):
    """A materialized view takes no lock: ALTER of a table beside it waits all the same."""
    execute(url, "CREATE MATERIALIZED VIEW seen AS SELECT 1 AS id")
    engine = PostgresEngine.open(url, watched=["seen", "t"])
    engine.catalog()
    alter = ("SET lock_timeout = '200ms'", "ALTER TABLE t ALTER n TYPE TEXT")
    try:
        with engine.snapshot(), pytest.raises(psycopg2.errors.LockNotAvailable):
            execute(url, *alter)
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("DROP TABLE t", "unknown-table table-missing"),
        ("ALTER TABLE t RENAME n TO m", "unknown-column column-missing"),
        ("ALTER TABLE t DROP COLUMN id", "column-missing unit-missing unknown-column"),
    ],
)
def test_a_table_that_changed_since_is_told_before_any_charge(change, code, session, url):
    session.query(SQL)
    before = spent(session)
    execute(url, change)
    with pytest.raises(Error) as caught:
        session.query(SQL)
    assert caught.value.code in code.split()
    assert spent(session) == before


def test_one_snapshot_a_query(session, url):
    with session.engine.snapshot():
        one = session.engine.fetch("SELECT COUNT(*) AS n FROM public.t").column(0)[0].as_py()
        execute(url, "INSERT INTO t VALUES (1000, 1)")
        two = session.engine.fetch("SELECT COUNT(*) AS n FROM public.t").column(0)[0].as_py()
    assert one == two == 500
    assert session.engine.fetch("SELECT COUNT(*) AS n FROM public.t").column(0)[0].as_py() == 501


# ---- what is said of connections -------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://eve:hunter2@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?password=hunter2",
        "postgresql://eve:hunter2%zz@127.0.0.1:1/db",
        "postgresql://eve:hunter2@127.0.0.1:1/db?sslmode=nonsense",
    ],
)
def test_a_password_is_in_no_error_and_in_no_log(url):
    with owner_log() as lines, pytest.raises((EngineFailed, PolicyError)) as caught:
        PostgresEngine.open(url)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    assert not any("hunter2" in line for line in lines)


def test_both_spellings_of_the_scheme(session):
    for scheme in ("postgres", "postgresql"):
        policy = load({**POLICY, "database": f"{scheme}://host/db"})
        assert policy.database is not None
        assert policy.database.engine == "postgresql"


def test_identity_is_the_databases(session, url, server):
    """However it is reached; another database of the server is another."""
    again = PostgresEngine.open(url + "&application_name=other")
    assert again.identity == session.engine.identity
    again.close()
    other = PostgresEngine.open(server.database())
    assert other.identity != session.engine.identity
    other.close()
