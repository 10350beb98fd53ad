"""The questions, answered as somebody at a terminal would."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.commands import init as init_command
from dpsql.policy import load


@pytest.fixture
def talk(dpsql, monkeypatch):
    """`dpsql init` with somebody there, who types these lines."""
    monkeypatch.setattr(init_command, "somebody_there", lambda: True)

    def run(*args, lines):
        return dpsql("init", *args, input="".join(f"{line}\n" for line in lines))

    return run


def test_a_dialogue(clinic, talk, dpsql):
    result = talk(
        "clinic.duckdb",
        lines=[
            "nope", "1", "",  # the unit, its word
            "omit", "patient_id", "public",  # messages, old, wards
            "a",
            "-5..5", "200..1", "30..150", "",  # small, weight (twice), born; CHECKs settle the rest
            "hide", "", ".",  # of the view: age, sex, and no more
            "1..30",  # pills
            "north,south", "0..500",  # ward, cost
            "2", "x", "4",  # bounds
            "0", "2", "1", "8", "",  # budgets, each wrong once but δ
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    policy = load("dpsql.yaml")
    assert set(policy.tables) == {"patients", "visits", "prescriptions", "old", "wards"}
    patients = policy.tables["patients"].columns
    assert (patients["small"].min, patients["small"].max) == (-5, 5)
    assert (patients["weight"].min, patients["weight"].max) == (30, 150)
    assert patients["email"].hidden
    assert policy.tables["old"].columns["age"].hidden
    assert policy.tables["visits"].columns["ward"].values == ("north", "south")
    assert policy.tables["wards"].public
    assert (policy.bounds.max_groups, policy.bounds.max_rows_per_group) == (2, 4)
    assert (policy.budgets.default.epsilon, policy.budgets.total.epsilon) == (2, 8)
    assert "'200..1' is no range MIN..MAX" in result.stderr
    assert "there is no column 'nope'" in " ".join(result.stderr.split())
    assert "a suspicion of 10 %" in result.stderr
    assert result.stdout == ""
    assert dpsql("check").exit_code == 0


def test_enter_at_the_unit_says_what_is_expected(clinic, talk):
    said = " ".join(talk("clinic.duckdb", lines=["", "1"]).stderr.split())
    assert "an answer is needed here. one of the numbers above, or table.column" in said
    assert "one of them is called" in said  # and the 1 was read


def test_a_private_scan_is_offered(clinic, talk):
    result = talk(
        "clinic.duckdb", "--unit", "patients.patient_id", "--unit-word", "patient",
        "--max-groups", "1", "--max-rows", "1",
        lines=["", "", "", "p", "0", "5", "1", "", ""],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    policy = load("dpsql.yaml")
    assert policy.budgets.analysts["owner"].epsilon == 5
    assert policy.tables["patients"].columns["weight"].max == 128


def test_flags_are_not_asked_again(clinic, talk):
    result = talk(
        "clinic.duckdb", "--unit", "patients.patient_id", "--unit-word", "patient", "--ranges",
        "none", "--max-groups", "1", "--max-rows", "1", "--epsilon", "3",
        "--table", "messages=omit", "--table", "old=omit", "--table", "wards=omit",
        lines=[],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert load("dpsql.yaml").budgets.default.epsilon == 3


def test_giving_up_writes_nothing(clinic, talk):
    before = sorted(clinic.iterdir())
    assert talk("clinic.duckdb", lines=["1"]).exit_code == 130
    assert sorted(clinic.iterdir()) == before


def test_a_first_line_that_is_a_row_is_not_confirmed(tmp_path, monkeypatch, talk):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text("alice,berlin\nbob,paris\n")
    result = talk("people.csv", lines=["n"])
    assert result.exit_code == 2
    assert "[init-header]" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_keys_of_files(tmp_path, monkeypatch, talk):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as c:
        c.execute("COPY (SELECT i AS z, i % 3 AS g FROM range(50) t(i)) TO 'persons.csv'")
        c.execute("COPY (SELECT i % 50 AS z, i // 50 AS year FROM range(99) t(i)) TO 'years.csv'")
    (tmp_path / "d").mkdir()
    for name in ("persons.csv", "years.csv"):
        (tmp_path / name).rename(tmp_path / "d" / name)
    result = talk(
        "d",
        lines=[
            "y",  # the first lines are names
            "q", "z", "z, year",  # keys of persons (wrong once) and years
            "n", "years.z", "years.z=persons.z", "",  # the proposed reference; another one
            "persons.z", "", "t", "", "", "", "", "",
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    with duckdb.connect("d.duckdb", read_only=True) as c:
        keys = c.execute(
            "SELECT table_name, constraint_column_names FROM duckdb_constraints()"
            " WHERE constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY') ORDER BY ALL"
        ).fetchall()
    assert keys == [("persons", ["z"]), ("years", ["z"]), ("years", ["z", "year"])]
    assert set(load("dpsql.yaml").tables) == {"persons", "years"}
