"""How each release of a statement came about: stored, kept for a retry, public, or drawn now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dpsql.binding.release_names import releases_of
from dpsql.dialects.sealed import Sealed, TypedTable
from dpsql.found_bounds import FoundBound
from dpsql.mechanisms.bound_choice import BoundChoice, Cut, read
from dpsql.mechanisms.bound_size import margin
from dpsql.pipeline import chains, repeats, storage
from dpsql.pipeline.stages import Order, Planned, Release
from dpsql.planning.held import barless, choice_law, enough_people
from dpsql.planning.resolved import resolved
from dpsql.planning.types import Awaited, Plan
from dpsql.report import AnsweredBy, Answering
from dpsql.wording import sought

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
    are told, too: so a retry finds all that its first attempt used (`remembered_with`).
    """
    names = {planned.fingerprints[before] for before in planned.bound.feeding(index)}
    if not names <= known.keys():
        return None
    fed_by = {one for name in names for one in (f"{name} {known[name].id}", *known[name].given)}
    return tuple(sorted(fed_by))


def remembered_with(attempt: Attempt | None, stored: Sequence[Found]) -> Sequence[Found]:
    """Of stored releases the one behind what an earlier attempt at this request drew."""
    if attempt is None:
        return stored
    told = [found for payload in attempt.payloads.values() if (found := storage.about(payload))]
    used = {given.partition(" ")[2] for one in told for given in one.given}
    return [found for found in stored if _id(found.paid.fingerprint, found.seq) in used] or stored


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


def with_bounds(planned: Planned, index: int, known: Known) -> Plan:
    """The plan with the bounds that its choices found; as it is, where it awaits none."""
    plan = planned.plans[index]
    if not plan.awaited:
        return plan
    cuts = [_cut(planned, one.place, known) for one in plan.awaited]
    found = resolved(plan, [cut.place for cut in cuts])
    return replace(found, barless=barless(plan, _laws(planned, plan.awaited), cuts))


def bounds_found(planned: Planned, index: int, known: Known, unit: str) -> tuple[FoundBound, ...]:
    """The bounds that were found for an aggregate, or by a choice itself, and whom they cut."""
    plan = planned.plans[index]
    awaited = plan.awaited if plan.choice is None else (Awaited(plan.choice, index),)
    told = []
    laws = _laws(planned, awaited)
    for one, law in zip(awaited, laws, strict=True):
        cut = _cut(planned, one.place, known)
        end = one.choice.end(cut.place)
        told.append(
            FoundBound(
                sought(one.choice.kind, one.choice.value, unit),
                float(-end if one.choice.kind == "low" else end),
                cut.within,
                cut.beyond,
                margin([law.epsilon]),
                enough_people(awaited, laws),
                cut.place == law.candidates - 1,
            )
        )
    return tuple(told)


def _laws(planned: Planned, awaited: Sequence[Awaited]) -> list[BoundChoice]:
    return [choice_law(planned.plans[one.place]) for one in awaited]


def _cut(planned: Planned, index: int, known: Known) -> Cut:
    """What a choice released."""
    form, plan = planned.forms[index], planned.plans[index]
    table = storage.restored(form, plan, known[form.fingerprint].release).table
    marks = dict(zip(*(table.column(name).to_pylist() for name in ("k0", "a0")), strict=True))
    return read([int(marks[place]) for place in range(len(marks))])


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
