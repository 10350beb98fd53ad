"""What one private query costs: what it names, else `per_query`, never above `max_per_query`."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from dpsql.core.numbers import MAX_EPSILON, MIN_DELTA, read_delta, read_epsilon
from dpsql.errors import InvalidQuery
from dpsql.policy.schema import BudgetSpec, Policy

MAX_DENOMINATOR_BITS = 2_000
SELECTIONS = 500
"""Where nobody names a δ, a query takes this fraction of the budget's share for thresholds."""


def query_price(
    policy: Policy,
    budget: BudgetSpec,
    *,
    epsilon: object = None,
    delta: object = None,
    delta_thr: Fraction | None = None,
) -> tuple[Fraction, Fraction]:
    """The exact (ε, δ) of one private aggregate.

    `epsilon`, `delta`: as the query, the cursor or the connection names them (the first of these
    that is not None; None means not named). Without any δ it is δ_thr / 500 of the budget, half of
    whose δ is for thresholds unless `delta_thr` says otherwise (docs/proofs/filter.md, section 4).
    InvalidQuery `bad-epsilon` or `bad-delta`: not a number, out of range or above the cap;
    `no-epsilon`: none is named anywhere.
    """
    default = policy.budgets.per_query
    if epsilon is None and default.epsilon is None:
        raise InvalidQuery(
            "the query names no epsilon, and the policy has no budgets.per_query.epsilon",
            code="no-epsilon",
            hint="SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 0.5) ..., or epsilon=0.5 to"
            " connect() or execute()",
        )
    price = default.epsilon if epsilon is None else read_epsilon(epsilon)
    assert price is not None
    allowed_epsilon(policy, price)
    if delta is not None:
        chance = read_delta(delta)
    elif default.delta is not None:
        chance = default.delta
    else:
        share = budget.delta / 2 if delta_thr is None else delta_thr
        chance = max(MIN_DELTA, min(_delta_cap(policy), share / SELECTIONS))
    return price, allowed_delta(policy, chance)


def allowed_epsilon(policy: Policy, price: Fraction) -> Fraction:
    """The price itself. InvalidQuery `bad-epsilon` where no query may ask for it."""
    largest = policy.budgets.max_per_query.epsilon
    if price > MAX_EPSILON:
        raise _above("epsilon", MAX_EPSILON)
    if price.denominator.bit_length() > MAX_DENOMINATOR_BITS:
        raise InvalidQuery("epsilon has too many digits", code="bad-epsilon", hint="0.5 will do")
    if largest is not None and price > largest:
        raise _above("epsilon", largest)
    return price


def allowed_delta(policy: Policy, chance: Fraction) -> Fraction:
    """The δ itself. InvalidQuery `bad-delta` where no query may ask for it."""
    cap = _delta_cap(policy)
    if chance > cap:
        raise _above("delta", cap)
    return chance


def allowed_together(policy: Policy, prices: Iterable[tuple[Fraction, Fraction]]) -> None:
    """InvalidQuery `bad-epsilon`, `bad-delta` where a statement's sum is above max_per_statement.

    `prices`: (ε, δ) of each release that the statement would pay for if none were stored.
    """
    listed, cap = list(prices), policy.budgets.max_per_statement
    for index, (name, most) in enumerate((("epsilon", cap.epsilon), ("delta", cap.delta))):
        total = sum((price[index] for price in listed), Fraction(0))
        if most is not None and total > most:
            shown = f"{float(most):.6g}"
            raise InvalidQuery(
                f"the private queries of this statement add up to {name} {float(total):.6g}, above "
                f"the most that one statement may ask for, {shown}",
                code=f"bad-{name}",
                hint=f"ask each with a smaller {name}, or in statements of their own "
                f"(budgets.max_per_statement.{name} of the policy is {shown})",
            )


def _delta_cap(policy: Policy) -> Fraction:
    largest = policy.budgets.max_per_query.delta
    return Fraction(1) if largest is None else largest


def _above(name: str, cap: Fraction) -> InvalidQuery:
    shown = f"{float(cap):.6g}"
    return InvalidQuery(
        f"{name} is above the most that one query may ask for, {shown}",
        code=f"bad-{name}",
        hint=f"ask for at most {shown} (budgets.max_per_query.{name} of the policy)",
    )
