"""The same questions on Spark: the exact bounded aggregates are DuckDB's, to the last digit.

Both engines run the statements of one plan with one salt. Their hashes differ, but no unit has more
groups than the policy's cap, so nothing hangs on which groups a hash would choose, and pseudonyms
are compared by how often they stand (`exact`). The answers at a huge ε are plain DuckDB's.
"""

from __future__ import annotations

from contextlib import closing

import equivalence_world
import pytest
import spark_world as worlds
from e2e_compare import differences, exact, plain, plan_numbers
from e2e_world import memory_session
from equivalence_queries import NOTHING_ASKED, QUERIES, UNITS
from spark_compare import fewer_partitions, in_spark

from dpsql.errors import RefusedQuery

pytestmark = pytest.mark.xdist_group("spark")

QUICK = [
    "VAR_POP({}) of cost",
    "case simple",
    "date diff",
    "date trunc",
    "decimal arithmetic",
    "full join",
    "months as text",
    "places in text",
    "rounding",
    "window picks",
]
SLOW = [name for name in sorted(QUERIES) if name not in QUICK]


@pytest.fixture(scope="module")
def wide_databases():
    with equivalence_world.open_databases() as opened:
        yield opened


@pytest.fixture(scope="module")
def duckdb_session(wide_databases):
    with closing(memory_session(wide_databases[0], equivalence_world.POLICY)) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine(spark_session, spark_engine):
    worlds.wide(spark_session)
    fewer_partitions(spark_engine)
    with spark_engine.snapshot():  # the catalog is read once
        yield spark_engine


def check(name, engine, duckdb_session):
    """Each statement that DuckDB runs, written for Spark and run there."""
    with duckdb_session.engine.snapshot():
        prepared = duckdb_session.prepare(
            QUERIES[name], None, dialect="duckdb", asked=duckdb_session.asked
        )
    compared = 0
    for certified in prepared.certified:
        for text in certified.texts:
            if "$given" in text:  # by a release
                continue
            sql = in_spark(text, engine)
            assert exact(engine.fetch(sql)) == exact(duckdb_session.engine.fetch(text))
            compared += 1
    assert compared > 0 or name in NOTHING_ASKED


@pytest.mark.parametrize("name", QUICK)
def test_exact_aggregates_are_equal(name, engine, duckdb_session):
    check(name, engine, duckdb_session)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_all_exact_aggregates_are_equal(name, engine, duckdb_session):
    check(name, engine, duckdb_session)


NEEDS_A_KEY = {"join three": "join-too-wide"}
"""What Spark refuses because it enforces no key: the query's name and the code."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUERIES))
def test_all_answers_are_the_plain_ones(name, spark_world, wide_databases):
    fewer_partitions(spark_world.engine)
    sql = QUERIES[name]
    want = plain(wide_databases[1], sql, unit="pid", units=UNITS.get(name))
    sql = sql.replace("i.vid = v.vid", "i.vid = v.vid AND i.pid = v.pid")  # no key is enforced
    sql = (
        sql.replace("DISTINCT pid)", 'DISTINCT i.pid) AS "count(DISTINCT pid)"')
        if " AND i.pid" in sql
        else sql
    )
    if name in NEEDS_A_KEY:
        with pytest.raises(RefusedQuery) as refused:
            spark_world.query(sql)
        assert refused.value.code == NEEDS_A_KEY[name]
        return
    assert differences(spark_world.query(sql), want, **plan_numbers(spark_world, sql)) == []


def test_a_wrong_statement_is_seen(engine):
    """One rounding that differs changes the exact aggregates."""
    text = 'SELECT SUM(CAST(ROUND(t0."x" * 4e0) AS BIGINT)) AS s FROM "main"."events" AS t0'
    sql = in_spark(text, engine)
    assert "(round(" in sql
    found = [engine.fetch(one) for one in (sql, sql.replace("(round(", "(ceil("))]
    assert exact(found[0]) != exact(found[1])
