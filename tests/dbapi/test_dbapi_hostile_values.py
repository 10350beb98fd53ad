"""A parameter of a subclass is written as its built-in value, whatever its methods say."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import dpsql
from dpsql.pipeline import parse
from dpsql.sql.plain_values import plain_value

INJECTED = "0 + (SELECT COUNT(*) FROM duckdb_settings())"


class Text(str):
    """Text that no check sees through its own methods."""

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def __format__(self, _: str) -> str:
        return self

    def __len__(self) -> int:
        return 1

    def __contains__(self, _: object) -> bool:
        return False

    def __eq__(self, _: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def encode(self, *_: Any) -> bytes:
        return b""


def hostile(base: type, *arguments: Any) -> Any:
    """An instance of a subclass, every method of which answers with the injected text."""
    says = Text(INJECTED)
    kept = {"__new__", "__init__", "__class__", "__getattribute__", "__setattr__", "__dict__"}
    kept |= {"__init_subclass__", "__subclasshook__", "__doc__", "__delattr__", "__module__"}
    methods = {
        name: (lambda self, *_, **__: says)
        for name in dir(base)
        if name not in kept and callable(getattr(base, name, None))
    }
    made = type("Hostile", (base,), methods)
    return base.__new__(made, *arguments)


VALUES = {
    "Decimal": (Decimal, ("1.25",), Decimal("1.25")),
    "negative Decimal": (Decimal, ("-1.25",), Decimal("-1.25")),
    "int": (int, (30,), 30),
    "negative int": (int, (-30,), -30),
    "float": (float, (-0.5,), -0.5),
    "str": (str, ("Ber'lin",), "Ber'lin"),
}
REFUSED = {
    "NaN": (Decimal, ("NaN",)),
    "infinity": (float, ("inf",)),
    "large": (int, (10**40,)),
    "NUL": (str, ("a\0b",)),
    "long": (str, ("x" * 10_001,)),
    "surrogate": (str, ("\ud800",)),
    "date": (dt.date, (2020, 1, 2)),
    "datetime": (dt.datetime, (2020, 1, 2)),
    "zoned": (dt.datetime, (2020, 1, 2, 0, 0, 0, 0, dt.UTC)),
    "bytes": (bytes, (b"a",)),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_subclass_is_written_and_recorded_as_its_value(what: str) -> None:
    base, arguments, value = VALUES[what]
    given = parse.run("SELECT ?", dialect="duckdb", parameters=[hostile(base, *arguments)])
    plain = parse.run("SELECT ?", dialect="duckdb", parameters=[value])
    assert given.root.sql("duckdb") == plain.root.sql("duckdb")
    assert given.recorded == plain.recorded
    assert type(plain_value(hostile(base, *arguments))) is base
    named = {"a": hostile(base, *arguments)}
    again = parse.run("SELECT 1 + :a", dialect="duckdb", parameters=named)
    assert again.recorded == f"SELECT 1 + :a\n-- with {{'a': {value!r}}}"


@pytest.mark.parametrize("what", REFUSED)
def test_a_subclass_passes_no_check_that_its_value_fails(what: str) -> None:
    base, arguments = REFUSED[what]
    with pytest.raises(dpsql.InvalidQuery) as caught:
        parse.run("SELECT ?", dialect="duckdb", parameters=[hostile(base, *arguments)])
    assert caught.value.code == "bad-parameter"


class Claimed:
    """Not a number, whatever its class says."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return Decimal

    def is_finite(self) -> bool:
        return True

    def adjusted(self) -> int:
        return 0

    def copy_abs(self) -> str:
        return Text(INJECTED)


def test_a_class_that_is_only_claimed_is_refused() -> None:
    with pytest.raises(dpsql.InvalidQuery, match="cannot be bound"):
        parse.run("SELECT ?", dialect="duckdb", parameters=[Claimed()])


class Day(dt.date):
    """What pandas and freezegun do: a date as any other."""


class Moment(dt.datetime):
    """As above."""


class NoTime(dt.datetime):
    """As pandas' NaT: its fields are a date's, its text is none."""

    def isoformat(self, *_: Any) -> str:
        return "NaT"


def test_subclasses_of_moments_that_agree_are_bound() -> None:
    for value, plain in (
        (Day(2020, 1, 2), dt.date(2020, 1, 2)),
        (Moment(2020, 1, 2, 3, 4, 5, 6), dt.datetime(2020, 1, 2, 3, 4, 5, 6)),
    ):
        assert type(plain_value(value)) is type(plain)
        assert plain_value(value) == plain
    with pytest.raises(dpsql.InvalidQuery, match="NoTime is no moment"):
        parse.run("SELECT ?", dialect="duckdb", parameters=[NoTime(1, 1, 1)])


def test_above_the_noise_line(shared: dpsql.Connection) -> None:
    sql = "SELECT COUNT(*) * 0 + ? AS x FROM people"
    assert shared.execute(sql, [hostile(Decimal, "1")]).fetchall() == [(1,)]


def test_numpy_truth(shared: dpsql.Connection) -> None:
    sql = "SELECT COUNT(*) FROM people WHERE member = ?"
    assert shared.execute(sql, [np.bool_(True)]).fetchall() == [(200,)]


@pytest.mark.parametrize(
    ("condition", "values", "count"),
    [
        ("born = ?::date", ["2000-01-01"], 200),
        ("city = ?::varchar", ["Berlin"], 200),
        ("born BETWEEN ?::date AND ?::date", ["2000-01-01", "2000-01-01"], 200),
        ("born IN (?::date, ? :: date, ?)", ["2000-01-01", "1999-01-01", "1998-01-01"], 200),
        ("age < ?::int AND city = ?", [30, "Berlin"], 40),
        ("city = '?::int' OR city = ?::varchar -- ?::x", ["Berlin"], 200),
    ],
)
def test_a_placeholder_is_cast(
    shared: dpsql.Connection, condition: str, values: list[Any], count: int
) -> None:
    sql = f"SELECT COUNT(*) FROM people WHERE {condition}"
    for dialect in ("duckdb", "postgres", "databricks"):
        assert shared.execute(sql, values, dialect=dialect).fetchall() == [(count,)]


def test_databricks_own_operator_stays() -> None:
    parsed = parse.run("SELECT x?::int", dialect="databricks")
    assert parsed.root.sql("duckdb") == "SELECT TRY_CAST(TRUNC(x) AS INT)"
