"""The total forms agree with the plain expressions wherever those have an ordinary answer."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from function_world import attempt, bind, combinations, database, emit, fetch, names_of, source
from test_functions_total import CASES

from dpsql.core.domain import BOOLEAN, Kind, SqlType


@pytest.fixture(scope="module")
def con() -> Any:
    return database()


@pytest.mark.parametrize("case", CASES)
def test_agrees_on_ordinary_values(con: Any, case: str) -> None:
    template, choices = CASES[case]
    compared = 0
    few = [name for name in choices if name not in ("ti", "ub", "n1")]
    for sql in combinations(template, few):
        expr = attempt(sql)
        if expr is None:
            continue
        frm = source("ordinary", names_of(expr))
        total = _read(emit(expr), expr.domain.type)
        plain = _read(f"({sql})", expr.domain.type)
        try:
            both = con.execute(f"SELECT {total}, TRY({plain}) FROM {frm}").fetchall()
        except duckdb.Error:
            con.execute(f"SELECT {total} FROM {frm}")  # the plain form does not even bind
            continue
        for got, want in both:
            if _odd(want):
                continue
            assert _same(got, want), f"{sql}: {got!r}, plain {want!r}"
            compared += 1
    assert compared > 0 or case in NEVER_ORDINARY


NEVER_ORDINARY = {
    *("literal / 0", "literal // 0", "literal % 0"),
    # Not DuckDB's: compared in test_functions_shorthand.py.
    *("square", "zeroifnull", "nullifzero", "isnull", "nvl2", "width_bucket"),
    *("width_bucket uneven", "floor -1", "floor -15", "ceil -1", "ceil -15"),
}


def _read(sql: str, type_: SqlType) -> str:
    return f"CAST({sql} AS VARCHAR)" if type_.kind in (Kind.DATE, Kind.TIMESTAMP) else sql


def _odd(want: Any) -> bool:
    """NULL here may be an error caught by TRY; NaN and infinities become NULL by design."""
    return want is None or (isinstance(want, float) and not math.isfinite(want))


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, (bool, str)) or isinstance(got, (bool, str)):
        return got == want or _midnight(got) == _midnight(want)
    if got is None:
        return False
    if isinstance(want, (int, Decimal)) and isinstance(got, (int, Decimal)):
        return got == want
    return math.isclose(float(got), float(want), rel_tol=1e-6, abs_tol=1e-9)


def _midnight(value: Any) -> Any:
    return value.removesuffix(" 00:00:00") if isinstance(value, str) else value


def test_nulls_agree_where_nothing_raises(con: Any) -> None:
    """NULL stays NULL and no other value becomes NULL, for forms without a guard."""
    for sql in (
        *("i + b", "n * 2", "CASE WHEN i > 1 THEN d END", "COALESCE(i, n, 0.5)", "i IN (1, NULL)"),
        *("s LIKE 'B%'", "s || 'x'", "concat(s, i)", "f AND NOT f_", "f IS TRUE", "i > n"),
        *(
            "NULLIF(i, 3)",
            "NULLIF(i, 0.5)",
            "LEAST(i, d)",
            "GREATEST(n, i)",
            "i IS DISTINCT FROM b",
        ),
        *("date_trunc('month', ts)", "EXTRACT(dow FROM day)", "length(s)", "CAST(i AS VARCHAR)"),
    ):
        expr = bind(sql)
        frm = source("ordinary", names_of(expr))
        got = fetch(con, f"SELECT ({emit(expr)}) IS NULL FROM {frm}", BOOLEAN)
        want = fetch(con, f"SELECT ({sql}) IS NULL FROM {frm}", BOOLEAN)
        assert got == want, sql
