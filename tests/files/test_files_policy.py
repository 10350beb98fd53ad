"""What a policy may say of files and attached databases, and what `check` tells the owner."""

from __future__ import annotations

from contextlib import closing

import duckdb
import files_world as world
import pytest
from click.testing import CliRunner

import dpsql
from dpsql.cli import main
from dpsql.errors import EngineFailed, PolicyError
from dpsql.explain import explain
from dpsql.policy import load
from dpsql.session import Session


def rules(**table):
    return world.small({"t": {"unit": "pid", **table}})


@pytest.mark.parametrize(
    ("table", "code", "said"),
    [
        ({"types": {"pid": "BIGINT"}}, "missing-key", "names none"),
        ({"files": "a.csv"}, "missing-key", "types"),
        ({"files": "a.csv", "types": {"pid": "BIGNIT"}}, "bad-value", "unknown type"),
        ({"files": "a.csv", "types": {"pid": "BIGINT); DROP"}}, "bad-value", "unknown type"),
        ({"files": "a.csv", "types": {"pid": "DECIMAL(2,9)"}}, "bad-value", "unknown type"),
        ({"files": "a.csv", "types": {}}, "bad-value", "no column"),
        ({"files": ["a.csv", "b.parquet"]}, "bad-value", "all Parquet or all CSV"),
        ({"files": []}, "bad-value", "empty"),
        ({"files": "s3://bucket/a.parquet"}, "bad-value", "this machine"),
        ({"files": "https://x/a.parquet"}, "bad-value", "this machine"),
        ({"files": "a.xlsx"}, "bad-value", "files end in"),
        ({"files": "a.csv.gz", "types": {"pid": "BIGINT"}}, "bad-value", "files end in"),
        ({"files": "a.parquet", "csv": {"header": True}}, "bad-value", "Parquet"),
        (
            {"files": "a", "types": {"pid": "BIGINT"}, "csv": {"delimiter": "ab"}},
            "wrong-type",
            "one",
        ),
        (
            {"files": "a", "types": {"pid": "BIGINT"}, "csv": {"delimiter": '"'}},
            "bad-value",
            "same",
        ),
        (
            {"files": "a", "types": {"pid": "BIGINT"}, "csv": {"quotes": "x"}},
            "unknown-key",
            "quotes",
        ),
        ({"files": "a", "partitions": {"y": "DATE", "Y": "DATE"}}, "duplicate-key", "twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(table, code, said):
    with pytest.raises(PolicyError) as caught:
        load(rules(**table))
    assert caught.value.code == code
    assert said in str(caught.value)
    assert "tables.t" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"database": "duckdb:///x.duckdb"}, "cannot stand beside"),
        ({"database": "postgresql://x/y"}, "not by PostgreSQL"),
        ({"attach": {"main": "duckdb:///x.duckdb"}}, "cannot name"),
        ({"attach": {"a b": "duckdb:///x.duckdb"}}, "cannot name"),
        ({"attach": {"a": "postgresql://x/y"}}, "only a DuckDB file"),
        ({"attach": {"a": "duckdb:///:memory:"}}, "only a DuckDB file"),
        ({"attach": {"a": "duckdb:///x", "A": "duckdb:///y"}}, "case only"),
    ],
)
def test_where_files_may_lie(more, said):
    with pytest.raises(PolicyError) as caught:
        load(rules(files="a.parquet") | more)
    assert said in str(caught.value)


def test_engine_is_not_given_beside_files(tmp_path):
    with duckdb.connect() as connection, pytest.raises(PolicyError) as caught:
        Session(rules(files="a.parquet"), "analyst", engine=connection)
    assert caught.value.code == "engine-type"


def parquet(path, select):
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def test_declared_types_let_files_differ_in_what_is_not_declared(tmp_path):
    parquet(tmp_path / "d" / "a.parquet", "SELECT 1::BIGINT AS pid, 5 AS cost")
    parquet(tmp_path / "d" / "b.parquet", "SELECT 'x' AS extra, 2::BIGINT AS pid")
    with pytest.raises(EngineFailed) as caught:
        Session(rules(files=f"{tmp_path}/d"), "analyst")
    assert caught.value.code == "files-columns"
    types = {"pid": "BIGINT", "cost": "INTEGER"}
    with closing(Session(rules(files=f"{tmp_path}/d", types=types), "analyst")) as session:
        sql = "SELECT COUNT(*), COUNT(cost) FROM t"
        assert list(session.query(sql).table.to_pylist()[0].values()) == [2, 1]
        assert [c.name for t in session.declared() for c in t.columns] == ["pid", "cost"]
    for wrong in ({"pid": "INTEGER"}, {"pid": "BIGINT", "nowhere": "DATE"}):
        with pytest.raises(EngineFailed) as caught:
            Session(rules(files=f"{tmp_path}/d", types=wrong), "analyst")
        assert caught.value.code == "files-columns"


def test_columns_in_another_order_are_the_same_columns(tmp_path):
    parquet(tmp_path / "d" / "a.parquet", "SELECT 1::BIGINT AS pid, 5 AS cost")
    parquet(tmp_path / "d" / "b.parquet", "SELECT 7 AS cost, 2::BIGINT AS pid")
    table = {"files": f"{tmp_path}/d", "columns": {"cost": {"min": 0, "max": 9}}}
    with closing(Session(rules(**table), "analyst")) as session:
        assert world.column(session, "SELECT SUM(cost) FROM t") == [12]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_partitions_have_the_types_that_are_said(form, tmp_path):
    """A folder that is no number is NULL by itself; DuckDB's own default folder is NULL."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS pid, CASE WHEN i < 4 THEN '2024' WHEN i < 6 THEN 'soon'"
            f" WHEN i < 7 THEN NULL ELSE 'a b/é' END AS year FROM range(10) t(i))"
            f" TO '{tmp_path}/d' (FORMAT {form}, PARTITION_BY (year))"
        )
    table = {"files": f"{tmp_path}/d/*/*.{form}"}
    if form == "csv":
        table["types"] = {"pid": "BIGINT"}
    found = {}
    for type_ in ("INTEGER", "VARCHAR"):
        session = Session(rules(**table, partitions={"year": type_}), "analyst")
        with closing(session), session.engine.snapshot():
            sql = "SELECT year, COUNT(*) AS n FROM main.t GROUP BY 1"
            found[type_] = {r["year"]: r["n"] for r in session.engine.fetch(sql).to_pylist()}
    assert found["INTEGER"] == {2024: 4, None: 6}
    assert found["VARCHAR"] == {"2024": 4, "soon": 2, None: 1, "a b/é": 3}


@pytest.mark.parametrize(
    "path",
    ["d/a.parquet", "d/pid=1/year=2024/a.parquet", "d/other=1/a.parquet"],
    ids=["no folder", "hides a column", "another folder"],
)
def test_folders_that_are_not_the_declared_ones(path, tmp_path):
    parquet(tmp_path / "d" / "year=2024" / "x.parquet", "SELECT 1::BIGINT AS pid")
    parquet(tmp_path / path, "SELECT 1::BIGINT AS pid")
    with pytest.raises(EngineFailed) as caught:
        Session(rules(files=f"{tmp_path}/d", partitions={"year": "INTEGER"}), "analyst")
    assert caught.value.code == "files-columns"


def test_check_names_the_file_and_connect_does_not(tmp_path):
    parquet(tmp_path / "d" / "region=north-on-sea" / "a.parquet", "SELECT 1::BIGINT AS pid")
    parquet(tmp_path / "d" / "region=s" / "a.parquet", "SELECT 1::INTEGER AS pid")
    policy = tmp_path / "dpsql.yaml"
    policy.write_text(
        "budgets: {default: {epsilon: 1, delta: 1e-6}}\n"
        "tables: {t: {unit: pid, files: d, partitions: {region: VARCHAR}}}\n"
    )
    told = CliRunner().invoke(main, ["check", "--policy", str(policy)])
    assert told.exit_code == 5
    assert "region=s" in told.output
    with pytest.raises(dpsql.Error) as caught:
        dpsql.connect(policy, analyst="a")
    assert "region=" not in str(caught.value)
    parquet(tmp_path / "d" / "region=s" / "a.parquet", "SELECT 1::BIGINT AS pid")
    told = CliRunner().invoke(main, ["check", "--policy", str(policy)])
    assert told.exit_code == 0, told.output
    assert "nothing enforces a key on them" in told.output
    assert "many rows" in told.output


def test_keys_of_files_are_never_trusted(tmp_path):
    """A unit of one row a file holds is bounded as any; a path onto a file is refused."""
    parquet(tmp_path / "people.parquet", "SELECT i AS pid, i % 9 AS age FROM range(50) t(i)")
    parquet(tmp_path / "visits.parquet", "SELECT i AS vid, i % 50 AS pid FROM range(99) t(i)")
    people = {"unit": "pid", "files": f"{tmp_path}/people.parquet", "key": "pid"}
    people["columns"] = {"age": {"min": 0, "max": 9}}
    with closing(Session(world.small({"people": people}), "analyst")) as session:
        with session.engine.snapshot():
            prepared = session.prepare(
                "SELECT SUM(age) FROM people",
                None,
                dialect="duckdb",
                asked=session.asked_for(None, None),
            )
        (one,) = prepared.certified
        assert "GROUP BY" in one.sql  # cells of a unit, then their bound
        assert one.plan.blocks[0].sensitivity.linf > 9
    visits = {"unit": "pid -> people.pid", "files": f"{tmp_path}/visits.parquet"}
    with pytest.raises(PolicyError) as caught:
        Session(world.small({"people": people, "visits": visits}), "analyst")
    assert "not a key that the database enforces" in str(caught.value)
    # a promise changes whose rows may be told, never how many a person has
    promised = {"people": {**people, "promised": True}, "visits": visits}
    with closing(Session(world.small(promised), "analyst")) as session:
        assert explain(session, "SELECT SUM(age) FROM people").releases[0].strategy == "cap"


@pytest.fixture
def bases(tmp_path):
    """crm.duckdb and shop.duckdb with keys, files beside."""
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as c:
        c.execute("CREATE TABLE people (pid BIGINT PRIMARY KEY, age INTEGER)")
        c.execute("INSERT INTO people SELECT i, i % 90 FROM range(100) t(i)")
        c.execute("CREATE TABLE calls (pid BIGINT REFERENCES people(pid), m INTEGER)")
        c.execute("INSERT INTO calls SELECT i % 100, 3 FROM range(300) t(i)")
        c.execute("CREATE SCHEMA other; CREATE TABLE other.hidden AS SELECT 1 AS pid")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as c:
        c.execute("CREATE TABLE people (pid BIGINT, spent INTEGER)")
        c.execute("INSERT INTO people SELECT i % 100, 2 FROM range(400) t(i)")
    parquet(tmp_path / "logs.parquet", "SELECT i % 100 AS pid, 1 AS n FROM range(500) t(i)")
    return tmp_path


def attached(bases):
    number = {"min": 0, "max": 100}
    return world.small(
        {
            "crm.people": {"unit": "pid", "columns": {"age": number}},
            "crm.calls": {"unit": "pid -> crm.people.pid", "columns": {"m": number}},
            "shop.people": {"unit": "pid", "columns": {"spent": number}},
            "logs": {"unit": "pid", "files": f"{bases}/logs.parquet", "columns": {"n": number}},
        },
        attach={"crm": f"duckdb:///{bases}/crm.duckdb", "shop": f"duckdb:///{bases}/shop.duckdb"},
    )


def test_tables_of_several_databases_and_of_files_are_asked_together(bases):
    with closing(Session(attached(bases), "analyst")) as session:
        for sql, want in {
            "SELECT COUNT(*) FROM crm.people": 100,
            "SELECT SUM(m) FROM crm.calls": 900,
            "SELECT SUM(spent) FROM shop.people": 800,
            "SELECT SUM(n) FROM logs": 500,
            "SELECT SUM(s.spent) FROM shop.people s JOIN crm.people c ON c.pid = s.pid"
            " WHERE c.age < 10": 160,
            "SELECT SUM(n) FROM logs JOIN crm.people p USING (pid) WHERE p.age < 10": 100,
            "SELECT COUNT(*) FROM crm.calls JOIN crm.people USING (pid) WHERE age = 1": 6,
        }.items():
            assert world.column(session, sql) == [want], sql
        catalog = session.engine.catalog()
        assert catalog.tables["crm.people"].unique("pid")  # an attached database enforces its keys
        assert not catalog.tables["shop.people"].keys
        assert "crm.hidden" not in catalog.tables
        assert "other.hidden" not in catalog.tables
        for sql in ("SELECT COUNT(*) FROM people", "SELECT COUNT(*) FROM crm.other.hidden"):
            with pytest.raises(dpsql.Error):
                session.query(sql)


def test_an_attached_file_beside_a_database(bases):
    """`database` is opened as ever, the other one stands beside it."""
    rules_ = attached(bases)
    del rules_["tables"]["logs"]
    rules_["tables"]["people"] = rules_["tables"].pop("crm.people")
    rules_["tables"]["calls"] = {"unit": "pid -> people.pid"}
    del rules_["tables"]["crm.calls"]
    rules_["database"] = rules_["attach"].pop("crm")
    with closing(Session(rules_, "analyst")) as session:
        sql = "SELECT SUM(s.spent) FROM shop.people s JOIN people USING (pid) WHERE age < 10"
        assert world.column(session, sql) == [160]


@pytest.mark.parametrize("fault", ["gone", "no database", "schema"])
def test_what_cannot_be_attached_is_said(fault, bases):
    rules_ = attached(bases)
    if fault == "gone":
        (bases / "shop.duckdb").unlink()
    elif fault == "no database":
        (bases / "shop.duckdb").write_text("no database at all")
    else:
        rules_["database"] = rules_["attach"]["crm"]
        rules_["attach"]["other"] = rules_["attach"]["shop"]
        del rules_["tables"]["logs"]
        del rules_["tables"]["crm.people"], rules_["tables"]["crm.calls"]
        del rules_["attach"]["crm"]
    with pytest.raises(EngineFailed) as caught:
        Session(rules_, "analyst")
    assert caught.value.code in ("engine-missing", "engine-open")


def test_attached_databases_cannot_be_written_or_changed(bases):
    before = (bases / "crm.duckdb").read_bytes()
    with closing(Session(attached(bases), "analyst")) as session:
        for sql in ("DELETE FROM crm.people", "DROP TABLE crm.people", "INSERT INTO shop.people"):
            with pytest.raises(duckdb.Error):
                session.engine._connection.execute(sql)
        for sql in ("DETACH crm", "CHECKPOINT crm", "USE crm", "DELETE FROM crm.people"):
            with pytest.raises(EngineFailed):
                session.engine.fetch(sql)
        assert world.column(session, "SELECT COUNT(*) FROM crm.people") == [100]
    assert (bases / "crm.duckdb").read_bytes() == before


@pytest.mark.parametrize(
    "path", ["d/new.parquet", "d/sub/new.csv", "d/region=s/a.parquet", "x.duckdb", "link/y.parquet"]
)
def test_an_answer_is_not_written_among_the_data(path, tmp_path):
    """Neither over a file nor beside it, where the next query would read it."""
    parquet(tmp_path / "d" / "region=s" / "a.parquet", "SELECT 1::BIGINT AS pid")
    (tmp_path / "d" / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "d")
    with duckdb.connect(str(tmp_path / "x.duckdb")) as made:
        made.execute("CREATE TABLE t AS SELECT 1 AS pid")
    policy = tmp_path / "dpsql.yaml"
    policy.write_text(
        "budgets: {default: {epsilon: 1, delta: 1e-6}}\nattach: {x: 'duckdb:///x.duckdb'}\n"
        "tables: {t: {unit: pid, files: d, partitions: {region: VARCHAR}}}\n"
    )
    args = [
        "query",
        "--policy",
        str(policy),
        "--analyst",
        "a",
        "-o",
        str(tmp_path / path),
        "--format",
        "csv",
    ]
    told = CliRunner().invoke(main, [*args, "SELECT COUNT(*) FROM t"])
    assert told.exit_code == 2, told.output
    assert "name another" in told.output


def test_stored_releases_of_files_are_shown_as_those_that_answer(tmp_path):
    parquet(tmp_path / "a.parquet", "SELECT i AS pid FROM range(50) t(i)")
    policy = tmp_path / "dpsql.yaml"
    policy.write_text(
        "budgets: {default: {epsilon: 1, delta: 1e-6}, per_query: {epsilon: 0.5, delta: 1e-7}}\n"
        "bounds: {max_rows_per_group: 1}\ntables: {t: {unit: pid, files: a.parquet}}\n"
    )
    more = ["--policy", str(policy), "--analyst", "a"]
    CliRunner().invoke(main, ["query", *more, "SELECT COUNT(*) FROM t"])
    told = CliRunner().invoke(main, ["releases", "list", *more, "--format", "json"])
    assert '"answers": true' in told.output, told.output
