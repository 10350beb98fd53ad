"""Functions read as another expression: the same answers; other dialects land on the same forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from function_world import bind, database, domain, emit, fetch, names_of, source

from dpsql.core.domain import Interval, point

SAME = {
    "square(i)": "i * i",
    "add(i, 2)": "i + 2",
    "subtract(d, i)": "d - i",
    "multiply(i, 3)": "i * 3",
    "divide(i, 7)": "i // 7",
    "ord(s)": "unicode(s)",
    "octet_length(s)": "strlen(s)",
    "extract(decade FROM day)": "decade(day)",
    "extract(century FROM ts)": "century(ts)",
    "zeroifnull(i)": "COALESCE(i, 0)",
    "nullifzero(d)": "NULLIF(d, 0)",
    "isnull(s)": "s IS NULL",
    "nvl2(i, b, 0)": "CASE WHEN i IS NULL THEN 0 ELSE b END",
    "width_bucket(d, 0, 100, 4)": "CASE WHEN d < 0 THEN 0 WHEN d >= 100 THEN 5"
    " ELSE CAST(FLOOR(d / 25) AS INT) + 1 END",
    "width_bucket(n, -2.5, 5, 3)": "CASE WHEN n < -2.5 THEN 0 WHEN n >= 5 THEN 4"
    " ELSE CAST(FLOOR((n + 2.5) / 2.5) AS INT) + 1 END",
    "make_date(2020 + i * 0, 2, 29)": "CASE WHEN i IS NOT NULL THEN DATE '2020-02-29' END",
    "make_date(2021 + i * 0, 2, 29)": "CASE WHEN i > 999 THEN DATE '2020-02-29' END",
    "last_day(ts)": "CAST(date_trunc('month', ts) + INTERVAL 1 MONTH - INTERVAL 1 DAY AS DATE)",
    "yearweek(day)": "isoyear(day) * 100 + week(day)",
    "day + 3": "CAST(day + INTERVAL 3 DAY AS DATE)",
    "time_bucket(INTERVAL 1 month, ts)": "date_trunc('month', ts)",
    "floor(d, -1)": "FLOOR(d / 10) * 10",
    "ceil(i, -2)": "CEIL(i / 100) * 100",
    "degrees(d)": "d * 180 / pi()",
}
"""What is asked → what plain DuckDB answers."""


@pytest.fixture(scope="module")
def con() -> Any:
    return database()


@pytest.mark.parametrize("sql", SAME)
def test_it_means_what_it_stands_for(con: Any, sql: str) -> None:
    expr = bind(sql)
    frm = source("ordinary", names_of(expr))
    got = fetch(con, f"SELECT {emit(expr)} FROM {frm}", expr.domain.type)
    want = fetch(con, f"SELECT {SAME[sql]} FROM {frm}", expr.domain.type)
    assert got == pytest.approx(want) if "degrees" in sql else got == want


DIALECTS = [
    ("snowflake", "NVL2(i, 1, 0)", "duckdb", "CASE WHEN i IS NOT NULL THEN 1 ELSE 0 END"),
    ("snowflake", "DECODE(i, 1, 5, 2, 6, 0)", "duckdb",
     "CASE WHEN i IS NOT DISTINCT FROM 1 THEN 5 WHEN i IS NOT DISTINCT FROM 2 THEN 6 ELSE 0 END"),
    ("snowflake", "DATEADD(day, -3, ts)", "duckdb", "ts - INTERVAL 3 DAY"),
    ("bigquery", "DATE_ADD(ts, INTERVAL 3 DAY)", "duckdb", "ts + INTERVAL 3 DAY"),
    ("bigquery", "SAFE_DIVIDE(d, i)", "duckdb", "d / i"),
    ("postgres", "POSITION('a' IN s)", "duckdb", "strpos(s, 'a')"),
    ("snowflake", "CHARINDEX('a', s)", "duckdb", "instr(s, 'a')"),
    ("mysql", "LOCATE('a', s)", "duckdb", "strpos(s, 'a')"),
    ("postgres", "TO_CHAR(ts, 'YYYY-MM')", "duckdb", "strftime(ts, '%Y-%m')"),
    ("postgres", "WIDTH_BUCKET(d, 0, 10, 2)", "duckdb", "width_bucket(d, 0, 10, 2)"),
    ("postgres", "SPLIT_PART(s, '-', 2)", "duckdb", "split_part(s, '-', 2)"),
    ("spark", "LPAD(s, 5, '0')", "duckdb", "lpad(s, 5, '0')"),
    ("postgres", "DEGREES(d)", "duckdb", "degrees(d)"),
    ("bigquery", "LAST_DAY(day)", "duckdb", "last_day(day)"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "other", "same"), DIALECTS)
def test_other_dialects_land_on_the_same_form(
    dialect: str, sql: str, other: str, same: str
) -> None:
    assert emit(bind(sql, dialect=dialect)) == emit(bind(same, dialect=other))


PUBLIC = {
    "FLOOR(i / 10) * 10": [float(v) for v in range(0, 120, 10)],
    "i // 10": list(range(12)),
    "i // 10 * 10 + 5": list(range(5, 120, 10)),
    "i % 3": [0, 1, 2],
    "-i % 3": [-2, -1, 0],
    "ROUND(d / 25) * 25": [0.0, 25.0, 50.0, 75.0, 100.0],
    "width_bucket(i, 0, 110, 2)": [0, 1, 2, 3],
    "strftime(ts, '%Y-%m')": ["2023-11", "2023-12", "2024-01"],
    "CEIL(n)": [0, 1, 2, 3],
}
RANGES = {"i": (0, 110), "d": (0, 100), "n": (0, 3)}


@pytest.mark.parametrize("sql", PUBLIC)
def test_histogram_keys_have_public_values(sql: str) -> None:

    domains = {
        name: domain(name, declared=Interval(point(lo), point(hi)))
        for name, (lo, hi) in RANGES.items()
    }
    months = Interval(datetime(2023, 11, 5), datetime(2024, 1, 10))
    domains["ts"] = domain("ts", declared=months)
    assert list(bind(sql, domains).domain.values or ()) == PUBLIC[sql]


@pytest.mark.parametrize(
    "sql", ["FLOOR(i)", "i // 10", "d * 2", "strftime(ts, '%Y')", "FLOOR(d * 10)"]
)
def test_without_a_declared_range_they_have_none(sql: str) -> None:
    assert bind(sql).domain.values is None
