"""What narrow() claims holds for every row that passes, also among nasty values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from function_world import (
    NASTY,
    attempt,
    bind,
    combinations,
    database,
    domain,
    emit,
    fetch,
    inside,
    names_of,
    source,
)

from dpsql.core.domain import Interval, Kind
from dpsql.functions import narrow

NUMBERS = ("ti", "i", "b", "h", "ub", "d", "r", "n", "nn", "n1")
FEW = ("i", "h", "d", "r", "n", "n1")
LITERALS = ("0", "-1", "2.5", "0.1", "3e0", "2147483647", "9007199254740993", "1e19", "0.1e0")
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{
        f"{{0}} {op} {lit}": (f"{{0}} {op} {lit}", NUMBERS)
        for op in ("=", "<", "<=", ">", ">=", "<>", "IS NOT DISTINCT FROM")
        for lit in LITERALS
    },
    **{f"{lit} < x": (f"{lit} < {{0}}", NUMBERS) for lit in LITERALS},
    "columns": ("{0} < {1} AND {1} <= 100 AND {0} >= -3.5", FEW),
    "equal columns": ("{0} = {1} AND {1} BETWEEN 0.1 AND 2.5e0", FEW),
    "in": ("{0} IN (1, 2.5, 0.1, NULL, 9007199254740993)", NUMBERS),
    "in floats": ("{0} IN (1e0, 0.5e0, 9007199254740993e0)", NUMBERS),
    "between": ("{0} BETWEEN -1 AND 2.5", NUMBERS),
    "between mirrored": ("3 BETWEEN {0} AND {1}", FEW),
    "not between": ("{0} NOT BETWEEN 1 AND {1}", FEW),
    "not in": ("{0} NOT IN (1, 2)", NUMBERS),
    "not": ("NOT ({0} > 1 OR {0} IS NULL)", NUMBERS),
    "or": ("{0} > 1 OR {0} IS NULL", NUMBERS),
    "or, both there": ("({0} > 1 AND {1} > 0) OR {0} = -1", FEW),
    "or, another there": ("{0} > 1 OR {1} > 1", FEW),
    "not and": ("NOT ({0} > 1 AND {0} < {1})", FEW),
    "of strict functions": ("{0} + {1} IS NOT NULL AND -{0} < 5", FEW),
    "of a cast": ("CAST({0} AS DOUBLE) > -100 OR ABS({0}) IN (1, 2)", NUMBERS),
    "is null, as a value": ("({0} IS NULL) = FALSE AND ({1} IS NULL) IS FALSE", FEW),
    "is null, is true": ("({0} IS NULL) = TRUE OR ({1} IS NOT NULL) IS TRUE", FEW),
    "distinct from NULL": ("{0} IS DISTINCT FROM NULL", NUMBERS),
    "same as what is there": ("{0} + 1 IS NOT DISTINCT FROM 2", NUMBERS),
    "expression": ("{0} < 3 * 7 AND {0} > LEAST({1}, 5)", FEW),
    "moments": ("{0} >= '2020-02-29' AND {0} < TIMESTAMP '9999-12-31 10:00:00'", ("day", "ts")),
    "moment": ("{0} = '2020-02-29'", ("day", "ts")),
    "two moments": ("{0} <= {1} AND {1} < DATE '2020-03-01'", ("day", "ts")),
    "text": ("{0} IN ('a', 'abc', 'zzz') AND {0} LIKE 'a%'", ("s",)),
    "flag": ("{0} AND NOT {1}", ("f",)),
    "flag is": ("{0} IS TRUE AND {1} = FALSE", ("f",)),
    "not null": ("{0} IS NOT NULL", tuple(NASTY)),
}


@pytest.fixture(scope="module")
def con() -> Any:
    return database()


@pytest.mark.parametrize("case", CASES)
def test_claims_hold_for_rows_that_pass(con: Any, case: str) -> None:
    template, choices = CASES[case]
    for sql in combinations(template, choices):
        predicate = attempt(sql)
        if predicate is None:
            continue
        names = names_of(predicate)
        changes = narrow([predicate])
        for name in names:
            if (0, name) not in changes:
                continue
            claim = changes[0, name](domain(name))
            query = f"SELECT {name} FROM {source('nasty', names)} WHERE {emit(predicate)}"
            for value in fetch(con, query, claim.type):
                _holds(sql, value, claim)


def _holds(sql: str, value: Any, claim: Any) -> None:
    assert value is not None or claim.nullable, f"{sql}: NULL passes"
    if value is None:
        return
    assert inside(value, claim.certain), f"{sql}: {value} passes, {claim.certain}"
    if claim.values is not None:
        known = [
            v if claim.type.kind is not Kind.DATE else dt.datetime(v.year, v.month, v.day)
            for v in claim.values
        ]
        assert value in known, f"{sql}: {value!r} passes, {claim.values}"


def _claim(sql: str, name: str, **changes: Any) -> Any:
    found = narrow([bind(sql)])[0, name]
    return found(domain(name, **changes))


def test_ranges_and_values() -> None:
    assert _claim("i > 5 AND i <= 9.5", "i").certain == Interval(Fraction(6), Fraction(9))
    assert _claim("10 > i AND i >= 0", "i").bounds == Interval(Fraction(0), Fraction(9))
    assert _claim("i IN (3, 1, 3, 2.5)", "i").values == (3, 1)
    assert _claim("n = 1.5", "n").values == (Decimal("1.50"),)
    assert _claim("s = 'x'", "s").values == ("x",)
    assert _claim("s IN ('x', 'y')", "s", values=("y", "z")).values == ("y",)
    assert _claim("d = 0.1", "d").values is None  # a REAL column would equal another double
    assert _claim("d = 0.5", "d").values == (0.5,)
    assert _claim("d BETWEEN 0 AND 10", "d").certain == Interval(Fraction(0), Fraction(10))
    week = _claim("ts >= '2023-01-01' AND ts < TIMESTAMP '2023-07-01 00:00:00'", "ts")
    assert week.certain.hi == dt.datetime(2023, 6, 30, 23, 59, 59, 999_999)
    day = _claim("day > '2023-01-01' AND day < TIMESTAMP '2023-07-01 10:00:00'", "day")
    assert day.certain == Interval(dt.datetime(2023, 1, 2), dt.datetime(2023, 7, 1))
    assert not week.nullable
    assert _claim("f", "f").values == (True,)
    assert _claim("NOT f", "f").values == (False,)


def test_what_is_not_known_is_not_claimed() -> None:
    assert narrow([bind("i > 1 OR h < 0")]) == {}
    assert narrow([bind("i IS NOT DISTINCT FROM i_")]) == {}
    assert narrow([bind("i IS NULL")]) == {}
    assert narrow([bind("COALESCE(i, 6) > 5")]) == {}
    have = domain("i")
    for only_there in ("i + 1 > 5", "i > 1 OR i < 0"):
        (change,) = narrow([bind(only_there)]).values()
        assert change(have) == have.with_(nullable=False)
    assert narrow([]) == {}
