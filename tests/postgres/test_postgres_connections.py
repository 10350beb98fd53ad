"""Connections that go, servers that start again, tables that change meanwhile, extreme shapes,
tenants, threads and forks: errors of ours, nothing lost, charges as the rules say.

Before the charge what goes wrong is free; from the charge on it is one constant failure and stays
charged; and the session answers again as soon as it can. (DuckDB: e2e/test_moving_schemas.py and
e2e/test_duckdb_connections.py.)
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
import time
from contextlib import closing

import postgres_server
import postgres_world
import psycopg2
import pytest

from dpsql.dialects import engine
from dpsql.dialects.postgres import PostgresEngine
from dpsql.errors import EngineFailed, Error, InternalError, LedgerError
from dpsql.ledger import Ledger
from dpsql.pipeline import execute
from dpsql.session import Session

PRICE = {"epsilon": 10**9, "delta": "1e-3"}
KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'dpsql' AND datname = current_database()"
)


def policy(tables, **more):
    return {
        "version": 1,
        "unit": "person",
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": PRICE,
            "max_per_query": PRICE,
            "default": {"epsilon": 10**12, "delta": "0.9"},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 5},
        "tables": tables,
        **more,
    }


RULES = policy({"t": {"unit": "pid", "columns": {"x": {"min": 0, "max": 9}}}})
BACK = (
    "DROP TABLE IF EXISTS t CASCADE",
    "CREATE TABLE t(pid BIGINT, x INT)",
    "INSERT INTO t SELECT i, 3 FROM generate_series(1, 50) s(i)",
)


def execute_sql(url, *statements):
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def first(session, sql):
    return session.query(sql).table.column(0).to_pylist()[0]


def charges(session):
    return sum(entry.kind == "charge" for entry in session.ledger.entries())


def outcomes(session):
    return [e.body["outcome"] for e in session.ledger.entries() if e.kind == "outcome"]


@pytest.fixture
def url(server):
    made = server.database()
    execute_sql(made, *BACK)
    return made


@pytest.fixture
def session(url):
    with closing(postgres_world.session(RULES, url)) as opened:
        yield opened


# ---- servers that start again ------------------------------------------------------------------


def test_a_server_that_starts_again_in_mid_query(monkeypatch):
    """Charged and not answered; the same session answers when the server is back."""
    with postgres_server.running("16") as server:
        if server.folder is None:
            pytest.skip("this server is not ours to stop")
        url = server.database()
        execute_sql(url, *BACK)
        with closing(postgres_world.session(RULES, url)) as session:
            real = session.engine.fetch

            def slow(sql, **more):
                stopping = threading.Timer(0.3, server.stop)
                stopping.start()
                try:
                    return real("SELECT pg_sleep(20)", **more)
                finally:
                    stopping.join()

            monkeypatch.setattr(session.engine, "fetch", slow)
            with pytest.raises(EngineFailed) as caught:
                session.query("SELECT SUM(x) FROM t")
            assert caught.value.message == engine.FAILED
            assert (charges(session), outcomes(session)) == (1, ["failed"])
            monkeypatch.undo()
            server.start()
            assert first(session, "SELECT SUM(x) FROM t") == 150
            assert session.ledger.verify().ok


# ---- tables that change ------------------------------------------------------------------------

CHANGES = {
    "another type": "ALTER TABLE t ALTER x TYPE TEXT",
    "another unit type": "ALTER TABLE t ALTER pid TYPE DOUBLE PRECISION",
    "no column": "ALTER TABLE t DROP COLUMN x",
    "renamed": "ALTER TABLE t RENAME TO u",
    "a view": "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT pid, x::text AS x FROM u",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_changed_before_the_query_is_told_and_free(change, session, url):
    assert first(session, "SELECT SUM(x) FROM t") == 150
    execute_sql(url, CHANGES[change])
    with pytest.raises(Error) as caught:
        session.query("SELECT SUM(x) FROM t")
    assert not isinstance(caught.value, InternalError), caught.value
    assert charges(session) == 1
    execute_sql(url, "DROP VIEW IF EXISTS t" if change == "a view" else "SELECT 1", *BACK)
    assert first(session, "SELECT SUM(x) FROM t") == 150


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_changes_between_charge_and_query(change, session, url, monkeypatch):
    """What was checked is what runs: ALTER waits until the snapshot ends."""
    real, refused = execute.run, []

    def late(certified, engine, **options):
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            execute_sql(url, "SET lock_timeout = '100ms'", CHANGES[change])
        refused.append(change)
        return real(certified, engine, **options)

    monkeypatch.setattr(execute, "run", late)
    assert first(session, "SELECT SUM(x) FROM t") == 150
    assert refused == [change]


def test_what_cannot_be_locked_is_held_by_being_bound(url, monkeypatch):
    """A materialized view takes no LOCK TABLE; planning it before the charge holds it as well."""
    execute_sql(url, "CREATE MATERIALIZED VIEW seen AS SELECT * FROM t")
    rules = policy({"seen": {"unit": "pid", "columns": {"x": {"min": 0, "max": 9}}}})
    real, refused = execute.run, []

    def late(certified, engine, **options):
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            execute_sql(url, "SET lock_timeout = '100ms'", "DROP MATERIALIZED VIEW seen")
        refused.append("seen")
        return real(certified, engine, **options)

    monkeypatch.setattr(execute, "run", late)
    with closing(postgres_world.session(rules, url)) as session:
        assert first(session, "SELECT SUM(x) FROM seen") == 150
    assert refused == ["seen"]


# ---- extreme shapes ----------------------------------------------------------------------------

WIDE = 1500
"""PostgreSQL's own limit is 1,600 columns."""


def test_very_wide_tables(url):
    columns = ", ".join(f"i AS c{n}" for n in range(WIDE))
    execute_sql(
        url, f"CREATE TABLE w AS SELECT i AS pid, {columns} FROM generate_series(0, 19) s(i)"
    )
    rules = policy({"w": {"unit": "pid", "columns": {f"c{WIDE - 1}": {"min": 0, "max": 100}}}})
    with closing(postgres_world.session(rules, url)) as session:
        assert first(session, f"SELECT SUM(c{WIDE - 1}) FROM w WHERE c7 < 10") == 45
        (declared,) = session.declared()
        assert len(declared.columns) == WIDE + 1


def test_keys_and_units_of_a_megabyte(url):
    """As units they are told apart; as private keys they come out whole."""
    execute_sql(
        url,
        "CREATE TABLE k AS SELECT repeat('x', 1000000) || (i % 3) AS pid,"
        " repeat('ß', 500000) AS kind, 1 AS x FROM generate_series(1, 9) s(i)",
    )
    rules = policy({"k": {"unit": "pid", "columns": {"x": {"min": 0, "max": 1}}}})
    with closing(postgres_world.session(rules, url)) as session:
        assert first(session, "SELECT COUNT(DISTINCT pid) FROM k") == 3
        assert first(session, "SELECT SUM(x) FROM k") == 9
        found = session.query("SELECT kind, COUNT(*) FROM k GROUP BY kind").table.to_pylist()
        assert [list(row.values()) for row in found] == [["ß" * 500_000, 9]]


def test_names_that_are_no_ascii(url):
    execute_sql(
        url,
        'CREATE SCHEMA "каталог"',
        'CREATE TABLE "каталог"."пациенты" AS SELECT i AS "идентификатор", i % 5 AS "größe",'
        ' 1 AS "🦆", 2 AS "a""b" FROM generate_series(0, 49) s(i)',
    )
    table = {"unit": "идентификатор", "columns": {"größe": {"min": 0, "max": 4}}}
    with closing(postgres_world.session(policy({"каталог.пациенты": table}), url)) as session:
        sql = 'SELECT SUM("größe") AS "сумма" FROM "каталог"."пациенты" WHERE "🦆" = 1'
        answer = session.query(f'{sql} AND "a""b" = 2')
        assert answer.names == ("сумма",)
        assert answer.table.column(0).to_pylist() == [100]


def test_names_of_sixty_three_bytes(url):
    """PostgreSQL cuts longer ones: a longer one in a query is no other table."""
    name = "t" + "ü" * 31
    execute_sql(url, f'CREATE TABLE "{name}" AS SELECT i AS pid FROM generate_series(1, 20) s(i)')
    with closing(postgres_world.session(policy({name: {"unit": "pid"}}), url)) as session:
        assert first(session, f'SELECT COUNT(*) FROM "{name}"') == 20
        with pytest.raises(Error) as caught:
            session.query(f'SELECT COUNT(*) FROM "{name}x"')
        assert caught.value.code == "unknown-table"
        assert charges(session) == 1


# ---- tenants, threads, pools -------------------------------------------------------------------


def test_a_schema_for_each_tenant_in_threads(url):
    """Tables of one name, a policy each; nobody reads another's, whatever the search_path."""
    for tenant in range(8):
        execute_sql(
            url,
            f"CREATE SCHEMA tenant_{tenant}",
            f"CREATE TABLE tenant_{tenant}.t AS"
            f" SELECT i AS pid FROM generate_series(1, {tenant + 10}) s(i)",
        )
    found = {}

    def work(tenant):
        rules = policy({f"tenant_{tenant}.t": {"unit": "pid"}}, database=url)
        with closing(Session(rules, "analyst")) as session:
            found[tenant] = first(session, f"SELECT COUNT(*) FROM tenant_{tenant}.t")
            for other in (f"tenant_{(tenant + 1) % 8}.t", "public.t"):
                with pytest.raises(Error) as caught:
                    session.query(f"SELECT COUNT(*) FROM {other}")
                assert caught.value.code == "unknown-table"

    in_threads(work, 8)
    assert found == {tenant: tenant + 10 for tenant in range(8)}


def in_threads(work, many):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(many)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_one_session_in_threads_while_its_connections_are_ended(session, url):
    """Answered and right, or our constant failure: one charge each, and nothing in between."""
    told, stop = [], threading.Event()

    def kill():
        while not stop.wait(0.05):
            execute_sql(url, KILL)

    def work(number):
        for turn in range(3):
            try:
                told.append(first(session, f"SELECT SUM(x) FROM t WHERE pid > -{number}{turn}"))
            except EngineFailed as error:
                told.append(error.code)

    killer = threading.Thread(target=kill)
    killer.start()
    in_threads(work, 4)
    stop.set()
    killer.join()
    assert len(told) == 12
    assert set(told) <= {150, "engine", "engine-missing"}
    assert outcomes(session).count("released") == told.count(150)
    assert charges(session) == len(outcomes(session)) <= 12
    assert first(session, "SELECT SUM(x) FROM t") == 150
    assert session.ledger.verify().ok


def test_a_pool_of_sessions_that_idled(url):
    """Every connection was ended by the server meanwhile, as firewalls and time-outs do."""
    sessions = [postgres_world.session(RULES, url) for _ in range(4)]
    for one in sessions:
        assert first(one, "SELECT SUM(x) FROM t") == 150
    execute_sql(url, KILL)
    time.sleep(0.1)
    for one in sessions:
        assert first(one, "SELECT SUM(x) FROM t") == 150
        assert charges(one) == 2
        one.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_a_connection_of_its_own(url):
    """Of one socket each would read the other's answers, and the first to end would end both."""
    opened = PostgresEngine.open(url)
    opened.catalog()
    mine = opened.fetch("SELECT pg_backend_pid() AS n").column(0)[0].as_py()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = [opened.fetch("SELECT pg_backend_pid() AS n").column(0)[0].as_py()]
            said += [opened.fetch(f"SELECT {n} AS n").column(0)[0].as_py() for n in range(50)]
            os.write(writer, repr(said).encode())
        finally:
            os._exit(0)
    os.close(writer)
    for number in range(100, 150):
        assert opened.fetch(f"SELECT {number} AS n").column(0)[0].as_py() == number
    with os.fdopen(reader) as pipe:
        theirs, *rest = eval(pipe.read())
    os.waitpid(child, 0)
    assert theirs != mine
    assert rest == list(range(50))
    assert opened.fetch("SELECT pg_backend_pid() AS n").column(0)[0].as_py() == mine
    opened.close()


# ---- encrypted connections ---------------------------------------------------------------------

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.fixture
def plain():
    """A server that offers no TLS; what it is told, byte for byte."""
    told = queue.Queue()  # the server's thread may read after the client has gone on
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        told.put(client.recv(8))
                        client.sendall(b"N")
                        told.put(client.recv(1000))

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], told


@pytest.mark.parametrize("opened", [PostgresEngine.open, Ledger.open])
def test_options_of_tls_are_libpqs(opened, plain):
    """Where the URL demands TLS and there is none, not even a role's name is sent."""
    port, told = plain
    url = f"postgresql://eve:hunter2@127.0.0.1:{port}/db?sslmode=require"
    with pytest.raises((EngineFailed, LedgerError)) as caught:
        opened(url)
    assert caught.value.code in ("engine-missing", "ledger-unreachable")
    assert [told.get(timeout=30), told.get(timeout=30)] == [SSL_REQUEST, b""]


@pytest.mark.parametrize("opened", [PostgresEngine.open, Ledger.open])
def test_a_root_certificate_that_is_not_there(opened, plain):
    """verify-full without what it verifies with: no connection, and not an unverified one."""
    port, told = plain
    url = f"postgresql://127.0.0.1:{port}/db?sslmode=verify-full&sslrootcert=/no/such/file"
    with pytest.raises((EngineFailed, LedgerError)):
        opened(url)
    assert all(b"user" not in words for words in told.queue)
