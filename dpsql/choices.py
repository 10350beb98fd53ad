"""What the choices of a statement found: the bounds of the plans that await them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpsql.answering import Known
from dpsql.found_bounds import FoundBound
from dpsql.mechanisms.bound_choice import BoundChoice, Cut, read
from dpsql.mechanisms.bound_size import margin
from dpsql.pipeline import storage
from dpsql.pipeline.stages import Planned
from dpsql.planning.held import barless, choice_law, enough_people
from dpsql.planning.resolved import resolved
from dpsql.planning.types import Awaited, Plan
from dpsql.wording import sought


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
