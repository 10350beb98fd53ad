"""The limits of a type are nobody's word: what is known of an undeclared column's expressions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from function_grammar import moments, numbers, texts
from function_world import attempt, bind, domain
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.core.domain import Domain, Interval
from dpsql.dialects.duckdb_types import read_type
from dpsql.functions import narrow

OPEN = (None, None)

BOUNDS: dict[str, tuple[int | None, int | None]] = {
    # columns, and what leaves them as wide as they are
    **dict.fromkeys(("ti", "i", "b", "h", "n", "nn", "d", "r", "+i", "-i", "(i)"), OPEN),
    **dict.fromkeys(("i + 1", "1 - i", "i * 2", "i - i", "i * 0.5", "i / 2", "i // 10"), OPEN),
    **dict.fromkeys(("round(n)", "round(n, 1)", "floor(n)", "i % i_", "ti % ti_"), OPEN),
    **dict.fromkeys(("coalesce(i, 0)", "nullif(i, 0)", "CASE WHEN f THEN i ELSE 0 END"), OPEN),
    **dict.fromkeys(("least(i, i_)", "ln(i)", "cbrt(i)", "pow(ti, 3)", "tan(d)"), OPEN),
    "ub": (0, None),
    "ub + 1": (1, None),
    "abs(i)": (0, None),
    # a type that is named is no range either
    **{f"CAST({x} AS {t})": OPEN for x in "ids" for t in ("TINYINT", "INTEGER", "BIGINT")},
    **{f"CAST({x} AS DECIMAL(4, 1))": OPEN for x in "ids"},
    "TRY_CAST(s AS UTINYINT)": (0, None),
    "CAST(CAST(i AS TINYINT) AS BIGINT) + 1": OPEN,
    # ranges that an expression has by itself
    "5": (5, 5),
    "sign(i)": (-1, 1),
    "sign(d)": (-1, 1),
    "i % 10": (-9, 9),
    "ub % 10": (0, 9),
    "10 % i": (0, 10),
    "10 // i_": (-10, 10),
    "10 % ti": (0, 10),
    "CAST(i > 3 AS INT)": (0, 1),
    "CAST(i IS NULL AS INT)": (0, 1),
    "CAST(f AS INT)": (0, 1),
    "CASE WHEN i > 3 THEN 2 WHEN f THEN -1 END": (-1, 2),
    "ascii(s)": (-1, 0x10FFFF),
    "width_bucket(i, 0, 10, 5)": (0, 6),
    # clips
    "least(i, 100)": (None, 100),
    "greatest(i, 0)": (0, None),
    "least(greatest(i, 0), 100)": (0, 100),
    "greatest(0, least(d, 100))": (0, 100),
    "least(i, i_, 100)": (None, 100),
    "abs(least(greatest(i, -5), 3))": (0, 5),
    # branches, each read with its condition
    "CASE WHEN i > 0 THEN i ELSE 0 END": (0, None),
    "CASE WHEN i BETWEEN 0 AND 100 THEN i ELSE 0 END": (0, 100),
    "CASE WHEN i BETWEEN 0 AND 100 THEN i END": (0, 100),
    "CASE WHEN i IN (3, 7) THEN i END": (3, 7),
    "CASE WHEN i > 100 THEN 100 WHEN i < 0 THEN 0 ELSE i END": (0, 100),
    "CASE WHEN d < 0 THEN 0 WHEN d < 100 THEN d ELSE 100 END": (0, 100),
    "CASE WHEN 0 > i OR i > 100 THEN NULL ELSE i END": (0, 100),
    "CASE WHEN NOT (i >= 0) THEN 0 WHEN NOT i <= 9 THEN 9 ELSE i END": (0, 9),
    "CASE WHEN i <> 5 THEN 4 ELSE i END": (4, 5),
    "CASE WHEN i > 0 AND f AND i < 10 THEN i * 2 ELSE -1 END": (-1, 18),
    "CASE WHEN i > 0 OR f THEN i ELSE 0 END": OPEN,
    "CASE WHEN i > 0 AND f THEN 1 ELSE i END": OPEN,
    "CASE WHEN i > i_ THEN i_ ELSE i END": OPEN,
    "CASE WHEN i < least(i_, 9) THEN i ELSE 0 END": (None, 8),
    "CASE WHEN i > nullif(7, i_) THEN 0 ELSE i END": OPEN,
    "CASE WHEN i_ BETWEEN 0 AND 100 THEN i ELSE 0 END": OPEN,
    "CASE i WHEN 1 THEN i ELSE 0 END": OPEN,
    "IF(i >= 0, least(i, 5), 0)": (0, 5),
    "IF(i < 0, 0, i)": (0, None),
    # text and moments
    "length(s)": (0, None),
    "length(left(s, 12))": (0, 12),
    "length(trim(substring(s, 3, 4)))": (0, 4),
    "length(lpad(s, 6, '*'))": (0, 6),
    "length(upper(left(s, 12)))": (0, None),
    "strpos(s, 'a')": (0, None),
    "date_part('month', ts)": (1, 12),
    "date_part('hour', day)": (0, 0),
    "date_part('year', ts)": OPEN,
    "date_part('epoch', day)": OPEN,
    "date_part('year', CAST(s AS DATE))": OPEN,
    "date_diff('day', day, DATE '2024-01-01')": OPEN,
    "date_diff('day', DATE '2023-12-31', DATE '2024-01-01')": (1, 1),
}


@pytest.mark.parametrize("sql", BOUNDS)
def test_what_is_known_of_an_undeclared_column(sql: str) -> None:
    assert bind(sql).domain.bounds == _interval(*BOUNDS[sql])


@pytest.mark.parametrize(
    ("where", "column", "known"),
    [
        ("i >= 0", "i", (0, None)),
        ("i BETWEEN 0 AND 100", "i", (0, 100)),
        ("NOT (i < 0 OR i > 100)", "i", (0, 100)),
        ("NOT (d > 5)", "d", (None, 5)),
        ("NOT (i <> 3)", "i", (3, 3)),
        ("i < 5 + 4", "i", (None, 8)),
        ("b < i", "b", OPEN),
        ("b = ti AND ti > 0", "b", OPEN),
        ("i = ub", "i", (0, None)),
        ("i < least(b, 10)", "i", (None, 9)),
        ("i < length(s)", "i", OPEN),
        ("i < CAST(s AS TINYINT)", "i", OPEN),
        ("i IS NOT NULL AND i <> 0", "i", OPEN),
    ],
)
def test_what_where_tells(where: str, column: str, known: tuple[int | None, int | None]) -> None:
    told = narrow([bind(where)])[0, column](domain(column))
    assert told.bounds == _interval(*known)


def test_where_hands_on_another_columns_range() -> None:
    age = domain("i", declared=_interval(0, 120))
    told = narrow([bind("b < i", {"i": age})])[0, "b"](domain("b"))
    assert told.bounds == _interval(None, 119)
    assert told.certain.hi == 2**31 - 2


def _interval(lo: int | None, hi: int | None) -> Interval:
    return Interval(None if lo is None else Fraction(lo), None if hi is None else Fraction(hi))


# ---- keys --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        *("ti", "ti // 10", "floor(ti)", "i // 1000000000", "ti + 1", "CAST(s AS TINYINT)"),
        *("date_trunc('year', CAST(s AS DATE))", "date_trunc('year', ts + INTERVAL 1 DAY)"),
        *("date_part('year', CAST(s AS DATE))", "CAST(CAST(s AS TIMESTAMP) AS DATE)"),
    ],
)
def test_no_public_keys_come_from_a_type(sql: str) -> None:
    assert bind(sql).domain.values is None


def test_keys_that_an_expression_has_by_itself_are_public() -> None:
    assert bind("i % 3").domain.values == (-2, -1, 0, 1, 2)
    assert bind("sign(i)").domain.values == (-1, 0, 1)
    assert bind("least(greatest(i, 1), 30) // 10").domain.values == (0, 1, 2, 3)
    assert len(bind("date_part('month', ts)").domain.values or ()) == 12


# ---- no end rests on a type --------------------------------------------------------------

NARROW = {"x": "TINYINT", "k": "SMALLINT", "p": "DECIMAL(5,2)"}
WIDE = {"x": "BIGINT", "k": "BIGINT", "p": "DECIMAL(14,2)"}
OTHERS = {"y": "DOUBLE", "u": "REAL", "t": "TIMESTAMP", "d": "DATE", "c": "VARCHAR"}


def _undeclared(types: dict[str, str]) -> dict[str, Domain]:
    found = {name: Domain(*read_type(text)) for name, text in {**types, **OTHERS}.items()}
    return {**found, "f": Domain(*read_type("BOOLEAN"), values=(False, True))}


NARROWLY, WIDELY = _undeclared(NARROW), _undeclared(WIDE)


@pytest.mark.parametrize(("sql", "count"), [("ti % ascii(s)", None), ("10 % ti", 11)])
def test_a_narrow_type_makes_no_keys(sql: str, count: int | None) -> None:
    """Of what is only within 1,114,110 of 0 by its own, TINYINT leaves 256 values: no list."""
    values = bind(sql).domain.values
    assert (None if values is None else len(values)) == count


@settings(max_examples=400)
@given(sql=st.one_of(numbers(), moments(), texts()))
def test_no_end_rests_on_a_type(sql: str) -> None:
    """With other types for the same columns the same ends are known, and the same keys public."""
    same_for_both(sql)


@pytest.mark.slow
@settings(max_examples=5000, derandomize=False)
@given(sql=st.one_of(numbers(), moments(), texts()))
def test_no_end_rests_on_a_type_at_length(sql: str) -> None:
    same_for_both(sql)


def same_for_both(sql: str) -> None:
    small, large = (attempt(sql, domains) for domains in (NARROWLY, WIDELY))
    if small is None or large is None:
        return
    assert _known(small.domain) == _known(large.domain), f"{sql}: {small.domain} {large.domain}"


def _known(found: Domain) -> Any:
    bounds = found.bounds
    return bounds.lo is None, bounds.hi is None, found.values is None
