"""What may be bound to a placeholder, and how the rest is refused."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import dpsql

COUNT = "SELECT COUNT(*) FROM people WHERE "


class Place(str, enum.Enum):  # noqa: UP042 - a StrEnum's str() is its value
    BERLIN = "Berlin"


class Ages(enum.IntEnum):
    THIRTY = 30


@pytest.mark.parametrize(
    ("condition", "value", "count"),
    [
        ("age < ?", 30, 80),
        ("age < ?", Ages.THIRTY, 80),
        ("age < ?", np.int64(30), 80),
        ("age < ?", np.uint8(30), 80),
        ("age > ?", -(10**37), 400),
        ("rate < ?", 1.0, 10),
        ("rate < ?", np.float64(1.0), 10),
        ("rate < ?", np.float32(1.0), 10),
        ("rate > ?", -1e-300, 400),
        ("pay = ?", Decimal("1.25"), 57),
        ("pay < ?", Decimal("1E+3"), 400),
        ("city = ?", "Berlin", 200),
        ("city = ?", Place.BERLIN, 200),
        ("city = ?", np.str_("Berlin"), 200),
        ("city = ?", "Ber'lin", 0),
        ("city LIKE ?", "Ber%", 200),
        ("city LIKE '%' || ? || '%'", "erl", 200),
        ("city LIKE (? || '%')", "Ber", 200),
        ("member = ?", True, 200),
        ("member IS ?", None, 100),
        ("city = ?", None, 0),
        ("born >= ?", dt.date(2000, 1, 2), 200),
        ("born >= ?", "2000-01-02", 200),
        ("seen >= ?", dt.datetime(2020, 1, 2), 200),
        ("seen >= ?", dt.date(2020, 1, 2), 200),
        ("seen = ?", dt.datetime(2020, 1, 2, 12, 0, 0, 0), 200),
    ],
)
def test_values_by_position_and_by_name(
    shared: dpsql.Connection, condition: str, value: Any, count: int
) -> None:
    assert shared.execute(COUNT + condition, [value]).fetchall() == [(count,)]
    assert shared.execute(COUNT + condition, (value,)).fetchall() == [(count,)]
    named = condition.replace("?", ":value")
    assert shared.execute(COUNT + named, {"value": value}).fetchall() == [(count,)]
    dollar = condition.replace("?", "$1")
    assert shared.execute(COUNT + dollar, [value]).fetchall() == [(count,)]


def test_a_parameter_is_the_same_query_as_its_literal(cursor: dpsql.Cursor) -> None:
    first = cursor.execute(COUNT + "age < ?", [30], epsilon=1).fetchall()
    assert cursor.execute(COUNT + "age < 30", epsilon=1).fetchall() == first
    assert cursor.privacy is not None
    assert cursor.privacy.free


def test_placeholders_where_values_stand(shared: dpsql.Connection) -> None:
    sql = (
        "SELECT CASE WHEN age < ? THEN ? ELSE ? END AS age_group, COUNT(*) AS n FROM people"
        " WHERE city IN (?, ?) GROUP BY 1 HAVING COUNT(*) > ? ORDER BY n LIMIT ? OFFSET ?"
    )
    rows = shared.execute(sql, [30, "young", "old", "Berlin", "<b>Oslo", 5, 10, 0]).fetchall()
    assert rows == [("young", 80), ("old", 320)]


def test_a_placeholder_for_the_part_of_a_date(shared: dpsql.Connection) -> None:
    """The parser makes a word of it; each keeps its own place among the values."""
    sql = (
        "SELECT date_trunc(?, born) AS t, COUNT(*) AS n FROM people"
        " WHERE age < ? AND date_trunc(?, born) < ? AND date_diff(?, born, DATE '2000-01-09') >= ?"
        " GROUP BY date_trunc(?, born)"
    )
    born = dt.datetime(2000, 1, 1)
    values = ["month", 1000, "year", dt.datetime(2000, 2, 1), "day", 8, "month"]
    ((when, count),) = [row for row in shared.execute(sql, values).fetchall() if row[1] > 0]
    assert when == born
    plain = "born = DATE '2000-01-01' AND age < 1000"
    assert count == shared.execute(COUNT + plain).fetchall()[0][0] > 0


@pytest.mark.parametrize("part", ["yer", 3, None, dt.date(2000, 1, 1)])
def test_a_part_that_is_none_is_refused_in_words(shared: dpsql.Connection, part: Any) -> None:
    sql = "SELECT date_trunc(?, born) AS t, COUNT(*) AS n FROM people GROUP BY 1"
    with pytest.raises(dpsql.RefusedQuery, match="date_trunc takes a constant unit") as caught:
        shared.execute(sql, [part])
    assert "year" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"Berlin", "bytes cannot be bound"),
        (bytearray(b"Berlin"), "bytes cannot be bound"),
        (memoryview(b"Berlin"), "bytes cannot be bound"),
        (["Berlin"], "one value, not for several"),
        (("Berlin",), "one value, not for several"),
        ({"Berlin"}, "one value, not for several"),
        (dt.time(12), "a time of day cannot be bound"),
        (dt.timedelta(1), "a duration cannot be bound"),
        (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "time zone"),
        (float("nan"), "NaN"),
        (float("inf"), "infinities"),
        (np.float64("nan"), "NaN"),
        (Decimal("NaN"), "NaN"),
        (10**38, "38 digits"),
        (Decimal("1e-40"), "38 digits"),
        (Fraction(1, 3), "a Fraction cannot be bound"),
        (1j, "a complex cannot be bound"),
        ({"a": 1}, "a dict cannot be bound"),
        ("a\0b", "without NUL"),
        ("x" * 10_001, "10,000 characters"),
    ],
)
def test_what_cannot_be_bound(shared: dpsql.Connection, value: Any, words: str) -> None:
    for sql, params in ((COUNT + "city = ?", [value]), (COUNT + "city = :c", {"c": value})):
        with pytest.raises(dpsql.InvalidQuery) as caught:
            shared.execute(sql, params)
        assert caught.value.code == "bad-parameter"
        assert words in caught.value.message
        assert "number 1" in caught.value.message or ":c" in caught.value.message
        assert caught.value.hint


def test_a_list_is_told_the_way_out(shared: dpsql.Connection) -> None:
    with pytest.raises(dpsql.InvalidQuery) as caught:
        shared.execute(COUNT + "city IN ?", [["Berlin"]])
    assert "IN (?, ?, ...)" in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("age < ?", []),
        ("age < ?", [1, 2]),
        ("age < ?", {"a": 1}),
        ("age < :a", [1]),
        ("age < :a", {"b": 1}),
        ("age < :a", {"a": 1, "b": 2}),
        ("age < $2", [1]),
        ("age < ?", None),
        ("age < 3", [1]),
        ("age < ? AND age < :a", [1]),
        ("city LIKE ? || city", ["%"]),
    ],
)
def test_counts_and_names_must_fit(shared: dpsql.Connection, sql: str, params: Any) -> None:
    with pytest.raises((dpsql.InvalidQuery, dpsql.RefusedQuery)) as caught:
        shared.execute(COUNT + sql, params)
    assert not isinstance(caught.value, dpsql.InternalError)
