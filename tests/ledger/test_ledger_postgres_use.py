"""A ledger in PostgreSQL under everything that takes a policy: sessions, commands, receipts."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import duckdb
import ledger_stores
import psycopg2
import pytest
from click.testing import CliRunner
from ledger_cases import refused, url
from ledger_stores import lose, schema, tables

import dpsql
from dpsql.cli import main
from dpsql.errors import LedgerError
from dpsql.session import Session

pytestmark = pytest.mark.parametrize(
    "store", ["18", pytest.param("16", marks=pytest.mark.slow)], indirect=True
)

COUNT = "SELECT COUNT(*) AS n FROM users"
POLICY = """
version: 1
database: duckdb:///shop.duckdb
ledger: {ledger}
unit: person
checkpoints: ./apart
budgets:
  per_query: {{epsilon: 1, delta: 1e-7}}
  analysts:
    alice: {{epsilon: 3, delta: 1e-6}}
    bob: {{epsilon: 10, delta: 1e-6}}
tables:
  users:
    unit: id
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("shop.duckdb") as data:
        data.execute("CREATE TABLE users AS SELECT i AS id, i % 50 AS age FROM range(400) t(i)")
    (tmp_path / "dpsql.yaml").write_text(POLICY.format(ledger=url(tmp_path)))
    return tmp_path


def run(*words, code=0):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    return result


def query(*words, code=0):
    return run("query", "--analyst", "alice", *words, COUNT, code=code)


def test_every_command_on_it(shop):
    assert "the first query creates" in run("check").output
    first = query("--format", "csv").stdout
    assert query("--format", "csv").stdout == first  # stored: it costs nothing
    run("budget", "grant", "alice", "--epsilon", "1", "--why", "study")
    told = json.loads(run("budget", "--analyst", "alice", "--format", "json").stdout)
    assert float(told["spent"]["epsilon"]) == 1
    assert float(told["budget"]["epsilon"]) == 4
    query("--epsilon", "4", code=4)
    assert "granted" in run("ledger", "show").stdout
    assert "budget-epsilon" in run("ledger", "show", "--outcome", "refused").stdout
    assert "verifies" in run("ledger", "verify").output
    assert run("ledger", "export").stdout.count("\n") >= 5
    run("ledger", "checkpoint")
    assert "verifies" in run("ledger", "verify", "--checkpoint", "apart").output
    run("ledger", "report", "--html", "report.html")
    page = (shop / "report.html").read_text()
    assert "PostgreSQL" in page
    assert "postgresql://" not in page
    assert run("releases", "list", "--all").stdout
    checked = run("check").output
    assert "the chain verifies" in checked
    assert "fsync = off" in " ".join(checked.split())
    run("explain", "--analyst", "alice", COUNT)


def test_the_script_as_the_command_prints_it(shop):
    with closing(psycopg2.connect(ledger_stores.DATABASE[0])) as raw, raw.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone()
        raw.commit()
        raw.autocommit = True
        cursor.execute(run("ledger", "schema", "--role", role).stdout)
    query()
    assert "verifies" in run("ledger", "verify").output
    with tables(shop) as shell:
        assert shell.execute("SELECT COUNT(*) FROM dpsql_schema").fetchone() == (1,)
    other = run("ledger", "schema", "--role", "x", "--schema", "other").stdout
    assert '"other".dpsql_entries' in other
    assert run("ledger", "schema", "--role", 'a"b').stdout.count('"a""b"') == 7
    run("ledger", "schema", "--role", "x", "--schema", "a;b", code=5)


def test_a_ledger_that_is_gone_and_its_acceptance(shop):
    """As with a file: who has seen more is refused, until the owner accepts what it costs."""
    query()
    lose(shop)
    error = query(code=5).output
    assert "is gone" in error
    lost = error.partition("--lost ")[2].split()[0].strip("`")
    accept = run("ledger", "accept", "--lost", lost, "--no-other-grants", "--yes")
    assert "Taken as spent" in accept.output
    query(code=4)
    assert "verifies" in run("ledger", "verify").output


def test_another_ledger_in_its_place(shop):
    query()
    with tables(shop) as shell:
        shell.execute(f"ALTER SCHEMA {schema(shop)} RENAME TO away_{schema(shop)}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DPSQL_STATE_DIR", str(shop / "somebody else"))
        query()
    assert "not the one that lay there" in query(code=5).output


SPEND = """
from dpsql.errors import BudgetExceeded
from dpsql.session import Session
session = Session("dpsql.yaml", "bob")
for number in range(12):
    try:
        sql = f"SELECT COUNT(*) AS n FROM users WHERE age > {number}"
        session.query(sql, epsilon="1.00{place}")
        print("answered")
    except BudgetExceeded:
        print("refused")
"""


@pytest.mark.slow
def test_two_processes_share_one_budget(shop):
    """Twelve statements each: verify repeats every decision, and finds one charge an answer."""
    texts = [SPEND.replace("{place}", str(place)) for place in (1, 2)]
    running = [
        subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
        for text in texts
    ]
    words = [word for one in running for word in one.communicate(timeout=120)[0].split()]
    assert len(words) == 24
    assert 9 <= words.count("answered") <= 12
    assert "verifies" in run("ledger", "verify").output
    lines = run("ledger", "export").stdout.splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds.count("charge") == words.count("answered")


def test_a_session_survives_what_ends_its_connections(shop):
    with closing(dpsql.connect("dpsql.yaml", analyst="bob")) as connection:
        cursor = connection.cursor()
        cursor.execute(COUNT)
        with closing(psycopg2.connect(ledger_stores.DATABASE[0])) as raw, raw:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            raw.cursor().execute(f"{ended} WHERE application_name = 'dpsql ledger'")
        cursor.execute("SELECT COUNT(*) FROM users WHERE age > 10")
        assert cursor.privacy.receipt.seq > 3


@pytest.mark.slow
def test_a_password_is_nowhere(shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("postgres@", "postgres:hunter2@"))
    with closing(Session("dpsql.yaml", "bob")) as session:
        session.query(COUNT)
        assert "hunter2" not in repr(session.policy)
    for words in (("check",), ("ledger", "verify"), ("ledger", "show"), ("ledger", "export")):
        assert "hunter2" not in run(*words).output
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("host=", "port=1&host="))
    error = refused(Session, "dpsql.yaml", "bob", error=LedgerError)
    assert error.code == "ledger-unreachable"
    assert "hunter2" not in f"{error} {error.hint}"
