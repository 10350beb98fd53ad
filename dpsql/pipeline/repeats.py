"""What of a budget's stored releases answers a private aggregate, and what must be drawn anew.

Decided by the plan, the ledger and nothing else. Of one question (the same relation, keys, bounds,
strategy and grids: `canonical.Form.question`) a budget may hold several releases. In this order:

* the one of the same (ε, δ): a repeat, the same bytes, free;
* the least noisy of those that are no noisier: under the same law no block's scale is larger and,
  where keys are private, neither ε nor δ is smaller. Free, and better than what was asked;
* with Gaussian noise over public keys and no cap on a unit's groups, then and now, the least noisy
  of those that are noisier: it is averaged with one more draw, which costs less than a release
  alone (`mechanisms/means`). Not in a chain, whose steps may break ties otherwise now;
* none: a release at full price.

What feeds a chain is first looked for among what fed it when it was paid (`answering.used_before`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from dpsql.accountant.calibrate import gaussian_epsilon
from dpsql.canonical import Form
from dpsql.canonical.labels import digest
from dpsql.core.walk import steps
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.means import complement, mean_of
from dpsql.pipeline.stages import Earlier, Order
from dpsql.pipeline.storage import About, about, restored_coords, unpack
from dpsql.planning.answer_types import noise_scale
from dpsql.planning.types import Plan

if TYPE_CHECKING:
    from dpsql.ledger.releases import Found


@dataclass(frozen=True)
class Kept:
    """A stored release, and what is known of it."""

    found: Found
    about: About


def answer(
    index: int, plan: Plan, form: Form, stored: Sequence[Found], given: tuple[str, ...] | None = ()
) -> Kept | Order:
    """The stored release that answers the plan for nothing, or what is to be drawn for it.

    `stored`: the budget's releases of the form's question, oldest first. `given`: the very releases
    that feed the plan in a chain: only what was made with them answers. None: one is not drawn yet.
    """
    known = [
        Kept(one, told)
        for one in stored
        if (told := about(one.payload)) is not None and told.given == given
    ]
    scales = tuple(noise_scale(plan.blocks[place]) for place in form.blocks)
    asked = (plan.epsilon, plan.delta)
    for one in known:
        if (one.about.epsilon, one.about.delta) == asked:
            return one
    finer = [one for one in known if _no_noisier(one.about, plan, scales)]
    if finer:
        return min(finer, key=_noise)
    coarser = [one for one in known if _to_be_averaged(one.about, plan, scales)]
    if coarser:
        return _averaged(index, plan, form, min(coarser, key=_noise))
    return Order(index, _name(form, given, stored), plan, plan.epsilon, plan.delta)


def _name(form: Form, given: tuple[str, ...] | None, stored: Sequence[Found]) -> str:
    """What the release is entered and stored under: with others feeding it, it is another.

    Where what feeds it is drawn under the same charge, that charge tells them together; from those
    that were fed by others before, it is told by the newest of them.
    """
    if given is None and stored:
        given = ("after", str(max(one.seq for one in stored)))
    return f"{form.fingerprint}~{digest(' '.join(given))[:16]}" if given else form.fingerprint


def _noise(one: Kept) -> tuple[tuple[Fraction, ...], Fraction]:
    """What the least noisy comes first by: blocks, then (for keys alone) the price."""
    return one.about.scales, -one.about.epsilon


def _no_noisier(told: About, plan: Plan, scales: tuple[Fraction, ...]) -> bool:
    if told.law != plan.law or not all(a <= b for a, b in zip(told.scales, scales, strict=True)):
        return False
    # What is read apart has no scale here: under one law it is the better, the larger ε and δ are.
    selects = plan.threshold is not None or plan.apart
    return not selects or (told.epsilon >= plan.epsilon and told.delta >= plan.delta)


def _to_be_averaged(told: About, plan: Plan, scales: tuple[Fraction, ...]) -> bool:
    gaussian = told.law == plan.law == "gaussian" and plan.threshold is None
    if any(True for _ in steps(plan.aggregate)):
        return False
    if plan.bounds.max_groups is not None or plan.apart:
        return False  # each statement keeps other groups of a unit (a fresh salt): other sums
    kept = told.refined is not None and bool(scales)
    return gaussian and kept and all(a > b for a, b in zip(told.scales, scales, strict=True))


def _averaged(index: int, plan: Plan, form: Form, kept: Kept) -> Order:
    """One more draw of the plan's blocks, as noisy as an average with the stored one allows.

    Its price alone is that of its own events: (ε, δ) with δ as asked and the least ε (rounded up)
    at which a Gaussian release of Σ L2²/s'² is private.
    """
    drawn = unpack(kept.found.payload).drawn
    assert drawn is not None, "coordinates are kept where the unit says so"
    here = restored_coords(form, plan, drawn)
    blocks, means, square = [], [], Fraction(0)
    for part, earlier in zip(plan.blocks, here.scales, strict=True):
        sigma = complement(earlier, noise_scale(part))
        assert isinstance(part.mechanism, GaussianMechanism), "averages are of Gaussian draws"
        mechanism = replace(part.mechanism, sigma=sigma)
        blocks.append(replace(part, mechanism=mechanism))
        means.append(mean_of(earlier, sigma))
        square += 1 / mechanism.noise_multiplier**2
    items = tuple(item for part in blocks for item in part.mechanism.items)
    entries = (*kept.about.entries, kept.found.seq)
    return Order(
        index,
        f"{form.fingerprint}+{kept.found.seq}",
        replace(plan, blocks=tuple(blocks), items=items),
        gaussian_epsilon(square, plan.delta),
        plan.delta,
        Earlier(here.coords, here.refined, tuple(means), entries),
    )
