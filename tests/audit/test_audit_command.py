"""`dpsql audit` as owners call it."""

from __future__ import annotations

import json

import duckdb
import pytest
from click.testing import CliRunner
from test_audit_faults import half_the_noise

from dpsql.cli import main

PEOPLE = "  people: {unit: id, columns: {income: {min: 0, max: 10}}}"
POLICY = f"""
version: 1
database: duckdb:///d.duckdb
budgets: {{default: {{epsilon: 1, delta: 1e-6}}}}
tables:
{PEOPLE}
  places: {{public: true}}
"""


@pytest.fixture
def dpsql(tmp_path, monkeypatch):
    with duckdb.connect(str(tmp_path / "d.duckdb")) as c:
        c.execute("CREATE TABLE people (id BIGINT PRIMARY KEY, income DOUBLE)")
        c.execute("CREATE TABLE places (name VARCHAR)")
    (tmp_path / "dpsql.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["audit", *arguments])


def test_within(dpsql, tmp_path):
    result = dpsql("--blocks", "200")
    assert result.exit_code == 0, result.output
    assert "SUM(income)" in result.stdout
    (line,) = result.stderr.splitlines()  # no terminal: one plain line
    assert line.endswith("questions to try")
    assert "none broken" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"d.duckdb", "dpsql.yaml"}  # no ledger


def test_above_is_exit_1_and_says_by_what(dpsql, monkeypatch, uncertified):
    half_the_noise(monkeypatch)
    result = dpsql("--blocks", "4000", "--table", "PEOPLE", "--epsilon", "1", "--ask", "COUNT(*)")
    assert result.exit_code == 1
    assert "ABOVE" in result.stdout
    assert "told apart by 1 row in 1 group" in result.stdout


def test_one_question(dpsql):
    result = dpsql("--blocks", "100", "--ask", "sum(INCOME)", "--format", "json")
    asked = [row["question"] for row in json.loads(result.stdout)]
    assert asked == ["SUM(income)", "COUNT(*), SUM(income), AVG(income)"]
    assert dpsql("--ask", "nothing").exit_code == 1


def test_json(dpsql):
    result = dpsql("--blocks", "100", "--method", "one-run", "--format", "json")
    found = json.loads(result.stdout)
    assert {row["of"] for row in found} == {"epsilon", "delta"}
    assert all(0 <= row["measured"] <= row["claimed"] for row in found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "peple"), "the nearest name is people"),
        (("--table", "places"), "no private table"),
        (("--blocks", "3"), "--blocks"),
        (("--epsilon", "no"), "--epsilon"),
        (("--confidence", "1"), "--confidence"),
        (("--policy", "none.yaml"), "none.yaml"),
    ],
)
def test_wrong_usage(dpsql, arguments, words):
    result = dpsql(*arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_without_a_private_table_nothing_is_tried(dpsql, tmp_path):
    (tmp_path / "dpsql.yaml").write_text(POLICY.replace(PEOPLE, ""))
    result = dpsql()
    assert (result.exit_code, "nothing could be tried" in result.stdout) == (1, True)
