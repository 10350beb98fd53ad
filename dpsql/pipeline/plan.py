"""analyse and plan: bounds, domains, strategy, noise and price of every private aggregate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from dpsql.binding.context import Site
from dpsql.binding.figures import uses
from dpsql.canonical import Form, canonical
from dpsql.core.ir import Options, PrivateAggregate
from dpsql.core.targets import NOTHING, Aims
from dpsql.core.walk import with_steps
from dpsql.pipeline import chains
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.automatic import Automatic, automatic, choice_plan, division, widest_plan
from dpsql.planning.division import Importance
from dpsql.planning.keys import PublicValues
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.plan import PublicRows, make_plan
from dpsql.planning.search import EVERY, Alternatives
from dpsql.planning.types import Awaited, Plan
from dpsql.policy import query_price
from dpsql.policy.price import allowed_together
from dpsql.policy.schema import BudgetSpec, Policy


@dataclass(frozen=True)
class Settled:
    """The price of a private aggregate that named an error, found (`dpsql.accuracy`)."""

    epsilon: Fraction
    laws: Laws | None = None
    """For which it was found; None: any."""


@dataclass(frozen=True)
class Looked:
    """What a first look released and cost, by aggregate (and column)."""

    magnitudes: Mapping[tuple[int, int], Fraction]
    prices: Mapping[int, Fraction]


@dataclass(frozen=True)
class Asked:
    """(ε, δ) or an error as asked by execute() or connect(); None is 'not said'.

    `settled`: prices found for errors, by private aggregate. `looked`: a first look that was taken,
    for percentages. `trial`: nothing is asked yet, a price is being looked for.
    """

    epsilon: Fraction | None = None
    delta: Fraction | None = None
    aims: Aims = NOTHING
    settled: Mapping[int, Settled] = field(default_factory=dict)
    looked: Looked | None = None
    trial: bool = False


Made = dict[tuple[int, Fraction, Fraction, Laws, bool], tuple[Plan, Form]]
"""By aggregate, price, laws, and whether it is planned as if nothing stood above it."""


def run(
    bound: Bound,
    *,
    policy: Policy,
    asked: Asked,
    budget: BudgetSpec,
    public_values: PublicValues,
    public_rows: PublicRows = lambda table: 1,
    laws: Laws = LAWS,
    alternatives: Alternatives = EVERY,
    made: Made | None = None,
) -> Planned:
    """Raises RefusedQuery (no bounds, price above the cap) or InvalidQuery (no price).

    `made`: plans of the same statement, policy and alternatives at other prices, for a search among
    them: of several aggregates one alone changes its price.
    """
    given = {"public_values": public_values, "public_rows": public_rows}
    known: Made = {} if made is None else made
    planning = _Planning(bound, policy, asked, budget, laws, alternatives, given, known)
    shown = uses(bound.remainder, bound.private, bound.fed)
    for index in bound.order:  # what feeds another comes first: its fingerprint names it there
        planning.plan(index, shown.of(index))
    plans, forms = planning.plans, planning.forms
    for index in _shown_apart({index: forms[index] for index in bound.order}):
        planning.plan(index, None)
    # Equal aggregates share one draw, and what reads nobody's row is not charged.
    drawn = {forms[index].fingerprint: plan for index, plan in plans.items() if plan.items}
    if not asked.trial:
        allowed_together(policy, ((plan.epsilon, plan.delta) for plan in drawn.values()))
    if planning.choices:
        bound = _with_choices(bound, plans, planning.choices)
    places = range(len(plans))
    return Planned(bound, tuple(plans[at] for at in places), tuple(forms[at] for at in places))


@dataclass
class _Planning:
    """The plans of one statement as they are made, by place; `choices`: whose bounds stand where.

    `given`: what is known of public tables. `known`: as `run`'s `made`.
    """

    bound: Bound
    policy: Policy
    asked: Asked
    budget: BudgetSpec
    laws: Laws
    alternatives: Alternatives
    given: Mapping[str, Any]
    known: Made
    plans: dict[int, Plan] = field(default_factory=dict)
    forms: dict[int, Form] = field(default_factory=dict)
    choices: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def plan(self, index: int, importance: Importance | None) -> None:
        aggregate = self.bound.private[index]
        fed = bool(self.bound.read_by(index))
        if fed:
            aggregate = with_steps(aggregate, chains.names(self.bound, self.forms))
        settled = self.asked.settled.get(index, Settled(Fraction(0)))
        allowed = settled.laws or self.laws
        epsilon, delta = self._price(aggregate.options, settled)
        chosen: Any = {
            **self.given,
            "laws": allowed,
            "importance": importance,
            "alternatives": self.alternatives,
        }
        wanted = automatic(aggregate, self.policy)
        if wanted is not None:
            self._with_bounds(index, aggregate, wanted, epsilon, delta, chosen)
            return
        key = index, epsilon, delta, allowed, importance is None
        found = None if fed else self.known.get(key)
        if found is None:
            made = make_plan(aggregate, self.policy, epsilon=epsilon, delta=delta, **chosen)
            found = made, canonical(made)
        if not fed:  # the names of what it is fed are not in the key
            self.known[key] = found
        self.plans[index], self.forms[index] = found

    def _price(self, options: Options, settled: Settled) -> tuple[Fraction, Fraction]:
        """OPTIONS in the SQL come before what the cursor says."""
        asked = self.asked
        named = asked.epsilon if options.epsilon is None else options.epsilon
        return query_price(
            self.policy,
            self.budget,
            epsilon=settled.epsilon or named,
            delta=asked.delta if options.delta is None else options.delta,
        )

    def _with_bounds(
        self,
        index: int,
        aggregate: PrivateAggregate,
        wanted: Automatic,
        epsilon: Fraction,
        delta: Fraction,
        chosen: Mapping[str, Any],
    ) -> None:
        """The widest plan, and the choices that its bounds are found by, behind all others."""
        answer, each = division(epsilon, len(wanted.sought))
        widest = widest_plan(wanted, self.policy, epsilon=answer, delta=delta, **chosen)
        others = sum(len(found) for at, found in self.choices.items() if at != index)
        first = len(self.bound.private) + others
        places = self.choices.get(index) or range(first, first + len(wanted.sought))
        awaited = []
        for place, sought in zip(places, wanted.sought, strict=True):
            choice = choice_plan(
                aggregate, sought, self.policy, epsilon=each, delta=delta, **self.given
            )
            self.plans[place], self.forms[place] = choice, canonical(choice)
            awaited.append(Awaited(sought.choice, place))
        self.choices[index] = tuple(places)
        self.plans[index] = replace(widest, awaited=tuple(awaited))
        self.forms[index] = canonical(self.plans[index])


def _shown_apart(forms: Mapping[int, Form]) -> list[int]:
    """Aggregates that are one question shown in different ways: they are to be one release.

    They are planned as if nothing were known of what is shown, and share one draw, as they would
    if nothing stood above them.
    """
    alike: dict[str, set[str]] = {}
    for form in forms.values():
        alike.setdefault(form.question, set()).add(form.fingerprint)
    return [index for index, form in forms.items() if len(alike[form.question]) > 1]


def _with_choices(
    bound: Bound, plans: Mapping[int, Plan], choices: Mapping[int, tuple[int, ...]]
) -> Bound:
    """The statement with the choices for bounds behind its own private aggregates."""
    places = [place for found in choices.values() for place in found]
    owner = {place: index for index, found in choices.items() for place in found}
    return replace(
        bound,
        private=(*bound.private, *(plans[place].aggregate for place in places)),
        sites=(
            *bound.sites,
            *(Site(bound.sites[owner[place]].select, {}) for place in places),
        ),
        choices=choices,
    )
