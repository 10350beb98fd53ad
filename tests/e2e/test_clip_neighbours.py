"""No unit moves the counts of OPTIONS(clip_estimate = true) by more than their noise was made for.

As test_neighbours.py: the plan's own statement on D and on D less each unit, certified as well.
"""

from __future__ import annotations

import pytest
from neighbour_shapes import MESSY
from test_neighbours import hold

OPTION = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(clip_estimate = true)"
QUERIES = (
    f"{OPTION} SUM(income), AVG(age) FROM persons",
    f"{OPTION} city, SUM(income) FILTER (WHERE vip) FROM persons GROUP BY city",
    f"{OPTION} kind, AVG(cost), VAR_POP(score) FROM visits GROUP BY kind",
    f"{OPTION} kind, CORR(x, n), MEDIAN(n) FROM events GROUP BY kind",
    f"{OPTION} SUM(n * 2) FROM events",
)


@pytest.mark.parametrize("price", [(1.0, 1e-6), (1.0, 1e-30)])
def test_no_unit_moves_the_counts_by_more_than_declared(neighbour_world, price):
    for bounds in ({}, {"max_rows": 1, "max_groups": 1}):
        assert hold(neighbour_world, MESSY, QUERIES, bounds, price)
