"""Chains on PostgreSQL: what releases give a later statement goes along as constants in it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from chain_queries import QUERIES
from e2e_compare import differences, plain, plan_numbers

from dpsql.dialects.postgres_rows import with_given

QUICK = sorted(QUERIES)[::5]


def check(name, session, plain_duckdb):
    sql = QUERIES[name]
    want = plain(plain_duckdb, sql, unit="pid")
    assert differences(session.query(sql), want, **plan_numbers(session, sql)) == []


@pytest.mark.parametrize("name", QUICK)
def test_chain(name, wide_session, wide_databases):
    check(name, wide_session, wide_databases[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in QUERIES if name not in QUICK])
def test_every_chain(name, wide_session, wide_databases):
    check(name, wide_session, wide_databases[1])


VALUES = {
    "BIGINT": [1, -(2**63), None, 2**63 - 1],
    "NUMERIC": [2**120, -1, None],
    "DOUBLE PRECISION": [0.1, -1e300, float("inf"), None, 5e-324],
    "TEXT": ["it's", "a\\b", "%(x)s", "é'';--", "", None, "{a,b}", 'q"q'],
    "BOOLEAN": [True, False, None],
    "DATE": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None],
    "TIMESTAMP": [dt.datetime(2020, 1, 2, 3, 4, 5, 678), None],
    "NUMERIC(10, 2)": [Decimal("1.50"), Decimal("-99999999.99"), None],
}


@pytest.mark.parametrize("kind", VALUES)
def test_given_values_arrive_as_they_are(kind, wide_session):
    """Alone and in a list; a text is never anything but a text."""
    values = VALUES[kind]
    engine = wide_session.engine
    sql = f"SELECT UNNEST(CAST(%(given_0)s AS {kind}[])) AS a"
    found = engine.fetch(sql, given={"given_0": values}).column(0).to_pylist()
    assert found == values
    for value in values:
        one = engine.fetch(f"SELECT CAST(%(given_0)s AS {kind}) AS a", given={"given_0": value})
        assert one.column(0)[0].as_py() == value


def test_what_looks_like_a_given_value_in_a_text_stays():
    sql = """SELECT '%(given_0)s''%(given_0)s' AS "%(given_0)s", %(given_0)s"""
    assert with_given(sql, {"given_0": 5}) == sql[: sql.rindex("%")] + "(5)"
