"""Soundness of domains: no value outside `bounds` or `values`, no NULL where none is promised."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from function_world import attempt, bind, emit, inside
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.core.domain import Domain, Interval, Kind, decimal
from dpsql.dialects.duckdb_types import read_type

ROWS = 120
COLUMNS = {
    "x": ("INTEGER", -20, 30),
    "k": ("BIGINT", 1, 9),
    "p": ("DECIMAL(8,2)", Decimal("0.00"), Decimal("500.00")),
    "y": ("DOUBLE", -2.5, 10.0),
    "u": ("DOUBLE", 0.1, 5.0),
    "t": ("TIMESTAMP", dt.datetime(2023, 11, 5), dt.datetime(2024, 3, 10, 12)),
    "d": ("DATE", dt.date(2023, 12, 30), dt.date(2024, 2, 29)),
    "c": ("VARCHAR", None, None),
    "f": ("BOOLEAN", None, None),
}
WORDS = ("a", "bb", "Ccc ")


def _domain(name: str) -> Domain:
    text, lo, hi = COLUMNS[name]
    type_, certain = read_type(text)
    nullable = name not in ("x", "u", "t")
    if name == "c":
        return Domain(type_, certain, nullable=nullable, values=WORDS)
    if name == "f":
        return Domain(type_, certain, nullable=nullable, values=(False, True))
    return Domain(type_, certain, Interval(_point(lo), _point(hi)), nullable=nullable)


def _point(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    return Fraction(value)


DOMAINS = {name: _domain(name) for name in COLUMNS}


def _cell(name: str, row: int) -> Any:
    """Ends first, then a fixed low-discrepancy walk through the range."""
    _type, lo, hi = COLUMNS[name]
    if DOMAINS[name].nullable and row % 11 == 7:
        return None
    if name == "c":
        return WORDS[row % 3]
    if name == "f":
        return row % 2 == 0
    share = (row * 0.6180339887 * (1 + len(name)) + ord(name) * 0.7) % 1
    share = {0: 0.0, 1: 1.0}.get((row * ord(name)) % 13, share)
    if isinstance(lo, dt.datetime):
        return lo + (hi - lo) * share
    if isinstance(lo, dt.date):
        return lo + dt.timedelta(days=round((hi - lo).days * share))
    if isinstance(lo, float):
        return min(hi, max(lo, lo + (hi - lo) * share))
    if isinstance(lo, Decimal):
        return (lo + (hi - lo) * Decimal(share)).quantize(Decimal("0.01"))
    return lo + round((hi - lo) * share)


@pytest.fixture(scope="module")
def con() -> Any:
    con = duckdb.connect()
    con.execute("CREATE TABLE r (" + ", ".join(f"{n} {c[0]}" for n, c in COLUMNS.items()) + ")")
    rows = [[_cell(name, row) for name in COLUMNS] for row in range(ROWS)]
    con.executemany("INSERT INTO r VALUES (" + ", ".join("?" * len(COLUMNS)) + ")", rows)
    return con


NUMBER = st.sampled_from(["x", "k", "p", "y", "u", "3", "-2", "0.5", "1.25", "7e0", "0", "100"])
TRUTH = st.sampled_from(["f", "x > 3", "c = 'a'", "y < u", "TRUE", "p IS NULL"])
TEXT = st.sampled_from(["c", "'q'", "'Zz'"])
MOMENT = st.sampled_from(["t", "d", "DATE '2024-01-01'", "TIMESTAMP '2024-01-15 06:30:00'"])
UNIT = st.sampled_from(["year", "quarter", "month", "week", "day", "hour"])
DIFF_UNIT = st.sampled_from(["year", "quarter", "month", "day", "hour", "minute", "second"])
FORMAT = st.sampled_from(["%Y-%m", "%Y", "%d/%b", "%A %H", "%j", "%M:%S"])
PART = st.sampled_from(["year", "month", "day", "dow", "isodow", "week", "doy", "hour", "isoyear"])


def _form(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda got: template.format(*got))


@st.composite
def numbers(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0:
        return draw(NUMBER)
    inner = numbers(depth - 1)
    return draw(
        st.one_of(
            NUMBER,
            _form("({0} {1} {2})", inner, st.sampled_from(["+", "-", "*"]), inner),
            _form("({0} {1} {2})", inner, st.sampled_from(["/", "//", "%"]), inner),
            _form("(- {0})", inner),
            _form("{0}({1})", st.sampled_from(["abs", "sign", "floor", "ceil", "trunc"]), inner),
            _form("{0}({1})", st.sampled_from(["sqrt", "ln", "exp", "cbrt", "log10"]), inner),
            _form("round({0}, {1})", inner, st.sampled_from(["0", "1", "-1"])),
            _form("pow({0}, {1})", inner, st.sampled_from(["2", "3"])),
            _form("{0}({1}, {2})", st.sampled_from(["least", "greatest"]), inner, inner),
            _form("{0}({1}, {2})", st.sampled_from(["coalesce", "nullif"]), inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
            _form("CASE WHEN {0} THEN {1} END", truths(depth - 1), inner),
            _form(
                "CAST({0} AS {1})",
                inner,
                st.sampled_from(["INTEGER", "TINYINT", "DECIMAL(9,1)", "DOUBLE", "REAL", "BIGINT"]),
            ),
            _form("date_part('{0}', {1})", PART, moments(depth - 1)),
            _form("date_diff('{0}', {1}, {2})", DIFF_UNIT, moments(depth - 1), moments(depth - 1)),
            _form("{0}({1})", st.sampled_from(["length", "strlen"]), texts(depth - 1)),
            _form("{0}({1})", st.sampled_from(["sin", "cos", "atan", "asin", "acos"]), inner),
            _form("{0}({1})", st.sampled_from(["tanh", "degrees", "square", "tan"]), inner),
            _form("width_bucket({0}, -3, 12, 6)", inner),
            _form("floor({0} / 10) * 10", inner),
            _form("({0} // 4 + 1) * 3", inner),
            _form("nvl2({0}, {1}, 5)", inner, inner),
            _form("{0}({1})", st.sampled_from(["yearweek", "decade", "epoch"]), moments(depth - 1)),
            _form("strpos({0}, 'b')", texts(depth - 1)),
            _form("ascii({0})", texts(depth - 1)),
        )
    )


@st.composite
def truths(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(TRUTH)
    inner = truths(depth - 1)
    sign = st.sampled_from(["=", "<>", "<", ">=", "IS DISTINCT FROM"])
    return draw(
        st.one_of(
            TRUTH,
            _form("({0} {1} {2})", inner, st.sampled_from(["AND", "OR"]), inner),
            _form("(NOT {0})", inner),
            _form("({0} {1} {2})", numbers(depth - 1), sign, numbers(depth - 1)),
            _form("({0} {1} {2})", moments(depth - 1), sign, moments(depth - 1)),
            _form("({0} BETWEEN 0 AND {1})", numbers(depth - 1), numbers(depth - 1)),
            _form("({0} IN (1, 2.5, 7))", numbers(depth - 1)),
            _form("({0} LIKE '%a')", texts(depth - 1)),
            _form("({0} IS NULL)", numbers(depth - 1)),
        )
    )


@st.composite
def texts(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(TEXT)
    inner = texts(depth - 1)
    return draw(
        st.one_of(
            TEXT,
            _form("{0}({1})", st.sampled_from(["lower", "upper", "trim", "rtrim"]), inner),
            _form("{0}({1}, 1)", st.sampled_from(["left", "right", "substring"]), inner),
            _form("substring({0}, 2, 1)", inner),
            _form("replace({0}, 'b', '')", inner),
            _form("({0} || '-' || {1})", inner, inner),
            _form("concat({0}, {1})", inner, inner),
            _form("coalesce({0}, {1})", inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
            _form("CAST({0} AS VARCHAR)", st.sampled_from(["x", "f", "d", "k + 1"])),
            _form("dayname({0})", moments(depth - 1)),
            _form("strftime({0}, '{1}')", moments(depth - 1), FORMAT),
            _form("reverse({0})", inner),
            _form("split_part({0}, 'b', 1)", inner),
            _form("lpad({0}, 4, '*')", inner),
            _form("concat_ws('/', {0}, {1})", inner, inner),
        )
    )


@st.composite
def moments(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(MOMENT)
    inner = moments(depth - 1)
    return draw(
        st.one_of(
            MOMENT,
            _form("date_trunc('{0}', {1})", UNIT, inner),
            _form("CAST({0} AS {1})", inner, st.sampled_from(["DATE", "TIMESTAMP"])),
            _form("({0} + INTERVAL 3 {1})", inner, UNIT),
            _form("last_day({0})", inner),
            _form("time_bucket(INTERVAL 1 {1}, {0})", inner, UNIT),
            _form("(CAST({0} AS DATE) + 5)", inner),
            _form("({0} - INTERVAL 40 {1})", inner, UNIT),
            _form("least({0}, {1})", inner, inner),
            _form("coalesce({0}, {1})", inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
        )
    )


@settings(max_examples=150)
@given(sql=st.one_of(numbers(), texts(), moments(), truths()))
def test_every_value_lies_in_the_domain(con: Any, sql: str) -> None:
    check(con, sql)


def check(con: Any, sql: str) -> None:
    expr = attempt(sql, DOMAINS)
    if expr is None:
        return
    domain = expr.domain
    values = None if domain.values is None else set(domain.values)
    for (value,) in con.execute(f"SELECT DISTINCT {emit(expr)} FROM r").fetchall():
        if value is None:
            assert domain.nullable, f"{sql}: NULL"
            continue
        assert value == value
        assert not isinstance(value, float) or math.isfinite(value)
        assert inside(value, domain.certain), f"{sql}: {value} not certainly in {domain.certain}"
        assert inside(value, domain.declared), f"{sql}: {value} not in {domain.declared}"
        if values is not None:
            assert value in values, f"{sql}: {value!r} not among {domain.values}"
        if domain.type.kind is Kind.DECIMAL:
            assert abs(value) < 10 ** (domain.type.precision - domain.type.scale)
            assert -value.as_tuple().exponent <= domain.type.scale


@pytest.mark.slow
@settings(max_examples=3000, derandomize=False)
@given(sql=st.one_of(numbers(), texts(), moments(), truths()))
def test_every_value_lies_in_the_domain_at_length(con: Any, sql: str) -> None:
    check(con, sql)


def test_tight_where_it_matters() -> None:
    """The ranges users rely on: nothing lost to rounding or to order of evaluation."""
    price = Domain(read_type("DOUBLE")[0], declared=Interval(Fraction(0), Fraction(10_000)))
    quantity = DOMAINS["k"]
    domains = {**DOMAINS, "price": price, "quantity": quantity}
    assert bind("price * quantity", domains).domain.bounds == Interval(
        Fraction(0), Fraction(90_000)
    )
    clamp = bind("LEAST(GREATEST(price, 0), 200)", domains).domain
    assert clamp.certain == Interval(Fraction(0), Fraction(200))
    assert bind("x // 10", DOMAINS).domain.bounds == Interval(Fraction(-2), Fraction(3))
    assert bind("CASE WHEN x < 30 THEN 'young' ELSE 'old' END", DOMAINS).domain.values == (
        "young",
        "old",
    )
    month = bind("date_trunc('month', t)", DOMAINS).domain
    assert month.values == tuple(
        dt.datetime(*ym, 1) for ym in [(2023, 11), (2023, 12), (2024, 1), (2024, 2), (2024, 3)]
    )
    assert bind("p * 2", DOMAINS).domain.type == decimal(9, 2)
    assert bind("x / k", DOMAINS).domain.bounds == Interval(Fraction(-20), Fraction(30))
    assert bind("1 / x", DOMAINS).domain.bounds == Interval()
