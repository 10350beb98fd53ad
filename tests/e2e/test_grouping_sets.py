"""GROUPING SETS: each set is a private aggregate, planned and priced as if asked alone."""

from __future__ import annotations

from fractions import Fraction

import e2e_neighbours as neighbours
import pytest
from neighbour_shapes import MESSY

from dpsql.canonical import canonical
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.sql.parser import parse

ROLLUP = "SELECT kind, n > 0 AS p, SUM(x), GROUPING(kind) FROM events GROUP BY ROLLUP (kind, n > 0)"
ALONE = (
    "SELECT kind, n > 0 AS p, SUM(x) FROM events GROUP BY kind, n > 0",
    "SELECT kind, SUM(x) FROM events GROUP BY kind",
    "SELECT SUM(x) FROM events",
)


def plans(world, sql):
    return world.plan(sql, neighbours.policy(max_groups=2))


def test_each_set_is_the_query_asked_alone(neighbour_world):
    """The same plan by name, hence the same events and price, and a free repeat of either."""
    neighbour_world.load(MESSY)
    sets = plans(neighbour_world, ROLLUP)
    alone = [plan for sql in ALONE for plan in plans(neighbour_world, sql)]
    assert [*map(canonical, sets)] == [*map(canonical, alone)]
    assert [plan.items for plan in sets] == [plan.items for plan in alone]
    assert sum(plan.epsilon for plan in sets) == 3 * Fraction(1)


def test_no_unit_moves_a_set_by_more_than_its_plan_says(neighbour_world):
    neighbour_world.load(MESSY)
    neighbour_world.check(ROLLUP, neighbours.policy(max_groups=2))


def test_equal_sets_are_one_release(neighbour_world):
    sql = "SELECT kind, COUNT(*) FROM events GROUP BY GROUPING SETS ((kind), (kind), (), ())"
    assert len(plans(neighbour_world, sql)) == 2


@pytest.mark.parametrize(
    ("clause", "sets"),
    [
        ("ROLLUP (kind, n)", 3),
        ("CUBE (kind, n)", 4),
        ("CUBE ((kind, n), x > 0)", 4),
        ("kind, ROLLUP (n)", 2),
        ("ROLLUP (kind), CUBE (n)", 4),
        ("GROUPING SETS (kind, ROLLUP (n), ())", 3),
        ("GROUPING SETS ((kind), (n >= 1, x IS NULL), ())", 3),
        ("GROUPING SETS (n BETWEEN 1 AND 2, kind IN ('x', 'y'))", 2),
        ("(kind, n)", 1),
        ("()", 1),
        ("CUBE (date_trunc('month', seen), n + 1 > 2 OR x > 0)", 4),
    ],
)
def test_the_sets_a_clause_stands_for(clause, sets, neighbour_world):
    sql = f"SELECT COUNT(*) FROM events GROUP BY {clause}"
    assert len(plans(neighbour_world, sql)) == sets


def test_with_rollup_is_read_in_its_dialect(neighbour_world):
    root = parse("SELECT kind, n, COUNT(*) FROM events GROUP BY kind, n WITH ROLLUP", "mysql")
    sql = root.sql("mysql")
    assert len(plans(neighbour_world, sql)) == 3


def test_a_total_row_is_told_from_a_group_without_a_key(wide_session):
    answer = wide_session.query(
        "SELECT city, GROUPING(city) AS total, COUNT(*) AS n FROM persons GROUP BY ROLLUP (city)"
    )
    missing = [row for row in answer.table.to_pylist() if next(iter(row.values())) is None]
    assert [tuple(row.values())[1:] for row in missing] == [(0, 40), (1, 200)]


def test_the_bars_of_every_set_are_shown(wide_session):
    answer = wide_session.query("SELECT city, AVG(income) FROM persons GROUP BY ROLLUP (city)")
    assert len(answer.privacy.columns[1].half_widths) == answer.table.num_rows == 6


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT pid, COUNT(*) FROM events GROUP BY ROLLUP (pid)", "unit-as-key"),
        ("SELECT COUNT(*) FROM events GROUP BY GROUPING SETS ((kind, pid), ())", "unit-as-key"),
        (
            "SELECT SUM(n) FROM events GROUP BY CUBE (kind, n, x, -n, n+1, n+2, seen)",
            "grouping-sets",
        ),
        ("SELECT GROUPING(x), COUNT(*) FROM events GROUP BY ROLLUP (kind)", "not-grouped"),
        ("SELECT x, COUNT(*) FROM events GROUP BY ROLLUP (kind)", "not-grouped"),
    ],
)
def test_refusals(sql, code, neighbour_world):
    with pytest.raises((RefusedQuery, InvalidQuery)) as caught:
        plans(neighbour_world, sql)
    assert caught.value.code == code
