"""On Spark itself: one unit moves the exact bounded vector by no more than is claimed.

The same statements run on a schema and on one less a unit, over rows made to break bounds: a whale,
NaN and infinities, the largest numbers, NULLs, a unit of three rows, rows without a unit.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal

import pytest
import spark_world as worlds
from spark_compare import fewer_partitions

from dpsql.pipeline.certify import claim
from dpsql.session import Session

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.slow]

DDL = {
    "users": "user_id BIGINT, age INT, income DOUBLE, city STRING, wage DECIMAL(10,2), signup DATE",
    "orders": "user_id BIGINT, amount DOUBLE, item STRING, ts TIMESTAMP_NTZ",
}
HUGE = 1.7e308
NOON, LATE = dt.datetime(2021, 5, 5, 10, 0, 0, 500_000), dt.datetime(2021, 6, 6)
FAR = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)
WAGE = Decimal("99999999.99")
USERS = [
    (
        i,
        (i * 7) % 90,
        i * 1000.25,
        "ABC"[i % 3],
        Decimal(i * 3),
        dt.date(2020 + i % 3, 1 + i % 9, 15),
    )
    for i in range(1, 30)
] + [
    (100, None, float("nan"), "A", None, None),
    (101, 2**31 - 1, float("inf"), None, WAGE, dt.date(9999, 12, 31)),
    (102, -(2**31), -HUGE, "b", -WAGE, dt.date(1, 1, 1)),
    (103, 40, 5e-324, "Ä", Decimal(0), dt.date(2020, 2, 29)),
    (104, 50, HUGE, "", Decimal(1), dt.date(2020, 2, 29)),
    *[(105, 60, 1e6, "C", Decimal(5), dt.date(2021, 1, 1))] * 3,
    (None, 33, 1.0, "A", Decimal(1), dt.date(2021, 1, 1)),
]
ORDERS = (
    [(100 + k % 6, 10.0**k, "xyzw"[k % 4], NOON) for k in range(300)]
    + [(104, (-1) ** k * HUGE, f"i{k % 30}", FAR) for k in range(60)]
    + [(i, float(i), "x", LATE) for i in range(1, 30)]
    + [(None, 5.0, "x", LATE), (101, float("nan"), "x", None)]
)
ROWS = {"users": USERS, "orders": ORDERS}
POLICY = {
    "version": 1,
    "unit": "person",
    "database": worlds.URL,
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-3"},
        "default": {"epsilon": "1e6", "delta": "0.9"},
    },
    "bounds": {"max_groups": 3, "max_rows_per_group": 2},
    "tables": {
        "users": {
            "unit": "user_id",
            "columns": {
                "age": {"min": 0, "max": 100},
                "income": {"min": -100, "max": 100000},
                "wage": {"min": 0, "max": 500},
                "signup": {"min": dt.date(2020, 1, 1), "max": dt.date(2022, 12, 31)},
                "city": {"values": ["A", "B", "C"]},
            },
        },
        "orders": {"unit": "user_id", "columns": {"amount": {"min": -50, "max": 1000}}},
    },
}
QUERIES = [
    "SELECT COUNT(*), SUM(income), AVG(age) FROM users",
    "SELECT city, COUNT(*), AVG(income) FROM users GROUP BY city",
    "SELECT item, COUNT(*), SUM(amount) FROM orders GROUP BY item",
    "SELECT item, VAR_POP(amount), COUNT(amount) FROM orders GROUP BY item",
    "SELECT SUM(wage), AVG(wage) FROM users",
    "SELECT SUM(amount * 3 - income) FROM orders o JOIN users u ON o.user_id = u.user_id",
    "SELECT SUM(LEAST(GREATEST(income / (age - 50), 0), 100)), SUM(SQRT(LEAST(GREATEST(amount, 0),"
    " 9))) FROM orders o JOIN users u ON o.user_id = u.user_id",
    "SELECT COVAR_POP(age, income) FROM users",
    "SELECT date_trunc('month', ts) AS m, COUNT(*) FROM orders GROUP BY m",
    "SELECT AVG(LEAST(GREATEST(s, 0), 9)) FROM (SELECT user_id, SUM(amount) AS s FROM orders GROUP"
    " BY user_id) t",
    "SELECT AVG(c) FROM (SELECT user_id, COUNT(*) OVER (PARTITION BY user_id ORDER BY amount ROWS"
    " 2 PRECEDING) AS c FROM orders) t",
    "SELECT ROUND(income, -3) AS r, COUNT(*) FROM users GROUP BY r",
    "SELECT COUNT(TRY_CAST(city AS INTEGER)) FROM users WHERE LOWER(city) <> 'x'",
]


@pytest.fixture(scope="module")
def session(spark_session):
    worlds.fill(spark_session, DDL, ROWS)
    with pytest.warns(UserWarning, match="ledger"):
        opened = Session(POLICY, "ana")
    fewer_partitions(opened.engine)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def statements(session):
    found = []
    for sql in QUERIES:
        with session.engine.snapshot():
            prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
        found += [(sql, one, session.engine.fetch(one.sql)) for one in prepared.certified]
    return found


def groups(table, keys):
    """Group → the vector of each column."""
    found = {}
    for row in table.to_pylist():
        found[tuple(repr(row[key]) for key in keys)] = {
            name: int(value) for name, value in row.items() if name not in keys
        }
    return found


def moved(one, other, block):
    """L0, Linf, L1 and L2² of the difference of a block."""
    per_group = defaultdict(int)
    squares = 0
    for group in {*one, *other}:
        for column in block.columns:
            step = abs(one.get(group, {}).get(column, 0) - other.get(group, {}).get(column, 0))
            per_group[group] += step
            squares += step * step
    changed = [step for step in per_group.values() if step]
    return len(changed), max(changed, default=0), sum(changed), squares


def leave_out(spark_session, unit):
    """A schema of all rows but those of one unit; made once, for a session keeps lists of files."""
    schema = f"less_{unit}"
    if spark_session.catalog.databaseExists(schema):
        return schema
    spark_session.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table, columns in DDL.items():
        rows = [row for row in ROWS[table] if row[0] != unit]
        frame = spark_session.createDataFrame(rows, columns).coalesce(1)
        frame.write.mode("overwrite").format("parquet").saveAsTable(f"{schema}.{table}")
    return schema


def distances(session, certified, whole, text, schema):
    """(claim, what the unit moved) of each block."""
    told = claim(certified.plan)
    less = session.engine.fetch(text.replace("`default`.", f"`{schema}`."))
    one, two = groups(whole, told.keys), groups(less, told.keys)
    return [(block, told.cells, moved(one, two, block)) for block in told.blocks]


@pytest.mark.parametrize("unit", [100, 104, 101, 102, 105, 7])
def test_one_unit_moves_no_more_than_claimed(unit, spark_session, session, statements):
    schema = leave_out(spark_session, unit)
    for sql, certified, whole in statements:
        for block, cells, (l0, linf, l1, l2) in distances(
            session, certified, whole, certified.sql, schema
        ):
            # Of public keys the caller drops what lies outside the list.
            assert cells is not None or l0 <= block.l0, sql
            assert linf <= block.linf, sql
            assert l1 <= block.l1, sql
            assert l2 <= block.l2_squared, sql


def test_a_bound_that_is_missing_is_seen(spark_session, session):
    """Without the clamp of its cell the whale moves a sum by more than is claimed."""
    with session.engine.snapshot():
        (certified,) = session.prepare(
            "SELECT SUM(amount) FROM orders", None, dialect="duckdb", asked=session.asked
        ).certified
    clamp = r"CAST\(least\(greatest\(coalesce\(`s0`, 0\), [^,]*\), \d+\) AS BIGINT\)"
    broken, count = re.subn(clamp, "coalesce(`s0`, 0)", certified.sql)
    assert count == 1
    schema = leave_out(spark_session, 100)
    ((block, _, (_, _, l1, _)),) = distances(
        session, certified, session.engine.fetch(broken), broken, schema
    )
    assert l1 > block.l1
