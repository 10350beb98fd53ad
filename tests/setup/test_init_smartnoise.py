"""SmartNoise SQL's metadata, in the form of its own PUMS examples."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.policy import load

PUMS = """
engine: sqlserver
Database:
  PUMS:
    PUMS:
      rows: 1000
      max_ids: 2
      censor_dims: False
      age: {type: int, lower: 0, upper: 100}
      sex: {type: string, cardinality: 2}
      income: {type: int, lower: 0, upper: 500000.0, missing_value: 0, nullable: no}
      pid: {type: int, private_id: True}
"""


@pytest.fixture
def pums(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as c:
        c.execute(
            "COPY (SELECT i % 90 AS age, i % 2 AS sex, 1000.0 * (i % 60) AS income, i // 2 AS pid "
            "FROM range(1000) t(i)) TO 'PUMS.csv'"
        )
    (tmp_path / "meta.yaml").write_text(PUMS)
    return tmp_path


def test_metadata_become_a_policy(pums, init, dpsql):
    init("PUMS.csv", "--header", "--from-smartnoise", "meta.yaml")
    policy = load("dpsql.yaml")
    table = policy.tables["PUMS"]
    assert table.unit.own_column == "pid"
    assert table.max_rows_per_unit == 2
    assert (table.columns["age"].min, table.columns["age"].max) == (0, 100)
    assert table.columns["income"].max == 500000
    assert table.columns["income"].nullable is False
    assert (policy.bounds.max_groups, policy.bounds.max_rows_per_group) == (2, 2)
    text = (pums / "dpsql.yaml").read_text()
    assert "# PUMS: `censor_dims` is not taken over" in text
    assert "# PUMS.income: `missing_value` is not taken over" in text
    assert "rows: 1000" not in text  # a size of the data
    answer = dpsql("query", "--analyst", "a", "SELECT COUNT(*), AVG(age) FROM PUMS")
    assert answer.exit_code == 0


def test_flags_come_before_metadata(pums, init):
    init("PUMS.csv", "--header", "--from-smartnoise", "meta.yaml", "--range", "PUMS.age=0..50")
    assert load("dpsql.yaml").tables["PUMS"].columns["age"].max == 50


def test_row_privacy_needs_a_key(pums, init, dpsql):
    rows = PUMS.replace("max_ids: 2", "row_privacy: True").replace(", private_id: True", "")
    (pums / "meta.yaml").write_text(rows)
    result = dpsql("init", "PUMS.csv", "--header", "--from-smartnoise", "meta.yaml")
    assert result.exit_code == 2
    assert "row_privacy protects rows" in result.stderr
    with duckdb.connect("keyed.duckdb") as c:
        c.execute("CREATE TABLE pums (n INT PRIMARY KEY, age INT, sex INT, income INT, pid INT)")
    init("keyed.duckdb", "--from-smartnoise", "meta.yaml")
    policy = load("dpsql.yaml")
    assert policy.tables["pums"].unit.own_column == "n"
    assert policy.bounds.max_rows_per_group == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    PUMS:\n      rows", "    OTHER:\n      rows", "the database has no table OTHER"),
        ("age: {", "aeg: {", "there is no column 'PUMS.aeg'"),
        (", private_id: True", "", "names no private_id"),
        ("lower: 0, upper: 100", "lower: 9, upper: 1", "lies below"),
        ("max_ids: 2", "max_ids: many", "max_ids"),
        ("{type: int, lower: 0, upper: 100}", "7", "expected a mapping"),
        ("engine: sqlserver", "Other: {}", "one collection"),
        ("sex: {type: string, ", "sex: {type: string, private_id: True, ", "a second private_id"),
        ("engine: sqlserver", "engine: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(pums, dpsql, old, new, said):
    assert old in PUMS
    (pums / "meta.yaml").write_text(PUMS.replace(old, new))
    result = dpsql("init", "PUMS.csv", "--header", "--from-smartnoise", "meta.yaml")
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert not (pums / "dpsql.yaml").exists()


def test_a_missing_file(pums, dpsql):
    result = dpsql("init", "PUMS.csv", "--header", "--from-smartnoise", "nope.yaml")
    assert result.exit_code == 2
    assert "nope.yaml cannot be read" in result.stderr
