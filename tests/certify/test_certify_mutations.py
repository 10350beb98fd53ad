"""Bounded statements broken by hand, one place at a time: each must be refused."""

from __future__ import annotations

import pytest
from certify_world import World
from mutations_bounds import BOUNDS
from mutations_given import GIVEN
from mutations_grammar import GRAMMAR
from mutations_having import HAVING
from mutations_late import LATE
from mutations_listed import LISTED
from mutations_narrow import NARROW
from mutations_pairs import PAIRS
from mutations_relations import RELATIONS
from mutations_steps import STEPS
from mutations_tallies import TALLIES
from mutations_units import UNITS
from mutations_windows import WINDOWS
from statements_all import ALL

from dpsql.certify import certify
from dpsql.errors import InternalError

LISTS = (
    BOUNDS,
    STEPS,
    UNITS,
    GRAMMAR,
    PAIRS,
    HAVING,
    RELATIONS,
    WINDOWS,
    LISTED,
    GIVEN,
    TALLIES,
    LATE,
    NARROW,
)
MUTATIONS = {name: mutation for part in LISTS for name, mutation in part.items()}


def test_the_lists_do_not_overlap() -> None:
    assert len(MUTATIONS) == sum(map(len, LISTS))


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_refused(world: World, name: str) -> None:
    which, old, new = MUTATIONS[name]
    statement = ALL[which]
    assert old in statement.sql
    broken = statement.sql.replace(old, new)
    with pytest.raises(InternalError) as caught:
        certify(broken, statement.claim, policy=world.policy, catalog=world.catalog)
    assert caught.value.code == "certify"
    assert "persons" not in str(caught.value)
