"""Decimals in 64 bits on the real engine: the grid integer of each row, whatever it holds."""

from __future__ import annotations

import itertools
from decimal import Decimal

import duckdb
import pytest
from e2e_world import memory_session

PRICES = [None, *map(Decimal, "0.00 0.01 -0.01 999.99 1000.00 1000.01 9999999999999.99".split())]
PRICES += [Decimal("-9999999999999.99")]
SHARES = [None, *map(Decimal, "0.0000 1.0000 0.0001 -0.5000 99999999.9999 -99999999.9999".split())]
QUANTITIES = [None, 0, 1, -1, 50, 51, 2**31 - 1, -(2**31)]
FORMS = {
    "x": lambda x, s, n: x,
    "-x": lambda x, s, n: -x,
    "x * (1 - s)": lambda x, s, n: x * (1 - s),
    "x * n": lambda x, s, n: x * n,
    "x - 12.345 * n": lambda x, s, n: x - Decimal("12.345") * n,
    "(x + s) * 2": lambda x, s, n: (x + s) * 2,
}  # fmt: skip
LONG = "a * b * (1 - s)"


@pytest.fixture(scope="module")
def world():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (uid BIGINT, x DECIMAL(15,2), s DECIMAL(12,4), n INTEGER,"
                       " a DECIMAL(18,4), b DECIMAL(18,4))")  # fmt: skip
    columns = {
        "x": {"min": 0, "max": 1000},
        "s": {"min": 0, "max": 1},
        "n": {"min": 0, "max": 50},
        "a": {"min": 0, "max": 10**9},
        "b": {"min": 0, "max": 10**9},
    }
    policy = {
        "version": 1,
        "budgets": {"default": {"epsilon": 10, "delta": 1e-6}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"t": {"unit": "uid", "columns": columns}},
    }
    rows = [
        (uid, x, s, n, None, None)
        for uid, (x, s, n) in enumerate(itertools.product(PRICES, SHARES, QUANTITIES))
    ]
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
    session = memory_session(connection, policy, epsilon=1)
    yield connection, session, rows
    session.close()


def prepared(world, aggregate):
    _, session, _ = world
    with session.engine.snapshot():
        found = session.prepare(
            f"SELECT {aggregate} FROM t", None, dialect="duckdb", asked=session.asked
        )
    [certified] = found.certified
    [part] = [part for part in certified.plan.blocks if hasattr(part.block, "grid")]
    return certified.sql, part.block.grid


@pytest.mark.parametrize("form", FORMS)
def test_every_row_has_its_grid_integer(world, form):
    """Rows outside the ranges go the long way: the short one would be NULL or wrong there."""
    connection, _, rows = world
    sql, grid = prepared(world, f"SUM({form})")
    assert "TRY_CAST" in sql
    inner = sql[sql.index("(SELECT t0.") :]
    inner = inner[: inner.index(") AS r GROUP BY")] + ")"
    found = dict(connection.execute(f"SELECT u, v0 FROM {inner}").fetchall())
    for uid, x, s, n, _, _ in rows:
        try:
            exact = FORMS[form](x, s, n)
        except TypeError:
            exact = None
        steps = None if exact is None else int(exact * grid.unit.denominator)
        value = None if steps is None else min(max(steps, grid.lo), grid.hi)
        assert found[uid] == value, (form, x, s, n)


@pytest.mark.parametrize("form", FORMS)
def test_moments_are_shifted_alike(world, form):
    connection, _, _ = world
    sql, _ = prepared(world, f"AVG({form})")
    assert "BETWEEN" in sql
    (row,) = connection.execute(sql).fetchall()
    assert all(value is not None for value in row)


def test_what_is_long_anyway_has_one_form(world):
    sql, _ = prepared(world, f"SUM({LONG})")
    assert "TRY_CAST" not in sql
