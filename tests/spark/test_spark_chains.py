"""Chains on Spark: what releases give a later statement goes along as constants in it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import equivalence_world
import pytest
from chain_queries import QUERIES
from e2e_compare import differences, plain, plan_numbers
from spark_compare import fewer_partitions

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.slow]


@pytest.fixture(scope="module")
def plain_duckdb():
    with equivalence_world.open_databases() as (_, opened):
        yield opened


@pytest.mark.parametrize("name", QUERIES)
def test_every_chain(name, spark_world, plain_duckdb):
    fewer_partitions(spark_world.engine)
    sql = QUERIES[name]
    want = plain(plain_duckdb, sql, unit="pid")
    assert differences(spark_world.query(sql), want, **plan_numbers(spark_world, sql)) == []


VALUES = {
    "BIGINT": [1, -(2**63), None, 2**63 - 1],
    "DECIMAL(38, 0)": [2**120, -1, None],
    "DOUBLE": [0.1, -1e300, float("inf"), None, 5e-324],
    "STRING": ["it's", "a\\b", "%(x)s", "é'';--", "", None, "{a,b}", 'q"q', "${spark.master}"],
    "BOOLEAN": [True, False, None],
    "DATE": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None],
    "TIMESTAMP_NTZ": [dt.datetime(2020, 1, 2, 3, 4, 5, 678), None],
    "DECIMAL(10, 2)": [Decimal("1.50"), Decimal("-99999999.99"), None],
}


@pytest.mark.parametrize("kind", VALUES)
def test_given_values_arrive_as_they_are(kind, spark_engine):
    """Alone and in a list; a text is never anything but a text; no list has no rows."""
    values = VALUES[kind]
    sql = f"SELECT inline(arrays_zip(CAST(%(given_0)s AS ARRAY<{kind}>))) AS (`a`)"
    found = spark_engine.fetch(sql, given={"given_0": values}).column(0).to_pylist()
    assert found == values
    assert spark_engine.fetch(sql, given={"given_0": []}).num_rows == 0
    assert spark_engine.binds(sql)
    for value in values:
        one = spark_engine.fetch(
            f"SELECT CAST(%(given_0)s AS {kind}) AS a", given={"given_0": value}
        )
        assert one.column(0)[0].as_py() == value
