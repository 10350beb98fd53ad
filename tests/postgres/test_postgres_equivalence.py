"""The same questions on PostgreSQL: the exact bounded aggregates are DuckDB's, to the last digit.

Both engines run the statements of one plan with one salt. Their hashes differ, but no unit has more
groups than the policy's cap, so nothing hangs on which groups a hash would choose, and pseudonyms
are compared by how often they stand (`exact`). The answers at a huge ε are plain DuckDB's.
"""

from __future__ import annotations

from contextlib import closing

import postgres_world
import pytest
from e2e_compare import differences, exact, plain, plan_numbers
from e2e_world import memory_session
from equivalence_queries import NOTHING_ASKED, QUERIES, UNITS
from equivalence_world import POLICY
from sqlglot import parse_one

from dpsql.certify import normal_form
from dpsql.dialects.postgres_forms import written

QUICK = sorted(QUERIES)[::7]
SLOW = [name for name in sorted(QUERIES) if name not in QUICK]


@pytest.fixture(scope="session")
def duckdb_session(wide_databases):
    opened = memory_session(wide_databases[0], POLICY)
    yield opened
    opened.close()


def check(name, session, duckdb_session):
    """Each statement that DuckDB runs, written for PostgreSQL and run there."""
    with duckdb_session.engine.snapshot():
        prepared = duckdb_session.prepare(
            QUERIES[name], None, dialect="duckdb", asked=duckdb_session.asked
        )
    catalog = session.engine.catalog()
    compared = 0
    for certified in prepared.certified:
        for text in certified.texts:
            if "$given" in text:  # by a release
                continue
            here = text.replace('"memory"."main".', '"public".').replace('"main".', '"public".')
            sql = written(parse_one(here, read="duckdb"), catalog)
            normal_form(sql, "postgresql", catalog)
            assert exact(session.engine.fetch(sql)) == exact(duckdb_session.engine.fetch(text))
            compared += 1
    assert compared > 0 or name in NOTHING_ASKED


@pytest.mark.parametrize("name", QUICK)
def test_exact_aggregates_are_equal(name, wide_session, duckdb_session):
    check(name, wide_session, duckdb_session)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_all_exact_aggregates_are_equal(name, wide_session, duckdb_session):
    check(name, wide_session, duckdb_session)


@pytest.mark.parametrize("name", QUICK[::9])
def test_exact_aggregates_are_equal_on_sixteen(name, sixteen, duckdb_session):
    """On the older version, which the slow run asks everything."""
    with closing(postgres_world.session(POLICY, postgres_world.wide(sixteen))) as session:
        check(name, session, duckdb_session)


def answered(name, session, plain_duckdb):
    sql = QUERIES[name]
    want = plain(plain_duckdb, sql, unit="pid", units=UNITS.get(name))
    assert differences(session.query(sql), want, **plan_numbers(session, sql)) == []


@pytest.mark.parametrize("name", QUICK[::2])
def test_answers_are_the_plain_ones(name, wide_session, wide_databases):
    answered(name, wide_session, wide_databases[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUICK[1::2], *SLOW])
def test_all_answers_are_the_plain_ones(name, wide_session, wide_databases):
    answered(name, wide_session, wide_databases[1])


def test_a_wrong_statement_is_seen(wide_session):
    """One rounding that differs changes the exact aggregates."""
    catalog = wide_session.engine.catalog()
    query = parse_one(
        'SELECT SUM(CAST(ROUND(t0."x" * 4e0) AS BIGINT)) AS s FROM "public"."events" AS t0',
        read="duckdb",
    )
    sql = written(query, catalog)
    assert "'0.5'" in sql
    found = [wide_session.engine.fetch(text) for text in (sql, sql.replace("'0.5'", "'0.6'"))]
    assert exact(found[0]) != exact(found[1])
