"""An error about an aggregate points at its name, though the parser keeps its arguments' places."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from dpsql.errors import InvalidQuery
from dpsql.sql.caret import build


@pytest.mark.parametrize(
    ("sql", "kind", "name"),
    [
        ("SELECT sex, MIN(income) FROM p", exp.Min, "MIN"),
        ("SELECT QUANTILE_CONT(DISTINCT (x + 1), 0.5) FROM p", exp.PercentileCont, "QUANTILE_CONT"),
        ("SELECT approx_quantile(x, 0.5) FROM p", exp.ApproxQuantile, "approx_quantile"),
        ("SELECT f(1), max ( x ) FROM p", exp.Max, "max"),
        ("SELECT MIN(MAX(x)) FROM p", exp.Max, "MAX"),
        ("SELECT MIN(MAX(x)) FROM p", exp.Min, "MIN"),
        ("SELECT MIN(ABS(x)) FROM p", exp.Min, "MIN"),
        ("SELECT MAX(CASE WHEN (a > 1) THEN MIN(b) END) FROM p", exp.Min, "MIN"),
        ("SELECT COUNT(*) + MIN(')' || x) FROM p", exp.Min, "MIN"),
        ("SELECT g, median(x) FROM p", exp.Median, "median"),
        ("SELECT a,\n  MIN(x)\nFROM p", exp.Min, "MIN"),
    ],
)  # fmt: skip
def test_the_caret_is_under_the_name(sql: str, kind: type[exp.Expr], name: str) -> None:
    node = sqlglot.parse_one(sql, read="duckdb").find(kind)
    assert node is not None
    _, line, carets = build(InvalidQuery, sql, node, "x", "no").message.splitlines()[-3:]
    start = carets.index("^")
    assert line[start : start + carets.count("^")] == name
