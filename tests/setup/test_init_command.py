"""`dpsql init` by flags: what it writes, what it refuses, what it never does."""

from __future__ import annotations

import duckdb
import pytest

from dpsql.demo.dataset import build_database
from dpsql.demo.questions import QUESTIONS
from dpsql.policy import load
from dpsql.session import Session

UNIT = ("--unit", "patients.patient_id")


def test_the_schema_becomes_a_policy_that_check_accepts(clinic, init, dpsql):
    init("duckdb:///clinic.duckdb", *UNIT, "--ranges", "from-types")
    policy = load("dpsql.yaml")
    assert policy.unit == "patient"
    assert set(policy.tables) == {"patients", "visits", "prescriptions"}
    patients = policy.tables["patients"].columns
    assert (patients["age"].min, patients["age"].max) == (0, 120)
    assert patients["sex"].values == ("f", "m")
    assert (patients["small"].min, patients["small"].max) == (-128, 127)
    assert patients["email"].hidden
    assert not {"weight", "born", "mood", "patient_id"} & set(patients)
    assert [h.target_table for h in policy.tables["prescriptions"].unit.hops] == [
        "visits",
        "patients",
    ]
    checked = dpsql("check")
    assert checked.exit_code == 0
    assert "fits (3 tables, 3 private by patient)" in checked.stdout


@pytest.mark.parametrize("content", ["root:x:0:0:root:/root:/bin/bash\n", ""])
def test_a_file_that_is_no_database_is_told_without_a_policy(clinic, dpsql, content):
    (clinic / "passwd").write_text(content)
    result = dpsql("init", "passwd", *UNIT)
    assert result.exit_code == 5
    assert "error [engine-open]: the database file passwd cannot be opened: it is" in result.stderr
    assert "policy" not in result.stderr
    assert "hint: name a DuckDB file" in result.stderr
    assert not (clinic / "dpsql.yaml").exists()


def test_ranges_from_types_are_declared_and_no_others_stand_in(clinic, init, dpsql):
    """from-types writes what a type holds as min and max: then it is the owner's word."""
    init("clinic.duckdb", *UNIT, "--ranges", "from-types", "-o", "types.yaml")
    init("clinic.duckdb", *UNIT, "--ranges", "none", "-o", "none.yaml")
    for name in ("types.yaml", "none.yaml"):  # else a range that nobody declares is found
        written = (clinic / name).read_text()
        assert written.count("\nbounds:\n") == 1
        refusing = written.replace("\nbounds:\n", "\nbounds:\n  undeclared: refuse\n")
        (clinic / name).write_text(refusing)

    def asked(policy, sql):
        return dpsql("explain", "--policy", policy, "--analyst", "ann", sql)

    for column, shown in (("small", "-128 to 127"), ("age", "0 to 120")):
        told = asked("types.yaml", f"SELECT SUM({column}) FROM patients")
        assert told.exit_code == 0, told.output
        assert f"values are cut to {shown}: min and max of patients.{column} in" in told.stdout
    assert asked("none.yaml", "SELECT SUM(age) FROM patients").exit_code == 0  # by its CHECK
    undeclared = ["patients.small", "visits.cost", "prescriptions.pills", "patients.weight"]
    for name in undeclared:
        table, _, column = name.partition(".")
        refused = asked("none.yaml", f"SELECT SUM({column}) FROM {table}")
        assert refused.exit_code == 3
        assert f"error [no-bounds]: SUM({column}) needs a range, and {name} has" in refused.stderr
        wide = asked("types.yaml", f"SELECT SUM({column}) FROM {table}")
        assert wide.exit_code == (3 if column in ("pills", "weight") else 0)
    text = (clinic / "types.yaml").read_text()
    assert "BIGINT: no range: sums need bounds in the query, or find some" in text
    assert "ranges as wide as their types: cost (DECIMAL(9,2))" in " ".join(
        dpsql("check", "--policy", "types.yaml").stdout.split()
    )


def test_a_missing_file_is_told_before_missing_flags(clinic, dpsql):
    missing = dpsql("init", "nope.duckdb")
    assert missing.exit_code == 2
    assert "nope.duckdb: there is no such file" in " ".join(missing.stderr.split())
    assert "--unit" not in missing.stderr
    assert "say who is protected: --unit" in dpsql("init", "clinic.duckdb").stderr


def test_what_is_left_out_is_explained(clinic, init):
    init("clinic.duckdb", *UNIT)
    text = " ".join((clinic / "dpsql.yaml").read_text().split()).replace("# ", "")
    assert "wards is left out: no foreign key leads to the patient; write `public: true`" in text
    assert "messages is left out: it leads to the patient in 2 ways" in text
    assert "`unit: sender -> patients.patient_id`" in text
    assert "old is left out" in text


def test_the_owner_decides_about_tables(clinic, init):
    init(
        "clinic.duckdb", *UNIT, "--table", "wards=public", "--table", "visits=omit",
        "--table", "messages=sender -> patients.patient_id", "--table", "old=patient_id",
    )  # fmt: skip
    policy = load("dpsql.yaml")
    assert policy.tables["wards"].public
    assert policy.tables["messages"].unit.own_column == "sender"
    assert policy.tables["old"].unit.own_column == "patient_id"
    assert "prescriptions" not in policy.tables  # its way leads over visits
    assert "leads over visits" in (clinic / "dpsql.yaml").read_text()


def test_the_data_writes_nothing(clinic, init):
    """Two databases of one schema: the same file, byte for byte."""
    init("clinic.duckdb", *UNIT, "-o", "one.yaml")
    with duckdb.connect(str(clinic / "clinic.duckdb")) as c:
        c.execute("INSERT INTO wards VALUES ('secret', 77)")
        c.execute("INSERT INTO patients VALUES (-5, 99, 'f', 3, 1e6, NULL, NULL, 'x')")
        c.execute("UPDATE patients SET weight = NULL, born = DATE '1800-01-01'")
        c.execute("DELETE FROM prescriptions")
    one = (clinic / "one.yaml").read_bytes()
    init("clinic.duckdb", *UNIT, "-o", "one.yaml", "--force")
    two = (clinic / "one.yaml").read_bytes()
    assert one == two
    assert b"gay" not in one.replace(b"ENUM('grumpy', 'gay')", b"")  # the type's, as a comment


def test_flags_say_ranges_values_and_bounds(clinic, init):
    init(
        "clinic.duckdb", *UNIT, "--ranges", "none", "--range", "visits.cost=0..512.5",
        "--range", "patients.born=1900-01-01..2020-12-31", "--values", "visits.ward=north, south",
        "--hide", "patients.weight", "--max-rows-per-unit", "visits=9", "--max-groups", "2",
        "--max-rows", "4", "--epsilon", "2", "--delta", "1e-7", "--total-epsilon", "4",
        "--unit-word", "case",
    )  # fmt: skip
    policy = load("dpsql.yaml")
    visits = policy.tables["visits"]
    assert str(visits.columns["cost"].max) == "1025/2"
    assert "ward" in visits.columns
    assert visits.columns["ward"].values == ("north", "south")
    assert visits.max_rows_per_unit == 9
    assert policy.tables["patients"].columns["weight"].hidden
    assert "small" not in policy.tables["patients"].columns
    assert (policy.bounds.max_groups, policy.bounds.max_rows_per_group) == (2, 4)
    assert (policy.budgets.default.epsilon, policy.budgets.total.epsilon) == (2, 4)
    assert policy.unit == "case"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "name the data"),
        (("clinic.duckdb",), "--unit TABLE.COLUMN"),
        (("clinic.duckdb", "--yes"), "--unit TABLE.COLUMN"),
        (("clinic.duckdb", *UNIT, "--ranges", "ask"), "--ranges ask needs a terminal"),
        (("clinic.duckdb", "--unit", "patient.patient_id"), "there is no table 'patient'"),
        (("clinic.duckdb", "--unit", "patients.id"), "there is no column 'patients.id'"),
        (("clinic.duckdb", "--unit", "patients"), "there is no column 'patients'"),
        (("clinic.duckdb", "--unit", "patients.mood"), "cannot identify"),
        (("clinic.duckdb", *UNIT, "--range", "visits.cost=5"), "is no range MIN..MAX"),
        (("clinic.duckdb", *UNIT, "--range", "visits.cost=9..1"), "is no range MIN..MAX"),
        (("clinic.duckdb", *UNIT, "--range", "visits.ward=1..2"), "cannot clamp"),
        (("clinic.duckdb", *UNIT, "--range", "cost"), "--range: 'cost' cannot be read"),
        (("clinic.duckdb", *UNIT, "--values", "visits.cost=1,2"), "values are listed for text"),
        (("clinic.duckdb", *UNIT, "--values", "visits.ward=a,,b"), "is no list"),
        (("clinic.duckdb", *UNIT, "--table", "wards=nope"), "there is no column 'wards.nope'"),
        (("clinic.duckdb", *UNIT, "--table", "wards=ward -> visits.ward"), "not a key"),
        (("clinic.duckdb", *UNIT, "--max-rows-per-unit", "visits=0"), "cannot be read"),
        (("clinic.duckdb", *UNIT, "--epsilon", "0"), "--epsilon: epsilon must be at least"),
        (("clinic.duckdb", *UNIT, "--delta", "2"), "--delta: delta must lie in"),
        (("clinic.duckdb", *UNIT, "--total-epsilon", "0.5"), "--total-epsilon is less than"),
        (("nope.duckdb", *UNIT), "there is no such file"),
        (("mysql://h/db", *UNIT), "duckdb:///file.duckdb, postgresql://, sc:// and spark://"),
        (("clinic.duckdb", *UNIT, "-o", "no/such/dpsql.yaml"), "no such folder"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(clinic, dpsql, args, said):
    before = sorted(clinic.iterdir())
    result = dpsql("init", *args)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.stderr.split())
    assert sorted(clinic.iterdir()) == before


def test_a_file_that_is_no_database(clinic, dpsql):
    (clinic / "noise.bin").write_text("no database")
    assert dpsql("init", "noise.bin", *UNIT).exit_code == 5


def test_a_policy_of_another_name_has_a_ledger_of_its_own(clinic, init, dpsql):
    """Two policies in one folder: what one's analysts spend is not spent in the other."""
    for name in ("dpsql", "north", "south"):
        init("clinic.duckdb", *UNIT, "-o", f"{name}.yaml")
    ledgers = {name: load(f"{name}.yaml").ledger for name in ("dpsql", "north", "south")}
    assert [str(one).rpartition("/")[2] for one in ledgers.values()] == [
        "dpsql-ledger.db",
        "north-ledger.db",
        "south-ledger.db",
    ]
    asked = ("--analyst", "ann", "SELECT COUNT(*) FROM patients")
    assert dpsql("query", "--policy", "north.yaml", *asked).exit_code == 0
    left = dpsql("budget", "--policy", "south.yaml", "--analyst", "ann", "--format", "json")
    assert '"share": 0' in left.stdout


def test_a_policy_that_is_replaced_keeps_its_ledger(clinic, init):
    """What was spent stays spent."""
    init("clinic.duckdb", *UNIT)
    written = (clinic / "dpsql.yaml").read_text()
    moved = written.replace("sqlite:///dpsql-ledger.db", "sqlite:///spent/here.db")
    (clinic / "dpsql.yaml").write_text(moved)
    init("clinic.duckdb", *UNIT, "--force")
    assert "ledger: sqlite:///spent/here.db" in (clinic / "dpsql.yaml").read_text()


def test_nothing_is_overwritten_without_force(clinic, init, dpsql):
    (clinic / "dpsql.yaml").write_text("mine")
    result = dpsql("init", "clinic.duckdb", *UNIT)
    assert result.exit_code == 2
    assert "init-exists" in result.stderr
    assert (clinic / "dpsql.yaml").read_text() == "mine"
    init("clinic.duckdb", *UNIT, "--force")
    assert load("dpsql.yaml").unit == "patient"


def test_the_policy_may_lie_elsewhere(clinic, init, dpsql):
    (clinic / "sub").mkdir()
    init("clinic.duckdb", *UNIT, "-o", "sub/p.yaml")
    assert dpsql("check", "--policy", "sub/p.yaml").exit_code == 0


def test_odd_names_come_back_as_they_are(tmp_path, monkeypatch, init, dpsql):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("odd.duckdb") as c:
        c.execute('CREATE SCHEMA "s p"')
        c.execute('CREATE TABLE "s p"."a.b: #c" ("the ""id""" INTEGER PRIMARY KEY, "x, y" INTEGER)')
        c.execute(
            'CREATE TABLE "s p"."yes" ("no" INTEGER PRIMARY KEY, '
            '"fk -> x" INTEGER REFERENCES "s p"."a.b: #c" ("the ""id"""), "null" TINYINT)'
        )
    unit = ("--unit", 's p.a.b: #c.the "id"')
    result = dpsql("init", "odd.duckdb", *unit, "--ranges", "from-types")
    assert result.exit_code == 0, result.output
    assert dpsql("check").exit_code == 0
    tables = load("dpsql.yaml").tables
    assert {table.parts for table in tables.values()} == {("s p", "a.b: #c"), ("s p", "yes")}
    columns = next(t for t in tables.values() if t.parts[1] == "yes").columns
    assert set(columns) == {"no", "null"} - {"no"}


def test_round_trip_on_the_demo(tmp_path, monkeypatch, init):
    """The policy written for the demo's database answers the demo's questions."""
    monkeypatch.chdir(tmp_path)
    build_database("rand.duckdb")
    init(
        "rand.duckdb", "--unit", "persons.zper", "--table", "plans=public",
        "--ranges", "from-types", "--epsilon", "100", "--total-epsilon", "100",
    )  # fmt: skip
    session = Session("dpsql.yaml", "ada")
    try:
        for question in QUESTIONS:
            answer = session.query(question.sql, epsilon="10")
            assert answer.table.num_rows >= 1
        assert answer.privacy.free  # the last of them is a repeat
        assert session.policy.unit == "person"
    finally:
        session.close()
