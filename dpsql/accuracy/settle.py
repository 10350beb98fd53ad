"""A whole statement: every error that is asked for becomes a price, then everything is planned.

The price is a function of text, policy, schema and public tables: errors are expected ones, from
noise scales and ranges alone, as `explain` tells them, and plans are made, never run. It does not
depend on what is stored, spent or left either; so the same text has the same price on any data,
and a repeat is the repeat of its release. Each noise law is searched alone, in which errors only
fall as the price rises, and the law of the lower price is kept for the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from dpsql.accuracy.columns import (
    Columns,
    at_the_largest,
    columns_of,
    met,
    no_bars,
    ratio,
    refuse_unknown,
)
from dpsql.accuracy.prices import Prices, three_digits_down
from dpsql.accuracy.search import least
from dpsql.accuracy.words import confidence
from dpsql.core.numbers import MAX_EPSILON, MIN_EPSILON
from dpsql.core.targets import Reached, Target
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.pipeline.plan import Asked, Settled
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.types import Plan
from dpsql.policy.schema import Policy
from dpsql.wording import number

FIRST_SHARE = Fraction(1, 10)
"""Of the usual price: what a first look costs that a percentage without a magnitude takes."""

PlanAt = Callable[[Asked], Planned]


def planned(bound: Bound, asked: Asked, plan: PlanAt, policy: Policy) -> Planned:
    """The statement planned, its targets met. `plan` makes the plans at given prices.

    InvalidQuery: `target-unreachable`, `no-error-bars`, `bad-target`; `max-epsilon` where it would
    cost more than its analyst allows. Else as `plan`.
    """
    targets = {} if asked.settled else targets_of(bound, asked)
    if not targets:
        found = plan(asked)
    else:
        found = _Settling(bound, asked, plan, policy, targets).planned()
    _within(found, asked)
    return found


def targets_of(bound: Bound, asked: Asked) -> dict[int, Target]:
    """The target of each private aggregate that has one.

    A price named in the SQL comes before an error named outside it, and the other way round.
    """
    found = {}
    for index, aggregate in enumerate(bound.private):
        options = aggregate.options
        target = options.aims.over(asked.aims).target
        if target is not None and options.epsilon is None:
            found[index] = target
    return found


def settled(asked: Asked, found: Planned) -> Asked:
    """The prices of a plan as what is asked for: so that variants are planned at the same."""
    if not found.reached:
        return asked
    prices = {index: Settled(one.epsilon) for index, one in found.reached.items()}
    return replace(asked, settled=prices)


def cap_of(bound: Bound, index: int, asked: Asked, policy: Policy) -> Fraction:
    """The most that one private aggregate may cost."""
    mine = bound.private[index].options.aims.max_epsilon
    if mine is not None and asked.looked is not None:
        mine = max(mine - asked.looked.prices.get(index, 0), MIN_EPSILON)
    said = (policy.budgets.max_per_query.epsilon, mine, asked.aims.max_epsilon)
    return min([MAX_EPSILON, *(one for one in said if one is not None)])


def _who_says(cap: Fraction, policy: Policy) -> str:
    """Whose limit the largest price is, in words."""
    if cap == policy.budgets.max_per_query.epsilon:
        return "the most that the policy lets a query cost (max_per_query)"
    return (
        "the most that you allow (--max-epsilon)" if cap < MAX_EPSILON else "the largest there is"
    )


class _Settling:
    """One statement's search; prices that are found stay in `_found`."""

    def __init__(
        self,
        bound: Bound,
        asked: Asked,
        plan: PlanAt,
        policy: Policy,
        targets: Mapping[int, Target],
    ) -> None:
        self._bound, self._asked, self._plan, self._policy = bound, asked, plan, policy
        self._targets = targets
        self._near: Fraction | None = None  # the last price found: grouping sets are much alike
        self._caps = {index: cap_of(bound, index, asked, policy) for index in targets}
        # Not found yet: at its cap, by the law that is quick to calibrate.
        self._found = {index: Settled(cap, ("laplace",)) for index, cap in self._caps.items()}

    def planned(self) -> Planned:
        tried = self._trial({})
        refuse_unknown(tried, self._targets)
        columns, free = {}, []
        for index, target in self._targets.items():
            if not tried.plans[index].items:
                free.append(index)  # public keys alone
                continue
            looked = self._asked.looked
            known = None if looked is None else looked.magnitudes
            columns[index] = columns_of(tried, index, target, known)
            self._refuse_barless(columns[index], target, found=bool(tried.plans[index].awaited))
        unnamed = [index for index in columns if not columns[index].held]
        for index in (*free, *unnamed):  # nothing is asked of them: they have their usual price
            del self._found[index]
        first = any(one.unmeasured for one in columns.values())
        if first:
            self._refuse_hopeless(columns)
        for index in columns:
            if index in self._found:
                self._found[index] = (
                    Settled(self._first(index))
                    if first
                    else self._least(index, columns[index], self._targets[index])
                )
        done = self._plan(replace(self._asked, settled=dict(self._found)))
        reached = {
            index: Reached(
                one.epsilon,
                done.plans[index].law,
                self._targets[index].confidence,
                met(done.plans[index], columns[index], self._targets[index]),
                columns[index].exempt,
                first,
                self._caps[index] if first else None,
            )
            for index, one in self._found.items()
        }
        return replace(done, reached=reached)

    def _trial(self, changed: Mapping[int, Settled]) -> Planned:
        prices = {**self._found, **changed}
        return self._plan(replace(self._asked, settled=prices, trial=True))

    @staticmethod
    def _refuse_barless(columns: Columns, target: Target, *, found: bool) -> None:
        if columns.exempt and not columns.held:
            raise no_bars(columns.exempt[0], found=found)

    def _first(self, index: int) -> Fraction:
        """The price of the first look."""
        usual = self._policy.budgets.per_query.epsilon or Fraction(1)
        base = min(usual, self._caps[index])
        return three_digits_down(max(base * FIRST_SHARE, MIN_EPSILON))

    def _refuse_hopeless(self, columns: Mapping[int, Columns]) -> None:
        """Before a first look is charged: of no magnitude that a range allows is it in reach."""
        for index in (index for index in columns if index in self._found):
            most = at_the_largest(self._trial({}).plans[index], columns[index])
            if most.held and self._best(index, most, self._targets[index])[1] > 1:
                raise self._unreachable(index, most, self._targets[index])

    # ---- one aggregate ---------------------------------------------------------------------

    def _least(self, index: int, columns: Columns, target: Target) -> Settled:
        """By each law alone; the lower price, the first law where both are the same."""
        prices = Prices(self._caps[index])
        usual = self._policy.budgets.per_query.epsilon or Fraction(1)
        best: tuple[int, Laws] | None = None
        for law in LAWS:
            laws: Laws = (law,)
            start = prices.near(float(self._near or usual)) if best is None else best[0] - 1
            place = least(
                prices,
                lambda place, laws=laws: self._ratio(
                    index, prices.at(place), laws, columns, target
                ),  # type: ignore[misc]
                start,
                None if best is None else best[0],
            )
            if place is not None and (best is None or place < best[0]):
                best = place, laws
        if best is None:
            raise self._unreachable(index, columns, target)
        self._near = prices.at(best[0])
        looked = self._asked.looked
        if looked is not None and self._near <= looked.prices.get(index, 0):
            return Settled(looked.prices[index])  # the first look is good enough: its repeat
        return Settled(self._near, best[1])

    def _ratio(
        self, index: int, epsilon: Fraction, laws: Laws, columns: Columns, target: Target
    ) -> float:
        try:
            found = self._trial({index: Settled(epsilon, laws)})
        except RefusedQuery as problem:
            if problem.code == "price-too-small":
                return float("inf")
            raise
        return ratio(found.plans[index], columns, target)

    def _best(self, index: int, columns: Columns, target: Target) -> tuple[Plan, float]:
        """At the largest price, by the better law: the plan, and its error over the target's."""
        tried = (
            self._trial({index: Settled(self._caps[index], (law,))}).plans[index] for law in LAWS
        )
        found = ((plan, ratio(plan, columns, target)) for plan in tried)
        return min(found, key=lambda one: one[1])

    def _unreachable(self, index: int, columns: Columns, target: Target) -> InvalidQuery:
        """With the best that can be had, and its price."""
        cap = self._caps[index]
        told = met(self._best(index, columns, target)[0], columns, target)
        worst = max(told, key=lambda one: (one.expected or 0) / (one.limit or 1))
        rows = "" if worst.rows is None else f" for {worst.rows:,} rows"
        reach = "no use" if worst.expected is None else f"± {number(worst.expected)}"
        free = "nothing was charged; " if self._asked.looked is None else ""
        return InvalidQuery(
            f"no price that may be asked brings {worst.name} within ± {number(worst.limit or 0)}"
            f"{rows} at {confidence(target.confidence)}",
            code="target-unreachable",
            hint=f"{free}ε = {float(cap):.6g}, {_who_says(cap, self._policy)}, gives"
            f" {reach}: ask for that or more, or see what would help: dpsql explain --epsilon",
        )


def _within(found: Planned, asked: Asked) -> None:
    """InvalidQuery `max-epsilon` where a statement would cost more than was allowed.

    The full price counts, whether or not its answer is stored, as explain tells it.
    """
    drawn = dict(zip(found.fingerprints, found.plans, strict=True))
    total = sum((plan.epsilon for plan in drawn.values() if plan.items), Fraction(0))
    whole = asked.aims.max_epsilon
    if not asked.trial and whole is not None and total > whole:
        raise _above(total, whole)
    for plan in found.plans:
        most = plan.aggregate.options.aims.max_epsilon
        if plan.items and most is not None and plan.epsilon > most:
            raise _above(plan.epsilon, most)


def _up(price: Fraction) -> str:
    """In six digits, not below."""
    shown = f"{float(price):.6g}"
    return shown if Fraction(shown) >= price else f"{float(price) * (1 + 1e-5):.6g}"


def _above(price: Fraction, most: Fraction) -> InvalidQuery:
    return InvalidQuery(
        f"it would cost epsilon {float(price):.6g}, more than the {float(most):.6g} that you allow",
        code="max-epsilon",
        hint="nothing was charged; ask for less, or allow it:"
        f" --max-epsilon {_up(price)}, in SQL and Python max_epsilon = {_up(price)}",
    )
