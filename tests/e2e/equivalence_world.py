"""200 persons and their rows, a policy that clips none of them, and two databases of them.

The one that dpsql reads has keys; plain DuckDB's has none, and no rows of nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import duckdb
import pyarrow as pa
from e2e_neighbours import DDL, SCHEMAS

EPSILON = 10**9
KINDS = ["bus", "car", "rail", "ship"]

POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": EPSILON, "delta": "1e-3"},
        "max_per_query": {"epsilon": EPSILON, "delta": "1e-3"},
        "default": {"epsilon": "1e12", "delta": "0.9"},
    },
    "releases": {"reuse": "off"},
    "bounds": {"max_groups": 40, "max_rows_per_group": 40},
    "tables": {
        "persons": {
            "unit": "pid",
            "columns": {
                "age": {"min": 0, "max": 99},
                "income": {"min": -500, "max": 1000},
                "born": {"min": dt.date(2000, 1, 1), "max": dt.date(2001, 12, 31)},
            },
        },
        "visits": {
            "unit": "pid -> persons.pid",
            "max_rows_per_unit": 12,
            "columns": {
                "kind": {"values": KINDS},
                "cost": {"min": -10, "max": 500},
                "score": {"min": 0, "max": 10},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 12, 31)},
            },
        },
        "items": {"unit": "vid -> visits.vid", "columns": {"qty": {"min": -5, "max": 20}}},
        "events": {
            "unit": "pid",
            "columns": {
                "x": {"min": -100, "max": 100},
                "n": {"min": -50, "max": 50},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 12, 31)},
            },
        },
        "shops": {"public": True},
    },
}


def rows():
    """200 persons, no randomness: every value is a small function of the row's number."""
    cities = ["Aix", "Bonn", "Cork", "Delft", None]
    persons = [
        (
            i,
            cities[(i * 7) % 5],
            None if i % 17 == 0 else (i * 13) % 80 + 10,
            None if i % 19 == 0 else round((i * 37.31) % 900 - 100, 2),
            [True, False, None][(i * 5) % 3],
            None if i % 23 == 0 else dt.date(2000, 1, 1) + dt.timedelta(days=(i * 29) % 700),
        )
        for i in range(1, 201)
    ]
    visits = [
        (
            j,
            j % 160 + 1 if j % 31 else None,
            None if j % 29 == 0 else Decimal((j * 731) % 40000) / 100,
            None if j % 13 == 0 else ((j * 17) % 100) / 10,
            (*KINDS, None)[(j * 3) % 5],
            None if j % 37 == 0 else dt.datetime(2020, 1, 1) + dt.timedelta(hours=(j * 101) % 8000),
        )
        for j in range(1, 901)
    ]
    items = [
        ((k * 11) % 900 + 1 if k % 41 else None, k % 7 - 1, ["p", "q", "r", None][(k * 5) % 4])
        for k in range(1, 1201)
    ]
    events = [
        (
            m % 120 + 1 if m % 43 else None,
            ["bus", "car", "walk", None, "rail"][(m * 3) % 5],
            None if m % 11 == 0 else ((m * 271) % 1999 - 999) / 10,
            None if m % 12 == 0 else (m * 7) % 90 - 45,
            dt.datetime(2020, 1, 1) + dt.timedelta(minutes=(m * 7919) % 500_000),
        )
        for m in range(1, 1001)
    ]
    shops = [
        ("bus", "land"),
        ("car", "land"),
        ("rail", "land"),
        ("ship", "sea"),
        ("zeppelin", "air"),
    ]
    return {"persons": persons, "visits": visits, "items": items, "events": events, "shops": shops}


NOBODY = {  # rows with a NULL unit are nobody's: plain DuckDB must not count them either
    "visits": "DELETE FROM visits WHERE pid IS NULL",
    "items": "DELETE FROM items WHERE vid IS NULL OR vid IN (SELECT vid FROM visits WHERE pid IS"
    " NULL)",
    "events": "DELETE FROM events WHERE pid IS NULL",
}


@contextmanager
def open_databases() -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """The constrained database that dpsql reads, and plain DuckDB's without nobody's rows."""
    opened = []
    for constrained in (True, False):
        connection = duckdb.connect(":memory:")
        for table, columns in DDL.items():
            if not constrained:
                columns = ", ".join(" ".join(c.split()[:2]) for c in columns.split(", "))
            connection.execute(f"CREATE TABLE {table}({columns})")
            data = [
                pa.array(column, type=field.type)
                for column, field in zip(
                    zip(*rows()[table], strict=True), SCHEMAS[table], strict=True
                )
            ]
            connection.register("given", pa.Table.from_arrays(data, schema=SCHEMAS[table]))
            connection.execute(f"INSERT INTO {table} SELECT * FROM given")
            connection.unregister("given")
        opened.append(connection)
    for table in ("items", "visits", "events"):
        opened[1].execute(NOBODY[table])
    yield opened
    for connection in opened:
        connection.close()
