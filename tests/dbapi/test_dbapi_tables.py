"""`Connection.tables()`: what may be asked about, from the policy and the schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

import dpsql

POLICY: dict[str, Any] = {
    "ledger": "sqlite://",
    "budgets": {"default": {"epsilon": 1, "delta": 1e-6}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {
        "orders": {"unit": "buyer -> USERS.id", "columns": {"note": {"hidden": True}}},
        "USERS": {"unit": "Id", "columns": {"name": {"hidden": True}, "ref": {"hidden": True}}},
        "days": {"public": True},
    },
}

SCHEMA = """
CREATE TABLE users(id INTEGER PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, ref INTEGER UNIQUE);
CREATE TABLE orders(
  no INTEGER NOT NULL UNIQUE, buyer INTEGER REFERENCES users(id), note VARCHAR,
  other INTEGER REFERENCES users(ref)
);
CREATE TABLE outside(id INTEGER PRIMARY KEY);
CREATE VIEW days AS SELECT DATE '2020-01-01' AS day;
"""


def test_names_keys_and_references() -> None:
    with duckdb.connect() as owner:
        owner.execute(SCHEMA)
        with dpsql.connect(POLICY, analyst="a", engine=owner) as connection:
            orders, users, days = connection.tables()
    assert [orders.name, users.name, days.name] == ["orders", "users", "days"]
    assert users.declared_as == "USERS"
    assert [column.name for column in users.columns] == ["id"]
    assert [column.name for column in orders.columns] == ["no", "buyer", "other"]
    assert (users.owner_column, orders.owner_column, days.owner_column) == ("id", "buyer", None)
    assert (users.primary_key, users.unique) == (("id",), ())  # `name` is hidden, and its key
    assert (orders.primary_key, orders.unique) == ((), (("no",),))
    assert [(r.columns, r.target, r.target_columns, r.enforced) for r in orders.references] == [
        (("buyer",), "users", ("id",), True)  # the path says the same; `ref` is hidden
    ]
    assert days.public
    assert (days.schema, days.primary_key, days.references) == ("main", (), ())


def test_tables_are_free_and_read_no_row(
    connect: Callable[..., dpsql.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect("poor")
    monkeypatch.setattr("dpsql.dialects.duckdb.DuckDBEngine.fetch", None)
    assert [table.name for table in connection.tables()] == ["people", "numbers", "exotic"]
    assert connection.budget().share == 0
    connection.close()
    with pytest.raises(dpsql.InterfaceError, match="closed"):
        connection.tables()


def test_a_table_that_is_gone_is_not_shown() -> None:
    policy = {**POLICY, "tables": {"days": {"public": True}, "outside": {"public": True}}}
    with duckdb.connect() as owner:
        owner.execute(SCHEMA)
        with dpsql.connect(policy, analyst="a", engine=owner) as connection:
            owner.execute("DROP TABLE outside")
            assert [table.name for table in connection.tables()] == ["days"]
