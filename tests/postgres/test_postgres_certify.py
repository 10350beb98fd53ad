"""Broken statements in PostgreSQL's words: each is refused by the reader or by what it reads.

The reader (`certify/postgres*.py`) says in the normal form what the text computes; a bound that is
dropped, widened or of another column shows there as it does on DuckDB. Words that it does not know
are refused by themselves.
"""

from __future__ import annotations

import pytest

from dpsql.certify import certify, certify_histogram, normal_form
from dpsql.errors import InternalError, RefusedQuery
from dpsql.pipeline.certify import claim, histogram_claims

QUERIES = {
    "cap": "SELECT kind, COUNT(*), SUM(n) FROM events GROUP BY kind",
    "weights": "SELECT kind, COUNT(*) FROM visits GROUP BY kind",
    "row": "SELECT SUM(income), COUNT(*) FROM persons",
    "decimal": "SELECT AVG(cost) FROM visits",
    "path": "SELECT COUNT(*) FROM items i WHERE qty > 0",
    "per unit": "SELECT COUNT(*) FROM (SELECT pid, SUM(n) AS s FROM events GROUP BY pid) t"
    " WHERE s > 3",
    "float": "SELECT SUM(x * n) FROM events WHERE kind LIKE 'b%'",
    "union": "SELECT COUNT(*) FROM (SELECT pid, n FROM events UNION ALL SELECT pid, age FROM"
    " persons) t",
    "text": "SELECT COUNT(*) FROM persons WHERE TRY_CAST(city AS INTEGER) > 3",
    "digits": "SELECT COUNT(*) FROM events WHERE CAST(x AS DECIMAL(10, 2)) > 3",
    "spelled": "SELECT COUNT(*) FROM persons WHERE TRY_CAST(city AS DECIMAL(4, 1)) > 3",
    "median": "SELECT MEDIAN(x) FROM events",
    "dates": "SELECT AVG(date_diff('month', born, DATE '2020-01-01')) FROM persons",
}

MUTATIONS = {
    # ---- flags beside a word
    "nobody's rows alone": (
        "row",
        '(NOT ("t0"."pid" IS NULL))',
        '(NOT ("t0"."pid" IS NOT NULL))',
    ),
    "all but what is like it": ("float", """"kind" LIKE 'b%'""", """"kind" NOT LIKE 'b%'"""),
    # ---- bounds
    "clamp of the cell dropped": (
        "cap",
        'LEAST(GREATEST(COALESCE("s0", 0), (- 2000)), 2000)',
        'COALESCE("s0", 0)',
    ),
    "clamp of the cell widened": ("cap", "(- 2000)), 2000)", "(- 2000)), 2001)"),
    "count of the cell not capped": ("cap", 'LEAST("n1", 40)', '"n1"'),
    "one group more": ("cap", '"rn" <= 40', '"rn" <= 41'),
    "cap on groups dropped": ("cap", 'WHERE ("rn" <= 40)', "WHERE TRUE"),
    "ranked without the unit": ("cap", 'PARTITION BY "u" ORDER', "ORDER"),
    "row clamp dropped": (
        "cap",
        'CASE WHEN ("t0"."n" < (- 50)) THEN (- 50) WHEN ("t0"."n" > 50) THEN 50 ELSE "t0"."n" END',
        '"t0"."n"',
    ),
    "row clamp of another column": ("cap", '("t0"."n" > 50)', '("t0"."pid" > 50)'),
    "guard against NULL dropped": ("row", "BETWEEN CAST('-500.0'", "> CAST('-500.0'"),
    "scale raised": ("row", "'274877906944.0'", "'274877906945.0'"),
    "ends of the range widened": ("row", "CAST('1000.0'", "CAST('1000.5'"),
    "weight by fewer rows": ("weights", "786432", "786433"),
    "weight of the unit dropped": (
        "weights",
        'pg_catalog.div(786432, SUM("n") OVER (PARTITION BY "u")), ',
        "",
    ),
    "weight over all units": ("weights", 'OVER (PARTITION BY "u")', "OVER ()"),
    "scaled by another divisor": (
        "decimal",
        'pg_catalog.div(("s0" * 12), "n0")',
        'pg_catalog.div(("s0" * 13), "n0")',
    ),
    "division that rounds": (
        "decimal",
        'pg_catalog.div(("s0" * 12), "n0")',
        '(("s0" * 12) / "n0")',
    ),
    "decimal clamp widened": ("decimal", "'500.00'", "'500.01'"),
    "histogram of more rows": ("median", "2621440", "2621441"),
    # ---- units
    "unit of another column": ("cap", '"t0"."pid" AS "u"', '"t0"."n" AS "u"'),
    "unit not asked to be there": (
        "weights",
        'WHERE (NOT ("t0"."pid" IS NULL))',
        "WHERE TRUE",
    ),
    "path's join dropped": (
        "path",
        ' JOIN "public"."visits" AS "t1" ON ("t0"."vid" = "t1"."vid")',
        ' CROSS JOIN "public"."visits" AS "t1"',
    ),
    "grouped by less than the unit": ("per unit", "GROUP BY 1) AS", "GROUP BY 2) AS"),
    "groups by name": ("cap", "GROUP BY 1, 2", 'GROUP BY "u", "k0"'),
    "a table that is not declared": ("cap", '"public"."events"', '"pg_catalog"."pg_class"'),
    "a table without its schema": ("cap", '"public"."events"', '"events"'),
    "rows that others have too": ("union", "UNION ALL", "UNION"),
    "all columns of a table": ("per unit", '"t1"."pid" AS "u", ', "*, "),
    # ---- words
    "a sum of floats": ("per unit", 'SUM(CAST("t1"."n" AS BIGINT))', 'SUM("t1"."x")'),
    "a real sum": ("per unit", 'CAST("t1"."n" AS BIGINT)', 'CAST("t1"."n" AS REAL)'),
    "a volatile function": ("float", "pg_catalog.abs", "pg_catalog.pg_sleep"),
    "a function of another schema": ("float", "pg_catalog.abs", "public.abs"),
    "a function without its schema": ("float", "pg_catalog.abs", "abs"),
    "a text of any spelling": ("text", "'^ *[+-]?[0-9]{1,18} *$'", "'.*'"),
    "a text as another type": ("text", "BETWEEN (- 2147483648)", "BETWEEN (- 3147483648)"),
    "a float that rounds to a digit more": ("digits", "99999999.99499999", "99999999.995"),
    "the old bound of its digits": ("digits", "99999999.99499999", "99999999.99999991"),
    "a float cast without a bound": (
        "digits",
        'pg_catalog.abs("t0"."x") <= CAST(\'99999999.99499999\' AS DOUBLE PRECISION)',
        "TRUE",
    ),
    "a float cast as it stands": (
        "digits",
        "AND (CASE",
        'AND (CAST("t0"."x" AS NUMERIC(10, 2)) > 3) AND (CASE',
    ),
    "a float cast in the end": (
        "digits",
        '"t0"."x" * CAST(\'100.0\'',
        '"t0"."x" * CAST(\'1000.0\'',
    ),
    "a text that rounds to a digit more": ("spelled", "AND 999.9 ", "AND 999.95 "),
    "a text bounded as a float": (
        "spelled",
        'pg_catalog.round(CAST("t0"."city" AS NUMERIC(38, 18)), 1)',
        'CAST(CAST("t0"."city" AS NUMERIC(38, 18)) AS DOUBLE PRECISION)',
    ),
    "LIKE with a hidden escape": ("float", " ESCAPE ''", ""),
    "another order of texts": ("cap", 'COLLATE "C") NULLS', 'COLLATE "en_US") NULLS'),
    "NULLs where they fall": ("cap", 'hashint8extended(COALESCE("u", 0)', 'hashint8extended("u"'),
    "a comment": ("cap", "SELECT *", "SELECT /* */ *"),
    "a second statement": ("cap", "GROUP BY 1", "GROUP BY 1; SELECT 1"),
    "a limit": ("per unit", "GROUP BY 1) AS", "GROUP BY 1 LIMIT 5) AS"),
    "a lock": ("per unit", "GROUP BY 1) AS", "GROUP BY 1 FOR UPDATE) AS"),
    "a sample": ("cap", '"events" AS "t0"', '"events" AS "t0" TABLESAMPLE BERNOULLI (1)'),
    "a NaN of a NUMERIC": (
        "decimal",
        'CAST(NULLIF("t0"."cost", CAST(\'NaN\' AS NUMERIC)) AS NUMERIC(10, 2))',
        '"t0"."cost"',
    ),
    "other digits of a column": ("decimal", "NUMERIC(10, 2)", "NUMERIC(9, 2)"),
    "NUMERIC of what has a fraction": (
        "decimal",
        "CAST(CAST(51000 AS BIGINT) AS NUMERIC)",
        'CAST("s0" AS NUMERIC)',
    ),
    "an alias of two sources": ("path", 'AS "t1"', 'AS "t0"'),
    "a name not in quotes": ("cap", 'AS "units"', "AS units"),
    "another aggregate": ("per unit", "SUM(CAST", "BIT_OR(CAST"),
    "time of day": ("dates", "CAST('2020-01-01' AS DATE)", "CURRENT_DATE"),
}


@pytest.fixture(scope="module")
def statements(wide_session):
    """The texts of each query with what they claim."""
    found = {}
    for name, sql in QUERIES.items():
        with wide_session.engine.snapshot():
            prepared = wide_session.prepare(sql, None, dialect="duckdb", asked=wide_session.asked)
        (found[name],) = prepared.certified
    return found


def check(certified, text, session):
    catalog, policy = session.engine.catalog(), session.policy
    normal = normal_form(text, "postgresql", catalog)
    if certified.histograms:
        (told,) = histogram_claims(certified.plan)
        certify_histogram(normal, told, policy=policy, catalog=catalog)
    else:
        certify(normal, claim(certified.plan), policy=policy, catalog=catalog)


@pytest.mark.parametrize("name", QUERIES)
def test_statement_is_certified(name, statements, wide_session):
    (text,) = statements[name].texts
    check(statements[name], text, wide_session)


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_refused(name, statements, wide_session):
    which, old, new = MUTATIONS[name]
    (text,) = statements[which].texts
    assert old in text
    with pytest.raises(InternalError) as caught:
        check(statements[which], text.replace(old, new), wide_session)
    assert caught.value.code == "certify"
    assert "persons" not in str(caught.value)


LACKING = {
    "SELECT SUM(x % 2.5e0) FROM events": ("% of floats", "x"),
    "SELECT COUNT(*) FROM persons WHERE SUBSTRING(city, -2) = 'nn'": ("SUBSTRING from", "city"),
    "SELECT AVG(LOG(2, age + 1)) FROM persons WHERE age > 0": ("a logarithm to base 2", "LOG"),
    "SELECT COUNT(*) FROM events WHERE CAST(x AS VARCHAR) = '1.0'": ("a float as text", "x"),
    "SELECT SUM(CAST(x AS REAL)) FROM events": ("the type REAL", "x"),
    "SELECT kind,\n AVG(CASE WHEN ASCII(kind) > 60 THEN n END) FROM events GROUP BY kind": (
        "ASCII",
        "ASCII",
    ),
    "WITH e AS (SELECT pid, SINH(x) AS s FROM events) SELECT SUM(s) FROM e": ("SINH", "SINH"),
    "SELECT SUM(CAST(n AS DOUBLE)) FROM events WHERE CAST(n AS VARCHAR) > '1' AND"
    " CAST(x AS VARCHAR) = '1.0'": ("a float as text", "x"),  # the second of two casts
}
"""What has no total form, with what is said of it and the word that the caret is under."""


@pytest.mark.parametrize("sql", LACKING)
def test_what_has_no_total_form_is_refused_before_any_charge(sql, wide_session):
    what, word = LACKING[sql]
    before = wide_session.budget().spent
    with pytest.raises(RefusedQuery) as caught:
        wide_session.query(sql)
    assert caught.value.code == "not-on-this-engine"
    assert wide_session.budget().spent == before
    said, place, line, caret = caught.value.message.split("\n")
    assert said.startswith(what)
    start = caret.index("^")
    assert line[start : start + caret.count("^")] == word
    number, column = (int(part) for part in place.removeprefix("  at ").split(":"))
    assert sql.split("\n")[number - 1][column - 1 :].startswith(word)
    if "'1' AND" in sql:
        assert column > sql.index(" AND ")


def test_a_distinct_salt_that_is_another_is_refused(wide_session):
    """The item's pseudonym starts from the salt's hash with seed 0, and from no other."""
    with wide_session.engine.snapshot():
        sql = "SELECT COUNT(DISTINCT kind) FROM events"
        prepared = wide_session.prepare(sql, None, dialect="duckdb", asked=wide_session.asked)
    texts = [text for one in prepared.certified for text in one.texts if text]
    (text,) = [text for text in texts if "CAST('0' AS BIGINT)" in text]
    catalog = wide_session.engine.catalog()
    assert "HASH(HASH(" in normal_form(text, "postgresql", catalog)
    broken = text.replace("CAST('0' AS BIGINT)", "CAST('x' AS BIGINT)")
    with pytest.raises(InternalError):
        normal_form(broken, "postgresql", catalog)
