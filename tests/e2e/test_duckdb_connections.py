"""DuckDB connections that go under a session: closed by their owner, taken by a writer, in threads.

Before the charge it is free and told in our words, after it one constant failure that stays
charged. (Changing tables, wide ones, long keys, names and tenants: test_moving_schemas.py.)
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing

import duckdb
import pytest

from dpsql.dialects.duckdb import FAILED
from dpsql.errors import EngineFailed
from dpsql.pipeline import execute
from dpsql.session import Session

PRICE = {"epsilon": 10**9, "delta": "1e-3"}
SQL = "SELECT SUM(x) FROM t"
MADE = "CREATE TABLE t AS SELECT i AS pid, 3 AS x FROM range(50) q(i)"


def policy(**more):
    return {
        "version": 1,
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": PRICE,
            "max_per_query": PRICE,
            "default": {"epsilon": 10**12, "delta": "0.9"},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 5},
        "tables": {"t": {"unit": "pid", "columns": {"x": {"min": 0, "max": 9}}}},
        **more,
    }


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(MADE)
    return path


def first(session, sql=SQL):
    return session.query(sql).table.column(0).to_pylist()[0]


def outcomes(session):
    entries = list(session.ledger.entries())
    assert sum(e.kind == "charge" for e in entries) == sum(e.kind == "outcome" for e in entries)
    return [entry.body["outcome"] for entry in entries if entry.kind == "outcome"]


def test_an_owners_connection_that_is_closed_meanwhile_is_told_and_free(file):
    connection = duckdb.connect(str(file))
    with closing(Session(policy(), "analyst", engine=connection)) as session:
        assert first(session) == 150
        connection.close()
        with pytest.raises(EngineFailed) as caught:
            session.query(SQL)
        assert caught.value.code == "engine-missing"
        assert outcomes(session) == ["released"]
    with pytest.raises(EngineFailed) as caught:
        Session(policy(), "analyst", engine=connection)
    assert "closed" in caught.value.message


def test_our_own_that_is_closed_before_the_charge_is_free(file):
    with closing(Session(policy(database=f"duckdb:///{file}"), "analyst")) as session:
        assert first(session) == 150
        session.engine._connection.close()
        with pytest.raises(EngineFailed) as caught:
            session.query(SQL)
        assert caught.value.code == "engine-missing"
        assert outcomes(session) == ["released"]


def test_closed_after_the_charge_is_any_failure(file, monkeypatch):
    real = execute.run

    def late(certified, engine, **options):
        engine._connection.close()
        return real(certified, engine, **options)

    rules = policy(database=f"duckdb:///{file}")
    with closing(Session(rules, "analyst")) as session, monkeypatch.context() as patch:
        patch.setattr(execute, "run", late)
        with pytest.raises(EngineFailed) as caught:
            session.query(SQL)
        assert caught.value.message == FAILED
        assert outcomes(session) == ["failed"]
    with closing(Session(rules, "analyst")) as again:
        assert first(again) == 150


WRITER = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    print("open", flush=True)
    sys.stdin.readline()
"""


def test_a_file_that_another_process_writes_is_told_and_open_again_after_it(file):
    words = [sys.executable, "-c", WRITER, str(file)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as writer:
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(EngineFailed) as caught:
            Session(policy(database=f"duckdb:///{file}"), "analyst")
        assert caught.value.code == "engine-locked"
        writer.communicate("done\n")
    with closing(Session(policy(database=f"duckdb:///{file}"), "analyst")) as session:
        assert first(session) == 150


def test_one_session_in_threads(file):
    """Each thread is answered its own question, one charge an answer."""
    told = {}
    with closing(Session(policy(database=f"duckdb:///{file}"), "analyst")) as session:

        def work(number):
            for turn in range(3):
                bound = 10 * number + turn
                told[bound] = first(session, f"SELECT COUNT(*) FROM t WHERE pid < {bound}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert outcomes(session) == ["released"] * 12
    assert told == {bound: bound for bound in told}
    assert len(told) == 12


@pytest.mark.skipif(not hasattr(os, "truncate"), reason="needs truncate")
def test_a_file_that_is_cut_under_the_process(tmp_path):
    """What was not read yet is gone: right, or a failure in our words; never a wrong answer."""
    path = tmp_path / "large.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i AS pid, (i * 7919 % 10)::INT AS x FROM range(400000) q(i)"
        )
        (right,) = connection.execute("SELECT SUM(x) FROM t").fetchone()
    with closing(Session(policy(database=f"duckdb:///{path}"), "analyst")) as session:
        os.truncate(path, path.stat().st_size // 2)
        told = []
        try:
            told.append(first(session))
        except EngineFailed as error:
            told.append(error.message)
        assert told[0] in (right, FAILED)
        assert len(outcomes(session)) <= 1
