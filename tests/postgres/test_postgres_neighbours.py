"""On PostgreSQL itself: one unit moves the exact bounded vector by no more than is claimed.

The same statements run on a database and on one less a unit, over rows made to break bounds: a
whale, NaN and infinities, the largest numbers, NULLs, a unit of three rows, rows without a unit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import closing, contextmanager

import postgres_world
import psycopg2
import pytest

from dpsql.pipeline.certify import claim

DDL = {
    "users": "user_id BIGINT, age INT, income DOUBLE, city VARCHAR, wage NUMERIC(10,2),"
    " signup DATE",
    "orders": "user_id BIGINT, amount DOUBLE, item VARCHAR, ts TIMESTAMP",
}
HUGE = 1.7e308
ROWS = {
    "users": [
        (i, (i * 7) % 90, i * 1000.25, "ABC"[i % 3], i * 3, f"202{i % 3}-0{1 + i % 9}-15")
        for i in range(1, 30)
    ]
    + [
        (100, None, float("nan"), "A", "NaN", None),
        (101, 2**31 - 1, float("inf"), None, 99999999.99, "infinity"),
        (102, -(2**31), -HUGE, "b", -99999999.99, "0044-03-15 BC"),
        (103, 40, 5e-324, "Ä", 0, "5874897-12-31"),
        (104, 50, HUGE, "", 1, "2020-02-29"),
        *[(105, 60, 1e6, "C", 5, "2021-01-01")] * 3,
        (None, 33, 1.0, "A", 1, "2021-01-01"),
    ],
    "orders": [(100 + k % 6, 10.0**k, "xyzw"[k % 4], "2021-05-05 10:00:00.5") for k in range(300)]
    + [(104, (-1) ** k * HUGE, f"i{k % 30}", "infinity") for k in range(60)]
    + [(i, float(i), "x", "2021-06-06") for i in range(1, 30)]
    + [(None, 5.0, "x", "2021-06-06"), (101, float("nan"), "x", None)],
}
POLICY = {
    "version": 1,
    "unit": "person",
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
                "signup": {"min": "2020-01-01", "max": "2022-12-31"},
                "city": {"values": ["A", "B", "C"]},
            },
        },
        "orders": {
            "unit": "user_id",
            "columns": {"amount": {"min": -50, "max": 1000}},
        },
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
    "SELECT SUM(LEAST(amount * amount, 100)) FROM orders",
    "SELECT COVAR_POP(age, income) FROM users",
    "SELECT EXTRACT(year FROM signup) AS y, COUNT(*) FROM users GROUP BY y",
    "SELECT date_trunc('month', ts) AS m, COUNT(*) FROM orders GROUP BY m",
    "SELECT AVG(LEAST(GREATEST(s, 0), 9)) FROM (SELECT user_id, SUM(amount) AS s FROM orders GROUP"
    " BY user_id) t",
    "SELECT AVG(c) FROM (SELECT user_id, COUNT(*) OVER (PARTITION BY user_id ORDER BY amount ROWS"
    " 2 PRECEDING) AS c FROM orders) t",
    "SELECT ROUND(income, -3) AS r, COUNT(*) FROM users GROUP BY r",
    "SELECT COUNT(TRY_CAST(city AS INTEGER)) FROM users WHERE LOWER(city) <> 'x'",
]


@pytest.fixture(scope="module")
def neighbours(server):
    """A session on the whole database, and an engine for each unit's absence."""
    from dpsql.dialects.postgres import PostgresEngine

    whole = server.database()
    postgres_world.fill(whole, DDL, ROWS)
    less = server.database()
    postgres_world.fill(less, DDL, ROWS)
    with closing(postgres_world.session(POLICY, whole)) as session:
        other = PostgresEngine.open(less)
        yield session, other, less
        other.close()


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


@contextmanager
def without(unit, less):
    """The other database less a unit; its rows come back at the end."""
    with closing(psycopg2.connect(less)) as connection, connection.cursor() as cursor:
        for table in DDL:
            cursor.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
            cursor.execute(f"DELETE FROM {table} WHERE user_id = %s", [unit])
        connection.commit()
        try:
            yield
        finally:
            for table in DDL:
                cursor.execute(f"TRUNCATE {table}")
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                cursor.execute(f"DROP TABLE kept_{table}")
            connection.commit()


def prepared(session, sql):
    with session.engine.snapshot():
        return session.prepare(sql, None, dialect="duckdb", asked=session.asked).certified


def distances(session, other, certified, text):
    """(claim, what the unit moved) of each block."""
    told = claim(certified.plan)
    one, two = (groups(engine.fetch(text), told.keys) for engine in (session.engine, other))
    return [(block, told.cells, moved(one, two, block)) for block in told.blocks]


@pytest.fixture(scope="module")
def statements(neighbours):
    return {sql: prepared(neighbours[0], sql) for sql in QUERIES}


def slow(*units):
    return [pytest.param(unit, marks=pytest.mark.slow) for unit in units]


@pytest.mark.parametrize("unit", [100, 104, *slow(101, 102, 105, 7)])
def test_one_unit_moves_no_more_than_claimed(unit, neighbours, statements):
    session, other, less = neighbours
    with without(unit, less):
        for sql, asked in statements.items():
            for certified in asked:
                found = distances(session, other, certified, certified.sql)
                for block, cells, (l0, linf, l1, l2) in found:
                    # Of public keys the caller drops what lies outside the list.
                    assert cells is not None or l0 <= block.l0, sql
                    assert linf <= block.linf, sql
                    assert l1 <= block.l1, sql
                    assert l2 <= block.l2_squared, sql


def test_a_bound_that_is_missing_is_seen(neighbours):
    """Without the clamp of its cell the whale moves a sum by more than is claimed."""
    session, other, less = neighbours
    (certified,) = prepared(session, "SELECT SUM(amount) FROM orders")
    clamp = r'CAST\(LEAST\(GREATEST\(COALESCE\("s0", 0\), [^,]*\), \d+\) AS BIGINT\)'
    broken, count = re.subn(clamp, 'COALESCE("s0", 0)', certified.sql)
    assert count == 1
    with without(100, less):
        ((block, _, (_, _, l1, _)),) = distances(session, other, certified, broken)
    assert l1 > block.l1
