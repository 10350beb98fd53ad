"""Values that no client can hold: in public tables, in keys, in nests. NULL, never an error."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest

import dpsql
from dpsql.pipeline.presentable import presentable

WIDEST = 2**127 - 1

COLUMNS = {
    "f": ("DOUBLE", "CAST('nan' AS DOUBLE)", "CAST('-inf' AS DOUBLE)", "1.5", 1.5),
    "r": ("REAL", "CAST('nan' AS REAL)", "CAST('inf' AS REAL)", "1.5", 1.5),
    "d": ("DATE", "DATE '0044-03-15 (BC)'", "DATE '20000-01-01'", "DATE '9999-12-31'", dt.date.max),
    "e": ("DATE", "DATE 'infinity'", "DATE '-infinity'", "DATE '0001-01-01'", dt.date.min),
    "t": (
        *("TIMESTAMP", "TIMESTAMP 'infinity'", "TIMESTAMP '0044-03-15 (BC) 00:00'"),
        *("TIMESTAMP '9999-12-31 23:59:59.999999'", dt.datetime.max),
    ),
}
SHOWN_ONLY = {
    "z": ("TIMESTAMPTZ", "TIMESTAMPTZ 'infinity'", "TIMESTAMPTZ '20000-01-01 00:00:00+00'"),
    "n": ("TIMESTAMP_NS", "TIMESTAMP_NS 'infinity'", "TIMESTAMP_NS '-infinity'"),
    "i": ("INTERVAL", "INTERVAL '4000000 years'", "INTERVAL '-4000000 years'"),
}


def database() -> duckdb.DuckDBPyConnection:
    owner = duckdb.connect()
    typed = {**COLUMNS, **SHOWN_ONLY}
    owner.execute(f"CREATE TABLE pub ({', '.join(f'{c} {v[0]}' for c, v in typed.items())})")
    for place in (1, 2, 3):
        row = [v[place] if place < len(v) else "NULL" for v in typed.values()]
        owner.execute(f"INSERT INTO pub VALUES ({', '.join(row)})")
    owner.execute("CREATE TABLE wide (h HUGEINT)")
    owner.execute(f"INSERT INTO wide VALUES ({WIDEST}), (-5), (NULL)")
    owner.execute(
        "CREATE TABLE people AS SELECT row_number() OVER () AS id, pub.*, h FROM pub,"
        " (SELECT h FROM wide WHERE h IS NOT NULL), range(50)"
    )
    return owner


@pytest.fixture(scope="module")
def cursor():
    policy = {
        "budgets": {"default": {"epsilon": 1e12, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"people": {"unit": "id"}, "pub": {"public": True}, "wide": {"public": True}},
    }
    with pytest.warns(UserWarning, match="no ledger"):
        connection = dpsql.connect(policy, analyst="a", engine=database(), epsilon=1e6, delta=1e-6)
    yield connection.cursor()
    connection.close()


@pytest.mark.parametrize("column", list(COLUMNS))
def test_a_public_column_shows_null_for_them(cursor: dpsql.Cursor, column: str) -> None:
    rows = cursor.execute(f"SELECT {column} FROM pub").fetchall()
    assert sorted(rows, key=str) == sorted([(COLUMNS[column][4],), (None,), (None,)], key=str)


@pytest.mark.parametrize("column", list(SHOWN_ONLY))
def test_so_do_zoned_times_and_intervals(cursor: dpsql.Cursor, column: str) -> None:
    assert cursor.execute(f"SELECT {column} FROM pub").fetchall() == [(None,)] * 3


def test_what_postprocessing_makes_of_noise_is_shown_too(cursor: dpsql.Cursor) -> None:
    sql = "SELECT DATE '2000-01-01' + CAST(COUNT(*) * 20000 AS INT) AS far FROM people"
    assert cursor.execute(sql).fetchall() == [(None,)]


@pytest.mark.parametrize("column", list(COLUMNS))
def test_keys_are_alike_public_and_private(cursor: dpsql.Cursor, column: str) -> None:
    """A public table's column as a key: the two strange rows are the NULL group, as they are
    where the key is private."""
    private = cursor.execute(f"SELECT {column}, COUNT(*) FROM people GROUP BY 1").fetchall()
    assert private == [(COLUMNS[column][4], 100), (None, 200)]
    sql = f"SELECT pub.{column}, COUNT(*) FROM people JOIN pub ON people.id >= 0 GROUP BY 1"
    public = cursor.execute(sql).fetchall()
    assert [row[0] for row in public] == [COLUMNS[column][4], None]
    assert sum(row[1] for row in public) == 300  # one row of three counts for each person


def test_the_widest_integers_are_keys(cursor: dpsql.Cursor) -> None:
    rows = cursor.execute("SELECT h, COUNT(*) FROM people GROUP BY 1").fetchall()
    assert rows == [(-5, 150), (WIDEST, 150)]
    sql = "SELECT wide.h, COUNT(*) FROM people JOIN wide ON people.h = wide.h GROUP BY 1"
    rows = cursor.execute(sql).fetchall()
    assert rows == [(-5, 150), (WIDEST, 150)]  # NULL equals nothing: it is no group


NESTS = """SELECT * FROM (VALUES
    (UNION_VALUE(x := CAST('nan' AS DOUBLE)), {'a': [{'b': CAST('inf' AS DOUBLE), 'c': DATE
     'infinity'}]}, MAP{CAST('nan' AS DOUBLE): 1}, ARRAY[CAST('inf' AS DOUBLE), 1],
     [[TIMESTAMP 'infinity'], NULL, []], [INTERVAL '4000000 years'], MAP{'k': DATE 'infinity'}),
    (UNION_VALUE(x := 1.5), {'a': [{'b': 1.0, 'c': DATE '2020-01-01'}]},
     MAP{CAST(2.0 AS DOUBLE): 2}, ARRAY[CAST(0 AS DOUBLE), 2], [[TIMESTAMP '2020-01-01']],
     NULL, MAP{'k': DATE '2020-01-01'}), (NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) v(u, s, m, a, l, i, k)"""

CLEAN = {
    "u": [None, 1.5, None],
    "s": [
        {"a": [{"b": None, "c": None}]},
        {"a": [{"b": 1.0, "c": dt.date(2020, 1, 1)}]},
        None,
    ],
    "m": [None, [(2.0, 2)], None],
    "a": [[None, 1.0], [0.0, 2.0], None],
    "l": [[[None], None, []], [[dt.datetime(2020, 1, 1)]], None],
    "i": [[None], None, None],
    "k": [[("k", None)], [("k", dt.date(2020, 1, 1))], None],
}


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (1, 3), (1, 2), (2, 3), (0, 0)])
def test_nests_are_searched(start: int, stop: int) -> None:
    """Also in slices, whose buffers begin elsewhere."""
    with duckdb.connect() as plain:
        table = plain.sql(NESTS).to_arrow_table()
    cleaned = presentable(table.slice(start, stop - start))
    cleaned.validate(full=True)
    assert cleaned.schema.names == table.schema.names
    assert cleaned.to_pydict() == {name: part[start:stop] for name, part in CLEAN.items()}


def test_what_is_fine_is_left_alone() -> None:
    table = pa.table({"x": [1, None], "y": ["a", "b"], "z": [[1], None]})
    assert presentable(table) is table
