"""What functions/ writes, certify/ follows: its conditions are BOOLEAN, its casts are shown to fit.

The two share no code, so each form on each type is tried; a cast that only one of them believes in
would turn an honest query into our own error.
"""

from __future__ import annotations

import pytest
import sqlglot
from function_world import TYPES, attempt, combinations, domain, emit
from test_functions_total import CASES, CONSTANTS

from dpsql.certify.facts import Column
from dpsql.certify.rows import check_row
from dpsql.certify.scope import Scope, Serials
from dpsql.certify.tables import column_span
from dpsql.core.catalog import CatalogColumn
from dpsql.dialects.duckdb_types import read_type
from dpsql.errors import InternalError

SERIALS = Serials()
NAMES = [suffixed for name in TYPES for suffixed in (name, name + "_")]


def scope(*, present: bool) -> Scope:
    columns = {}
    for name in NAMES:
        text = TYPES[name.rstrip("_")]
        type_, certain = read_type(text)
        found = CatalogColumn(name, text, type_, certain, nullable=not present)
        columns[name] = Column(
            SERIALS(), None, type_.kind, by_unit=False, span=column_span(found), present=present
        )
    return Scope({"t": columns}, SERIALS)


def followed(sql: str, *, present: bool) -> bool:
    domains = {name: domain(name, nullable=not present) for name in NAMES}
    expr = attempt(sql, domains)
    if expr is None:
        return False
    text = emit(expr)
    [node] = sqlglot.parse_one(f"SELECT {text}", read="duckdb").expressions
    try:
        check_row(node, scope(present=present))
    except InternalError as problem:
        pytest.fail(f"{sql} -> {text}: {problem.message}")
    return True


@pytest.mark.parametrize("case", CASES)
def test_every_form_on_every_type(case: str) -> None:
    template, choices = CASES[case]
    tried = combinations(template, choices)
    assert sum(followed(sql, present=False) for sql in tried)
    if case in ("least", "greatest", "coalesce"):  # where it matters that a value is there
        assert sum(followed(sql, present=True) for sql in tried)


@pytest.mark.parametrize("case", CASES)
def test_every_form_on_constants(case: str) -> None:
    template, choices = CASES[case]
    first = next(name for name in choices if name in CONSTANTS)
    for name in (name for name in choices if name in CONSTANTS):
        for constant in CONSTANTS[name]:
            for second in (constant, "NULL", first + "_"):
                followed(template.format(constant, second), present=False)


NESTED = [
    "CAST(date_diff('day', NULL, day) AS BIGINT) + date_diff('day', ts, NULL)",
    *("year(date_trunc('year', ts)) = 2020.5", "isoyear(date_trunc('week', day)) = 2020.5"),
    *("CAST(ts + INTERVAL 3 MONTH AS DATE) < ts", "CAST(day - INTERVAL 2 YEAR AS DATE) < ts"),
    *("CAST(ts - INTERVAL 90 MINUTE AS DATE) = ts", "CAST(date_trunc('quarter', ts) AS DATE) < ts"),
    "date_diff('hour', date_trunc('day', ts), ts + INTERVAL 1 WEEK) * 0.25",
    *("LEAST(ub, i) + 1", "COALESCE(i, 99999999999999999999) * 2", "(i + b) * (i - 0.5)"),
    *("CAST(i AS DECIMAL(12, 2)) * n + 0.1", "CAST(n * n AS BIGINT) // 3 + ub"),
    *("date_diff('day', day, DATE '2020-01-01') + 0.5", "year(ts) * 1.5 + month(day)"),
    *("date_diff('day', DATE '2020-01-01', DATE '2020-02-01') + 0.5",),
    *("CAST(date_trunc('month', day) AS DATE) = ts", "CAST(day + INTERVAL 1 DAY AS DATE) < ts"),
    *(
        "CAST(CAST(s AS DATE) AS TIMESTAMP) < ts",
        "LEAST(GREATEST(day, DATE '2020-01-01'), ts) = ts",
    ),
    *("CASE WHEN f THEN day WHEN i > 3 THEN DATE '2020-01-01' END < ts", "length(s) * 0.5 + h % 7"),
    *("abs(b) % 1000 + round(n, 1) - trunc(nn)", "sign(i) * b - ti * ti * ti", "-(b * b) + h % 9"),
    *("CAST(f AS INT) + CAST(i > 3 AS INT) * 2.5", "NULLIF(i, 0) + 1 IN (1, 2.5)"),
    *("CAST(CAST(i AS VARCHAR) AS INT) + 1", "CAST(d AS BIGINT) + CAST(b AS TINYINT)"),
    *("round(i, -2) + floor(n) + ceil(n)", "CAST(CAST(i AS BOOLEAN) AS INT) + 1"),
]


@pytest.mark.parametrize("sql", NESTED)
@pytest.mark.parametrize("present", [False, True])
def test_nested_forms(sql: str, present: bool) -> None:
    assert followed(sql, present=present)
