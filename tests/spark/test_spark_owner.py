"""An owner who outgrew one machine writes `database:`, and changes nothing else."""

from __future__ import annotations

import warnings
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spark_world as worlds
from click.testing import CliRunner

import dpsql
from dpsql.cli import main

BEFORE = """
version: 1
unit: person
budgets:
  per_query: {epsilon: 1e9, delta: 1e-3}
  max_per_query: {epsilon: 1e9, delta: 1e-3}
  default: {epsilon: 1e12, delta: 0.9}
releases: {reuse: off}
bounds: {max_groups: 40, max_rows_per_group: 40}
tables:
  people:
    files: people/*.parquet
    unit: pid
    columns: {age: {min: 0, max: 120}}
  visits:
    files: visits
    types: {pid: BIGINT, cost: "DECIMAL(10,2)"}
    partitions: {year: INTEGER}
    csv: {}
    unit: pid
    columns: {cost: {min: 0, max: 100}}
"""
ASKED = (
    "SELECT v.year, COUNT(*) AS n, SUM(v.cost) AS c, AVG(p.age) AS a FROM visits v"
    " JOIN people p ON p.pid = v.pid GROUP BY v.year ORDER BY v.year"
)


@pytest.fixture
def place(tmp_path, spark_session):
    people = [{"pid": i, "age": i % 80, "tags": ["x"]} for i in range(200)]
    (tmp_path / "people").mkdir()
    pq.write_table(pa.Table.from_pylist(people), tmp_path / "people" / "a.parquet")
    for year in (2023, 2024):
        folder = tmp_path / "visits" / f"year={year}"
        folder.mkdir(parents=True)
        lines = [f"{i % 190},{i % 50}.25" for i in range(600 if year == 2023 else 300)]
        (folder / "a.csv").write_text("\n".join(["pid,cost", *lines, "none,1"]))
    (tmp_path / "duck.yaml").write_text(BEFORE)
    line = f'database: "{worlds.URL}"\n'
    (tmp_path / "spark.yaml").write_text(f"{line}limits: {{memory: 1GB}}{BEFORE}")
    return tmp_path


def connect(policy, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ledger is in memory on purpose
        return dpsql.connect(policy, analyst="ana", **more)


def answer(policy, **more):
    with closing(connect(policy, **more)) as connection:
        cursor = connection.cursor()
        cursor.execute(ASKED)
        return [(year, n, round(float(c)), round(a, 3)) for year, n, c, a in cursor.fetchall()]


def test_the_answer_is_the_same(place, spark_session):
    before = answer(place / "duck.yaml")
    assert [(year, n) for year, n, *_ in before] == [(2023, 600), (2024, 300)]
    assert answer(place / "spark.yaml") == before
    assert answer(place / "duck.yaml", engine=spark_session) == before


def test_check_and_explain(place):
    checked = CliRunner().invoke(main, ["check", "--policy", str(place / "spark.yaml")])
    assert checked.exit_code == 0, checked.output
    text = " ".join(checked.output.split())
    assert "tables.people.tags is left out" in text
    words = ["explain", "--policy", str(place / "spark.yaml"), "--analyst", "ana", "--sql", ASKED]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert "`visits` AS" in shown.output
