"""Paths over keys that files do not enforce and the owner promises."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction

import duckdb
import promised_world as world
import pytest
import yaml
from click.testing import CliRunner

import dpsql
from dpsql.cli import main
from dpsql.errors import PolicyError, RefusedQuery
from dpsql.explain import explain
from dpsql.ledger import Ledger
from dpsql.policy import load
from dpsql.reader import Reader
from dpsql.session import Session
from dpsql.workload import plan_workload

TWO_HOPS = "SELECT SUM(qty) FROM rx"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world.write(tmp_path, world.rows())
    return tmp_path


def filed(folder, **more):
    """The policy as a file, with a ledger beside it."""
    found = world.policy(folder, files=True, data_version="1", **more)
    found["ledger"] = f"sqlite:///{folder}/ledger.db"
    (folder / "dpsql.yaml").write_text(yaml.safe_dump(found))
    return folder / "dpsql.yaml"


def run(*args):
    return CliRunner().invoke(main, list(args))


def entries(folder):
    with closing(Ledger.audit(f"sqlite:///{folder}/ledger.db")) as ledger:
        assert ledger.verify().ok
        return [(entry.kind, entry.body) for entry in ledger.entries()]


# ---- what is answered --------------------------------------------------------------------------


def test_bounded_answers_are_those_of_tables_with_enforced_keys(folder):
    promised, enforced = world.answers(folder, files=True), world.answers(folder, files=False)
    assert promised == enforced
    assert promised[0] != [{"count_star()": 700, "sum(qty)": 1400}], "the bounds did bound"


@pytest.mark.parametrize("person", [0, 39])
def test_neighbours_differ_by_what_the_person_alone_gives(folder, person):
    """R(D) = R(D') + R(u): nobody else's part moves, and u's is within the bounds."""
    whole = world.rows()
    found = []
    for data in (whole, world.without(whole, person), world.alone(whole, person)):
        world.write(folder, data)
        found.append(world.answers(folder, files=True))
    for all_of, less, theirs in zip(*found, strict=True):
        assert len(all_of) == len(less) == len(theirs)  # public keys: every group, always
        for one, two, three in zip(all_of, less, theirs, strict=True):
            for name in one:
                if one[name] is None or isinstance(one[name], bool) or name == "qty":
                    assert one[name] == two[name] == three[name]
                else:
                    assert one[name] == two[name] + three[name]
    count, total = found[2][0][0].values()
    assert 0 < count <= world.BOUNDS["max_rows_per_group"]
    assert total <= 4 * world.BOUNDS["max_rows_per_group"]


def test_one_row_a_person_never_rests_on_a_promise(folder):
    """persons.id is verified; its rows are cut all the same, as those of DuckDB's need not be."""
    with world.opened(folder, files=True) as files, world.opened(folder, files=False) as tables:
        for session, strategy in ((files, "cap"), (tables, "row")):
            told = explain(session, "SELECT SUM(age) FROM persons").releases[0]
            assert told.strategy == strategy
        late = "SELECT p.age, COUNT(*) FROM rx r JOIN visits v ON v.visit_id = r.visit_id"
        late += " JOIN persons p ON p.id = v.person_id GROUP BY 1"
        assert explain(files, late).releases[0].joined_late == ()
        assert explain(tables, late).releases[0].joined_late == ("persons",)


def test_a_promise_that_no_path_rests_on_joins_nothing(folder):
    """Two scans equated on it are not taken for one row."""
    found = world.tables(folder, files=True)
    found["visits"]["unit"] = "person_id"
    del found["persons"], found["rx"]
    policy = {**world.policy(folder, files=True), "tables": found}
    sql = "SELECT COUNT(*) FROM visits a JOIN visits b ON a.visit_id = b.visit_id"
    with closing(Session(policy, "analyst")) as session, pytest.raises(RefusedQuery) as caught:
        session.query(sql)
    assert caught.value.code == "join-not-on-unit"


# ---- what is refused ---------------------------------------------------------------------------


def test_nothing_is_answered_or_charged_until_the_owner_has_verified(folder):
    path = filed(folder)
    with closing(Session(path, "analyst")) as session:
        inside = (
            "SELECT COUNT(*) FROM persons WHERE id IN (SELECT p.id FROM persons p JOIN visits v"
        )
        inside += " ON v.person_id = p.id)"
        for sql in (*world.QUERIES, "SELECT COUNT(*) FROM visits", inside):
            with pytest.raises(RefusedQuery) as caught:
                session.query(sql)
            assert caught.value.code == "promise-unverified"
        assert "visits.visit_id" in str(_refusal(session, TWO_HOPS))
        assert session.budget().share == 0
        assert session.query("SELECT COUNT(*) FROM persons").table.num_rows == 1  # rests on none
        assert session.query(TWO_HOPS + " LIMIT 0").privacy.free
        assert session.query("SHOW TABLES").privacy.free
    with closing(Reader(path, "analyst")) as reader, pytest.raises(RefusedQuery) as caught:
        explain(reader, TWO_HOPS)
    assert caught.value.code == "promise-unverified"
    assert [kind for kind, _ in entries(folder)].count("charge") == 1


def _refusal(session, sql):
    with pytest.raises(RefusedQuery) as caught:
        session.query(sql)
    return caught.value


def test_another_data_version_or_database_asks_anew(folder):
    path = filed(folder)
    assert run("check", "--verify-keys").exit_code == 0
    with closing(Session(path, "analyst")) as session:
        session.query(TWO_HOPS)
    found = yaml.safe_load(path.read_text())
    elsewhere = folder / "other"
    elsewhere.mkdir()
    world.write(elsewhere, world.rows())
    moved = {**found, "tables": world.tables(elsewhere, files=True)}
    for changed in ({**found, "data_version": "2"}, moved):
        with closing(Session(changed, "analyst")) as session:
            assert _refusal(session, TWO_HOPS).code == "promise-unverified"
    with closing(Session(found, "analyst")) as session:
        session.query(TWO_HOPS)


def test_without_a_ledger_there_is_nothing_to_hold_a_promise(folder):
    with closing(Session(world.policy(folder, files=True), "analyst")) as session:
        problem = _refusal(session, TWO_HOPS)
    assert "names no ledger" in problem.message
    assert "`ledger`" in problem.hint


def test_an_enforced_key_needs_no_promise(folder):
    """Whatever the policy says beside."""
    found = world.tables(folder, files=False)
    for name, key in world.PROMISES.items():
        found[name].update({"key": key, "promised": True})
    policy = {**world.policy(folder, files=False), "tables": found}
    with closing(Session(policy, "analyst")) as session:
        assert session.query(TWO_HOPS).privacy.resting == ()


def test_a_key_that_is_not_promised_or_cannot_be_is_no_key(folder):
    found = world.tables(folder, files=True)
    found["visits"]["promised"] = False
    for tables, said in (
        (found, "not a key that the database enforces"),
        (
            {"rx": {**found["rx"], "unit": "qty -> persons.age"}, "persons": found["persons"]},
            "not a key that the database enforces",  # another column is promised
        ),
    ):
        with pytest.raises(PolicyError) as caught:
            Session({**world.policy(folder, files=True), "tables": tables}, "analyst")
        assert said in str(caught.value)


# ---- the owner's command -----------------------------------------------------------------------


def test_check_alone_reads_no_row_and_writes_nothing(folder):
    filed(folder)
    said = run("check")
    assert said.exit_code == 2
    assert "dpsql check --verify-keys" in said.output
    assert not (folder / "ledger.db").exists()


def test_what_holds_is_recorded_once_a_version(folder):
    path = filed(folder)
    said = run("check", "--verify-keys")
    assert said.exit_code == 0
    assert said.output.count("verified now") == 2
    said = run("check", "--verify-keys")
    assert said.exit_code == 0
    assert "verified now" not in said.output
    assert run("check").exit_code == 0
    with closing(Session(path, "analyst")) as session:
        version = session.data_version
    told = [body for kind, body in entries(folder) if kind == "promise"]
    assert [(one["table"], one["key"], one["data_version"]) for one in told] == [
        ("persons", "id", version),
        ("visits", "visit_id", version),
    ]
    shown = run("ledger", "show", "2").output
    assert "promise: a key on the owner's word" in shown
    assert "persons.id" in shown
    assert run("ledger", "verify").exit_code == 0
    assert run("ledger", "report", "--html", "report.html").exit_code == 0
    assert run("ledger", "export").output.count('"kind": "promise"') == 2


def test_a_false_promise_is_found_and_not_recorded(folder):
    data = world.rows()
    data["visits"] = [*data["visits"], (7, 3, 0), (7, 4, 0), (9, 5, 0), (None, 6, 0)]
    with pytest.raises(Exception, match="Constraint"):
        world.write(folder, data)  # a database would have said so
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE v(visit_id BIGINT, person_id BIGINT, cost INTEGER)")
        connection.executemany("INSERT INTO v VALUES (?, ?, ?)", data["visits"])
        connection.execute(f"COPY v TO '{folder}/visits.parquet' (FORMAT parquet)")
    path = filed(folder)
    said = run("check", "--verify-keys", "--format", "csv")
    assert said.exit_code == 2
    assert "5 rows share a value of visit_id with another; 1 rows have none (NULL)" in said.output
    kept = [body["table"] for kind, body in entries(folder) if kind == "promise"]
    assert kept == ["persons"]
    with closing(Session(path, "analyst")) as session:
        assert _refusal(session, TWO_HOPS).code == "promise-unverified"


def test_nothing_to_verify_is_said(folder):
    found = world.policy(folder, files=False)
    found["ledger"] = f"sqlite:///{folder}/ledger.db"
    (folder / "dpsql.yaml").write_text(yaml.safe_dump(found))
    said = run("check", "--verify-keys", "--format", "csv")
    assert said.exit_code == 0
    assert "nothing was verified" in said.output
    assert not (folder / "ledger.db").exists()


# ---- what is told ------------------------------------------------------------------------------


def test_every_report_says_on_what_the_guarantee_rests(folder):
    path = filed(folder)
    assert run("check", "--verify-keys").exit_code == 0
    with closing(Session(path, "analyst")) as session:
        version = session.data_version
        words = "rests on the owner's promise that visits.visit_id is a key (verified for data"
        words += f" version {version})"
        for _ in range(2):  # the second is answered from the store
            told = session.query(TWO_HOPS).privacy
            assert str(told.resting[0]) == words
            assert told.to_json()["promises"] == [
                {"table": "visits", "key": "visit_id", "data_version": version},
                {"table": "persons", "key": "id", "data_version": version},
            ]
        one_hop = session.query("SELECT SUM(cost) FROM visits").privacy
        assert [one.promise.column for one in one_hop.resting] == ["persons.id"]
        assert session.query("SELECT SUM(age) FROM persons").privacy.resting == ()
        explained = explain(session, TWO_HOPS)
    assert explained.to_dict()["promises"] == told.to_json()["promises"]
    assert words in " ".join(explained.to_text().split())
    said = run("query", "--analyst", "analyst", TWO_HOPS)
    assert words in said.stderr
    with dpsql.connect(str(path), analyst="analyst") as connection:
        cursor = connection.cursor()
        cursor.execute(TWO_HOPS)
        assert cursor.privacy.resting == told.resting


def test_planning_a_budget_needs_no_verified_promise(folder):
    price = {"epsilon": Fraction(1), "delta": Fraction(1, 10**6)}
    planned = plan_workload(load(filed(folder)), TWO_HOPS, dialect="duckdb", **price)
    assert planned.releases == 1


def test_the_audit_keeps_the_promises_of_its_made_up_people(folder):
    filed(folder)
    narrow = ("--table", "rx", "--ask", "SUM(qty)", "--blocks", "40")
    said = run("audit", *narrow, "--epsilon", "1", "--delta", "1e-6")
    assert "none broken" in said.output, said.output
