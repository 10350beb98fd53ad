"""The statements of histograms: certified as they are, refused when broken in one place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from certify_world import HOSTILE, World
from histogram_statements import MUTATIONS, STATEMENTS

from dpsql.certify import HistogramClaim, certify_histogram
from dpsql.errors import InternalError


def check(world: World, sql: str, claim: HistogramClaim) -> None:
    certify_histogram(sql, claim, policy=world.policy, catalog=world.catalog)


def weights(world: World, sql: str, unit: int | None) -> dict[tuple[object, ...], int]:
    rows = world.without[unit].execute(sql).fetchall()
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_certified_and_replays_within_its_claim(world: World, name: str) -> None:
    statement = STATEMENTS[name]
    claim = statement.claim
    check(world, statement.sql, claim)
    whole = weights(world, statement.sql, None)
    assert whole
    assert all(0 <= key[-1] < claim.bins for key in whole)  # type: ignore[operator]
    reached = 0
    for unit in HOSTILE:
        less = weights(world, statement.sql, unit)
        moved: dict[object, int] = defaultdict(int)
        for key in {*whole, *less}:
            step = whole.get(key, 0) - less.get(key, 0)
            assert step >= 0, "a unit adds weight, it takes none away"
            moved[key[:-1]] += step
        found = [step for step in moved.values() if step]
        assert len(found) <= claim.groups
        assert max(found, default=0) <= claim.most
        reached = max([reached, *found])
    assert reached > 0.9 * claim.most


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("figure", ["bins", "most", "groups"])
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


def test_public_cells_and_keys_of_the_unit_limit_the_groups(world: World) -> None:
    """Without a cap: by the public domain, or where the key is the same in all rows of a unit."""
    cap = STATEMENTS["cap"]
    uncapped = cap.sql.replace(" WHERE rn <= 5", "")
    check(world, uncapped, replace(cap.claim, cells=5))
    with pytest.raises(InternalError):
        check(world, uncapped, replace(cap.claim, cells=6))
    by_unit = uncapped.replace('t0."drug" AS k0', 't2."city" AS k0').replace(
        "WHERE NOT t1",
        'JOIN "main"."persons" AS t2 ON t1."person_id" = t2."id" WHERE NOT t1',
    )
    check(world, by_unit, replace(cap.claim, groups=1))


def test_outputs_are_those_claimed(world: World) -> None:
    row = STATEMENTS["row"]
    for changed in (
        {"keys": ()},
        {"keys": ("k0", "k1")},
        {"bin": "k0"},
        {"weight": "bin"},
        {"weight": "other"},
    ):
        with pytest.raises(InternalError):
            check(world, row.sql, replace(row.claim, **changed))
