"""Tables that change under a session, a file replaced under the process, and extreme shapes.

What is asked before the charge is refused in words and free; what comes after it is one constant
failure and stays charged. Nothing is lost: the session answers again when the table is back.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import Any

import duckdb
import pytest

from dpsql.dialects.duckdb import FAILED
from dpsql.errors import EngineFailed, Error, InternalError
from dpsql.pipeline import execute
from dpsql.session import Session

PRICE = {"epsilon": 10**9, "delta": "1e-3"}


def policy(tables: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": PRICE,
            "max_per_query": PRICE,
            "default": {"epsilon": 10**12, "delta": "0.9"},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 5},
        "tables": tables,
        **more,
    }


def first(session: Session, sql: str) -> Any:
    return session.query(sql).table.column(0).to_pylist()[0]


def paid(session: Session) -> bool:
    return any(session.ledger.spent(session.budget_spec.key).renyi)


CHANGES = {
    "dropped": "DROP TABLE t",
    "renamed": "ALTER TABLE t RENAME TO u",
    "without the unit": "ALTER TABLE t DROP COLUMN pid",
    "without the column": "ALTER TABLE t DROP COLUMN x",
    "column renamed": "ALTER TABLE t RENAME COLUMN x TO y",
    "another type": "ALTER TABLE t ALTER COLUMN x TYPE VARCHAR",
    "another unit": "ALTER TABLE t ALTER COLUMN pid TYPE DOUBLE",
    "a view in its place": "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS pid",
}
BACK = (
    "DROP TABLE IF EXISTS u; DROP VIEW IF EXISTS t; CREATE TABLE t (pid BIGINT, x INTEGER);"
    "INSERT INTO t SELECT i, 3 FROM range(50) q(i)"
)


@pytest.fixture
def owned():
    """An owner's connection with a table t, and a session over it."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(BACK)
        rules = policy({"t": {"unit": "pid", "columns": {"x": {"min": 0, "max": 9}}}})
        with closing(Session(rules, "analyst", engine=connection)) as session:
            yield connection, session


def restored(connection: duckdb.DuckDBPyConnection) -> None:
    for kind, name in connection.execute(
        "SELECT 'TABLE', table_name FROM duckdb_tables() UNION ALL"
        " SELECT 'VIEW', view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall():
        connection.execute(f"DROP {kind} {name}")
    connection.execute(BACK)


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_changed_before_the_query_is_told_and_free(change, owned):
    connection, session = owned
    assert first(session, "SELECT SUM(x) FROM t") == 150
    spent = session.ledger.spent(session.budget_spec.key).renyi
    connection.execute(CHANGES[change])
    with pytest.raises(Error) as caught:
        session.query("SELECT SUM(x) FROM t")
    assert not isinstance(caught.value, InternalError), caught.value
    assert session.ledger.spent(session.budget_spec.key).renyi == spent
    restored(connection)
    assert first(session, "SELECT SUM(x) FROM t") == 150


@pytest.mark.parametrize("change", [c for c in CHANGES if c != "another unit"])
def test_a_table_that_changes_after_the_charge_is_any_failure(change, owned, monkeypatch):
    connection, session = owned
    real = execute.run

    def late(certified, engine, **options):
        engine._connection.execute("ROLLBACK")  # else its snapshot would hold the old table
        connection.execute(CHANGES[change])
        engine._connection.execute("BEGIN")
        return real(certified, engine, **options)

    with monkeypatch.context() as patch:
        patch.setattr(execute, "run", late)
        with pytest.raises(EngineFailed) as caught:
            session.query("SELECT SUM(x) FROM t")
    assert caught.value.message == FAILED
    assert paid(session)
    restored(connection)
    assert first(session, "SELECT SUM(x) FROM t") == 150


def test_a_snapshot_holds_what_changes_beside_it(owned, monkeypatch):
    """In its transaction a statement reads the table as it was when the query began."""
    connection, session = owned
    real = execute.run

    def late(certified, engine, **options):
        connection.execute("INSERT INTO t SELECT 1000 + i, 9 FROM range(50) q(i)")
        return real(certified, engine, **options)

    monkeypatch.setattr(execute, "run", late)
    assert first(session, "SELECT SUM(x) FROM t") == 150


def test_a_file_replaced_under_the_process_is_the_old_one_until_all_have_closed(tmp_path):
    def made(rows):
        path = tmp_path / f"new{rows}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE t AS SELECT i AS pid, 1 AS x FROM range({rows}) q(i)")
        return path

    path = tmp_path / "data.duckdb"
    os.replace(made(50), path)
    rules = policy({"t": {"unit": "pid"}}, database=f"duckdb:///{path}")
    with closing(Session(rules, "analyst")) as session:
        assert first(session, "SELECT COUNT(*) FROM t") == 50
        os.replace(made(70), path)
        assert first(session, "SELECT COUNT(*) FROM t") == 50
        path.unlink()
        assert first(session, "SELECT COUNT(*) FROM t") == 50
    os.replace(made(90), path)
    with closing(Session(rules, "analyst")) as session:
        assert first(session, "SELECT COUNT(*) FROM t") == 90


WIDE = 2000


@pytest.mark.parametrize("kind", ["table", "parquet"])
def test_two_thousand_columns(kind, tmp_path):
    columns = ", ".join(f"i AS c{n}" for n in range(WIDE))
    table: dict[str, Any] = {"unit": "pid", "columns": {"c1999": {"min": 0, "max": 100}}}
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE w AS SELECT i AS pid, {columns} FROM range(20) q(i)")
        connection.execute(f"COPY w TO '{tmp_path}/w.parquet' (FORMAT parquet)")
    more = {"database": f"duckdb:///{path}"}
    if kind == "parquet":
        table["files"], more = f"{tmp_path}/w.parquet", {}
    with closing(Session(policy({"w": table}, **more), "analyst")) as session:
        assert first(session, "SELECT SUM(c1999) FROM w WHERE c7 < 10") == 45
        (declared,) = session.declared()
        assert len(declared.columns) == WIDE + 1


def test_keys_and_units_of_a_megabyte(tmp_path):
    """As units they are told apart; as private keys they come out whole."""
    path = tmp_path / "k.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT repeat('x', 1000000) || (i % 3) AS pid,"
            " repeat('y', 1000000) AS kind, 1 AS x FROM range(9) q(i)"
        )
    rules = policy(
        {"t": {"unit": "pid", "columns": {"x": {"min": 0, "max": 1}}}},
        database=f"duckdb:///{path}",
    )
    with closing(Session(rules, "analyst")) as session:
        assert first(session, "SELECT COUNT(DISTINCT pid) FROM t") == 3
        assert first(session, "SELECT SUM(x) FROM t") == 9
        found = session.query("SELECT kind, COUNT(*) FROM t GROUP BY kind").table.to_pylist()
        assert [list(row.values()) for row in found] == [["y" * 1_000_000, 9]]


def test_names_that_are_no_ascii(tmp_path):
    path = tmp_path / "größe 数据.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute('CREATE SCHEMA "каталог"')
        connection.execute(
            'CREATE TABLE "каталог"."пациенты" AS SELECT i AS "идентификатор", i % 5 AS "größe",'
            ' 1 AS "🦆" FROM range(50) q(i)'
        )
    table = {"unit": "идентификатор", "columns": {"größe": {"min": 0, "max": 4}}}
    rules = policy({"каталог.пациенты": table}, database=f"duckdb:///{path}")
    with closing(Session(rules, "analyst")) as session:
        sql = 'SELECT SUM("größe") AS "сумма" FROM "каталог"."пациенты" WHERE "🦆" = 1'
        answer = session.query(sql)
        assert answer.names == ("сумма",)
        assert answer.table.column(0).to_pylist() == [100]


def test_a_schema_for_each_tenant_in_threads(tmp_path):
    """Thirty tenants in one file, each with a policy of its own; sessions in threads share it."""
    path = tmp_path / "tenants.duckdb"
    with duckdb.connect(str(path)) as connection:
        for tenant in range(30):
            connection.execute(f"CREATE SCHEMA tenant_{tenant}")
            connection.execute(
                f"CREATE TABLE tenant_{tenant}.t AS SELECT i AS pid FROM range({tenant + 10}) q(i)"
            )
    found: dict[int, int] = {}

    def work(tenant: int) -> None:
        rules = policy({f"tenant_{tenant}.t": {"unit": "pid"}}, database=f"duckdb:///{path}")
        with closing(Session(rules, "analyst")) as session:
            found[tenant] = first(session, f"SELECT COUNT(*) FROM tenant_{tenant}.t")
            other = (tenant + 1) % 30
            with pytest.raises(Error):
                session.query(f"SELECT COUNT(*) FROM tenant_{other}.t")

    for start in range(0, 30, 6):
        threads = [threading.Thread(target=work, args=(n,)) for n in range(start, start + 6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {tenant: tenant + 10 for tenant in range(30)}
