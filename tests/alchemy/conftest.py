"""A clinic of 300 patients and their visits, seen through SQLAlchemy at so much ε that answers are
the plain ones. Runs on SQLAlchemy 2.x here and on 1.4 by test_alchemy_old.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Connection, Engine

# As the entry point does where dpsql is installed (test_alchemy_entry.py holds both together).
registry.register("dpsql", "dpsql.alchemy", "DPDialect")

POLICY = """
version: 1
database: duckdb:///clinic.duckdb
ledger: sqlite:///ledger.db
unit: patient
budgets:
  per_query: {epsilon: 1e7, delta: 1e-9}
  max_per_query: {epsilon: 1e9, delta: 1e-3}
  default: {epsilon: 1e12, delta: 0.4}
  analysts:
    poor: {epsilon: 1, delta: 1e-6}
  total: {epsilon: 1e12, delta: 0.9}
bounds: {max_groups: 3, max_rows_per_group: 2}
tables:
  patients:
    unit: id
    columns:
      age: {min: 0, max: 120}
      income: {min: 0, max: 10}
      weight: {min: 0, max: 40}
      born: {min: 2000-01-01, max: 2000-02-28}
      seen: {min: 2020-01-01, max: 2020-12-31}
      city: {values: [Berlin, Oslo], nullable: false}
      secret: {hidden: true}
  visits:
    unit: patient_id -> patients.id
    columns: {cost: {min: 0, max: 100}}
  archive.Notes:
    unit: patient_id -> patients.id
  cities: {public: true}
"""

SCHEMA = """
CREATE TABLE cities (name VARCHAR PRIMARY KEY, people INTEGER NOT NULL UNIQUE);
CREATE TABLE patients (
  id BIGINT PRIMARY KEY, age INTEGER, income DECIMAL(10,2), weight DOUBLE, born DATE,
  seen TIMESTAMP, member BOOLEAN, city VARCHAR REFERENCES cities(name), secret VARCHAR UNIQUE
);
CREATE TABLE visits (
  id HUGEINT, part SMALLINT, patient_id BIGINT NOT NULL REFERENCES patients(id), cost REAL,
  "end" TIMESTAMPTZ, tags VARCHAR[], PRIMARY KEY (id, part)
);
CREATE TABLE undeclared (id INTEGER PRIMARY KEY);
CREATE SCHEMA archive;
CREATE TABLE archive."Notes" ("Note No" UINTEGER, patient_id BIGINT);
INSERT INTO cities VALUES ('Berlin', 3), ('Oslo', 1);
INSERT INTO patients SELECT i, 20 + i % 50, (i % 4) * 1.25, i / 10.0,
  DATE '2000-01-01' + CAST(i % 2 * 31 AS INTEGER), TIMESTAMP '2020-01-01 12:00:00'
  + INTERVAL 1 DAY * (i % 2), i % 3 = 0, CASE WHEN i % 3 = 0 THEN 'Berlin' ELSE 'Oslo' END, i
  FROM range(300) t(i);
INSERT INTO visits SELECT i, 1, i % 300, 2, NULL, NULL FROM range(600) t(i);
"""


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy file; its database and ledger lie beside it."""
    folder = tmp_path_factory.mktemp("clinic")
    with duckdb.connect(str(folder / "clinic.duckdb")) as owner:
        owner.execute(SCHEMA)
    (folder / "dpsql.yaml").write_text(POLICY)
    return folder / "dpsql.yaml"


@pytest.fixture(scope="session")
def url(clinic: Path) -> str:
    return f"dpsql:///{clinic}?analyst=alice"


@pytest.fixture(scope="session")
def engine(url: str) -> Iterator[Engine]:
    made = sa.create_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened


@pytest.fixture(scope="session")
def patients(engine: Engine) -> sa.Table:
    return sa.Table("patients", sa.MetaData(), autoload_with=engine)
