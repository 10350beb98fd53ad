"""A small shop: a DuckDB file, a policy with huge budgets for `ann`, a small one for `bob`."""

from __future__ import annotations

import duckdb
import pytest
from click.testing import CliRunner

from dpsql.cli import main

POLICY = """
version: 1
database: duckdb:///shop.duckdb
ledger: sqlite:///ledger.db
unit: user
budgets:
  per_query: {epsilon: 1, delta: 1e-7}
  max_per_query: {epsilon: 1e9, delta: 1e-2}
  analysts:
    ann: {epsilon: 1e11, delta: 0.1}
    bob: {epsilon: 2, delta: 1e-6}
  total: {epsilon: 1e12, delta: 0.5}
analysts_only: true
bounds: {max_groups: 1, max_rows_per_group: 1}
tables:
  users:
    unit: id
    columns:
      city: {values: [Berlin, Roma]}
      age: {min: 0, max: 100}
      spent: {min: 0, max: 1000}
      secret: {hidden: true}
  cities: {public: true}
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The working directory, with shop.duckdb and dpsql.yaml in it. 60 Berlin, 30 Roma."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as c:
        c.execute(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, city VARCHAR NOT NULL, age INTEGER NOT "
            "NULL, spent DECIMAL(9,2) NOT NULL, nick VARCHAR, secret VARCHAR)"
        )
        c.execute(
            "INSERT INTO users SELECT i, CASE WHEN i < 60 THEN 'Berlin' ELSE 'Roma' END, 40, 2.50,"
            " CASE WHEN i < 50 THEN 'a' || chr(27) || '[31m|,\"' ELSE NULL END, 's'"
            " FROM range(90) t(i)"
        )
        c.execute("CREATE TABLE cities (city VARCHAR PRIMARY KEY, people INTEGER)")
        c.execute("INSERT INTO cities VALUES ('Berlin', 3), ('Roma', NULL), ('', 1)")
    (tmp_path / "dpsql.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    for name in ("DPSQL_POLICY", "DPSQL_ANALYST"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def dpsql(shop):
    """Run a command as a test would type it; the result has .exit_code, .stdout, .stderr."""

    def run(*args, **more):
        result = CliRunner().invoke(main, list(args), **more)
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def ask(dpsql):
    """A query in ann's name, at a price that leaves no noise."""

    def run(sql, *more, **options):
        return dpsql("query", "--analyst", "ann", "--epsilon", "1e9", sql, *more, **options)

    return run
