"""A query that takes long: a line on a terminal, and Ctrl-C, with the installed program."""

from __future__ import annotations

import json
import os
import pickle
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction

import duckdb
import pytest

from dpsql.errors import Cancelled, LedgerError
from dpsql.ledger import Ledger
from dpsql.progress import Progress, Stage
from dpsql.session import Session

SECONDS = 120
SLOW = (
    "SELECT COUNT(*) FROM visits a JOIN visits b ON a.patient = b.patient WHERE a.cost + b.cost > 9"
)
QUERY = [sys.executable, "-m", "dpsql", "query", "--analyst", "bob", "--epsilon", "1.5", SLOW]


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """A folder whose patient 0 has visits enough to keep DuckDB busy for minutes."""
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE visits AS SELECT 0 AS patient, i % 100 AS cost FROM range(100000) t(i)"
        )
    policy = {
        "version": 1,
        "database": "duckdb:///clinic.duckdb",
        "ledger": "sqlite:///ledger.db",
        "budgets": {
            "per_query": {"epsilon": 1, "delta": "1e-7"},
            "default": {"epsilon": 3, "delta": "1e-6"},
            "total": {"epsilon": 30, "delta": "1e-5"},
        },
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"visits": {"unit": "patient", "columns": {"cost": {"min": 0, "max": 100}}}},
    }
    (tmp_path / "dpsql.yaml").write_text(json.dumps(policy))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries(folder):
    try:
        ledger = Ledger.audit(f"sqlite:///{folder / 'ledger.db'}")
    except LedgerError:  # it is being made
        return []
    try:
        return list(ledger.entries())
    finally:
        ledger.close()


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.2)


def heeding_interrupts():
    """A job in the background of a script inherits SIGINT ignored, and Python leaves it so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def charged(folder):
    return any(entry.kind == "charge" for entry in entries(folder))


def test_ctrl_c_stops_the_database_and_says_what_stays_charged(clinic):
    process = subprocess.Popen(
        QUERY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeding_interrupts,
    )
    wait_for(lambda: charged(clinic))
    time.sleep(1.5)  # well into the join; and no terminal is told so
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    shown, said = process.communicate(timeout=SECONDS)
    assert time.monotonic() - started < 60  # the join takes minutes
    assert process.returncode == 130
    assert shown == ""
    assert said == ("cancelled in the database; ε = 1.5, δ = 1e-07 stays charged to analyst:bob\n")
    *_, charge, outcome = entries(clinic)
    assert charge.kind == "charge"
    assert outcome.body["outcome"] == "cancelled"


def test_a_terminal_is_told_stage_and_seconds_and_nothing_more(clinic):
    here, there = pty.openpty()
    process = subprocess.Popen(
        QUERY, stdout=subprocess.DEVNULL, stderr=there, preexec_fn=heeding_interrupts
    )
    os.close(there)
    seen = ""

    def read():
        nonlocal seen
        while select.select([here], [], [], 0.1)[0]:
            try:
                piece = os.read(here, 4096).decode()
            except OSError:  # the other end is closed
                return
            seen += piece

    def running():
        read()
        return seen.count("running") > 1

    wait_for(running)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=SECONDS) == 130
    read()
    os.close(here)
    *lines, last, _ = seen.split("\r")
    for text in filter(None, map(str.strip, lines)):
        stage, seconds, way = text.split(" · ")
        assert stage in {stage.value for stage in Stage}
        assert seconds.removesuffix(" s").isdecimal()
        assert way == "Ctrl-C cancels"
    assert "stays charged" in last


def test_interrupts_in_python_are_keyboard_interrupts_that_tell_the_price(clinic):
    session = Session("dpsql.yaml", "bob")
    progress = Progress()

    def press():
        wait_for(lambda: progress.stage is Stage.RUNNING)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        session.query(SLOW, epsilon="0.5", progress=progress)
    thread.join()
    assert isinstance(caught.value, Cancelled)
    assert (caught.value.charged, caught.value.epsilon) == (True, Fraction(1, 2))
    assert pickle.loads(pickle.dumps(caught.value)).epsilon == Fraction(1, 2)
    assert session.query("SELECT 1").table.num_rows == 1  # it answers again
    session.close()


def test_an_interrupt_says_what_is_known_of_the_charge():
    progress = Progress()
    assert str(progress.cancelled("analyst:bob")) == "cancelled; nothing was charged"
    progress.stage = Stage.CHARGING
    assert progress.cancelled("analyst:bob").charged is None
    assert "look at the ledger" in str(progress.cancelled("analyst:bob"))
    progress.paid(Fraction(1, 2), Fraction(1, 10**7))
    assert "ε = 0.5, δ = 1e-07 stays" in str(progress.cancelled("analyst:bob"))


def test_a_stage_never_changes_once_the_data_is_read(clinic, monkeypatch):
    """Whether database, noise or outer query takes its time is nobody's to see."""
    from dpsql.pipeline import execute, perturb, postprocess

    progress, seen = Progress(), []
    for stage in (execute, perturb, postprocess):
        run = stage.run

        def spied(*args, run=run, **more):
            seen.append(progress.stage)
            found = run(*args, **more)
            seen.append(progress.stage)
            return found

        monkeypatch.setattr(stage, "run", spied)
    session = Session("dpsql.yaml", "bob")
    session.query("SELECT COUNT(*) + 1 FROM visits", progress=progress)
    session.close()
    assert seen == [Stage.RUNNING] * 6
