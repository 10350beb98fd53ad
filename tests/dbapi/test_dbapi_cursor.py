"""Cursors and connections behave as PEP 249 says."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

import dpsql

CITIES = "SELECT city, COUNT(*) AS n FROM people GROUP BY city"
NUMBERS = "SELECT n FROM numbers ORDER BY n"


def test_a_private_query(cursor: dpsql.Cursor) -> None:
    assert cursor.execute(CITIES) is cursor
    assert cursor.description == (
        ("city", "VARCHAR", None, None, None, None, None),
        ("n", "BIGINT", None, None, None, None, None),
    )
    assert cursor.rowcount == 3
    assert cursor.fetchall() == [("<b>Oslo", 200), ("Berlin", 200), (None, 0)]
    assert cursor.fetchall() == []
    assert cursor.fetchone() is None
    assert cursor.fetchmany(3) == []


def test_names_are_the_engines(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT COUNT(*), sum(age) FROM people")
    assert [column[0] for column in cursor.description or ()] == ["count_star()", "sum(age)"]


def test_description_of_decimals_has_precision_and_scale(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT price FROM exotic")
    assert cursor.description == (("price", "DECIMAL(12,3)", None, None, 12, 3, None),)


def test_rows_come_in_batches_and_in_order(cursor: dpsql.Cursor) -> None:
    cursor.execute(NUMBERS)
    got = [cursor.fetchone()]
    assert cursor.rownumber == 1
    got += cursor.fetchmany(2_046)
    got += cursor.fetchmany(3)
    got += cursor.fetchmany()
    cursor.arraysize = 1_000
    got += cursor.fetchmany()
    got += list(cursor)
    assert got == [(n,) for n in range(5_000)]
    assert cursor.rowcount == cursor.rownumber == 5_000


def test_few_rows_are_converted_for_few_that_are_fetched(cursor: dpsql.Cursor) -> None:
    cursor.execute(NUMBERS)
    cursor.fetchone()
    assert cursor._rows is not None
    assert len(cursor._rows._batch) < 5_000


def test_fetchmany_sizes(cursor: dpsql.Cursor) -> None:
    cursor.execute(NUMBERS)
    assert cursor.fetchmany(0) == []
    for size in (-1, 1.5, "3", True, [1]):
        with pytest.raises(dpsql.InterfaceError):
            cursor.fetchmany(size)  # type: ignore[arg-type]


def test_iteration(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT n FROM numbers WHERE n < 3")
    assert next(cursor) == (0,)
    assert list(cursor) == [(1,), (2,)]
    with pytest.raises(StopIteration):
        next(cursor)


@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "fetch_arrow", "fetch_df"])
def test_fetching_without_a_result(cursor: dpsql.Cursor, fetch: str) -> None:
    assert cursor.description is None
    assert cursor.rowcount == -1
    assert cursor.rownumber is cursor.lastrowid is cursor.privacy is None
    with pytest.raises(dpsql.InterfaceError, match="no result set"):
        getattr(cursor, fetch)()


def test_a_failed_query_leaves_no_result(cursor: dpsql.Cursor) -> None:
    cursor.execute(CITIES)
    with pytest.raises(dpsql.InvalidQuery):
        cursor.execute("SELEC 1")
    assert cursor.description is cursor.privacy is None
    assert cursor.rowcount == -1
    with pytest.raises(dpsql.InterfaceError):
        cursor.fetchone()


def test_parameters(cursor: dpsql.Cursor) -> None:
    count = "SELECT COUNT(*) FROM people WHERE "
    assert cursor.execute(count + "city = ? AND age < ?", ["Berlin", 30]).fetchall() == [(40,)]
    named: dict[str, Any] = {"city": "Berlin", "top": 30}
    assert cursor.execute(count + "city = :city AND age < :top", named).fetchall() == [(40,)]
    assert cursor.execute(count + "age < $1", (30,)).fetchall() == [(80,)]
    assert cursor.execute(count + "age < 30", ()).fetchall() == [(80,)]
    hostile = "x' OR '1'='1"
    assert cursor.execute(count + "city = ?", (hostile,)).fetchall() == [(0,)]


def test_executemany_keeps_the_last_answer(cursor: dpsql.Cursor) -> None:
    sql = "SELECT COUNT(*) FROM people WHERE age < ?"
    assert cursor.executemany(sql, [[21], [30]]).fetchall() == [(80,)]
    cursor.executemany(sql, [])
    assert cursor.description is None
    for wrong in (None, "ab", b"ab", {"a": 1}, 3):
        with pytest.raises(dpsql.InvalidQuery):
            cursor.executemany(sql, wrong)  # type: ignore[arg-type]


def test_dialects(cursor: dpsql.Cursor) -> None:
    rows = cursor.execute("SELECT COUNT(*) FROM `people`", dialect="bigquery").fetchall()
    assert rows == [(400,)]
    with pytest.raises(dpsql.InvalidQuery, match="no SQL dialect"):
        cursor.execute(CITIES, dialect="klingon")


def test_the_rest_of_pep_249(cursor: dpsql.Cursor, connection: dpsql.Connection) -> None:
    assert cursor.connection is connection
    assert cursor.arraysize == 1
    cursor.setinputsizes([1, None])
    cursor.setoutputsize(10)
    cursor.setoutputsize(10, 1)
    for call in (cursor.nextset, lambda: cursor.callproc("x", [1])):
        with pytest.raises(dpsql.NotSupportedError):
            call()
    connection.commit()
    connection.rollback()


def test_closed_cursor(cursor: dpsql.Cursor) -> None:
    cursor.execute(CITIES)
    cursor.close()
    cursor.close()
    for call in (
        cursor.fetchone,
        cursor.fetchall,
        lambda: cursor.execute(CITIES),
        lambda: cursor.executemany(CITIES, []),
        lambda: cursor.explain(CITIES),
        lambda: cursor.setinputsizes([]),
        cursor.__enter__,
    ):
        with pytest.raises(dpsql.InterfaceError, match="cursor is closed"):
            call()


def test_closed_connection(cursor: dpsql.Cursor, connection: dpsql.Connection) -> None:
    cursor.execute(CITIES)
    connection.close()
    connection.close()
    assert connection.closed
    for call in (
        *(connection.cursor, connection.commit, connection.rollback, connection.budget),
        *(connection.__enter__, cursor.fetchall, cursor.nextset),
        lambda: connection.execute(CITIES),
        lambda: cursor.execute(CITIES),
        lambda: cursor.explain(CITIES),
    ):
        with pytest.raises(dpsql.InterfaceError, match="connection is closed"):
            call()


def test_context_managers(connect: Callable[..., dpsql.Connection]) -> None:
    with connect() as connection:
        with connection.cursor() as cursor:
            assert cursor.execute(CITIES).rowcount == 3
        with pytest.raises(dpsql.InterfaceError):
            cursor.fetchone()
        assert connection.execute(CITIES).rowcount == 3
    assert connection.closed


def test_a_dropped_connection_gives_its_file_back(policy: dict[str, Any], people: Any) -> None:
    from dpsql.dialects.duckdb_open import _Shared

    real = str(people.resolve())

    def users() -> int:
        """Of other tests, too: an error's traceback may keep their connections for a while."""
        return _Shared.open[real].users if real in _Shared.open else 0

    gc.collect()
    before = users()
    connection = dpsql.connect(policy, analyst="alice")
    assert users() == before + 1
    del connection
    assert users() == before
    assert (real in _Shared.open) == (before > 0)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO people(id) VALUES (1)",
        "UPDATE people SET age = 1",
        "DELETE FROM people",
        "CREATE TABLE x(a INT)",
        "DROP TABLE people",
        "COPY people TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "SET threads = 1",
        "PRAGMA version",
        "BEGIN",
        "WITH x AS (SELECT 1) DELETE FROM people",
    ],
)
def test_only_queries_are_supported(shared: dpsql.Connection, sql: str) -> None:
    with pytest.raises(dpsql.NotSupportedError):
        shared.execute(sql)
