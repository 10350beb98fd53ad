"""A clinic whose keys the database enforces, and `dpsql init` run on it."""

from __future__ import annotations

import duckdb
import pytest
from click.testing import CliRunner

from dpsql.cli import main

SCHEMA = """
CREATE TYPE mood AS ENUM ('grumpy', 'gay');
CREATE TABLE wards (ward VARCHAR PRIMARY KEY, beds INTEGER);
CREATE TABLE patients (
    patient_id INTEGER PRIMARY KEY,
    age INTEGER NOT NULL CHECK (age BETWEEN 0 AND 120),
    sex VARCHAR NOT NULL CHECK (sex IN ('f', 'm')),
    small TINYINT, weight DOUBLE, born DATE, mood mood, email VARCHAR
);
CREATE TABLE visits (
    visit_id INTEGER PRIMARY KEY,
    patient_id INTEGER REFERENCES patients (patient_id),
    ward VARCHAR REFERENCES wards (ward),
    cost DECIMAL(9, 2)
);
CREATE TABLE prescriptions (
    rx INTEGER PRIMARY KEY,
    visit_id INTEGER NOT NULL REFERENCES visits (visit_id),
    pills BIGINT
);
CREATE TABLE messages (
    sender INTEGER REFERENCES patients (patient_id),
    receiver INTEGER REFERENCES patients (patient_id)
);
CREATE VIEW old AS SELECT * FROM patients;
"""

ROWS = """
INSERT INTO wards VALUES ('north', 10);
INSERT INTO patients SELECT i, 20 + i % 60, CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END, i % 100,
    50 + i % 40, DATE '1950-01-01' + CAST(i AS INTEGER), 'gay', 'a@b' FROM range(2000) t(i);
INSERT INTO visits SELECT i, i % 2000, 'north', 12.5 + i % 700 FROM range(6000) t(i);
INSERT INTO prescriptions SELECT i, i % 6000, 1 + i % 30 FROM range(9000) t(i);
"""


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """The working directory, with clinic.duckdb in it."""
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as c:
        c.execute(SCHEMA)
        c.execute(ROWS)
    monkeypatch.chdir(tmp_path)
    for name in ("DPSQL_POLICY", "DPSQL_ANALYST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def dpsql():
    """Run a command as a test would type it; the result has .exit_code, .stdout, .stderr."""

    def run(*args, **more):
        result = CliRunner().invoke(main, list(args), **more)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def init(dpsql):
    """`dpsql init` that must succeed."""

    def run(*args, **more):
        result = dpsql("init", *args, **more)
        assert result.exit_code == 0, result.output
        return result

    return run
