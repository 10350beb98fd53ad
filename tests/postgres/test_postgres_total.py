"""Every form of an expression, over every nasty value there is: PostgreSQL raises over none.

An error that one row causes would tell of that row. Each expression is asked alone, in a query that
evaluates it on all rows.
"""

from __future__ import annotations

import math
from contextlib import closing

import postgres_world
import pytest

from dpsql.errors import EngineFailed

DDL = {
    "nasty": "id BIGINT, b BIGINT, i INTEGER, f DOUBLE, g DOUBLE, d NUMERIC(10,2), t VARCHAR,"
    " day DATE, ts TIMESTAMP, ok BOOLEAN"
}
BIGS = [None, 0, 1, -1, 2**63 - 1, -(2**63), 7, -13]
INTS = [None, 0, 1, -1, 2**31 - 1, -(2**31), 5, 100]
FLOATS = [
    *(None, 0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e154, 1e-160, 1.7e308, -1.7e308, 5e-324),
    *(math.nan, math.inf, -math.inf, 2**53 + 2.0, 0.49999999999999994, 9.3e18, 1e-310, 42.0),
    *(99999999.995, -99999999.995, 99.95, 99999.5, 999999999999999.9, 9.99999999999999999e17),
]
DECIMALS = [None, "0", "0.01", "-0.01", "99999999.99", "-99999999.99", "2.50", "-2.50"]
TEXTS = [
    *(None, "", " ", "12", " 12 ", "-7", "+3", "12x", "1e2", "0x1F", "1_000", "2.5", "nan", "inf"),
    *("99999999999999999999", "2020-02-29", "2021-02-29", "2020-2-9", "0000-01-01", "é", "ÀÉ"),
    *("it's", "a\\b", "a%b_c", "infinity", "today", "now", "2020-13-01", "'; --", "𝄞x", "t"),
]
DAYS = [
    *(None, "2020-02-29", "0001-01-01", "9999-12-31", "infinity", "-infinity", "1969-12-31"),
    *("5874897-12-31", "4713-01-01 BC"),
]
MOMENTS = [
    *(None, "2020-02-29 23:59:59.999999", "0001-01-01", "9999-12-31", "infinity", "1969-12-31"),
    *("294276-12-31 23:59:59.999999", "4713-01-01 BC", "-infinity"),
]

EXPRESSIONS = """
b + 1; b - 1; b * b; -b; ABS(b); b // 3; b // i; b % i; b / i; b / 7; i * i; i + b; SIGN(b)
f + g; f - g; f * g; f / g; f * f * g; (f + g) * f; f + 1; f * 2; f * 0.5; f * 1e20; f / 3
f / 1e-3; -f; ABS(f); SIGN(f); f + b; f * b; f * d; f / d; d + d; d * d; d / d; d % 7; d - 1.5
-d; ABS(d); ROUND(f); ROUND(f, 2); ROUND(f, -2); FLOOR(f); CEIL(f); TRUNC(f); ROUND(d)
ROUND(d, 1); ROUND(b, -2); FLOOR(d); CEIL(b); TRUNC(d); SQRT(f); CBRT(f); EXP(f); LN(f)
LOG10(f); POW(f, 2); POW(f, 5); SQRT(b); SIN(f); COS(f); TAN(f); ASIN(f); ACOS(f); ATAN(f)
ATAN2(f, g); LN(d); EXP(b); CAST(f AS BIGINT); CAST(f AS INTEGER); CAST(f AS SMALLINT)
CAST(f AS UTINYINT); CAST(f AS HUGEINT); CAST(b AS INTEGER); CAST(b AS SMALLINT)
CAST(b AS DOUBLE); CAST(b AS DECIMAL(10,2)); CAST(d AS INTEGER); CAST(f AS DECIMAL(10,2))
CAST(f AS DECIMAL(18,3)); CAST(f AS DECIMAL(5,0)); CAST(d AS DECIMAL(5,1)); CAST(d AS DOUBLE)
CAST(ok AS INTEGER); CAST(ok AS BIGINT); CAST(b AS BOOLEAN); CAST(b AS VARCHAR)
CAST(day AS VARCHAR); CAST(ok AS VARCHAR); CAST(d AS VARCHAR); CAST(day AS TIMESTAMP)
CAST(ts AS DATE); TRY_CAST(t AS BIGINT); TRY_CAST(t AS INTEGER); TRY_CAST(t AS SMALLINT)
TRY_CAST(t AS DOUBLE); TRY_CAST(t AS DECIMAL(10,2)); TRY_CAST(t AS DECIMAL(4,1))
TRY_CAST(t AS DATE); LEAST(f, g); GREATEST(f, g, 0); LEAST(b, i); COALESCE(f, g, 0)
NULLIF(f, g); NULLIF(b, 0); CASE WHEN f > g THEN f ELSE g END
CASE WHEN f BETWEEN 0 AND 1e300 THEN f * 1e200 END
CASE WHEN f BETWEEN 0 AND 1e300 THEN TRY_CAST(f * 1e10 AS BIGINT) END
LEAST(GREATEST(f, -1e300), 1e300) * 1e100; LEAST(GREATEST(f, 0), 1e-200) * 1e-50; LOWER(t)
UPPER(t); TRIM(t); LTRIM(t); RTRIM(t, 'x'); LEFT(t, 2); RIGHT(t, 1); SUBSTRING(t, 2)
SUBSTRING(t, 1, 3); REPLACE(t, 'a', 'b'); t || 'x'; CONCAT(t, b); CONCAT_WS('-', t, b)
LENGTH(t); STRLEN(t); STRPOS(t, 'b'); SPLIT_PART(t, '-', 2); LPAD(t, 5, 'x'); RPAD(t, 3, ' ')
REVERSE(t); TRANSLATE(t, 'ab', 'c'); STARTS_WITH(t, 'a'); ENDS_WITH(t, 'b'); CONTAINS(t, '%')
t LIKE 'a%'; t LIKE '%\\b'; t LIKE 'a!%b%' ESCAPE '!'; t ILIKE 'T'; t IN ('12', 'é'); t > 'a'
t BETWEEN 'a' AND 'z'; EXTRACT(year FROM day); EXTRACT(month FROM day); EXTRACT(week FROM day)
EXTRACT(dow FROM day); EXTRACT(isodow FROM ts); EXTRACT(doy FROM ts); EXTRACT(hour FROM ts)
EXTRACT(second FROM ts); EXTRACT(quarter FROM day); EXTRACT(isoyear FROM day)
EXTRACT(epoch FROM ts); EXTRACT(hour FROM day); GREATEST(EXTRACT(hour FROM day), -0.5)
TRY_CAST(t AS BOOLEAN); CAST(f AS DECIMAL(3,1)); CAST(ok AS DECIMAL(1,1)) IS NULL
date_trunc('month', day); date_trunc('week', ts)
date_trunc('hour', ts); date_trunc('year', day); date_diff('day', day, DATE '2020-01-01')
date_diff('month', day, DATE '2020-01-01'); date_diff('year', ts, TIMESTAMP '2020-01-01')
date_diff('hour', ts, TIMESTAMP '2020-01-01'); date_diff('second', ts, TIMESTAMP '2020-01-01')
date_diff('quarter', day, DATE '2020-01-01'); day + INTERVAL 3 DAY; ts + INTERVAL 1 YEAR
ts - INTERVAL 1 MONTH; day - 3; day - DATE '2000-01-01'; STRFTIME(ts, '%Y-%m-%d %H:%M:%S')
STRFTIME(day, '%A %B %j'); DAYNAME(day); MONTHNAME(ts); day = DATE '2020-02-29'; day < ts
ts BETWEEN TIMESTAMP '2020-01-01' AND TIMESTAMP '2021-01-01'; b = f; d = f; d > b; f = g
f IN (0, 1); ok AND f > 0; NOT ok; ok IS TRUE; f IS NOT DISTINCT FROM g
"""
POLICY = {
    "version": 1,
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "default": {"epsilon": "1e9", "delta": "0.9"},
    },
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "tables": {"nasty": {"unit": "id"}},
}


def expressions():
    return [part.strip() for part in EXPRESSIONS.replace("\n", ";").split(";") if part.strip()]


def rows():
    """Each value of each type beside others; floats in all pairs."""
    pairs = [(f, g) for f in FLOATS for g in FLOATS]
    return [
        (
            at,
            BIGS[at % len(BIGS)],
            INTS[at // 3 % len(INTS)],
            f,
            g,
            DECIMALS[at % len(DECIMALS)],
            TEXTS[at % len(TEXTS)],
            DAYS[at % len(DAYS)],
            MOMENTS[at % len(MOMENTS)],
            (None, True, False)[at % 3],
        )
        for at, (f, g) in enumerate(pairs)
    ]


@pytest.fixture(scope="module")
def nasty(server):
    url = server.database()
    postgres_world.fill(url, DDL, {"nasty": rows()})
    with closing(postgres_world.session(POLICY, url)) as session:
        yield session


@pytest.mark.parametrize("expression", expressions())
def test_no_row_makes_it_fail(expression, nasty):
    sql = f"SELECT COUNT(*) FROM nasty WHERE ({expression}) IS NOT NULL"
    with nasty.engine.snapshot():
        (asked,) = nasty.prepare(sql, None, dialect="duckdb", asked=nasty.asked).certified
    assert 0 < nasty.engine.fetch(asked.sql).column(0)[0].as_py() <= len(rows())


def test_a_form_without_its_guard_fails(nasty):
    """The rows are nasty enough: each raw operation raises over one of them."""
    for raw in (
        "f * g",
        "f + g",
        "f / NULLIF(g, 0)",
        "SQRT(f)",
        "CAST(f AS INT)",
        "CAST(t AS INT)",
    ):
        with pytest.raises(EngineFailed):
            nasty.engine.fetch(f"SELECT COUNT({raw}) AS n FROM public.nasty")
