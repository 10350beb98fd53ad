"""The public-domain compliance suite of PEP 249 (PyPI: dbapi-compliance), all 36 tests of it.

Its tests make two tables, fill them and read them back row by row. dpsql writes nothing, so what
the suite writes goes to the owner's own DuckDB connection; what it reads comes through dpsql, from
tables that the policy declares public. The tests that are skipped are named below with the reason.
"""

from __future__ import annotations

import unittest
from typing import Any

import dbapi20
import duckdb
import pytest

import dpsql

TABLES = {
    f"{dbapi20.DatabaseAPI20Test.table_prefix}{name}": {"public": True}
    for name in ("booze", "barflys")
}
POLICY = {
    "version": 1,
    "ledger": "sqlite://",
    "budgets": {"default": {"epsilon": 1, "delta": 1e-6}},
    "tables": TABLES,
}


class WritingCursor(dpsql.Cursor):
    """Statements that write are the owner's; all others are asked of dpsql."""

    def __init__(self, connection: dpsql.Connection, owner: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection)
        self.owner = owner

    def execute(self, sql: str, params: Any = None, **options: Any) -> dpsql.Cursor:
        if not sql.startswith(("create", "insert", "drop")):
            return super().execute(sql, params, **options)
        self._check_open()
        self._forget()
        self.owner.execute(sql, params)
        return self


class Driver:
    """The module dpsql, but for who may write."""

    def __init__(self, owner: duckdb.DuckDBPyConnection) -> None:
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        return getattr(dpsql, name)

    def connect(self) -> dpsql.Connection:
        connection = dpsql.connect(POLICY, analyst="alice", engine=self._owner)
        connection.cursor = lambda: WritingCursor(connection, self._owner)  # type: ignore[method-assign]
        return connection


class TestCompliance(dbapi20.DatabaseAPI20Test):  # type: ignore[misc]
    ddl1 = dbapi20.DatabaseAPI20Test.ddl1.replace("create", "create or replace")
    ddl2 = dbapi20.DatabaseAPI20Test.ddl2.replace("create", "create or replace")

    def setUp(self) -> None:
        self.owner = duckdb.connect()
        self.owner.execute(self.ddl1)  # a policy may only declare what is there
        self.owner.execute(self.ddl2)
        self.driver = Driver(self.owner)

    def tearDown(self) -> None:
        self.owner.close()

    @unittest.skip("there are no stored procedures: callproc raises NotSupportedError")
    def test_callproc(self) -> None: ...

    @unittest.skip("wants two result sets of a stored procedure, and is the driver's to write")
    def test_nextset(self) -> None: ...

    @unittest.skip("the driver's to write; results come whole, so setoutputsize does nothing")
    def test_setoutputsize(self) -> None: ...

    @unittest.skip("wants an error of the second close(); here closing twice is harmless")
    def test_non_idempotent_close(self) -> None: ...


def test_no_test_of_the_suite_is_lost() -> None:
    names = [name for name in dir(dbapi20.DatabaseAPI20Test) if name.startswith("test")]
    assert len(names) == 36
    skipped = {n for n in names if hasattr(getattr(TestCompliance, n), "__unittest_skip__")}
    assert skipped == {
        *("test_callproc", "test_nextset", "test_setoutputsize", "test_non_idempotent_close")
    }


def test_without_the_owner_nothing_is_written() -> None:
    with duckdb.connect() as owner:
        for name in TABLES:
            owner.execute(f"CREATE TABLE {name}(name VARCHAR)")
        with dpsql.connect(POLICY, analyst="alice", engine=owner) as connection:
            for name in TABLES:
                with pytest.raises(dpsql.NotSupportedError, match="nothing is written"):
                    connection.execute(f"INSERT INTO {name} VALUES ('Victoria Bitter')")
                assert owner.execute(f"SELECT COUNT(*) FROM {name}").fetchone() == (0,)
