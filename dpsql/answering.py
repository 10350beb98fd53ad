"""How each release of a statement came about: stored, kept for a retry, public, or drawn now."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from dpsql.pipeline import repeats, storage
from dpsql.pipeline.stages import Order, Planned, Release
from dpsql.planning.types import Plan
from dpsql.report import AnsweredBy, Answering

if TYPE_CHECKING:
    from dpsql.ledger import Release as StoredRelease
    from dpsql.ledger.requests import Attempt


@dataclass(frozen=True)
class Answered:
    """A release in its form's order, and how it came about."""

    release: Release
    how: Answering


def stored_answer(kept: repeats.Kept, plan: Plan) -> Answered:
    """A stored release as the answer to this plan."""
    about, found = kept.about, kept.found
    same = (about.epsilon, about.delta) == (plan.epsilon, plan.delta)
    how = Answering(
        "repeat" if same else "tighter",
        about.epsilon,
        about.delta,
        Fraction(0),
        Fraction(0),
        (*about.entries, found.seq),
        found.paid.events,
        about.threshold,
    )
    return Answered(storage.unpack(found.payload), how)


def retried(attempt: Attempt, plan: Plan, fingerprint: str) -> Answered | None:
    """What an earlier attempt at this request drew for the aggregate, averaged or not."""
    drawn = f"{fingerprint}+"  # with the entry it was averaged with
    for name, payload in attempt.payloads.items():
        if name == fingerprint or name.startswith(drawn):
            return Answered(storage.unpack(payload), free("repeat", plan))
    return None


def free(by: AnsweredBy, plan: Plan) -> Answering:
    return Answering(by, plan.epsilon, plan.delta, Fraction(0), Fraction(0), (), ())


def drawn_now(
    order: Order, planned: Planned, drawn: Release, seq: int
) -> tuple[Answered, StoredRelease]:
    """What was drawn in its form's order, and the bytes it is stored as."""
    from dpsql.ledger import Release as StoredRelease

    plan, form = planned.plans[order.index], planned.forms[order.index]
    entries = () if order.earlier is None else order.earlier.entries
    release = storage.laid(form, plan, drawn)
    site = planned.bound.sites[order.index]
    about = storage.describe(plan, form, release, site, entries)
    how = Answering(
        "release" if order.earlier is None else "mean",
        plan.epsilon,
        plan.delta,
        order.epsilon,
        order.delta,
        (*entries, seq),
        order.plan.items,
        about.threshold,
    )
    payload = storage.pack(about, release)
    return Answered(release, how), StoredRelease(order.fingerprint, payload)
