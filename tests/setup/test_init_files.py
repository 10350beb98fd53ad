"""CSV and Parquet, loaded with the keys the owner confirms."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.policy import load
from dpsql.setup.files import Reference
from dpsql.setup.guessed_keys import propose_primary, propose_references


@pytest.fixture
def files(tmp_path, monkeypatch):
    """data/ with persons.csv, visits.parquet (persons twice each) and a README."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "README.txt").write_text("not data")
    with duckdb.connect() as c:
        c.execute("CREATE TABLE p AS SELECT i AS person_id, i % 50 AS age FROM range(100) t(i)")
        c.execute(f"COPY p TO '{folder}/persons.csv'")
        c.execute(
            "CREATE TABLE v AS SELECT CAST(i AS INTEGER) AS visit_id, CAST(i % 100 AS INTEGER) AS "
            "person_id, 1.5 * i AS cost FROM range(200) t(i)"
        )
        c.execute(f"COPY v TO '{folder}/visits.parquet' (FORMAT parquet)")
    return folder


def test_a_folder_with_proposed_keys(files, init, dpsql):
    """BIGINT of a CSV and INTEGER of a Parquet file meet in one foreign key."""
    result = init("data", "--unit", "persons.person_id", "--yes")
    assert "foreign key: visits.person_id -> persons.person_id" in result.stderr
    with duckdb.connect("data.duckdb", read_only=True) as c:
        assert c.execute("SELECT COUNT(*) FROM visits").fetchone() == (200,)
    policy = load("dpsql.yaml")
    assert policy.tables["visits"].unit.own_column == "person_id"
    assert "# Column types were taken from" in (files.parent / "dpsql.yaml").read_text()
    checked = dpsql("check").stdout
    assert "one row per person, enforced" in checked
    assert dpsql("query", "--analyst", "a", "SELECT COUNT(*) FROM visits").exit_code == 0


def test_without_yes_only_keys_that_are_named(files, init):
    init("data", "--header", "--unit", "persons.person_id")
    assert set(load("dpsql.yaml").tables) == {"persons"}
    assert "if the column holds its id, write" in (files.parent / "dpsql.yaml").read_text()
    init(
        "data", "--header", "--unit", "persons.person_id", "--key", "persons=person_id", "--force",
        "--foreign-key", "visits.person_id=persons.person_id",
    )  # fmt: skip
    assert set(load("dpsql.yaml").tables) == {"persons", "visits"}


def test_one_file(files, init):
    init("data/visits.parquet", "--unit", "visits.person_id", "--database", "v.duckdb")
    policy = load("dpsql.yaml")
    assert policy.database.path.name == "v.duckdb"
    assert policy.unit == "person"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--key", "visits=person_id"), "visits.parquet does not keep its keys"),
        (("--key", "visits=nope"), "there is no column 'visits.nope'"),
        (("--key", "nope=id"), "there is no table 'nope'"),
        (("--key", "visits"), "--key: 'visits' cannot be read"),
        (("--foreign-key", "visits.cost=persons.person_id"), "takes no such keys on visits"),
        (("--foreign-key", "visits.person_id"), "--foreign-key: 'visits.person_id' cannot be"),
        (("--key", "visits=visit_id", "--foreign-key", "persons.person_id=visits.visit_id",
          "--foreign-key", "visits.person_id=persons.person_id"), "in a circle"),
        (("--key", "persons=person_id", "--foreign-key", "visits.visit_id=persons.person_id"),
         "a row that refers to none"),
    ],
)  # fmt: skip
def test_keys_that_do_not_hold_stop_the_load(files, dpsql, flags, said):
    result = dpsql("init", "data", "--header", "--unit", "persons.person_id", *flags)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert sorted(path.name for path in files.parent.iterdir()) == ["data"]


def test_errors_name_no_value_of_the_data(files, dpsql):
    result = dpsql(
        "init", "data", "--header", "--unit", "persons.person_id", "--key", "visits=person_id"
    )
    assert not any(str(number) in result.stderr for number in range(100))


def test_a_later_mistake_leaves_no_database_behind(files, dpsql):
    assert dpsql("init", "data", "--header", "--unit", "persons.nope").exit_code == 2
    assert not (files.parent / "data.duckdb").exists()


def test_the_database_is_not_overwritten(files, dpsql, init):
    (files.parent / "data.duckdb").write_text("mine")
    assert dpsql("init", "data", "--header", "--unit", "persons.person_id").exit_code == 2
    assert (files.parent / "data.duckdb").read_text() == "mine"
    init("data", "--header", "--unit", "persons.person_id", "--force")
    assert load("dpsql.yaml").tables


@pytest.mark.parametrize(
    ("name", "content", "exit_code"),
    [("empty.csv", "", 2), ("bad.parquet", "PAR1", 5), ("x.xlsx", "", 2), ("table.sqlite", "", 2)],
)
def test_files_that_cannot_be_read(tmp_path, monkeypatch, dpsql, name, content, exit_code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content)
    assert dpsql("init", name, "--unit", "t.c").exit_code == exit_code


def test_two_files_of_one_name(files, dpsql):
    (files / "visits.csv").write_text("a\n1\n")
    result = dpsql("init", "data", "--header", "--unit", "persons.person_id")
    assert "would both be the table visits" in result.stderr


def test_keys_are_guessed_from_names_and_types_alone():
    columns = {
        "people": {"id": "BIGINT", "name": "VARCHAR"},
        "orders": {"order_id": "BIGINT", "person_id": "INTEGER", "people_id": "VARCHAR"},
        "lines": {"order_id": "BIGINT", "n": "INTEGER"},
    }
    primary = propose_primary(columns)
    assert primary == {"people": ("id",), "orders": ("order_id",)}
    assert propose_references(columns, primary) == (
        Reference("orders", "person_id", "people", "id"),
        Reference("lines", "order_id", "orders", "order_id"),
    )
    assert propose_references(columns, {"orders": ("order_id", "person_id")}) == ()
