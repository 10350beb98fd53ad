"""Without its bounding rules the engine fails the check of test_neighbours.py, one by one."""

from __future__ import annotations

import contextlib

import e2e_neighbours as neighbours
import pytest
from e2e_shapes import PRICES, databases, queries, rules
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from neighbour_faults import FAULTS, FAULTY_SHAPES
from neighbour_shapes import MESSY

from dpsql.errors import RefusedQuery


@pytest.mark.parametrize("name", ["group cap", "joint scaling", "count cap", "NULL-unit filter"])
def test_generated_cases_find_the_fault(name, neighbour_world, monkeypatch):
    """The hypothesis test is no ornament: on a faulty engine it fails by itself."""
    tight = {"max_groups": 1} if name == "group cap" else {}
    FAULTS[name][0](monkeypatch)

    @settings(max_examples=150, derandomize=True, phases=[Phase.generate])
    @given(databases(), st.lists(queries(), min_size=2, max_size=2), rules(), PRICES)
    def search(database, asked, bounds, price):
        neighbour_world.load(database)
        for sql in asked:
            policy = neighbours.policy(**bounds | tight)
            with contextlib.suppress(RefusedQuery):
                neighbour_world.check(sql, policy, epsilon=price[0], delta=price[1])

    with pytest.raises((neighbours.Moved, neighbours.EngineError)):
        search()


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_rule_the_check_fails(name, neighbour_world, monkeypatch):
    fault, shape = FAULTS[name]
    sql, bounds, price = FAULTY_SHAPES[shape]
    neighbour_world.load(MESSY)

    def run():
        neighbour_world.check(sql, neighbours.policy(**bounds), epsilon=price[0], delta=price[1])

    try:
        run()  # with the rule it holds,
    except RefusedQuery as refusal:  # or the query is refused
        if refusal.code != "join-not-on-unit":
            raise
    fault(monkeypatch)
    with pytest.raises((neighbours.Moved, neighbours.EngineError)):
        run()
