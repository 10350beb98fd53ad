"""What is PostgreSQL's own: roles and their least rights, hostile settings, strangers, writers
without the lock, standbys. Everything that a file does, too, is tested on both (`ledger_stores`).
"""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import threading
import time
from contextlib import closing
from fractions import Fraction

import ledger_stores
import postgres_server
import psycopg2
import pytest
from ledger_cases import MILLIONTH, ask, budgets, refused, rows, stored, url
from ledger_stores import schema, tables

from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger, Release, postgres_schema, process
from dpsql.ledger.database import usable
from dpsql.ledger.postgres_target import Target, read_target
from dpsql.ledger.requests import request_key
from dpsql.owner_log import OWNER_LOG

pytestmark = pytest.mark.parametrize(
    "store", ["18", pytest.param("16", marks=pytest.mark.slow)], indirect=True
)


def owner(*statements):
    """As the database's owner, outside of dpsql."""
    with closing(psycopg2.connect(ledger_stores.DATABASE[0])) as raw:
        raw.autocommit = True
        with raw.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def roles():
    """Two roles without any right; dropped with what they were given."""
    names = [f"{kind}_{os.getpid()}_{time.monotonic_ns()}" for kind in ("gate", "auditor")]
    owner(*(f"CREATE ROLE {name} LOGIN" for name in names))
    yield names
    for name in names:
        owner(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def by(role, path):
    return postgres_server.as_user(url(path), role)


def code(call, *args, **kwargs):
    return refused(call, *args, error=LedgerError, **kwargs).code


# ---- the least rights --------------------------------------------------------------------------


@pytest.fixture
def made(path, roles):
    """A ledger by the script, for the two roles."""
    gate, auditor = roles
    owner(postgres_schema.script(schema(path), gate, auditor, 1_700_000_000))
    return path


def everything(ledger):
    """All that charging writes."""
    budgets(ledger)
    ledger.ensure_budget("alice", "analyst", Fraction(2), MILLIONTH)
    ledger.grant("alice", epsilon=Fraction(1), by="o", why="w")
    receipt = ask(ledger, fingerprints=["f1"])
    ledger.settle(receipt, "released", releases=[Release("f1", b"noisy")])
    key = request_key("r", budget="alice", total="total", sql="s", data_version="1", wanted=[])
    attempt = ledger.attempt("alice", key)
    receipt = ask(ledger, sql="s", attempt=attempt)
    ledger.settle(receipt, "released", kept=[Release("f1", b"kept")])
    free = request_key("free", budget="alice", total="total", sql="s", data_version="1", wanted=[])
    found = dict.fromkeys(["f1"], ledger.releases.find("alice", "2026-11", ["f1"]).found["f1"][0])
    for _ in range(2):
        ledger.answer_free("alice", ledger.attempt("alice", free), found)
        ledger.refusals.note(analyst="a", budget="b", code="c", sql="SELECT '\0'")
    ledger.losses.accept(10**6, "0" * 64)
    ledger.forfeit_stale()


def test_the_script_grants_what_charging_needs(made, roles):
    with Ledger.open(by(roles[0], made)) as ledger:
        everything(ledger)
        assert ledger.verify().ok
        assert [one.times for one in ledger.refusals.list()] == [2]
    assert usable(by(roles[0], made)) == [
        ("its server runs with fsync = off: a power cut would forget charges",
         "set fsync = on in postgresql.conf"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE dpsql_entries SET body = ''",
        "DELETE FROM dpsql_entries",
        "TRUNCATE dpsql_entries CASCADE",
        "UPDATE dpsql_releases SET payload = ''",
        "DELETE FROM dpsql_releases",
        "DELETE FROM dpsql_answers",
        "UPDATE dpsql_asked SET hash = ''",
        "DELETE FROM dpsql_refusals",
        "UPDATE dpsql_schema SET version = 1",
        "ALTER TABLE dpsql_entries ADD COLUMN x INT",
        "CREATE TABLE dpsql_more(x INT)",
        "CREATE TRIGGER t BEFORE INSERT ON dpsql_entries FOR EACH ROW EXECUTE FUNCTION "
        "suppress_redundant_updates_trigger()",
    ],
)
def test_the_charging_role_can_change_nothing(made, roles, change):
    place = postgres_server.as_user(ledger_stores.DATABASE[0], roles[0])
    with closing(psycopg2.connect(place)) as raw, raw.cursor() as cursor:
        cursor.execute(f"SET search_path = {schema(made)}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(change)


def test_a_reader_reads_and_cannot_charge(made, roles):
    with Ledger.open(by(roles[0], made)) as ledger:
        everything(ledger)
    with Ledger.audit(by(roles[1], made)) as audit:
        assert audit.verify().ok
        assert len(audit.releases.list()) == 1
        assert len(audit.refusals.list()) == 1
        assert code(ask, audit) == "ledger-read-only"
    with Ledger.open(by(roles[1], made)) as ledger:
        budget = ("bob", "analyst", Fraction(1), MILLIONTH)
        assert code(ledger.ensure_budget, *budget) == "ledger-rights"
    assert code(usable, by(roles[1], made)) == "ledger-rights"


def test_a_role_without_rights(made, roles):
    name = f"nobody_{os.getpid()}_{time.monotonic_ns()}"
    owner(f"CREATE ROLE {name} LOGIN")
    assert code(Ledger.open, by(name, made)) in ("ledger-rights", "ledger-replaced")
    owner(f"DROP ROLE {name}")


def test_what_cannot_be_created_is_said_with_the_command(path, roles):
    place = by(roles[0], path)
    for call in (Ledger.open, usable):
        error = refused(call, place, error=LedgerError)
        assert error.code == "ledger-rights"
        assert f"dpsql ledger schema --role {roles[0]} --schema {schema(path)}" in error.hint
    assert Ledger.view(place) is None
    assert code(Ledger.audit, place) == "not-a-ledger"
    assert owner(f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema(path)}'") == []


def test_a_role_that_may_create_does_and_check_says_what_it_could(path, roles):
    name = owner("SELECT current_database()")[0][0]
    owner(f"GRANT CREATE ON DATABASE {name} TO {roles[0]}")
    with Ledger.open(by(roles[0], path)) as ledger:
        everything(ledger)
    assert "may change and delete entries" in str(usable(by(roles[0], path)))


@pytest.mark.parametrize(
    "grant",
    [
        "ALTER SCHEMA {schema} OWNER TO {role}",
        "ALTER TABLE {schema}.dpsql_answers OWNER TO {role}",
        "GRANT UPDATE (body) ON {schema}.dpsql_entries TO {role}",
        "GRANT UPDATE (seq) ON {schema}.dpsql_releases TO {role}",
        "GRANT DELETE ON {schema}.dpsql_asked TO {role}",
        "GRANT TRUNCATE ON {schema}.dpsql_refusals TO {role}",
        "GRANT TRIGGER ON {schema}.dpsql_entries TO {role}",
    ],
)
def test_check_says_what_a_role_could_undo(made, roles, grant):
    assert "may change and delete entries" not in str(usable(by(roles[0], made)))
    owner(grant.format(schema=schema(made), role=roles[0]))
    owner(f"GRANT USAGE ON SCHEMA {schema(made)} TO {roles[0]}")
    try:
        assert "may change and delete entries" in str(usable(by(roles[0], made)))
    finally:
        owner(f"REASSIGN OWNED BY {roles[0]} TO CURRENT_USER")


def test_the_script_runs_once(made, roles):
    """A second run would be a second first entry: all of it is refused, nothing is changed."""
    before = rows(made)
    with pytest.raises(psycopg2.errors.DuplicateTable):
        owner(postgres_schema.script(schema(made), *roles, 0))
    assert rows(made) == before


def test_the_script_and_dpsql_make_the_same(made, tmp_path):
    described = (
        "SELECT table_name, column_name, data_type, is_nullable, collation_name"
        " FROM information_schema.columns WHERE table_schema = '{}' ORDER BY 1, 2"
    )
    indexes = (
        "SELECT replace(indexdef, schemaname, '') FROM pg_indexes"
        " WHERE schemaname = '{}' ORDER BY 1"
    )
    Ledger.open(url(tmp_path / "other.db")).close()
    for query in (described, indexes):
        one, other = (owner(query.format(schema(p))) for p in (made, tmp_path / "other.db"))
        assert one == other
        assert len(one) > 6


# ---- settings, names and roles that are not ours -----------------------------------------------

HOSTILE = (
    "search_path = 'evil, pg_catalog'",
    "statement_timeout = '20ms'",
    "lock_timeout = '1ms'",
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "synchronous_commit = off",
    "standard_conforming_strings = off",
    "bytea_output = 'escape'",
    "client_encoding = 'LATIN1'",
    "DateStyle = 'German'",
    "idle_in_transaction_session_timeout = '10ms'",
)


def test_settings_are_ours_whatever_the_roles_are(path, roles):
    """Beside it lie tables of the same names, which the role's own path would find first."""
    owner(postgres_schema.script(schema(path), roles[0], None, 1_700_000_000))
    owner(
        "CREATE SCHEMA evil",
        "CREATE TABLE evil.dpsql_entries(seq INT, prev BYTEA, hash BYTEA, body BYTEA)",
        f"GRANT ALL ON SCHEMA evil TO {roles[0]}",
        f"GRANT ALL ON evil.dpsql_entries TO {roles[0]}",
        *(f"ALTER ROLE {roles[0]} SET {setting}" for setting in HOSTILE),
    )
    with Ledger.open(by(roles[0], path)) as ledger:
        budgets(ledger)
        with ledger._database.write() as connection:
            show = connection.exec_driver_sql("SHOW synchronous_commit").scalar()
            assert show == "on"
        payload = bytes(range(256))
        receipt = ask(ledger, fingerprints=["é\\'"])
        ledger.settle(receipt, "released", releases=[Release("é\\'", payload)])
        epsilon, delta = Fraction(1, 10), Fraction(1, 10**8)
        assert stored(ledger, "alice", "2026-11", "é\\'", epsilon, delta) == payload
        everything(ledger)
        assert ledger.verify().ok
    assert owner("SELECT COUNT(*) FROM evil.dpsql_entries") == [(0,)]
    owner("DROP SCHEMA evil CASCADE")


def test_a_machine_of_our_name_is_another(path, monkeypatch):
    """Its running charge was forfeited by whoever connected, and its paid answer refused."""
    with Ledger.open(url(path)) as here, Ledger.open(url(path)) as there:
        budgets(there)
        monkeypatch.setattr(process, "_boot", lambda: "1" * 36)
        receipt = ask(there, fingerprints=["f1"])
        monkeypatch.setattr(process, "_boot", lambda: "2" * 36)
        assert here.forfeit_stale() == 0
        there.settle(receipt, "released", releases=[Release("f1", b"noisy")])
        assert here.verify().ok


def test_a_temporary_table_never_stands_for_ours(path):
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        with ledger._database.write() as connection:
            connection.exec_driver_sql(
                "CREATE TEMP TABLE dpsql_entries(seq INT, prev BYTEA, hash BYTEA, body BYTEA)"
            )
            count = "SELECT COUNT(*) FROM dpsql_entries"
            assert connection.exec_driver_sql(count).scalar() == 3


@pytest.mark.parametrize(
    ("stranger", "word"),
    [
        ("CREATE RULE r AS ON INSERT TO dpsql_entries DO INSTEAD NOTHING", "rule"),
        ("CREATE VIEW dpsql_view AS SELECT 1", "view"),
        ("ALTER TABLE dpsql_entries DROP CONSTRAINT dpsql_entries_prev_key", "prev"),
        ("ALTER TABLE dpsql_answers DROP CONSTRAINT dpsql_answers_seq_fkey; ALTER TABLE "
         "dpsql_releases DROP CONSTRAINT dpsql_releases_seq_fkey; ALTER TABLE dpsql_entries SET "
         "UNLOGGED", "crash"),
        ("CREATE TABLE more() INHERITS (dpsql_entries)", "inherits"),
        ("ALTER TABLE dpsql_entries ENABLE ROW LEVEL SECURITY", "policy"),
        ("CREATE TRIGGER t BEFORE INSERT ON dpsql_entries FOR EACH ROW EXECUTE FUNCTION "
         "suppress_redundant_updates_trigger()", "trigger"),
    ],
    ids=lambda text: text if len(text) < 10 else "",
)  # fmt: skip
def test_strangers_are_refused_and_named(path, stranger, word):
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    with tables(path) as shell:
        shell.execute(stranger)
    assert code(Ledger.open, url(path)) == "ledger-broken"
    with Ledger.audit(url(path)) as audit:
        report = audit.verify()
    assert not report.ok
    assert word in str(report)


def test_rows_that_a_policy_hides_are_an_error(made, roles):
    """Not fewer rows: what is hidden would be charges that are forgotten."""
    with Ledger.open(by(roles[0], made)) as ledger:
        budgets(ledger)
        owner(f"ALTER TABLE {schema(made)}.dpsql_entries ENABLE ROW LEVEL SECURITY")
        assert code(ask, ledger) == "ledger-rights"
        assert code(ledger.spent, "alice") == "ledger-rights"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("UPDATE dpsql_schema SET version = 99", "ledger-newer"),
        ("UPDATE dpsql_schema SET version = 5", "not-a-ledger"),
        ("DELETE FROM dpsql_schema", "not-a-ledger"),
        ("DROP TABLE dpsql_schema", "not-a-ledger"),
        ("DELETE FROM dpsql_entries", "ledger-broken"),
        ("DROP TABLE dpsql_entries CASCADE", "ledger-replaced"),
    ],
)
def test_tables_that_are_none_of_ours(path, change, wanted):
    Ledger.open(url(path)).close()
    with tables(path) as shell:
        shell.execute(change)
    assert code(Ledger.open, url(path)) == wanted


def test_a_schema_of_others_is_left_alone(path):
    owner(f"CREATE SCHEMA {schema(path)}", f"CREATE TABLE {schema(path)}.customers(id INT)")
    assert code(Ledger.open, url(path)) == "not-a-ledger"
    assert code(usable, url(path)) == "not-a-ledger"
    found = f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema(path)}'"
    assert owner(found) == [("customers",)]


@pytest.mark.parametrize("change", ["DROP SCHEMA {} CASCADE", "ALTER SCHEMA {} RENAME TO moved"])
def test_tables_that_go_while_it_is_open(path, change):
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        receipt = ask(ledger)
        owner("DROP SCHEMA IF EXISTS moved CASCADE", change.format(schema(path)))
        for call in (
            lambda: ask(ledger),
            lambda: ledger.settle(receipt, "released"),
            lambda: ledger.spent("alice"),
            ledger.verify,
            ledger.forfeit_stale,
        ):
            assert code(call) == "ledger-replaced"


# ---- one writer at a time ----------------------------------------------------------------------


def test_who_waits_too_long_has_written_nothing(path):
    place = read_target(url(path))
    with Ledger.open(url(path), patience=0.2) as ledger:
        budgets(ledger)
        with closing(psycopg2.connect(ledger_stores.DATABASE[0])) as raw, raw.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_lock({place.lock})")
            error = refused(ask, ledger, error=LedgerError)
            assert error.code == "ledger-locked"
            assert "0.2 s" in error.message
            assert ledger.spent("alice").epsilon == 0  # who reads does not wait
        ask(ledger)


def test_no_overspend_without_the_lock_either(path, monkeypatch):
    """Writers of which each takes a lock of its own: the index lets one successor through."""
    numbers = itertools.count(1)
    monkeypatch.setattr(Target, "lock", property(lambda _: next(numbers)))
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    told, start = [], threading.Barrier(4)

    def spend():
        with Ledger.open(url(path)) as mine:
            start.wait()
            for _ in range(12):
                try:
                    ask(mine)
                    told.append("charged")
                except BudgetExceeded:
                    told.append("refused")
                except LedgerError as error:
                    told.append(error.code)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(told) <= {"charged", "refused", "ledger-locked"}
    with Ledger.open(url(path)) as ledger:
        report = ledger.verify()
        assert report.ok, report.problems
        charges = [entry for entry in ledger.entries() if entry.kind == "charge"]
        assert len(charges) == told.count("charged") <= 10
        assert ledger.spent("alice").epsilon == len(charges) * Fraction(1, 10)


# ---- long and foreign texts, passwords ---------------------------------------------------------


def test_texts_longer_than_any_index_takes(path):
    """An ε of two thousand digits, names and versions without an end: stored and found again."""
    epsilon = Fraction(10**990 + 7, 10**992)
    with Ledger.open(url(path)) as ledger:
        ledger.ensure_budget("ä" * 200, "analyst", Fraction(1), MILLIONTH)
        told = {"budget": "ä" * 200, "analyst": "ä" * 200, "total": None}
        receipt = ask(ledger, str(epsilon), sql="é" * 100_000, **told)
        ledger.settle(receipt, "released", releases=[Release("f1", b"x" * 10**6)])
        price = (epsilon, Fraction(1, 10**8))
        assert stored(ledger, "ä" * 200, "2026-11", "f1", *price) == b"x" * 10**6
        ledger.refusals.note(analyst="ä" * 200, budget="ö" * 200, code="c" * 60, sql="s")
        assert ledger.verify().ok


SECRET = "postgresql://eve:hunter2@127.0.0.1:1/db"


@pytest.mark.parametrize(
    "place",
    [
        SECRET,
        SECRET.replace("eve:hunter2@", "") + "?password=hunter2",
        SECRET + "?sslmode=nonsense",
        SECRET.replace("hunter2", "hunter2%zz"),
        SECRET + "?schema=a/b",
    ],
)
def test_a_password_is_in_no_error_and_in_no_log(place):
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    OWNER_LOG.addHandler(handler)
    try:
        error = refused(Ledger.open, place, patience=2, error=LedgerError)
    finally:
        OWNER_LOG.removeHandler(handler)
    said = f"{error} {error.hint} {error!r} {lines}"
    assert "hunter2" not in said
    assert "127.0.0.1" not in f"{error} {error.hint}"


def test_two_places_are_two(monkeypatch):
    """What was seen of a ledger is kept by its place."""
    urls = [f"postgresql:///db?{one}" for one in ("service=a", "service=b", "hostaddr=10.0.0.1")]
    keys = {read_target(url).key for url in (*urls, "postgresql:///db")}
    for variable in ("PGHOST", "PGPORT", "PGHOSTADDR", "PGSERVICE"):
        monkeypatch.setenv(variable, "7")
        keys.add(read_target("postgresql:///db").key)
    assert len(keys) == 8


def test_what_a_url_names():
    target = read_target("postgresql://me:pw@h:5/db?sslmode=verify-full&schema=x&sslrootcert=/c")
    assert target.schema == "x"
    assert target.options["sslmode"] == "verify-full"
    assert target.options["sslrootcert"] == "/c"
    assert target.key == "postgresql://h:5/db?schema=x"
    assert "pw" not in repr(target)
    assert read_target("postgres://h/db").schema == "dpsql"
    one, other = (read_target(f"postgresql://h/db?schema={name}") for name in ("a", "b"))
    assert one.lock != other.lock


# ---- a standby ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_standby_is_read_and_not_charged(store):
    with postgres_server.running(store) as server:
        if server.folder is None:
            pytest.skip("this server is not ours to stop")
        place = server.database()
        with Ledger.open(place) as ledger:
            budgets(ledger)
        server.control("-m", "fast", "stop")
        signal = server.folder / "pg" / "standby.signal"
        signal.touch()
        shutil.chown(signal, "nobody")
        server.start()
        with Ledger.audit(place) as audit:
            assert audit.verify().ok
        with Ledger.open(place) as ledger:
            assert code(ask, ledger) == "ledger-read-only"
        assert code(usable, place) == "ledger-read-only"
