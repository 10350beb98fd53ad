"""HAVING on a count of people costs nothing where keys are chosen by that very count."""

from __future__ import annotations

import e2e_neighbours as neighbours
import pytest
from neighbour_shapes import MESSY

FREE = [
    "SELECT city FROM persons GROUP BY city HAVING COUNT(*) > 30",
    "SELECT city, COUNT(*) AS n FROM persons GROUP BY city HAVING COUNT(*) >= 30 ORDER BY n",
    "SELECT city FROM persons GROUP BY city HAVING COUNT(DISTINCT pid) > 5",
    "SELECT kind FROM events GROUP BY kind HAVING COUNT(DISTINCT pid) > 5",
]
PAID = [
    ("SELECT kind FROM events GROUP BY kind HAVING COUNT(*) > 5", 1),
    ("SELECT kind, COUNT(*), AVG(n) FROM events GROUP BY kind HAVING COUNT(*) > 5", 2),
    ("SELECT city FROM persons GROUP BY city HAVING COUNT_IF(age > 30) > 5", 1),
]


def plan(world, sql):
    world.load(MESSY)
    (found,) = world.plan(sql, neighbours.policy(max_groups=2))
    return found


@pytest.mark.parametrize("sql", FREE)
def test_the_thresholds_own_count_decides(sql, neighbour_world):
    """The only event is the choice of keys, at the price of the query without HAVING."""
    found = plan(neighbour_world, sql)
    assert found.blocks == ()
    assert found.threshold is not None
    assert list(found.items) == list(found.threshold.items)


@pytest.mark.parametrize(("sql", "blocks"), PAID)
def test_other_counts_are_paid_once(sql, blocks, neighbour_world):
    """A person's several rows are no count of people; HAVING and SELECT share one draw."""
    assert len(plan(neighbour_world, sql).blocks) == blocks


SHOWN = [
    ("SELECT kind, COUNT(*) AS n FROM events GROUP BY kind", "n > 5", "COUNT(*) > 5"),
    ("SELECT kind, SUM(n) AS s FROM events GROUP BY kind", "s > 5", "SUM(n) > 5 AND SUM(n) < 99"),
]


@pytest.mark.parametrize(("sql", "alias", "call"), SHOWN)
def test_having_uses_what_is_shown(sql, alias, call, neighbour_world):
    """The released noisy value decides: the same draws at the same price, by either name."""
    without = plan(neighbour_world, sql)
    for having in (alias, call):
        found = plan(neighbour_world, f"{sql} HAVING {having}")
        assert found.blocks == without.blocks
        assert list(found.items) == list(without.items)


def test_distinct_keys_are_a_choice_of_groups(neighbour_world):
    """SELECT DISTINCT pays for the keys alone, and so does counting them."""
    sql = "SELECT DISTINCT city FROM persons"
    found = plan(neighbour_world, sql)
    assert found.blocks == ()
    assert found.threshold is not None
    assert list(plan(neighbour_world, f"SELECT COUNT(*) FROM ({sql}) t").items) == list(found.items)
