"""Cells give the exact bounded sums that rows give under their salt, or they do not serve."""

from __future__ import annotations

import pytest
from kept_queries import NOT_SERVED, SERVED
from kept_world import rows, served

from dpsql.certify import certify
from dpsql.errors import RefusedQuery
from dpsql.pipeline.certify import claim
from dpsql.session import Session


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("epsilon", ["0.1", "4"])
def test_cells_give_what_rows_give(opened: Session, name: str, epsilon: str) -> None:
    found = served(opened, SERVED[name], epsilon)
    cells = opened.cells.engine
    assert found.offer is not None
    assert cells is not None
    assert "visits" not in found.kept
    own = rows(opened.engine.fetch(found.own), found.plan)
    kept = rows(cells.fetch(found.kept), found.plan)
    assert own == kept
    assert len(own) > 0


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_cells_do_not_hold_is_read_from_rows(opened: Session, name: str) -> None:
    try:
        found = served(opened, NOT_SERVED[name])
    except RefusedQuery:
        pytest.skip("refused with these bounds")
    if name == "fewer rows" and found.plan.bounds.max_rows_per_unit is None:
        lowered = opened.policy.bounds.max_rows_per_group != 1
        assert (found.offer is None) == lowered
        return
    assert found.offer is None


@pytest.mark.parametrize("name", SERVED)
def test_the_plan_knows_nothing_of_cells(opened: Session, name: str) -> None:
    """Same price, same noise; and the statement over rows is certified as ever."""
    found = served(opened, SERVED[name])
    told = claim(found.plan)
    certify(found.own, told, policy=opened.policy, catalog=opened.engine.catalog())
    assert found.offer is not None
    same = served(opened, SERVED[name])
    assert (same.plan, same.own) == (found.plan, found.own)


def test_two_statements_without_cells_have_two_salts(opened: Session) -> None:
    """Else the test above would hold for any query."""
    query = "SELECT tag, COUNT(*) FROM visits WHERE amount > 5 GROUP BY tag"
    first, second = served(opened, query), served(opened, query)
    assert first.plan == second.plan
    assert (first.own == second.own) == (first.plan.bounds.max_groups is None)
