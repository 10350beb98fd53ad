"""`//` and `%` of HUGEINTs are exact integers on every pair, the one that overflows included."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from function_world import bind, database, emit, source

from dpsql.core.domain import Kind
from dpsql.errors import RefusedQuery

INTEGERS = ("ti", "i", "b", "h", "ub")
LEAST = -(2**127)


def quotient(a: int, b: int) -> int | None:
    if b == 0 or (a, b) == (LEAST, -1):
        return None
    return math.trunc(Fraction(a, b))


def remainder(a: int, b: int) -> int | None:
    return None if b == 0 else a - b * math.trunc(Fraction(a, b))


@pytest.fixture(scope="module")
def con() -> Any:
    return database()


@pytest.mark.parametrize(("sign", "exact"), [("//", quotient), ("%", remainder)])
@pytest.mark.parametrize("right", [*(name + "_" for name in INTEGERS), "-1", "3"])
@pytest.mark.parametrize("left", INTEGERS)
def test_exact_on_every_pair(con: Any, left: str, right: str, sign: str, exact: Any) -> None:
    expr = bind(f"{left} {sign} {right}")
    assert expr.domain.type.kind is Kind.INTEGER
    names = [left, right] if right.endswith("_") else [left]
    rows = con.execute(f"SELECT {left}, {right}, {emit(expr)} FROM {source('nasty', names)}")
    seen = 0
    for a, b, value in rows.fetchall():
        want = None if a is None or b is None else exact(a, b)
        assert value == want, (a, b)
        seen += 1
    assert seen >= 5


def test_only_the_pair_that_overflows_is_guarded() -> None:
    assert "CASE" in emit(bind("h // b"))
    assert "CASE" in emit(bind("h % b"))
    assert "CASE" not in emit(bind("b // h"))
    assert "CASE" not in emit(bind("h % 3"))
    assert "CASE" not in emit(bind("i % b"))


def test_copies_are_counted() -> None:
    """The guard repeats its operands: nested without end, it is refused and not planned."""
    with pytest.raises(RefusedQuery, match="repeats its parts"):
        bind("h" + " // h" * 12)
