"""Every form on the boundary values of its types: no error, no NaN, certain facts hold."""

from __future__ import annotations

import math
from typing import Any

import pytest
from function_world import (
    NASTY,
    attempt,
    combinations,
    database,
    emit,
    fetch,
    inside,
    names_of,
    source,
)

from dpsql.core.domain import Kind

NUMBERS = ("ti", "i", "b", "h", "ub", "d", "r", "n", "nn", "n1")
MOMENTS = ("day", "ts")
ALL = tuple(name for name in NASTY if name not in ("ti", "ub", "n1"))
TYPES = (
    *("TINYINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UTINYINT", "BOOLEAN", "VARCHAR"),
    *("DECIMAL(5,2)", "DECIMAL(38,0)", "DECIMAL(38,38)", "DECIMAL", "REAL", "DOUBLE"),
    *("DATE", "TIMESTAMP"),
)
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
PARTS = (*UNITS, "dow", "isodow", "doy", "isoyear", "epoch")

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{f"binary {op}": (f"{{0}} {op} {{1}}", NUMBERS) for op in ["+", "-", "*", "/", "//", "%"]},
    **{
        f"literal {op} {lit}": (f"{{0}} {op} {lit}", NUMBERS)
        for op in ["+", "-", "*", "/", "//", "%"]
        for lit in ("0", "-1", "3", "0.07", "1e300", "170141183460469231731687303715884105727")
    },
    **{f"literal left {op}": (f"7 {op} {{0}}", NUMBERS) for op in ["+", "-", "*", "/", "//", "%"]},
    "neg": ("-{0}", NUMBERS),
    "deep": ("({0} * {0} * {0} - {1}) / ({0} + 1)", ("i", "d", "n", "b")),
    "modulo of sum": ("({0} + {1}) % ({0} - {1})", ("i", "b", "h", "d", "nn")),
    **{
        f"compare {op}": (f"{{0}} {op} {{1}}", ALL)
        for op in ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
    },
    **{
        f"compare {lit}": (f"{{0}} > {lit}", NUMBERS)
        for lit in ("2.5", "-1", "99999999999999999999999999999999999999", "1e30")
    },
    "between": ("{0} BETWEEN 1 AND 2.5", NUMBERS),
    "in": ("{0} IN (1, 2.5, NULL, 3e0)", NUMBERS),
    "not in": ("{0} NOT IN (1, 2.5)", NUMBERS),
    "null tests": ("{0} IS NOT NULL AND NOT ({0} IS NULL)", ALL),
    "case": ("CASE WHEN {0} IS NULL THEN {1} ELSE {0} END", ALL),
    "simple case": ("CASE {0} WHEN {1} THEN 1 WHEN NULL THEN 2.5 END", ALL),
    "coalesce": ("COALESCE({0}, {1})", ALL),
    "nullif": ("NULLIF({0}, {1})", ALL),
    "least": ("LEAST({0}, {1})", ALL),
    "greatest": ("GREATEST({0}, {1}, 0.5)", NUMBERS),
    "clamp": ("LEAST(GREATEST({0}, 0), 200000)", NUMBERS),
    "if": ("IF({0} > 1, {1}, 2.5)", NUMBERS),
    **{
        f"{fn}": (f"{fn}({{0}})", NUMBERS)
        for fn in ("abs", "sign", "round", "floor", "ceil", "trunc", "sqrt", "cbrt", "ln", "exp")
    },
    **{fn: (f"{fn}({{0}})", NUMBERS) for fn in ("log", "log2", "log10")},
    "pow": ("pow({0}, {1})", ("i", "d", "h", "nn", "r")),
    "pow 3": ("{0} ** 3", NUMBERS),
    **{f"round {k}": (f"round({{0}}, {k})", NUMBERS) for k in (2, -1, -15, 15, 10)},
    **{f"cast {t}": (f"CAST({{0}} AS {t})", ALL) for t in TYPES},
    **{f"cast twice {t}": (f"CAST(CAST({{0}} AS VARCHAR) AS {t})", ALL) for t in TYPES},
    **{f"cast of product {t}": (f"CAST({{0}} * 1e200 AS {t})", NUMBERS) for t in TYPES[:-2]},
    **{f"part {p}": (f"date_part('{p}', {{0}})", MOMENTS) for p in PARTS},
    **{f"trunc {u}": (f"date_trunc('{u}', {{0}})", MOMENTS) for u in UNITS},
    **{f"diff {u}": (f"date_diff('{u}', {{0}}, {{1}})", MOMENTS) for u in UNITS if u != "week"},
    "minus": ("{0} - {1}", MOMENTS),
    **{
        f"shift {u}": (f"{{0}} {sign} INTERVAL {n} {u}", MOMENTS)
        for u in UNITS
        for sign, n in (("+", 1), ("-", 7), ("-", 100), ("+", 30))
    },
    "names": ("dayname({0}) || monthname({0})", MOMENTS),
    "moment literal": ("{0} >= '2020-01-01' AND {0} < TIMESTAMP '2021-01-01 10:00:00'", MOMENTS),
    "moment in": ("{0} IN ('2020-01-01', DATE '2020-02-29')", MOMENTS),
    "logic": ("NOT ({0} OR {1}) AND {0} IS TRUE OR {1} IS NOT FALSE", ("f",)),
    **{
        f"text {t}": (t, ("s",))
        for t in (
            *("lower({0})", "upper({0})", "trim({0})", "ltrim({0})", "trim({0}, 'ab')"),
            *("rtrim({0})", "rtrim({0}, 'ab ')"),
            *("left({0}, 2)", "right({0}, 2)", "left({0}, 0)", "right({0}, 2147483647)"),
            *("substring({0}, 2, 3)", "substring({0}, -2, 3)", "substring({0}, 0)"),
            *("substring({0}, 2147483647, 2147483647)", "substring({0}, -2147483647, 2)"),
            *("replace({0}, 'a', '')", "replace({0}, 'aa', 'a')", "length({0})"),
            *(
                "strlen({0})",
                "bit_length({0})",
                "length(left({0}, 2))",
            ),
            *("strlen(rpad({0}, 3, 'é'))", "strlen(substring({0}, 2, 3))"),
            *(
                "{0} LIKE 'a%b_'",
                "{0} NOT LIKE '%a%'",
                "{0} ILIKE 'A%'",
                "{0} LIKE '!%' ESCAPE '!'",
            ),
            *("starts_with({0}, 'a')", "contains({0}, 'a')", "suffix({0}, 'c')", "{0} ^@ 'ab'"),
            *("{0} IN ('a', 'b')", "{0} BETWEEN 'a' AND 'b'", "{0} = 'a'"),
        )
    },
    **{
        fn: (f"{fn}({{0}})", NUMBERS)
        for fn in (
            *("sin", "cos", "tan", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
            *("asinh", "acosh", "atanh"),
            *("degrees", "radians", "square", "zeroifnull", "nullifzero", "isnull"),
        )
    },
    "atan2": ("atan2({0}, {1})", ("i", "d", "h", "n", "r")),
    "pi": ("pi() * {0}", NUMBERS),
    "nvl2": ("nvl2({0}, {1}, 0)", NUMBERS),
    **{
        f"{fn} {k}": (f"{fn}({{0}}, {k})", NUMBERS)
        for fn in ("trunc", "floor", "ceil")
        for k in (-1, -15)
    },
    "width_bucket": ("width_bucket({0}, 0, 10, 4)", NUMBERS),
    "width_bucket uneven": ("width_bucket({0}, -1.5, 2.5, 3)", NUMBERS),
    **{
        f"text {t}": (t, ("s",))
        for t in (
            *("strpos({0}, 'a')", "position('bc' in {0})", "instr({0}, 'é')", "reverse({0})"),
            *("split_part({0}, '-', 1)", "split_part({0}, 'a', 3)", "lpad({0}, 5, 'xy')"),
            *("rpad({0}, 5, 'é')", "lpad({0}, 0, ' ')", "lpad({0}, 256, '0')", "rpad({0}, 3, ' ')"),
            *("translate({0}, 'ab', 'x')", "translate({0}, 'abc', '')", "ascii({0})"),
            *("unicode({0})", "concat_ws('-', {0}, {1})", "concat_ws('', {0}, 'b')"),
        )
    },
    "concat_ws": ("concat_ws('/', {0}, {1})", ("s", "d", "h", "day", "f")),
    **{
        f"moment {fn}": (f"{fn}({{0}})", MOMENTS)
        for fn in ("last_day", "epoch", "decade", "century", "millennium", "yearweek")
    },
    **{
        f"strftime {form}": (f"strftime({{0}}, '{form}')", MOMENTS)
        for form in ("%Y-%m", "%Y", "%d.%m.%Y %H:%M:%S", "%j", "%A %a %B %b", "week of %d")
    },
    "time_bucket": ("time_bucket(INTERVAL 1 week, {0})", MOMENTS),
    "make_date": ("make_date(2020 + {0} % 5, {1}, 29)", ("ti", "i", "b", "h", "ub")),
    "days": ("({0} + 3) > ({0} - 10)", ("day",)),
    "days before": ("7 + {0}", ("day",)),
    "join text": ("{0} || '/' || {1}", ("s", "d", "n", "day", "f")),
    "concat": ("concat({0}, '/', {1})", ("s", "h", "r", "ts")),
}


@pytest.fixture(scope="module")
def con() -> Any:
    return database()


@pytest.mark.parametrize("case", CASES)
def test_total_on_nasty_values(con: Any, case: str) -> None:
    template, choices = CASES[case]
    accepted = 0
    for sql in combinations(template, choices):
        expr = attempt(sql)
        if expr is None:
            continue
        accepted += 1
        total = emit(expr)
        frm = source("nasty", names_of(expr))
        rows = fetch(con, f"SELECT {total} FROM {frm}", expr.domain.type)
        _check(sql, total, expr.domain, rows)
    assert accepted


def _check(sql: str, total: str, domain: Any, rows: list[Any]) -> None:
    kind = domain.type.kind
    for value in rows:
        if value is None:
            assert domain.nullable, f"{sql} -> {total} gave NULL"
            continue
        if kind is Kind.FLOAT:
            assert isinstance(value, float), (sql, value)
            assert math.isfinite(value), f"{sql} -> {total} gave {value}"
        elif kind is Kind.INTEGER:
            assert type(value) is int, (sql, value)
        elif kind is Kind.BOOLEAN:
            assert type(value) is bool, (sql, value)
        assert inside(value, domain.certain), f"{sql} -> {total}: {value} in {domain.certain}"


CONSTANTS = {
    "i": ("5", "NULL", "0"),
    "b": ("9223372036854775808", "(-170141183460469231731687303715884105727)"),
    "d": ("2.5e0", "(-0e0)", "1.7976931348623157e308"),
    "n": ("1.50", "0.00000000000000000000000000000000000001"),
    "s": ("'abc'", "''"),
    "day": ("DATE '0001-01-01'", "DATE '9999-12-31'"),
    "ts": ("TIMESTAMP '9999-12-31 23:59:59.999999'", "TIMESTAMP '0001-01-01'"),
    "f": ("TRUE", "NULL"),
}


@pytest.mark.parametrize("case", CASES)
def test_constants_are_total_too(con: Any, case: str) -> None:
    """NULL has no type of its own, and folding constants must not raise either."""
    template, choices = CASES[case]
    column = next(name for name in choices if name in CONSTANTS)
    for name in (name for name in choices if name in CONSTANTS):
        for constant in CONSTANTS[name]:
            for second in (constant, "NULL", column + "_"):
                expr = attempt(template.format(constant, second))
                if expr is None:
                    continue
                total = emit(expr)
                query = f"SELECT {total} FROM {source('nasty', names_of(expr))}"
                _check(template, total, expr.domain, fetch(con, query, expr.domain.type))
