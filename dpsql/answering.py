"""How each release of a statement came about: stored, kept for a retry, public, or drawn now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dpsql.binding.release_names import releases_of
from dpsql.dialects.sealed import Sealed, TypedTable
from dpsql.pipeline import chains, execute, perturb, repeats, storage
from dpsql.pipeline.stages import Order, Planned, Release
from dpsql.planning.types import Plan
from dpsql.report import AnsweredBy, Answering

if TYPE_CHECKING:
    from dpsql.ledger import Release as ReleasedBytes
    from dpsql.ledger.releases import Found
    from dpsql.ledger.requests import Attempt


@dataclass(frozen=True)
class Answered:
    """A release in its form's order, how it came about, and which of all releases it is.

    `given`: the releases that fed it, in a chain, and those that fed these.
    """

    release: Release
    how: Answering
    id: str
    given: tuple[str, ...] = ()

    @property
    def entry(self) -> int | None:
        """The charge that paid for it; None where nothing was drawn."""
        seq = self.id.rpartition("@")[2]
        return int(seq) if seq.isdigit() else None


Known = Mapping[str, Answered]
"""The releases of a statement that are there, by fingerprint."""


def fed(planned: Planned, index: int, known: Known) -> tuple[str, ...] | None:
    """The very releases that feed a private aggregate; None where one is yet to be drawn.

    An answer stands for a question only with the releases that it was made with. Those behind them
    are told, too: so a retry finds all that its first attempt used (`used_before`).
    """
    names = {planned.fingerprints[before] for before in planned.bound.feeding(index)}
    if not names <= known.keys():
        return None
    fed_by = {one for name in names for one in (f"{name} {known[name].id}", *known[name].given)}
    return tuple(sorted(fed_by))


def used_before(
    planned: Planned, attempt: Attempt | None, paid: Mapping[str, Sequence[Found]]
) -> Collection[str]:
    """The releases that fed what an earlier attempt drew; else those of the chains that are `paid`.

    What answered with them answers again only with them, even where finer ones were bought since.
    """
    payloads = () if attempt is None else attempt.payloads.values()
    used = {id for payload in payloads for id in _fed_by(storage.about(payload))}
    if used:
        return used
    followed: set[int] = set()
    for index in reversed(planned.bound.order):  # what is fed comes before what feeds it
        plan, before = planned.plans[index], planned.bound.feeding(index)
        if index not in followed and before:
            for found in paid.get(planned.forms[index].question, ()):
                told = storage.about(found.payload)
                if told is not None and (told.epsilon, told.delta) == (plan.epsilon, plan.delta):
                    used |= _fed_by(told)
                    followed.add(index)
                    break
        if index in followed:
            followed.update(before)
    return used


def _fed_by(told: storage.About | None) -> set[str]:
    """The ids of the releases that fed one, and that fed these."""
    return set() if told is None else {given.partition(" ")[2] for given in told.given}


def _id(fingerprint: str, seq: int | None) -> str:
    return f"{fingerprint}@{seq}"


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
    id = _id(found.paid.fingerprint, found.seq)
    return Answered(storage.unpack(found.payload), how, id, about.given)


def retried(
    attempt: Attempt, plan: Plan, fingerprint: str, given: tuple[str, ...] | None
) -> Answered | None:
    """What an earlier attempt at this request drew for the aggregate, averaged or not.

    `given`: the releases that feed it, as of now: others made another answer.
    """
    drawn = (f"{fingerprint}~", f"{fingerprint}+")  # by what fed it, by what it was averaged with
    for name, payload in attempt.payloads.items():
        if name == fingerprint or name.startswith(drawn):
            about = storage.about(payload)
            if about is None or about.given == given:
                how, id = free("repeat", plan), _id(name, attempt.charge)
                return Answered(storage.unpack(payload), how, id, given or ())
    found = attempt.found.get(fingerprint)
    return None if found is None else _found_answer(found, plan, given)


def _found_answer(found: Found, plan: Plan, given: tuple[str, ...] | None) -> Answered | None:
    """A stored release as the answer to this plan; None if kept by a dpsql that told less of it.

    None, too, if other releases fed it than those that are `given` now.
    """
    about = storage.about(found.payload)
    if about is None or about.given != given:
        return None
    return stored_answer(repeats.Kept(found, about), plan)


def first_answers(
    planned: Planned, stands: Mapping[str, Found], mine: Mapping[str, Found], known: Known
) -> dict[str, Answered]:
    """What another attempt at this request, recorded before this one, answered for nothing."""
    found: dict[str, Answered] = {}
    for index in planned.bound.order:
        name = planned.fingerprints[index]
        if name in stands and stands[name] != mine.get(name):
            given = fed(planned, index, {**known, **found})
            first = _found_answer(stands[name], planned.plans[index], given)
            if first is not None:
                found[name] = first
    return found


def free(by: AnsweredBy, plan: Plan) -> Answering:
    return Answering(by, plan.epsilon, plan.delta, Fraction(0), Fraction(0), (), ())


def public_answer(plan: Plan, release: Release) -> Answered:
    """Public keys alone: nothing was drawn."""
    return Answered(release, free("public", plan), "public")


@dataclass(frozen=True)
class Decided:
    """The releases of a statement: those that there are, by fingerprint, and those to be charged.

    `stored`: of those that there are, the ones that an earlier question paid for.
    """

    known: dict[str, Answered]
    stored: dict[str, Found]
    orders: list[Order]


def decided(
    planned: Planned, attempt: Attempt | None, paid: Mapping[str, Sequence[Found]]
) -> Decided:
    """What is to be drawn anew: nothing that is public, kept for a retry, or `paid` for already."""
    known: dict[str, Answered] = {}
    stored: dict[str, Found] = {}
    used = used_before(planned, attempt, paid)
    orders: dict[str, Order] = {}  # equal aggregates of a statement share one draw
    for index in planned.bound.order:
        one, form = planned.plans[index], planned.forms[index]
        if form.fingerprint in known or form.fingerprint in orders:
            continue
        if not one.items:  # public keys alone: nobody's row is read, nothing is charged
            release = storage.laid(form, one, perturb.run(one, execute.nothing(one)))
            known[form.fingerprint] = public_answer(one, release)
            continue
        given = fed(planned, index, known)
        if attempt is not None and (kept := retried(attempt, one, form.fingerprint, given)):
            known[form.fingerprint] = kept
            continue
        candidates = paid.get(form.question, ())
        first = [found for found in candidates if _id(found.paid.fingerprint, found.seq) in used]
        answer = repeats.answer(index, one, form, first, given)
        if isinstance(answer, Order):
            answer = repeats.answer(index, one, form, candidates, given)
        if isinstance(answer, Order):
            orders[form.fingerprint] = answer
        else:
            known[form.fingerprint] = stored_answer(answer, one)
            stored[form.fingerprint] = answer.found
    return Decided(known, stored, list(orders.values()))


def drawn_now(
    order: Order,
    planned: Planned,
    drawn: Release,
    seq: int,
    given: tuple[str, ...],
    *,
    whole: bool,
) -> tuple[Answered, ReleasedBytes | str]:
    """What was drawn in its form's order, and the bytes it is stored as; else their hash."""
    from dpsql.ledger import Release as ReleasedBytes

    plan, form = planned.plans[order.index], planned.forms[order.index]
    entries = () if order.earlier is None else order.earlier.entries
    release = storage.laid(form, plan, drawn)
    site = planned.bound.sites[order.index]
    about = storage.describe(plan, form, release, site, entries, given)
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
    answered = Answered(release, how, _id(order.fingerprint, seq), given)
    if not whole:
        return answered, storage.digest(about, release)
    return answered, ReleasedBytes(order.fingerprint, storage.pack(about, release))


@dataclass
class Steps:
    """What the releases of a statement give to one another, each step made once."""

    planned: Planned
    known: Known
    public: Mapping[str, TypedTable]
    sealed: Sealed
    _made: dict[int, dict[str, Any]] = field(default_factory=dict)

    def given(self, index: int) -> dict[str, Any]:
        """The parameters of a private aggregate's statement. EngineFailed as `chains.given`."""
        found: dict[str, Any] = {}
        for at in self.planned.bound.read_by(index):
            if at not in self._made:
                step = self.planned.bound.steps[at]
                read = {before: self._release(before) for before in releases_of(step.query)}
                self._made[at] = chains.given(step, at, read, self.public, self.sealed)
            found |= self._made[at]
        return found

    def _release(self, index: int) -> Release:
        plan, form = self.planned.plans[index], self.planned.forms[index]
        return storage.restored(form, plan, self.known[form.fingerprint].release)
