"""Broken statements in Spark's words: each is refused by the reader or by what it reads.

The reader (`certify/spark*.py`) says in the normal form what the text computes; a bound that is
dropped, widened or of another column shows there as it does on DuckDB. Words that it does not know
are refused by themselves. No Spark is needed: the plans are DuckDB's.
"""

from __future__ import annotations

from contextlib import closing

import equivalence_world
import pytest
from e2e_world import memory_session
from sqlglot import parse_one

from dpsql.certify import certify, certify_distinct, certify_histogram, normal_form
from dpsql.dialects.spark_forms import written
from dpsql.dialects.writing import NotThere
from dpsql.errors import InternalError
from dpsql.pipeline.certify import claim, distinct_claims, histogram_claims

QUERIES = {
    "cap": "SELECT kind, COUNT(*), SUM(n) FROM events GROUP BY kind",
    "weights": "SELECT kind, COUNT(*) FROM visits GROUP BY kind",
    "row": "SELECT SUM(income), COUNT(*) FROM persons",
    "decimal": "SELECT AVG(cost) FROM visits",
    "path": "SELECT COUNT(*) FROM items i WHERE qty > 0",
    "per unit": "SELECT COUNT(*) FROM (SELECT pid, SUM(n) AS s, SUM(cost) AS c FROM events JOIN"
    " visits USING (pid) GROUP BY pid) t WHERE s > 3",
    "float": "SELECT SUM(x * n) FROM events WHERE kind LIKE 'b%'",
    "union": "SELECT COUNT(*) FROM (SELECT pid, n FROM events UNION ALL SELECT pid, age FROM"
    " persons) t",
    "text": "SELECT COUNT(*) FROM persons WHERE TRY_CAST(city AS INTEGER) > 3",
    "digits": "SELECT COUNT(*) FROM events WHERE CAST(x AS DECIMAL(10, 2)) > 3",
    "median": "SELECT MEDIAN(x) FROM events",
    "dates": "SELECT AVG(date_diff('month', born, DATE '2020-01-01')) FROM persons",
    "days": "SELECT COUNT(*) FROM persons WHERE CAST(born AS TIMESTAMP) > TIMESTAMP '2000-05-01'"
    " AND STRFTIME(born, '%Y-%m') <> '2000-07' AND TRY_CAST(city AS DATE) IS NULL",
    "floor": "SELECT COUNT(*) FROM events WHERE FLOOR(x) > 3 AND ROUND(x, 1) < 5 AND n // 7 > 1"
    " AND x / n > 1",
    "values": "SELECT COUNT(DISTINCT kind) FROM events",
}
WIDE = "DECIMAL(38, 0)"
MUTATIONS = {
    # ---- flags beside a word
    "nobody's rows alone": ("row", "(NOT (`t0`.`pid` IS NULL))", "(NOT (`t0`.`pid` IS NOT NULL))"),
    "all but what is like it": ("float", "`kind` LIKE 'b%'", "`kind` NOT LIKE 'b%'"),
    # ---- bounds
    "clamp of the cell dropped": (
        "cap",
        "least(greatest(coalesce(`s0`, 0), (- 2000)), 2000)",
        "coalesce(`s0`, 0)",
    ),
    "clamp of the cell widened": ("cap", "(- 2000)), 2000)", "(- 2000)), 2001)"),
    "count of the cell not capped": ("cap", "least(`n1`, 40)", "`n1`"),
    "one group more": ("cap", "`rn` <= 40", "`rn` <= 41"),
    "cap on groups dropped": ("cap", "WHERE (`rn` <= 40)", "WHERE TRUE"),
    "ranked without the unit": ("cap", "PARTITION BY `u` ORDER", "ORDER"),
    "row clamp dropped": (
        "cap",
        "CASE WHEN (`t0`.`n` < (- 50)) THEN (- 50) WHEN (`t0`.`n` > 50) THEN 50 ELSE `t0`.`n` END",
        "`t0`.`n`",
    ),
    "row clamp of another column": ("cap", "(`t0`.`n` > 50)", "(`t0`.`pid` > 50)"),
    "guard against NULL dropped": ("row", "BETWEEN CAST('-500.0'", "> CAST('-500.0'"),
    "scale raised": ("row", "'274877906944.0'", "'274877906945.0'"),
    "ends of the range widened": ("row", "CAST('1000.0'", "CAST('1000.5'"),
    "weight by fewer rows": ("weights", "786432", "786433"),
    "weight over all units": ("weights", "OVER (PARTITION BY `u`)", "OVER ()"),
    "scaled by another divisor": ("decimal", "try_multiply(`s0`, 12)", "try_multiply(`s0`, 13)"),
    "a quotient of another dividend": ("decimal", "try_subtract(CAST(try_multiply(`s0`, 12)",
        "try_subtract(CAST(try_multiply(`s0`, 11)"),
    "a quotient that rounds": (
        "decimal",
        "try_subtract(CAST(try_multiply(`s0`, 12) AS DECIMAL(38, 0)), try_mod(CAST(try_multiply("
        "`s0`, 12) AS DECIMAL(38, 0)), CAST(`n0` AS DECIMAL(38, 0))))",
        "CAST(try_multiply(`s0`, 12) AS DECIMAL(38, 0))",
    ),
    "decimal clamp widened": ("decimal", "'500.00'", "'500.01'"),
    "histogram of more rows": ("median", "2621440", "2621441"),
    "a sum with little room": ("cap", f"try_sum(CAST(`v0` AS {WIDE}))", "try_sum(`v0`)"),
    "a sum of few digits": ("cap", f"CAST(`v0` AS {WIDE})", "CAST(`v0` AS DECIMAL(19, 0))"),
    "a sum that drops digits": ("per unit", "CAST(NULL AS DECIMAL(28, 2))",
        "CAST(NULL AS DECIMAL(12, 2))"),
    "a sum that fills in": ("per unit", "CAST(NULL AS DECIMAL(28, 2))",
        "CAST(1 AS DECIMAL(28, 2))"),
    # ---- units
    "unit of another column": ("cap", "`t0`.`pid` AS `u`", "`t0`.`n` AS `u`"),
    "unit not asked to be there": ("weights", "WHERE (NOT (`t0`.`pid` IS NULL))", "WHERE TRUE"),
    "path's join dropped": (
        "path",
        " JOIN `main`.`visits` AS `t1` ON (`t0`.`vid` = `t1`.`vid`)",
        " CROSS JOIN `main`.`visits` AS `t1`",
    ),
    "grouped by less than the unit": ("cap", "GROUP BY `u`, `k0`) AS `c`",
        "GROUP BY `k0`) AS `c`"),
    "groups by place": ("cap", "GROUP BY `u`, `k0`) AS `c`", "GROUP BY 1, 2) AS `c`"),
    "groups by what is not shown": ("cap", "GROUP BY `u`, `k0`) AS `c`",
        "GROUP BY `u`, `k0`, `v0`) AS `c`"),
    "a table that is not declared": ("cap", "`main`.`events`", "`main`.`eventz`"),
    "a table of another catalog": ("cap", "`main`.`events`", "`other`.`main`.`events`"),
    "a table without its schema": ("cap", "`main`.`events`", "`events`"),
    "a file as a table": ("cap", "`main`.`events`", "`parquet`.`events`"),
    "rows that others have too": ("union", "UNION ALL", "UNION"),
    "all columns of a table": ("float", "`t0`.`pid` AS `u`, ", "*, "),
    # ---- words that raise, or that are another's
    "a plain sum": ("cap", "try_sum(", "sum("),
    "a sum of floats": ("float", f"try_sum(CAST(`v0` AS {WIDE}))", "try_sum(CAST(`v0` AS DOUBLE))"),
    "an operator that raises": ("median", "try_multiply(CASE", "(CASE"),
    "arithmetic that raises": ("float", "try_multiply(`t0`.`x`, CAST(`t0`.`n` AS DOUBLE))",
        "(`t0`.`x` * CAST(`t0`.`n` AS DOUBLE))"),
    "a division that raises": ("floor", "try_divide(CAST(`t0`.`x` AS DOUBLE)",
        "(1 / 0) + try_divide(CAST(`t0`.`x` AS DOUBLE)"),
    "DIV by minus one": ("floor", "CAST(nullif(7, 0) AS BIGINT)", "CAST((- 1) AS BIGINT)"),
    "DIV by a column": ("floor", "CAST(nullif(7, 0) AS BIGINT)", "CAST(`t0`.`n` AS BIGINT)"),
    "FLOOR of a float": ("floor", "(try_subtract(rint(`t0`.`x`), CASE WHEN rint(`t0`.`x`) >"
        " `t0`.`x` THEN CAST('1.0' AS DOUBLE) ELSE CAST('0.0' AS DOUBLE) END) >",
        "(floor(`t0`.`x`) >"),
    "FLOOR the other way": ("floor", "rint(`t0`.`x`) > `t0`.`x`", "rint(`t0`.`x`) < `t0`.`x`"),
    "a volatile function": ("float", "abs(", "rand("),
    "a function that reads": ("float", "abs(", "input_file_name("),
    "a function in quotes": ("float", "abs(", "`abs`("),
    "a function of a schema": ("float", "abs(", "main.abs("),
    "a function's other spelling": ("float", "abs(", "ABS("),
    "a marked name": ("float", "abs(", "known_abs("),
    "a text of any spelling": ("text", "'^ *[+-]?[0-9]{1,18} *\\\\z'", "'.*'"),
    "a text cast as it stands": ("text", "TRY_CAST(CASE", "CAST(CASE"),
    "a text without its pattern": ("text", "CASE WHEN `t0`.`city` RLIKE '^ *[+-]?[0-9]{1,18}"
        " *\\\\z' THEN `t0`.`city` END", "`t0`.`city`"),
    "a pattern of another text": ("text", "THEN `t0`.`city` END AS INT)", "THEN 'x' END AS INT)"),
    "a text beside a number": ("float", "(`t0`.`kind` LIKE 'b%' ESCAPE '!')",
        "(`t0`.`kind` > 3)"),
    "a text that is added": ("float", "CAST(`t0`.`n` AS DOUBLE)", "`t0`.`kind`"),
    "a text that is cast": ("float", "CAST(`t0`.`n` AS DOUBLE)", "CAST(`t0`.`kind` AS DOUBLE)"),
    "a text asked for its year": (
        "dates",
        "date_part('YEAR', CASE",
        "date_part('YEAR', 'x' || CASE",
    ),
    "a text as a condition": ("float", "ESCAPE '!')))", "ESCAPE '!') AND `t0`.`kind`))"),
    "a number as a condition": ("float", "ESCAPE '!')))", "ESCAPE '!') AND `t0`.`n`))"),
    "a pattern that is a column": ("float", "LIKE 'b%'", "LIKE `t0`.`kind`"),
    "LIKE with the escape of Spark": ("float", " ESCAPE '!'", ""),
    "a float cut off": ("float", "CAST(rint(try_multiply(least", "CAST(abs(try_multiply(least"),
    "a float rounded up to a BIGINT": ("row", ", CAST('9.223372036854776e+18' AS DOUBLE))",
        ", CAST('9.3e+18' AS DOUBLE))"),
    "a whole number rounded as a float": ("decimal", "CAST(CASE WHEN (`n0` > 12)",
        "CAST(rint(`n0`) AS BIGINT) AS `s9`, CAST(CASE WHEN (`n0` > 12)"),
    "a decimal cut off": ("decimal",
        "CAST(round(try_multiply(TRY_CAST(`t0`.`cost` AS DECIMAL(5, 2)), CAST(100 AS"
        " DECIMAL(3, 0))), 0) AS BIGINT)",
        "CAST(try_multiply(TRY_CAST(`t0`.`cost` AS DECIMAL(5, 2)), CAST(100 AS"
        " DECIMAL(3, 0))) AS BIGINT)"),
    "a decimal with a digit more": ("digits", "CAST('0.01' AS DECIMAL(3, 2))",
        "CAST('0.1' AS DECIMAL(3, 2))"),
    "a float scaled by more": ("digits", "CAST('100.0' AS DOUBLE)", "CAST('1000.0' AS DOUBLE)"),
    "a float as a decimal that raises": (
        "digits",
        "(TRY_CAST(try_multiply(",
        "(CAST(try_multiply(",
    ),
    "a date at midnight, however far": ("days",
        "CAST(CASE WHEN `t0`.`born` BETWEEN CAST('0001-01-01' AS DATE) AND CAST('9999-12-31' AS"
        " DATE) THEN `t0`.`born` END AS TIMESTAMP_NTZ)", "CAST(`t0`.`born` AS TIMESTAMP_NTZ)"),
    "a zone": ("days", "AS TIMESTAMP_NTZ) >", "AS TIMESTAMP) >"),
    "a format that is none": ("days", "'yyyy", "'YYYY"),
    "NULL that is passed over": ("cap", "coalesce(`u`, 0)", "`u`"),
    "no salt": ("cap", "xxhash64(CAST('", "xxhash64(CAST(`rn` AS BIGINT), CAST('"),
    "an item's salt hashed once more": ("values", "xxhash64(xxhash64(CAST(",
        "xxhash64(xxhash64(1, CAST("),
    "another aggregate": ("cap", "try_sum(", "approx_count_distinct("),
    "a first row": ("cap", "count(*) AS `n1`", "first(`v0`) AS `n1`"),
    "time of day": ("dates", "CAST('2020-01-01' AS DATE)", "current_date()"),
    # ---- the text
    "a comment": ("cap", "SELECT *", "SELECT /* */ *"),
    "a hint": ("cap", "SELECT *", "SELECT /*+ BROADCAST(c) */ *"),
    "a comment to the end": ("cap", "SELECT *", "SELECT -- x\n *"),
    "a second statement": ("cap", "GROUP BY `k0`", "GROUP BY `k0`; SELECT 1"),
    "a limit": ("cap", "GROUP BY `u`, `k0`) AS `c`", "GROUP BY `u`, `k0` LIMIT 5) AS `c`"),
    "an order": ("cap", "GROUP BY `u`, `k0`) AS `c`", "GROUP BY `u`, `k0` ORDER BY `u`) AS `c`"),
    "a sample": ("cap", "`events` AS `t0`", "`events` TABLESAMPLE (1 PERCENT) AS `t0`"),
    "a lateral view": ("cap", "`events` AS `t0`",
        "`events` AS `t0` LATERAL VIEW explode(array(1, 2)) `x` AS `y`"),
    "distinct rows": ("cap", "SELECT `t0`.`pid`", "SELECT DISTINCT `t0`.`pid`"),
    "an old state of a table": ("cap", "`events` AS `t0`", "`events` VERSION AS OF 1 AS `t0`"),
    "an alias of two sources": ("path", "AS `t1`", "AS `t0`"),
    "a name not in quotes": ("cap", "AS `units`", "AS units"),
    "a text in double quotes": ("float", "'b%'", '"b%"'),
    "a raw text": ("float", "'b%'", "r'b%'"),
    "texts side by side": ("float", "'b%'", "'b' '%'"),
    "quotes side by side": ("float", "'b%'", "'b''%'"),
    "an escape of Spark's": ("float", "'b%'", "'b\\t%'"),
    "a setting in a text": ("float", "'b%'", "'${spark.master}'"),
    "a setting in a name": ("cap", "`units`", "`${spark.master}`"),
    "a parameter": ("float", "'b%'", ":x"),
    "an odd blank": ("cap", "SELECT *", "SELECT\u00a0*"),
    "a CTE": ("union", "SELECT coalesce", "WITH z AS (SELECT 1) SELECT coalesce"),
}  # fmt: skip


@pytest.fixture(scope="module")
def session():
    with (
        equivalence_world.open_databases() as (opened, _),
        closing(memory_session(opened, equivalence_world.POLICY)) as session,
    ):
        yield session


@pytest.fixture(scope="module")
def statements(session):
    """The first text of each query in Spark's words, with what it claims."""
    found = {}
    for name, sql in QUERIES.items():
        with session.engine.snapshot():
            prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
        certified = prepared.certified[0]
        text = (certified.distincts or certified.texts)[0]
        found[name] = (certified, written(parse_one(text, read="duckdb"), session.engine.catalog()))
    return found


def check(certified, text, session):
    catalog, policy = session.engine.catalog(), session.policy
    normal = normal_form(text, "spark", catalog)
    if certified.distincts:
        certify_distinct(normal, distinct_claims(certified.plan)[0], policy=policy, catalog=catalog)
    elif certified.histograms:
        (told,) = histogram_claims(certified.plan)
        certify_histogram(normal, told, policy=policy, catalog=catalog)
    else:
        certify(normal, claim(certified.plan), policy=policy, catalog=catalog)


@pytest.mark.parametrize("name", QUERIES)
def test_statement_is_certified(name, statements, session):
    check(*statements[name], session)


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_refused(name, statements, session):
    which, old, new = MUTATIONS[name]
    certified, text = statements[which]
    assert old in text
    with pytest.raises(InternalError) as caught:
        check(certified, text.replace(old, new), session)
    assert caught.value.code == "certify"
    assert "persons" not in str(caught.value)


LACKING = {
    "SELECT COUNT(*) FROM persons WHERE SUBSTRING(city, -2) = 'nn'": "SUBSTRING from",
    "SELECT COUNT(*) FROM events WHERE CAST(x AS VARCHAR) = '1.0'": "a float as text",
    "SELECT SUM(CAST(x AS REAL)) FROM events": "the type REAL",
    "SELECT SUM(n) FROM events WHERE ASCII(kind) > 60": "ASCII",
    "SELECT COUNT(*) FROM events WHERE kind = '${spark.master}'": "a text with ${",
    "SELECT COUNT(*) FROM persons WHERE TRY_CAST(city AS TIMESTAMP) IS NULL": "a text as TIMESTAMP",
}
"""What has no total form in Spark, with what is said of it."""


@pytest.mark.parametrize("sql", LACKING)
def test_what_has_no_total_form_is_refused(sql, session):
    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
    (text,) = prepared.certified[0].texts
    with pytest.raises(NotThere) as caught:
        written(parse_one(text, read="duckdb"), session.engine.catalog())
    assert caught.value.code == "not-on-this-engine"
    assert caught.value.message.startswith(LACKING[sql])
    assert caught.value.node is not None
