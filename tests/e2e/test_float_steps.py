"""The stepwise clamp of floats on the real engine: the grid integer of each value, no error."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import duckdb
import pytest
from e2e_world import memory_session

MAX, TINY = sys.float_info.max, 5e-324
LO, HI = -50.25, 1000.0
VALUES = [
    *(None, math.nan, math.inf, -math.inf, MAX, -MAX, TINY, -TINY, 0.0, -0.0, 1e308, -1e308),
    *(LO, math.nextafter(LO, -math.inf), math.nextafter(LO, math.inf)),
    *(HI, math.nextafter(HI, math.inf), math.nextafter(HI, -math.inf), 0.5, 999.99999999, 1 / 3),
]


@pytest.fixture(scope="module")
def world():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (uid BIGINT, x DOUBLE)")
    columns = {"x": {"min": LO, "max": HI}}
    policy = {
        "version": 1,
        "budgets": {"default": {"epsilon": 10, "delta": 1e-6}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 3},
        "tables": {"t": {"unit": "uid", "columns": columns}},
    }
    session = memory_session(connection, policy, epsilon=1)
    yield connection, session
    session.close()


def coordinates(world, sql, values):
    """The exact coordinates of one unit with these rows, and the plan's grid."""
    connection, session = world
    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
    [certified] = prepared.certified
    assert "BETWEEN" in certified.sql
    connection.execute("DELETE FROM t")
    connection.executemany("INSERT INTO t VALUES (1, ?)", [[value] for value in values])
    row = [int(value) for value in connection.execute(certified.sql).fetchone()]
    [part] = [part for part in certified.plan.blocks if hasattr(part.block, "grid")]
    return row, part.block.grid


def on_grid(value, grid):
    """The nearest grid integer (either one in a tie), the ends beyond them, None for no number."""
    if value is None or math.isnan(value) or math.isinf(value):
        return None
    return min(max(Fraction(value), Fraction(LO)), Fraction(HI)) / grid.unit


@pytest.mark.parametrize("value", VALUES)
def test_a_sum_alone(world, value):
    [total], grid = coordinates(world, "SELECT SUM(x) FROM t", [value])
    wanted = on_grid(value, grid) or 0
    assert abs(total - wanted) <= Fraction(1, 2)


@pytest.mark.parametrize("value", VALUES)
def test_moments(world, value):
    row, grid = coordinates(world, "SELECT AVG(x) FROM t", [value])
    wanted = on_grid(value, grid)
    if wanted is None:
        assert row == [0, 0]
    else:
        assert sum(row) == grid.span
        assert abs(row[1] - (wanted - grid.lo)) <= Fraction(1, 2)


def test_values_that_count_as_null_take_nothing_from_the_others(world):
    row, grid = coordinates(world, "SELECT AVG(x) FROM t", [None, math.nan, math.inf, 7.5])
    assert sum(row) == grid.span
    assert abs(row[1] - (Fraction("7.5") / grid.unit - grid.lo)) <= Fraction(1, 2)
