"""Expressions over every nasty value there is: no engine may raise over one of them.

An error that one row causes would tell of that row. The columns: `b` BIGINT, `i` INTEGER, `s`
SMALLINT, `f` and `g` DOUBLE, `d` to `m` decimals, `t` VARCHAR, `day` DATE, `ts` TIMESTAMP, `ok`
BOOLEAN; each engine's room has the moments that it knows.
"""

from __future__ import annotations

import math

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


LONG = "9" * 28 + "." + "9" * 10
NARROW = [
    [None, 0, 1, -1, 2**63 - 1, -(2**63), 2**62, 3037000500, -7],
    [None, 0, 1, -1, 2**31 - 1, -(2**31), 46341, 100],
    [None, 0, 1, 32767, -32768],
    FLOATS,
    [None, "0", "0.01", "99999999.99", "-99999999.99", "99999999.95"],
    ["0", LONG, "-" + LONG, "0.0000000001", "1"],
    ["0", "9" * 38, "-" + "9" * 38, "1", "5"],
    ["0", "0." + "9" * 38, "-0." + "9" * 38, "0." + "0" * 37 + "1"],
    ["0", "9" * 18 + ".9", "-" + "9" * 18 + ".9", "0.5"],
    [*TEXTS, "x" * 5000, "99999999.995", "9.95", "\u00a0x\u00a0", "a-b-c", "%", "_", "\\"],
]
"""Values of `b`, `i`, `s`, `f`, `d`, `e`, `h`, `k`, `m`, `t`, of which rows are drawn."""
NUMBERS = list("bisfdehkm")
FUNCTIONS = """
ABS({0}); -{0}; -(-{0}); SIGN({0}); ROUND({0}); ROUND({0}, 1); ROUND({0}, -1); ROUND({0}, -37)
ROUND({0}, 37); FLOOR({0}); CEIL({0}); TRUNC({0}); SQRT({0}); EXP({0}); LN({0}); POW({0}, 8)
{0} + {0} + {0}; {0} * {0} * {0}; {0} * 100000 * 100000 * 100000 * 100000; {0} // -1; {0} % -1
CAST(ROUND({0}, -1) AS DECIMAL(10,0)); GREATEST({0}, 0.5); COALESCE({0}, 1.25); {0} IN (1, 2.5)
CASE WHEN ok THEN {0} ELSE 0.001 END; CAST({0} AS DECIMAL(10,2)) * 99999999.99; {0} // 0; {0} % 0
CAST({0} AS DECIMAL(38,38)); CAST({0} AS DECIMAL(38,10)); CAST({0} AS DECIMAL(9,1)); {0} / 0
CAST({0} AS DECIMAL(19,0)); CAST({0} AS DECIMAL(2,0)); CAST({0} AS UBIGINT); CAST({0} AS HUGEINT)
"""
OF_TEXTS = """
LEFT(t, -1); LEFT(t, 0); LEFT(t, -2147483648); LEFT(t, 2147483647); RIGHT(t, -2147483648)
LPAD(t, 0, 'x'); LPAD(t, 100, 'ab'); LPAD(t, -1, 'x'); LPAD(t, 5, ''); RPAD(t, 1000, ' ')
SUBSTRING(t, 1, 0); SUBSTRING(t, 1, -1); SUBSTRING(t, 2147483647, 2147483647); REPEAT(t, 3)
SUBSTRING(t, 9223372036854775807); SUBSTRING(t, 1, 9223372036854775807); CHR(0); CHR(i)
LEFT(t, 9223372036854775807); LPAD(t, 9223372036854775807, 'x'); SPLIT_PART(t, '-', 0)
SPLIT_PART(t, '-', -1); SPLIT_PART(t, '', 1); SPLIT_PART(t, '-', 2147483647); REPLACE(t, '', 'x')
TRANSLATE(t, 'abc', ''); STRPOS(t, ''); CONTAINS(t, ''); ENDS_WITH(t, ''); TRIM(t, ''); LEFT(t, i)
t LIKE '\\'; t LIKE 'a\\'; t LIKE 'x!' ESCAPE '!'; t LIKE '%x' ESCAPE '%'; SUBSTRING(t, i)
CONCAT_WS('', t, b, d, day); CONCAT(t, e); TRY_CAST(t AS DECIMAL(38,18)); LPAD(t, i, 'x')
"""
OF_MOMENTS = """
{0} + INTERVAL 999999 {1}; {0} - INTERVAL 2147483647 {1}; {0} + INTERVAL (-999999999) {1}
date_trunc('{1}', {0}); EXTRACT({1} FROM {0}); date_diff('{1}', {0}, tt)
date_diff('{1}', other, {0}); date_trunc('{1}', {0} + INTERVAL 1 YEAR) - INTERVAL 5 DAY
"""
ANY_MOMENT = """
{0} + 1; {0} - 2147483647; {0} + i; {0} - other; {0} - tt; STRFTIME({0}, '%Y-%m-%d %j %A')
CAST({0} AS VARCHAR); DAYNAME({0}); CAST(CAST({0} AS VARCHAR) AS DATE); GREATEST({0}, tt)
EXTRACT(year FROM {0}) * 1000000000000; EXTRACT(epoch FROM {0}) * 1e300; CAST({0} AS DATE)
"""
UNITS = ["year", "quarter", "month", "week", "day", "hour", "second", "isoyear", "dow"]


def split(text):
    return [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]


FAMILIES = {
    **{
        f"{x} {sign} others": [f"{x} {sign} {y}" for y in (*NUMBERS, "0.01", "3", "1e0")]
        for x in (*NUMBERS, "9223372036854775807")
        for sign in ("+", "-", "*", "/", "//", "%")
    },
    **{f"functions of {x}": [one.format(x) for one in split(FUNCTIONS)] for x in NUMBERS},
    "texts": split(OF_TEXTS),
    **{
        f"{unit} of {x}": [one.format(x, unit) for one in split(OF_MOMENTS)]
        for x in ("day", "ts", "CAST(day AS TIMESTAMP)")
        for unit in UNITS
    },
    "moments": [one.format(x) for x in ("day", "ts") for one in split(ANY_MOMENT)],
}
