"""The databases of other tests, in PostgreSQL."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import equivalence_world
import psycopg2
from e2e_neighbours import DDL
from postgres_server import Server
from psycopg2.extras import execute_values

from dpsql.session import Session


def fill(url: str, tables: Mapping[str, str], rows: Mapping[str, list[tuple[Any, ...]]]) -> None:
    """`tables`: DuckDB's column lists, whose types PostgreSQL knows too, but for DOUBLE."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for table, columns in tables.items():
            cursor.execute(f"CREATE TABLE {table}({columns.replace('DOUBLE', 'DOUBLE PRECISION')})")
            if rows[table]:
                execute_values(cursor, f"INSERT INTO {table} VALUES %s", rows[table])


def wide(server: Server) -> str:
    url = server.database()
    fill(url, DDL, equivalence_world.rows())
    return url


def session(policy: Mapping[str, Any], url: str) -> Session:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the ledger is in memory on purpose
        return Session({**policy, "database": url}, "ana")
