"""INSERT that leaves or renews a row that is there, in the words of either database."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import Table, and_, bindparam, exists, insert, select
from sqlalchemy.engine import Connection


@lru_cache
def _kept(table: Table, key: tuple[str, ...]) -> Any:
    row = [bindparam(column.name, type_=column.type) for column in table.columns]
    there = and_(*(table.c[name] == bindparam(name) for name in key))
    return insert(table).from_select(
        [column.name for column in table.columns],
        select(*row).where(~exists(select(table.c[key[0]]).where(there))),
    )


@lru_cache
def _renewed(dialect: str, table: Table, set_: tuple[str, ...], counted: str | None) -> Any:
    new = _insert(dialect, table)
    values = {name: new.excluded[name] for name in set_}
    if counted is not None:
        values[counted] = table.c[counted] + 1
    keys = [column.name for column in table.primary_key]
    return new.on_conflict_do_update(index_elements=keys, set_=values)


def keep(
    connection: Connection, table: Table, row: dict[str, object], *, key: tuple[str, ...]
) -> None:
    """Insert, unless a row has the same in these columns: then that one stays as it is."""
    connection.execute(_kept(table, key), row)


def renew(
    connection: Connection,
    table: Table,
    row: dict[str, object],
    *,
    set_: tuple[str, ...],
    counted: str | None = None,
) -> None:
    """Insert, or set these columns of the row of that primary key; `counted`: one more in it."""
    connection.execute(_renewed(connection.dialect.name, table, set_, counted), row)


def _insert(dialect: str, table: Table) -> Any:
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
