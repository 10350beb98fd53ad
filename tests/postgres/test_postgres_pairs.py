"""Every kind of value cast to every type: NULL where it does not fit, or a refusal in our words.

None ends in an internal error, and none raises over the rows of the total tests. A text that
stands in the query and is no such value would raise before any row: it is refused by itself.
"""

from __future__ import annotations

from contextlib import closing

import postgres_world
import pytest
from test_postgres_total import DDL, POLICY, rows

from dpsql.errors import InvalidQuery, RefusedQuery

TYPES = [
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UBIGINT"),
    *("DECIMAL(10,2)", "DECIMAL(1,1)", "DECIMAL(3,0)", "DECIMAL(38,38)", "FLOAT", "DOUBLE"),
    *("VARCHAR", "DATE", "TIMESTAMP"),
]
KINDS = ["b", "f", "d", "t", "day", "ts", "ok", "NULL", "b * b", "d * d", "'abc'", "'1.5'", "'12'"]
MORE = [
    *("i", "CAST(b AS HUGEINT)", "CAST(b AS UBIGINT)", "CAST(i AS SMALLINT)", "ROUND(b, -2)"),
    *("b = 1", "ROUND(d, -3)", "FLOOR(b)", "1.5", "1e0", "TRUE", "d % 7", "b // 7", "SIGN(b)"),
    *("EXTRACT(epoch FROM ts)", "STRPOS(t, 'a')", "day - DATE '2000-01-01'", "COALESCE(d, b)"),
    *("CASE WHEN ok THEN b ELSE f END", "CASE WHEN ok THEN b ELSE d END", "'1_0'", "'yes'"),
    *("'1e2'", "'-99999999999999999999'", "DATE '2020-01-01'"),
]
REFUSED = {"not-on-this-engine", "type-mismatch", "bad-literal"}


@pytest.fixture(scope="module")
def nasty(server):
    url = server.database()
    postgres_world.fill(url, DDL, {"nasty": rows()})
    with closing(postgres_world.session(POLICY, url)) as session:
        yield session


def outcome(expression, session):
    sql = f"SELECT COUNT(*) FROM nasty WHERE ({expression}) IS NOT NULL"
    try:
        with session.engine.snapshot():
            (asked,) = session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified
    except (InvalidQuery, RefusedQuery) as refusal:
        return refusal.code
    return session.engine.fetch(asked.sql).column(0)[0].as_py()


def check(value, session):
    for wanted in TYPES:
        for word in ("CAST", "TRY_CAST"):
            found = outcome(f"{word}({value} AS {wanted})", session)
            assert found in REFUSED if isinstance(found, str) else found <= len(rows())


@pytest.mark.parametrize("value", KINDS)
def test_cast(value, nasty):
    check(value, nasty)


@pytest.mark.slow
@pytest.mark.parametrize("value", MORE)
def test_more_casts(value, nasty):
    check(value, nasty)


def test_texts_as_truth_are_duckdbs(nasty):
    """t: DuckDB's words, in any case, and nothing else; as a constant, too."""
    for word, truth in (("Yes", "TRUE"), ("0", "FALSE"), ("n", "FALSE"), ("T", "TRUE")):
        assert outcome(f"NULLIF(CAST('{word}' AS BOOLEAN), {truth})", nasty) == 0
        tested = "CASE WHEN CAST(REPLACE(t, '12x', '{}') AS BOOLEAN) = {} THEN 1 END"
        found = outcome(tested.format(word, truth), nasty)
        assert found > outcome(tested.format("on", truth), nasty)
    assert outcome("CAST('on' AS BOOLEAN)", nasty) == "not-on-this-engine"
