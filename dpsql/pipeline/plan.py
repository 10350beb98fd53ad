"""analyse and plan: bounds, domains, strategy, noise and price of every private aggregate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from dpsql.binding.context import Site
from dpsql.canonical import Form, canonical
from dpsql.core.ir import with_steps
from dpsql.pipeline import chains
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.automatic import automatic, division, scan_plan, widest_plan
from dpsql.planning.keys import PublicValues
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.plan import PublicRows, make_plan
from dpsql.planning.types import Awaited, Plan
from dpsql.policy import query_price
from dpsql.policy.price import allowed_together
from dpsql.policy.schema import BudgetSpec, Policy


@dataclass(frozen=True)
class Asked:
    """(ε, δ) as asked by execute() or connect(); None is 'not said'."""

    epsilon: Fraction | None = None
    delta: Fraction | None = None


def run(
    bound: Bound,
    *,
    policy: Policy,
    asked: Asked,
    budget: BudgetSpec,
    public_values: PublicValues,
    public_rows: PublicRows = lambda table: 1,
    laws: Laws = LAWS,
) -> Planned:
    """Raises RefusedQuery (no bounds, price above the cap) or InvalidQuery (no price)."""
    plans: dict[int, Plan] = {}
    forms: dict[int, Form] = {}
    scans: dict[int, tuple[int, ...]] = {}
    for index in bound.order:  # what feeds another comes first: its fingerprint names it there
        aggregate = bound.private[index]
        if bound.read_by(index):
            aggregate = with_steps(aggregate, chains.names(bound, forms))
        options = aggregate.options  # OPTIONS in the SQL come before what the cursor says
        epsilon, delta = query_price(
            policy,
            budget,
            epsilon=asked.epsilon if options.epsilon is None else options.epsilon,
            delta=asked.delta if options.delta is None else options.delta,
        )
        given: Any = {"public_values": public_values, "public_rows": public_rows}
        wanted = automatic(aggregate, policy)
        if wanted is None:
            plans[index] = make_plan(
                aggregate, policy, epsilon=epsilon, delta=delta, laws=laws, **given
            )
        else:
            answer, each = division(epsilon, len(wanted.sought))
            first = len(bound.private) + sum(map(len, scans.values()))
            widest = widest_plan(wanted, policy, epsilon=answer, delta=delta, laws=laws, **given)
            awaited = []
            for place, sought in enumerate(wanted.sought, first):
                plans[place] = scan_plan(
                    aggregate, sought, policy, epsilon=each, delta=delta, **given
                )
                forms[place] = canonical(plans[place])
                awaited.append(Awaited(sought.scan, place))
            scans[index] = tuple(one.place for one in awaited)
            plans[index] = replace(widest, awaited=tuple(awaited))
        forms[index] = canonical(plans[index])
    # Equal aggregates share one draw, and what reads nobody's row is not charged.
    drawn = {forms[index].fingerprint: plan for index, plan in plans.items() if plan.items}
    allowed_together(policy, ((plan.epsilon, plan.delta) for plan in drawn.values()))
    places = range(len(plans))
    if scans:
        bound = _with_scans(bound, plans, scans)
    return Planned(bound, tuple(plans[at] for at in places), tuple(forms[at] for at in places))


def _with_scans(
    bound: Bound, plans: Mapping[int, Plan], scans: Mapping[int, tuple[int, ...]]
) -> Bound:
    """The statement with the scans for bounds behind its own private aggregates."""
    places = [place for found in scans.values() for place in found]
    owner = {place: index for index, found in scans.items() for place in found}
    return replace(
        bound,
        private=(*bound.private, *(plans[place].aggregate for place in places)),
        sites=(
            *bound.sites,
            *(Site(bound.sites[owner[place]].select, {}) for place in places),
        ),
        scans=scans,
    )
