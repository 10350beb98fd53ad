"""Every operator between numbers of every width at their ends, every function of a text and a
moment at the ends of its constants: no row raises.
"""

from __future__ import annotations

import random
from contextlib import closing

import postgres_world
import pytest
from test_postgres_total import DAYS, FLOATS, MOMENTS, POLICY, TEXTS

from dpsql.errors import InvalidQuery, RefusedQuery

DDL = {
    "ends": "id BIGINT, b BIGINT, i INTEGER, s SMALLINT, f DOUBLE, d NUMERIC(10,2),"
    " e NUMERIC(38,10), h NUMERIC(38,0), k NUMERIC(38,38), m NUMERIC(19,1), t VARCHAR, day DATE,"
    " other DATE, ts TIMESTAMP, tt TIMESTAMP, ok BOOLEAN"
}
LONG = "9" * 28 + "." + "9" * 10
MORE_DAYS = [*DAYS, "9999-12-30", "0001-01-02", "294277-01-01", "294276-12-31"]
MORE_MOMENTS = [*MOMENTS, "0001-01-01 00:00:01", "9999-12-31 23:59:59.999999"]
VALUES = [
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
    MORE_DAYS,
    MORE_DAYS,
    MORE_MOMENTS,
    MORE_MOMENTS,
    [None, True, False],
]
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
QUICK = [*list(FAMILIES)[::7], "functions of d", "functions of e", "texts", "moments"]


@pytest.fixture(scope="module")
def ends(server):
    """Rows of values drawn apart, by a fixed seed: each pair of columns meets often."""
    draw = random.Random(4)
    rows = [(at, *(draw.choice(values) for values in VALUES)) for at in range(900)]
    url = server.database()
    postgres_world.fill(url, DDL, {"ends": rows})
    policy = {**POLICY, "tables": {"ends": {"unit": "id"}}}
    with closing(postgres_world.session(policy, url)) as session:
        yield session


def check(family, session):
    """No expression raises; what is refused is refused before any row is read."""
    for expression in FAMILIES[family]:
        sql = f"SELECT COUNT(*) FROM ends WHERE ({expression}) IS NOT NULL"
        try:
            with session.engine.snapshot():
                (asked,) = session.prepare(
                    sql, None, dialect="duckdb", asked=session.asked
                ).certified
        except (InvalidQuery, RefusedQuery):
            continue
        assert session.engine.fetch(asked.sql).num_rows == 1


@pytest.mark.parametrize("family", dict.fromkeys(QUICK))
def test_no_row_makes_it_fail(family, ends):
    check(family, ends)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in QUICK])
def test_no_row_makes_any_fail(family, ends):
    check(family, ends)


def test_parts_before_the_first_year_are_nothing(ends):
    sql = "SELECT COUNT(*) FROM ends WHERE EXTRACT(year FROM ts) {} 0"
    for sign, some in (("<", False), (">", True)):
        with ends.engine.snapshot():
            (asked,) = ends.prepare(
                sql.format(sign), None, dialect="duckdb", asked=ends.asked
            ).certified
        assert bool(ends.engine.fetch(asked.sql).column(0)[0].as_py()) is some
