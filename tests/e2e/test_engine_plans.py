"""How the engine runs bounded statements: what it must not do slowly, and that it stays exact."""

from __future__ import annotations

import duckdb
import pytest
from e2e_world import memory_session

LO, HI = -(2.0**30), 2.0**52


@pytest.fixture(scope="module")
def world():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE people (uid BIGINT PRIMARY KEY, sex VARCHAR, x DOUBLE)")
    connection.execute(f"INSERT INTO people SELECT range, 'f', {HI} FROM range(400000)")
    connection.execute("UPDATE people SET sex = 'unlisted-' || uid WHERE uid < 1000")
    connection.execute("UPDATE people SET sex = NULL WHERE uid BETWEEN 1000 AND 1009")
    connection.execute(
        f"CREATE TABLE t AS SELECT 1 AS uid, 1 AS k, {HI}::DOUBLE AS x, 1.5::DOUBLE AS y"
    )
    connection.execute(f"INSERT INTO t SELECT range, range % 7, {HI}, range % 9 FROM range(5000)")
    rule = {"min": LO, "max": HI}
    policy = {
        "version": 1,
        "budgets": {"default": {"epsilon": 10, "delta": 1e-6}},
        "bounds": {"max_groups": 2, "max_rows_per_group": 3},
        "tables": {
            "people": {"unit": "uid", "columns": {"x": rule, "sex": {"values": ["f", "m"]}}},
            "t": {
                "unit": "uid",
                "columns": {"x": rule, "y": {"min": 1, "max": 8}, "k": {"min": 0, "max": 6}},
            },
        },
    }
    session = memory_session(connection, policy, epsilon=1)
    yield connection, session
    session.close()


def certified(world, sql):
    _, session = world
    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=session.asked)
    [found] = prepared.certified
    return found


def engine_plan(world, sql):
    connection, _ = world
    return connection.execute(f"EXPLAIN {certified(world, sql).sql}").fetchone()[1]


def test_the_group_cap_stays_a_window(world):
    """Rewritten into arg_min, it takes several times as long and spills."""
    plan = engine_plan(world, "SELECT k, SUM(y), COUNT(*) FROM t GROUP BY k")
    assert "Window" in plan
    assert "arg_min" not in plan


@pytest.mark.parametrize("sql", ["SELECT SUM(y) FROM t", "SELECT AVG(y) FROM t"])
def test_sums_of_floats_are_of_64_bits_where_these_are_enough(world, sql):
    assert "sum_no_overflow" in engine_plan(world, sql)


def test_sums_beyond_64_bits_are_exact(world):
    connection, _ = world
    found = certified(world, "SELECT VAR_POP(CAST(x / 8388608 AS BIGINT)) FROM people")
    [part] = found.plan.blocks
    squares = part.block.grid.span**2 * 400_000
    assert squares > 2**64
    assert connection.execute(found.sql).fetchone() == (0, 0, squares)


def test_one_row_a_unit_is_grouped_before_keys_outside_the_domain_are_dropped(world):
    connection, _ = world
    found = certified(world, "SELECT sex, COUNT(*), SUM(x) FROM people GROUP BY sex")
    assert found.plan.strategy == "row"
    plan = connection.execute(f"EXPLAIN {found.sql}").fetchone()[1]
    assert "Filters" not in plan
    rows = {row[0]: row for row in connection.execute(found.sql).fetchall()}
    assert set(rows) == {"f", None}  # nothing of the others leaves the engine
    assert 398_990 in rows["f"]
    assert 10 in rows[None]


def test_squares_of_floats_are_summed_in_64_bits_and_all_rows_counted_as_they_are(world):
    """Both make four aggregates of a SELECT cheap beside one (benchmarks/latency.py)."""
    sql = "SELECT k, SUM(y), COUNT(*), AVG(y), VAR_POP(y) FROM t GROUP BY k"
    text = certified(world, sql).sql
    assert "COUNT(*) AS n" in text
    assert "COUNT(v1)" not in text
    plan = engine_plan(world, sql)
    cells = plan[plan.rindex("Hash Group By") :]  # next to the scan
    assert cells.count("sum_no_overflow") == 2
