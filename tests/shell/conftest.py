"""A small clinic: a DuckDB file, a policy with a huge budget for `ann`, a small one for `bob`."""

from __future__ import annotations

import time

import duckdb
import pytest
from click.testing import CliRunner

from dpsql.cli import main
from dpsql.errors import LedgerError
from dpsql.ledger import Ledger
from dpsql.session import Session
from dpsql.shell.desk import Desk, Settings

POLICY = """
version: 1
database: duckdb:///clinic.duckdb
ledger: sqlite:///ledger.db
releases: {reuse: budget}
unit: patient
budgets:
  per_query: {epsilon: 1, delta: 1e-7}
  max_per_query: {epsilon: 1e9, delta: 1e-2}
  analysts:
    ann: {epsilon: 1e11, delta: 0.1}
    bob: {epsilon: 3, delta: 1e-6}
  total: {epsilon: 1e12, delta: 0.5}
bounds: {max_groups: 1, max_rows_per_group: 1}
tables:
  patients:
    unit: id
    columns:
      city: {values: [Bonn, Jena]}
      age: {min: 0, max: 100}
      secret: {hidden: true}
  ward.visits:
    unit: patient
    columns:
      cost: {min: 0, max: 100}
  cities: {public: true}
"""


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """The working directory, with clinic.duckdb and dpsql.yaml in it. 60 in Bonn, 30 in Jena.

    Patient 0 has so many visits that joining them with themselves takes minutes.
    """
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as c:
        c.execute(
            "CREATE TABLE patients (id INTEGER PRIMARY KEY, city VARCHAR NOT NULL,"
            ' age INTEGER NOT NULL, "order" INTEGER, secret VARCHAR)'
        )
        c.execute(
            "INSERT INTO patients SELECT i, CASE WHEN i < 60 THEN 'Bonn' ELSE 'Jena' END, 40, i,"
            " 's' FROM range(90) t(i)"
        )
        c.execute("CREATE SCHEMA ward")
        c.execute(
            "CREATE TABLE ward.visits AS SELECT 0 AS patient, (i * 7) % 100 AS cost"
            " FROM range(60000) t(i)"
        )
        c.execute("CREATE TABLE cities (city VARCHAR PRIMARY KEY, people INTEGER)")
        c.execute("INSERT INTO cities VALUES ('Bonn', 3), ('Jena', NULL)")
    (tmp_path / "dpsql.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "state"))
    for name in ("DPSQL_POLICY", "DPSQL_ANALYST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


SLOW = (
    "SELECT COUNT(*) FROM ward.visits a JOIN ward.visits b ON a.patient = b.patient"
    " WHERE a.cost + b.cost > 100"
)


@pytest.fixture
def slow():
    """A statement that runs until it is cancelled."""
    return SLOW


@pytest.fixture
def charged(clinic):
    """Wait until the ledger holds a charge."""

    def kinds():
        try:
            ledger = Ledger.audit(f"sqlite:///{clinic / 'ledger.db'}")
        except LedgerError:  # it is being made
            return []
        found = [entry.kind for entry in ledger.entries()]
        ledger.close()
        return found

    def wait():
        end = time.monotonic() + 120
        while time.monotonic() < end:
            time.sleep(0.2)
            if "charge" in kinds():
                return
        raise AssertionError("nothing was charged")

    return wait


@pytest.fixture
def shell(clinic):
    """Feed a script to `dpsql shell`; the result has .exit_code, .stdout, .stderr."""

    def run(script, *args, analyst="bob"):
        result = CliRunner().invoke(main, ["shell", "--analyst", analyst, *args], input=script)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def session(clinic):
    opened = Session("dpsql.yaml", "bob")
    yield opened
    opened.close()


@pytest.fixture
def desk(session):
    return Desk(session, Settings(), None)
