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
