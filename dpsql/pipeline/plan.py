"""analyse and plan: bounds, domains, strategy, noise and price of every private aggregate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dpsql.canonical import canonical
from dpsql.pipeline.stages import Bound, Planned
from dpsql.planning.keys import PublicValues
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.plan import PublicRows, make_plan
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
    plans = []
    for aggregate in bound.private:
        options = aggregate.options  # OPTIONS in the SQL come before what the cursor says
        epsilon, delta = query_price(
            policy,
            budget,
            epsilon=asked.epsilon if options.epsilon is None else options.epsilon,
            delta=asked.delta if options.delta is None else options.delta,
        )
        plans.append(
            make_plan(
                aggregate,
                policy,
                epsilon=epsilon,
                delta=delta,
                public_values=public_values,
                public_rows=public_rows,
                laws=laws,
            )
        )
    forms = tuple(map(canonical, plans))
    # Equal aggregates share one draw, and what reads nobody's row is not charged.
    pairs = zip(forms, plans, strict=True)
    drawn = {form.fingerprint: plan for form, plan in pairs if plan.items}
    allowed_together(policy, ((plan.epsilon, plan.delta) for plan in drawn.values()))
    return Planned(bound, tuple(plans), forms)
