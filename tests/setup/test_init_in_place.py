"""`dpsql init data/*.parquet`: a policy that queries the files where they lie."""

from __future__ import annotations

import json

import duckdb
import pytest

from dpsql.policy import load


@pytest.fixture
def lying(tmp_path, monkeypatch):
    """`lying(path, select, options)`: a file, or Hive folders, in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(path, select, options="FORMAT parquet"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({select}) TO '{path}' ({options})")

    return write


VISITS = (
    "SELECT i % 50 AS pid, i AS cost, DATE '2024-01-01' + (i % 300)::INTEGER AS day, {}"
    " FROM range(200) t(i)"
)
ASK = ("query", "--analyst", "a", "--epsilon", "100000", "--format", "csv")
LARGE = ("--epsilon", "1000000", "--max-rows", "20")  # what is asked at ASK's ε has no noise


def answered(dpsql, sql):
    result = dpsql(*ASK, sql)
    assert result.exit_code == 0, result.stderr
    return float(result.stdout.splitlines()[1])


def test_parquet_files_of_one_shape_are_one_table(lying, init, dpsql, tmp_path):
    for name in ("a", "b"):
        lying(f"data/{name}.parquet", VISITS.format("1 AS x"))
    init("data/a.parquet", "data/b.parquet", "--unit", "pid", "--yes", *LARGE)
    text = (tmp_path / "dpsql.yaml").read_text()
    assert 'files: "data/*.parquet"' in text
    assert "database:" not in text
    assert not list(tmp_path.glob("*.duckdb"))
    assert dpsql("check").exit_code == 0
    assert answered(dpsql, "SELECT COUNT(*) FROM data") == 400
    lying("data/c.parquet", VISITS.format("1 AS x"))
    assert answered(dpsql, "SELECT COUNT(*) FROM data") == 400  # stored: data_version is one


def test_files_of_several_shapes_are_several_tables(lying, init, dpsql):
    lying("data/visits.parquet", VISITS.format("1 AS x"))
    lying("data/people.parquet", "SELECT i AS pid, i % 90 AS age FROM range(50) t(i)")
    init("data", "--unit", "people.pid", "--table", "visits=pid", "--yes", *LARGE)
    policy = load("dpsql.yaml")
    assert {name: table.files.format for name, table in policy.tables.items()} == {
        "people": "parquet",
        "visits": "parquet",
    }
    assert dpsql("check").exit_code == 0
    asked = "SELECT COUNT(*) FROM visits JOIN people USING (pid) WHERE age > 9"
    assert answered(dpsql, asked) == 160


def test_files_are_called_files(lying, init, dpsql, tmp_path):
    """The engine reads them by views; to the owner they are files."""
    lying("data/prices.parquet", "SELECT i AS code, i AS price FROM range(9) t(i)")
    lying("data/people.parquet", "SELECT i AS pid, i % 90 AS age FROM range(50) t(i)")
    init("data", "--unit", "people.pid", "--yes", *LARGE)
    policy = tmp_path / "dpsql.yaml"
    assert "files have no foreign keys" in policy.read_text()
    findings = json.loads(dpsql("check", "--format", "json").stdout)["findings"]
    keys = [one["message"] for one in findings if one["where"] == "tables.people.keys"]
    assert keys == ["Parquet files: nothing enforces a key on them"]
    assert "a view" not in policy.read_text() + dpsql("check").stdout


def test_hive_folders_are_one_table(lying, init, dpsql, tmp_path):
    lying("visits", VISITS.format("i % 3 AS region"), "FORMAT parquet, PARTITION_BY (region)")
    init("visits", "--unit", "pid", "--yes", *LARGE)
    assert "partitions: {region: VARCHAR}" in (tmp_path / "dpsql.yaml").read_text()
    assert dpsql("check").exit_code == 0
    assert answered(dpsql, "SELECT COUNT(*) FROM visits WHERE region = '1'") == 67


def test_csv_in_place_has_its_types_pinned(lying, init, dpsql, tmp_path):
    lying("visits.csv", VISITS.format("'a;b' AS note"), "FORMAT csv, DELIMITER ';'")
    result = init("visits.csv", "--in-place", "--unit", "pid", "--header", *LARGE)
    text = (tmp_path / "dpsql.yaml").read_text()
    assert "types: {pid: BIGINT, cost: BIGINT, day: DATE, note: VARCHAR}" in text
    assert 'csv: {delimiter: ";"}' in text
    assert "are no row" not in result.stderr
    assert dpsql("check").exit_code == 0
    assert answered(dpsql, "SELECT COUNT(*) FROM visits WHERE note = 'a;b'") == 200


def test_lines_that_would_be_lost_are_told_without_a_value(lying, init, tmp_path):
    rows = "".join(f'{i},"one\ntwo"\n' if i == 7 else f'{i},"secret"\n' for i in range(30))
    (tmp_path / "t.csv").write_text(f"pid,note\n{rows}")
    result = init("t.csv", "--in-place", "--unit", "pid", "--yes")
    assert "t: 2 lines are no row" in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "flags", [("--database", "x.duckdb"), ("--key", "visits=pid"), ("--load",)]
)
def test_parquet_is_loaded_where_that_is_said(flags, lying, init, dpsql):
    lying("visits.parquet", "SELECT i AS pid, i AS cost FROM range(20) t(i)")
    init("visits.parquet", "--unit", "pid", "--yes", *flags)
    assert load("dpsql.yaml").database is not None


@pytest.mark.parametrize(
    "args",
    [
        ("a.parquet", "--in-place", "--key", "a=pid"),
        ("a.parquet", "b.parquet", "--load"),
        ("a.parquet", "b.parquet", "--database", "x.duckdb"),
        ("a.parquet", "nowhere.parquet"),
        ("a.parquet", "nothing"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(args, lying, dpsql, tmp_path):
    (tmp_path / "nothing").mkdir()
    for name in ("a", "b"):
        lying(f"{name}.parquet", "SELECT 1 AS pid")
    result = dpsql("init", *args, "--unit", "pid", "--yes")
    assert result.exit_code == 2, result.output
    assert not (tmp_path / "dpsql.yaml").exists()
