"""Odd but legal schemas: every question is answered, or refused in words; no internal error."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dpsql.errors import Error, InternalError, PolicyError
from dpsql.session import Session

PRICE = {"epsilon": 10**9, "delta": "1e-3"}


def policy(tables: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "ledger": "sqlite://",
        "budgets": {
            "per_query": PRICE,
            "max_per_query": PRICE,
            "default": {"epsilon": 10**12, "delta": "0.9"},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 5},
        "tables": tables,
        **more,
    }


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def count(session: Session, sql: str) -> int:
    return session.query(sql).table.column(0).to_pylist()[0]


# ---- schemas called as a database ------------------------------------------------------------


def schema_of(connection: duckdb.DuckDBPyConnection, name: str, people: int) -> None:
    full = f"{quoted(connection.execute('SELECT current_database()').fetchone()[0])}.{quoted(name)}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {full}")
    connection.execute(f"CREATE TABLE {full}.t (id BIGINT PRIMARY KEY, x INTEGER)")
    connection.execute(f"INSERT INTO {full}.t SELECT i, i % 5 FROM range({people}) q(i)")
    connection.execute(f"CREATE TABLE {full}.pub AS SELECT 1 AS x")


def tables_of(schema: str) -> dict[str, Any]:
    column = {"x": {"min": 0, "max": 4}}
    return {
        f"{schema}.t": {"unit": "id", "columns": column},
        f"{schema}.pub": {"public": True},
    }


@pytest.mark.parametrize("schema", ["hr", "HR", "memory", "temp", "system"])
def test_a_file_called_as_its_schema(tmp_path: Path, schema: str) -> None:
    """`hr.t` is ambiguous in hr.duckdb: the bounded statement names the database too."""
    with duckdb.connect(str(tmp_path / "first.duckdb")) as made:
        schema_of(made, schema, 10)
    (tmp_path / "first.duckdb").rename(tmp_path / "hr.duckdb")
    database = f"duckdb:///{tmp_path}/hr.duckdb"
    with closing(Session(policy(tables_of(schema), database=database), "a")) as session:
        assert count(session, f'SELECT COUNT(*) FROM "{schema}".t') == 10
        joined = f'"{schema}".t JOIN "{schema}".pub USING (x)'
        assert count(session, f"SELECT SUM(t.x) FROM {joined}") == 2
        assert count(session, f'SELECT x FROM "{schema}".pub') == 1


def test_a_key_onto_a_table_of_the_same_name_elsewhere_ends_no_path() -> None:
    """a.orders has an enforced key onto a.users; its path leads to b.users, who are fewer.

    Taken for that key, the path would attribute rows to people who are not in b.users.
    """
    owner = duckdb.connect()
    for schema, people in (("a", 10), ("b", 4)):
        owner.execute(f"CREATE SCHEMA {schema}")
        owner.execute(f"CREATE TABLE {schema}.users (id BIGINT PRIMARY KEY)")
        owner.execute(f"INSERT INTO {schema}.users SELECT i FROM range({people}) q(i)")
        owner.execute(
            f"CREATE TABLE {schema}.orders (id BIGINT, owner BIGINT REFERENCES {schema}.users (id))"
        )
        owner.execute(f"INSERT INTO {schema}.orders SELECT i, i FROM range({people}) q(i)")
    tables = {
        "b.users": {"unit": "id"},
        "a.orders": {"unit": "owner -> b.users.id"},
        "b.orders": {"unit": "owner -> b.users.id"},
    }
    with closing(Session(policy(tables), "a", engine=owner)) as session:
        assert count(session, "SELECT COUNT(*) FROM a.orders") == 4
        assert count(session, "SELECT COUNT(*) FROM b.orders") == 4
        with session.engine.snapshot():
            texts = [
                session.prepare(
                    f"SELECT COUNT(*) FROM {schema}.orders",
                    None,
                    dialect="duckdb",
                    asked=session.asked,
                )
                .certified[0]
                .texts[0]
                for schema in ("a", "b")
            ]
        joined = ['"b"."users"' in text for text in texts]
        assert joined == [True, False], "b's own key holds the id itself"


def test_another_database_called_as_the_schema_is_not_read() -> None:
    """Attached while the session is open: its main.t has other people."""
    owner = duckdb.connect()
    schema_of(owner, "hr", 10)
    with closing(Session(policy(tables_of("hr")), "a", engine=owner)) as session:
        assert count(session, "SELECT COUNT(*) FROM hr.t") == 10
        owner.execute("ATTACH ':memory:' AS hr")
        owner.execute("CREATE TABLE hr.main.t AS SELECT i AS id FROM range(99) q(i)")
        owner.execute("CREATE TABLE hr.main.pub AS SELECT 2 AS x")
        assert count(session, "SELECT COUNT(*) + 0 FROM hr.t WHERE x >= 0") == 10
        assert count(session, "SELECT x FROM hr.pub") == 1


# ---- names ----------------------------------------------------------------------------------

NAMES = [
    *("select", "Group", "a b", 'q"uote', "it's", "日本", "u", "k0", "v0", "rn", "units", "t0"),
    *("b0_0", "x.y", "*", "$1", "?", "--c", "DP_LOW", "rowid", "%s", "İ"),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_need_quotes(name: str) -> None:
    owner, q = duckdb.connect(), quoted(name)
    owner.execute(f"CREATE TABLE p ({q} BIGINT PRIMARY KEY, x INTEGER)")
    owner.execute(f"CREATE TABLE many (pid BIGINT REFERENCES p ({q}), {q} INTEGER NOT NULL)")
    owner.execute("INSERT INTO p SELECT i, i % 5 FROM range(10) t(i)")
    owner.execute("INSERT INTO many SELECT i % 10, i % 3 FROM range(20) t(i)")
    tables = {
        "p": {"unit": q},
        "many": {"unit": f"pid -> p.{q}", "columns": {name: {"min": 0, "max": 2}}},
    }
    with closing(Session(policy(tables), "a", engine=owner)) as session:
        assert count(session, f"SELECT COUNT({q}) FROM p") == 10
        assert count(session, f"SELECT SUM({q}) FROM many") == 19
        assert count(session, f"SELECT COUNT(*) FROM p JOIN many ON p.{q} = pid") == 20
        rows = session.query(f"SELECT {q}, COUNT(*) FROM many GROUP BY {q} ORDER BY 1").table
        assert rows.column(1).to_pylist() == [7, 7, 6]


# ---- types ----------------------------------------------------------------------------------

TYPES = [
    *("HUGEINT", "UHUGEINT", "UUID", "TIME", "TIMETZ", "INTERVAL", "BLOB", "BIT", "TIMESTAMPTZ"),
    *("TIMESTAMP_NS", "INTEGER[]", "INTEGER[3]", "STRUCT(a INTEGER)", "MAP(VARCHAR, INTEGER)"),
    *("UNION(x INTEGER, y VARCHAR)", "ENUM('a', 'b')", "DECIMAL(38,38)", "FLOAT", "BOOLEAN"),
]
QUESTIONS = [
    *("SELECT COUNT({c}) FROM {t}", "SELECT {c}, COUNT(*) FROM {t} GROUP BY {c}"),
    *("SELECT SUM({c}) FROM {t}", "SELECT COUNT(*) FROM {t} WHERE {c} = {c}"),
    "SELECT AVG(n) FROM (SELECT pid, {c}, COUNT(*) AS n FROM {t} GROUP BY pid, {c})",
    "SELECT COUNT(*) FROM (SELECT pid, MIN({c}) AS m FROM {t} GROUP BY pid) WHERE m IS NULL",
    "SELECT COUNT(*) FROM {t} a JOIN {t} b ON a.pid = b.pid AND a.{c} = b.{c}",
    "SELECT CAST({c} AS VARCHAR) AS k, COUNT(*) FROM {t} GROUP BY k",
    "SELECT COUNT(*) FROM {t} JOIN pub ON {t}.{c} = pub.{c}",
]


def answers(session: Session, questions: list[str]) -> int:
    """How many are answered; the rest are refused in words."""
    done = 0
    for sql in questions:
        try:
            session.query(sql)
        except InternalError:
            pytest.fail(sql)
        except Error:
            continue
        done += 1
    return done


@pytest.mark.parametrize("type_", TYPES)
def test_columns_of_every_type(type_: str) -> None:
    owner = duckdb.connect()
    owner.execute("CREATE TABLE p (pid BIGINT PRIMARY KEY)")
    owner.execute(f"CREATE TABLE w (pid BIGINT REFERENCES p (pid), c {type_})")
    owner.execute("CREATE VIEW seen AS SELECT * FROM w")
    owner.execute(f"CREATE TABLE pub (c {type_})")
    owner.execute("INSERT INTO p SELECT i FROM range(10) t(i)")
    owner.execute("INSERT INTO w SELECT i, NULL FROM range(10) t(i)")
    tables = {
        "p": {"unit": "pid"},
        "w": {"unit": "pid -> p.pid"},
        "seen": {"unit": "pid"},
        "pub": {"public": True},
    }
    with closing(Session(policy(tables), "a", engine=owner)) as session:
        for table in ("w", "seen"):
            assert answers(session, [q.format(c="c", t=table) for q in QUESTIONS])


@pytest.mark.parametrize("type_", TYPES)
def test_units_of_every_type(type_: str) -> None:
    """Refused when the policy is opened, or every table of it can be asked about."""
    owner = duckdb.connect()
    owner.execute(f"CREATE TABLE w (pid {type_}, c INTEGER)")
    owner.execute("CREATE TABLE p (pid BIGINT PRIMARY KEY)")
    for path, more in (("pid", {}), ("pid -> p.pid", {"p": {"unit": "pid"}})):
        try:
            opened = Session(policy({"w": {"unit": path}, **more}), "a", engine=owner)
        except PolicyError:
            continue
        with closing(opened) as session:
            assert count(session, "SELECT COUNT(*) FROM w") == 0
            answers(session, [q.format(c="c", t="w") for q in QUESTIONS[:-1]])


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        *(("DECIMAL(38,38)", 1, False), ("DECIMAL(38,38)", "0.5", True)),
        *(("DECIMAL(4,1)", 1000, False), ("DECIMAL(4,1)", "0.05", False)),
        *(("DECIMAL(4,1)", -999, True), ("TINYINT", 128, False), ("TINYINT", -128, True)),
        *(("UBIGINT", -1, False), ("HUGEINT", 2**100, True)),
        *(("BIGINT", 2**63, False), ("DOUBLE", 1000, True)),
    ],
)
def test_listed_values_are_ones_that_the_type_has(type_: str, value: Any, fits: bool) -> None:
    owner = duckdb.connect()
    owner.execute(f"CREATE TABLE p (pid BIGINT PRIMARY KEY, c {type_})")
    number = Decimal(value) if isinstance(value, str) else value
    tables = {"p": {"unit": "pid", "columns": {"c": {"values": [number]}}}}
    if not fits:
        with pytest.raises(PolicyError, match="cannot be in a column of type"):
            Session(policy(tables), "a", engine=owner)
        return
    with closing(Session(policy(tables), "a", engine=owner)) as session:
        rows = session.query("SELECT c, COUNT(*) FROM p GROUP BY c ORDER BY c").table
        assert rows.column(1).to_pylist() == [0, 0]


def test_a_path_over_uuids_without_a_foreign_key() -> None:
    owner = duckdb.connect()
    owner.execute("CREATE TABLE z (uid UUID PRIMARY KEY)")
    owner.execute("CREATE TABLE w AS SELECT uuid() AS uid FROM range(9)")
    owner.execute("INSERT INTO z SELECT uid FROM w LIMIT 6")
    tables = {"z": {"unit": "uid"}, "w": {"unit": "uid -> z.uid"}}
    with closing(Session(policy(tables), "a", engine=owner)) as session:
        assert count(session, "SELECT COUNT(*) FROM w") == 6
