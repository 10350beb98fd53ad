"""The statements that the mutations start from: certified, and true when replayed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from certify_world import World
from statements_all import ALL

from dpsql.certify import Claim, certify
from dpsql.errors import InternalError


@pytest.mark.parametrize("name", ALL)
def test_statement_is_certified_and_replays_within_its_claim(world: World, name: str) -> None:
    statement = ALL[name]
    certify(statement.sql, statement.claim, policy=world.policy, catalog=world.catalog)
    assert world.excess(statement.sql, statement.claim) == []


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("figure", ["linf", "l0", "l1", "l2_squared"])
def test_a_claim_one_below_what_is_derived_is_refused(world: World, name: str, figure: str) -> None:
    statement = ALL[name]
    for index, block in enumerate(statement.claim.blocks):
        less = replace(block, **{figure: getattr(block, figure) - 1})
        blocks = list(statement.claim.blocks)
        blocks[index] = less
        claim = replace(statement.claim, blocks=tuple(blocks))
        with pytest.raises(InternalError) as caught:
            certify(statement.sql, claim, policy=world.policy, catalog=world.catalog)
        assert caught.value.code == "certify"


def _refused(world: World, name: str, claim: Claim) -> str:
    with pytest.raises(InternalError) as caught:
        certify(ALL[name].sql, claim, policy=world.policy, catalog=world.catalog)
    return str(caught.value)


def test_units_must_be_claimed_for_private_keys(world: World) -> None:
    claim = ALL["cap"].claim
    assert "selected" in _refused(world, "cap", replace(claim, units=None))
    assert "outputs" in _refused(world, "cap", replace(claim, units=None, cells=3))
    assert "groups" in _refused(world, "cap", replace(claim, max_groups_for_units=4))
    assert "groups" in _refused(world, "cap", replace(claim, max_groups_for_units=None))
    assert "counted" in _refused(
        world,
        "row",
        replace(
            ALL["row"].claim,
            units="b3_0",
            max_groups_for_units=1,
            blocks=ALL["row"].claim.blocks[:-1],
        ),
    )


def test_every_output_is_claimed_and_every_claim_is_an_output(world: World) -> None:
    claim = ALL["row"].claim
    assert "claimed" in _refused(world, "row", replace(claim, blocks=claim.blocks[:-1]))
    assert "claimed" in _refused(
        world, "row", replace(claim, blocks=(*claim.blocks, claim.blocks[0]))
    )
    assert "keys" in _refused(
        world,
        "row",
        replace(
            claim,
            keys=("b3_0",),
            blocks=(*claim.blocks[:-1], replace(claim.blocks[-1], columns=("k0",))),
        ),
    )
    fewer = replace(claim.blocks[2], columns=("b2_1", "b2_2", "b2_0"))
    blocks = (*claim.blocks[:2], fewer, claim.blocks[3])
    assert "certified" in _refused(world, "row", replace(claim, blocks=blocks))


def test_a_joint_basis_cannot_be_claimed_in_parts(world: World) -> None:
    """Coordinate by coordinate a joint basis may move by more than its row total."""
    claim = ALL["row"].claim
    first, second = claim.blocks[0].columns
    parts = (
        replace(claim.blocks[0], columns=(first,)),
        replace(claim.blocks[0], columns=(second,)),
        *claim.blocks[1:],
    )
    assert "alone" in _refused(world, "row", replace(claim, blocks=parts))


def test_fewer_public_cells_than_a_unit_touches_narrow_the_claim(world: World) -> None:
    weights = ALL["weights"]
    certify(
        weights.sql,
        replace(weights.claim, cells=3),
        policy=world.policy,
        catalog=world.catalog,
    )
    _refused(world, "weights", replace(weights.claim, cells=5))
    _refused(world, "weights", replace(weights.claim, cells=0))
