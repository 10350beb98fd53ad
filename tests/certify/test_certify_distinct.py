"""The statements of distinct values: certified as they are, refused when broken in one place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from certify_world import HOSTILE, World
from distinct_statements import MUTATIONS, STATEMENTS

from dpsql.certify import DistinctClaim, certify_distinct
from dpsql.errors import InternalError


def check(world: World, sql: str, claim: DistinctClaim) -> None:
    certify_distinct(sql, claim, policy=world.policy, catalog=world.catalog)


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_certified_and_replays_within_its_claim(world: World, name: str) -> None:
    """Without a unit its rows are gone, all others are as they were."""
    statement = STATEMENTS[name]
    claim = statement.claim
    check(world, statement.sql, claim)
    whole = set(world.without[None].execute(statement.sql).fetchall())
    assert whole
    reached = 0
    for unit in HOSTILE:
        less = set(world.without[unit].execute(statement.sql).fetchall())
        assert less <= whole
        gone: dict[object, list[object]] = defaultdict(list)
        for row in whole - less:
            gone[row[:-2]].append(row[-1])
        assert len({row[-2] for row in whole - less}) <= 1  # one pseudonym
        assert len(gone) <= claim.groups
        assert all(len(values) == len(set(values)) <= claim.most for values in gone.values())
        reached = max([reached, *map(len, gone.values())])
    assert reached == claim.most


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("figure", ["most", "groups"])
def test_a_claim_one_below_what_is_derived_is_refused(world: World, name: str, figure: str) -> None:
    statement = STATEMENTS[name]
    less = replace(statement.claim, **{figure: getattr(statement.claim, figure) - 1})
    with pytest.raises(InternalError) as caught:
        check(world, statement.sql, less)
    assert caught.value.code == "certify"


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_is_refused(world: World, name: str) -> None:
    which, old, new = MUTATIONS[name]
    statement = STATEMENTS[which]
    assert old in statement.sql
    with pytest.raises(InternalError) as caught:
        check(world, statement.sql.replace(old, new), statement.claim)
    assert caught.value.code == "certify"
    assert "persons" not in str(caught.value)


def test_public_cells_limit_the_groups(world: World) -> None:
    cap = STATEMENTS["cap"]
    uncapped = cap.sql.replace(" AND rn <= 5", "")
    check(world, uncapped, replace(cap.claim, cells=5))
    with pytest.raises(InternalError):
        check(world, uncapped, replace(cap.claim, cells=6))


def test_outputs_are_those_claimed(world: World) -> None:
    cap = STATEMENTS["cap"]
    for changed in (
        {"keys": ()},
        {"keys": ("k0", "k1")},
        {"unit": "k0"},
        {"value": "unit"},
        {"unit": "item", "value": "unit"},
    ):
        with pytest.raises(InternalError):
            check(world, cap.sql, replace(cap.claim, **changed))


def test_a_key_can_be_what_is_counted(world: World) -> None:
    cap = STATEMENTS["cap"]
    one = cap.sql.replace('t0."qty" AS v', 't0."drug" AS v')
    check(world, one, cap.claim)
