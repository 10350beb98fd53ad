"""One unit moves the exact bounded vector by no more than the plan's noise was made for.

Issue 2, point 3; docs/proofs/bounding.md is the proof. The plan's own statement runs on a real
engine with four threads, on D and on D less each unit. test_neighbour_faults.py takes the bounding
rules out of the engine one by one, and each time the same check fails.
"""

from __future__ import annotations

import datetime as dt

import e2e_neighbours as neighbours
import pytest
from e2e_shapes import PRICES, databases, queries, rules
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_shapes import MESSY, SHAPES

from dpsql.certify import certify
from dpsql.errors import RefusedQuery
from dpsql.pipeline.certify import claim

KINDS = {"row", "cap", "weights", "laplace", "gaussian", "private", "public", 1, 2, (1, 1), (2, 2)}


def hold(world, database, asked, bounds, price):
    """Assert it for every query; what kinds of plan there were."""
    world.load(database)
    policy = neighbours.policy(**bounds)
    stated = []
    for sql in asked:
        try:
            stated += world.state(sql, policy, epsilon=price[0], delta=price[1])
        except RefusedQuery as refusal:
            if refusal.code != "price-too-small":
                raise
    kinds = set()
    for plan, text in ((one.plan, one.text) for one in stated):
        # What is sound must not be refused either: that would be our fault (exit 70).
        certify(text, claim(plan), policy=policy, catalog=world.catalog)
        keys = "private" if plan.threshold is not None else "public"
        kinds |= {plan.strategy, plan.law, keys, *joint_degrees(plan), *pair_degrees(plan)}
    world.replay(stated)
    return kinds


def joint_degrees(plan):
    return {part.block.degree for part in plan.blocks if hasattr(part.block, "degree")}


def pair_degrees(plan):
    return {part.block.degrees for part in plan.blocks if hasattr(part.block, "degrees")}


def test_no_unit_moves_more_than_declared(neighbour_world):
    """The same 50 examples each time, and they reach every kind of plan."""
    reached = set()

    @settings(max_examples=50, derandomize=True)
    @given(databases(), st.lists(queries(), min_size=2, max_size=2), rules(), PRICES)
    def search(database, asked, bounds, price):
        reached.update(hold(neighbour_world, database, asked, bounds, price))

    search()
    assert reached >= KINDS


@pytest.mark.slow
@settings(max_examples=1000, derandomize=False)
@given(databases(rows=12), st.lists(queries(), min_size=2, max_size=4), rules(), PRICES)
def test_no_unit_moves_more_than_declared_at_length(
    neighbour_world, database, asked, bounds, price
):
    hold(neighbour_world, database, asked, bounds, price)


@pytest.mark.parametrize("name", SHAPES)
def test_every_plan_shape_holds(name, neighbour_world):
    sql, bounds, (epsilon, delta), kind = SHAPES[name]
    neighbour_world.load(MESSY)
    policy = neighbours.policy(**bounds)
    (plan,) = neighbour_world.check(sql, policy, epsilon=epsilon, delta=delta)
    assert (plan.strategy, plan.law, joint_degrees(plan)) == kind


@pytest.mark.parametrize("threads", [1, 4])
def test_many_rows_and_threads(threads):
    """60,000 rows in four threads: the other units' partials do not depend on who else is there."""
    world = neighbours.World.open(threads=threads)
    start = dt.datetime(2020, 1, 1)
    events = [
        (i % 1500, "wxyz"[i % 4], i * 0.37 % 9, i % 7, start + dt.timedelta(hours=i % 999))
        for i in range(60_000)
    ]
    events += [(5, kind, 8.0, 5, start) for kind in "wxyz" for _ in range(500)]
    world.load({**MESSY, "events": events})
    for sql in (
        "SELECT kind, COUNT(*), AVG(x), SUM(x) FILTER (WHERE n > 3) FROM events GROUP BY kind",
        "SELECT date_trunc('month', seen), VAR_SAMP(x) FROM events GROUP BY 1",
    ):
        for bounds in ({"max_groups": 2}, {"max_groups": 9, "per_unit": {"events": 3}}):
            world.check(sql, neighbours.policy(**bounds), units=[5, 6, 1499, 4242])
