"""Margins that the budget paid for before: they join a statement that asks for its totals.

Which ones enter is settled when the statement is first paid for, and never changes: of each set of
its keys the least noisy release with the same aggregates that stands in the ledger *before* the
statement's own newest one. The ledger only grows and a repeat is answered by the same releases, so
a later one, which has a later entry, cannot change an earlier answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from dpsql.canonical import Form, canonical
from dpsql.consistency.families import Mode, mode_of
from dpsql.core.walk import steps
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.pipeline.stages import Planned, Release
from dpsql.pipeline.storage import about, restored, unpack
from dpsql.planning.keys import PublicValues
from dpsql.planning.plan import PublicRows, make_plan
from dpsql.planning.types import Plan
from dpsql.policy.schema import Policy

if TYPE_CHECKING:
    from dpsql.ledger.releases import Found

MAX_KEYS = 4
"""Of a release whose margins are looked for."""


@dataclass(frozen=True)
class Margin:
    """What a margin of the release `of` would be planned as."""

    of: int
    plan: Plan
    form: Form


def margins(
    planned: Planned,
    policy: Policy,
    usual: Mode,
    public_values: PublicValues,
    public_rows: PublicRows,
) -> list[Margin]:
    """The margins of a statement's releases that it does not ask for itself."""
    known = {form.question for form in planned.forms}
    found: list[Margin] = []
    for index, plan in enumerate(planned.plans):
        if plan.choice is not None or plan.awaited:  # no table of answers, or bounds of its own
            continue
        whole = plan.items and plan.public_keys and len(plan.keys) <= MAX_KEYS
        asked = mode_of(plan, usual) in ("additive", "consistent")
        if not (whole and asked) or any(True for _ in steps(plan.aggregate)):
            continue
        keys = plan.aggregate.keys
        for size in range(len(keys)):
            for chosen in combinations(keys, size):
                named = tuple(replace(key, name=f"k{at}") for at, key in enumerate(chosen))
                aggregate = replace(plan.aggregate, keys=named)
                try:
                    made = make_plan(
                        aggregate,
                        policy,
                        epsilon=plan.epsilon,
                        delta=plan.delta,
                        public_values=public_values,
                        public_rows=public_rows,
                    )
                except (RefusedQuery, InvalidQuery):  # it could not be asked, so it was not
                    continue
                form = canonical(made)
                if form.question not in known:
                    known.add(form.question)
                    found.append(Margin(index, made, form))
    return found


def joined(
    planned: Planned,
    drawn: Sequence[Release],
    shown: Sequence[Release],
    found: Sequence[Margin],
    stored: Mapping[str, Sequence[Found]],
    before: int,
) -> tuple[Planned, list[Release], list[Release]]:
    """The statement with the margins behind its own releases. `before`: its newest entry."""
    plans, forms = [*planned.plans], [*planned.forms]
    sites, private = [*planned.bound.sites], [*planned.bound.private]
    tables, rows = [*drawn], [*shown]
    for margin in found:
        fit = [
            (told, one)
            for one in stored.get(margin.form.question, ())
            if one.seq < before and (told := about(one.payload)) is not None
            if told.refined is not None and told.law == margin.plan.law and not told.given
        ]
        if not fit:
            continue
        _, best = min(fit, key=lambda pair: (pair[0].scales, pair[1].seq))
        release = unpack(best.payload)
        plans.append(margin.plan)
        # By its entry: it must not be taken for another of the statement's.
        forms.append(replace(margin.form, noise=f"{margin.form.noise}\nentry {best.seq}"))
        sites.append(planned.bound.sites[margin.of])
        private.append(margin.plan.aggregate)
        tables.append(release)
        rows.append(restored(margin.form, margin.plan, release))
    bound = replace(planned.bound, sites=tuple(sites), private=tuple(private))
    return Planned(bound, tuple(plans), tuple(forms)), tables, rows
