"""Of listed values a key has the groups that they can give: each of them, and no other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pytest
from function_world import attempt, emit

from dpsql.core.domain import Domain
from dpsql.dialects.duckdb_types import read_type

LISTED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "y": ("INTEGER", (1999, 2023, 2024)),
    "m": ("INTEGER", (0, 1, 2, 12, 13)),
    "n": ("INTEGER", (1, 29, 30, 31)),
    "day": ("DATE", (dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(2024, 12, 31))),
    "w": ("TIMESTAMP", (dt.datetime(2023, 1, 1, 5, 6, 7), dt.datetime(2024, 7, 4, 23, 59, 59))),
    "s": ("VARCHAR", ("2024-1-31", "2024-02-30", "0-1-1", "7-07-07")),
}
DOMAINS = {
    name: Domain(*read_type(kind), nullable=False, values=values)
    for name, (kind, values) in LISTED.items()
}
PARTS = ("year", "isoyear", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour")
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
EXPRESSIONS = [
    "make_date(y, m, n)",
    "make_date(y, m, 1)",
    "CAST(s AS DATE)",
    "TRY_CAST(s AS DATE)",
    *(f"date_trunc('{unit}', make_date(y, m, n))" for unit in UNITS),
    *(f"date_trunc('{unit}', w)" for unit in UNITS),
    *(f"date_part('{part}', {arg})" for part in PARTS for arg in ("day", "w")),
    "date_part('minute', w)",
    "date_part('second', w)",
    "year(make_date(y, m, 1))",
    "dayname(day)",
    "monthname(make_date(y, m, 1))",
    "strftime(make_date(y, m, n), '%Y-%m')",
    "strftime(w, '%d/%b %H %A %j')",
    "day + INTERVAL 1 MONTH",
    "day - INTERVAL 400 DAY",
    "CAST(w AS DATE)",
    "CAST(day AS TIMESTAMP)",
    "last_day(make_date(y, m, 1))",
    "date_trunc('month', day + INTERVAL 3 DAY)",
]


@pytest.fixture(scope="module")
def con() -> Any:
    """Every combination of the listed values."""
    con = duckdb.connect()
    parts = []
    for name, (kind, values) in LISTED.items():
        con.execute(f"CREATE TABLE {name}_ ({name} {kind})")
        con.executemany(f"INSERT INTO {name}_ VALUES (?)", [[value] for value in values])
        parts.append(f"{name}_")
    con.execute(f"CREATE TABLE r AS SELECT * FROM {' CROSS JOIN '.join(parts)}")
    return con


@pytest.mark.parametrize("sql", EXPRESSIONS)
def test_the_domain_is_what_the_engine_gives(con: Any, sql: str) -> None:
    expr = attempt(sql, DOMAINS)
    assert expr is not None
    found = {value for (value,) in con.execute(f"SELECT DISTINCT {emit(expr)} FROM r").fetchall()}
    assert None not in found or expr.domain.nullable
    assert expr.domain.values is not None
    assert len(expr.domain.values) == len(set(expr.domain.values))
    assert set(expr.domain.values) == found - {None}


def test_the_years_1_to_9999_are_nobodys_list() -> None:
    """What a text may hold has no public groups: ten thousand of them would be made up."""
    domains = {"c": Domain(*read_type("VARCHAR"), nullable=False)}
    for sql in ("date_trunc('year', CAST(c AS DATE))", "year(CAST(c AS DATE))"):
        expr = attempt(sql, domains)
        assert expr is not None
        assert expr.domain.values is None


@pytest.mark.parametrize("text", ["2024-001-1", "2024-1-1 ", "12345-1-1", "-5-1-1", "tomorrow"])
def test_texts_that_are_read_in_other_ways_list_nothing(text: str) -> None:
    values = ("2024-1-1", text)
    expr = attempt("CAST(c AS DATE)", {"c": Domain(*read_type("VARCHAR"), values=values)})
    assert expr is not None
    assert expr.domain.values is None
