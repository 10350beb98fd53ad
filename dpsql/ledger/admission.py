"""Does a budget admit a charge on top of its spend? If not, which part ran out, in words."""

from __future__ import annotations

from fractions import Fraction

from dpsql.accountant.charge import Charge
from dpsql.accountant.filter import admits, why_not
from dpsql.accountant.odometer import odometer
from dpsql.errors import BudgetExceeded
from dpsql.ledger.account import Account
from dpsql.ledger.entries import Request
from dpsql.ledger.state import State


def admitted(state: State, name: str, request: Request) -> Charge:
    """The price at the budget's own orders, if the budget admits it on top of its spend."""
    account = state.account(name)
    charge = account.price(request.items)
    after = account.spent + charge
    # `is not True`: anything the filter did not plainly admit is refused.
    if admits(account.terms, after) is not True:
        raise _exceeded(account, why_not(account.terms, after), request.epsilon)
    return charge


def _exceeded(account: Account, why: str | None, asked: Fraction) -> BudgetExceeded:
    name = account.name.split(":", 1)[-1]
    whose = {
        "total": "the total budget of all analysts together",
        "team": f"the budget of team {name!r}",
    }.get(account.holder, f"the budget of {name!r}")
    if account.window.end is not None:
        whose += f" for {account.window.shown}"
    wait = (
        f"wait for {account.window.next_start}, when its next window begins, "
        if account.window.next_start
        else ""
    )
    if why == "delta":
        return BudgetExceeded(
            f"{whose} does not cover this query: too little is left of its delta for private "
            "group keys",
            code="budget-delta",
            hint=f"group by keys whose values the policy lists, ask with a smaller delta, {wait}or "
            f"ask the owner to raise {_policy_key(account)}.delta in the policy",
        )
    return BudgetExceeded(
        f"{whose} does not cover this query: {_too_little(account, asked)}",
        code="budget-epsilon",
        hint=f"ask with a smaller epsilon, repeat a query that was paid for (it is free), {wait}or "
        f"ask the owner to raise {_policy_key(account)}.epsilon in the policy",
    )


def _too_little(account: Account, asked: Fraction) -> str:
    """What is asked and left of a holder's own ε; of all analysts' total only that it is used up.

    What is left is for people: by the odometer, which is above what the filter counts.
    """
    whole = float(account.terms.epsilon)
    if account.holder == "total":
        return f"too little of its epsilon of {whole:g} is left"
    left = max(0.0, whole - odometer(account.terms, account.spent))
    return f"it asks for epsilon {float(asked):.6g}, and about {left:.3g} of {whole:g} is left"


def _policy_key(account: Account) -> str:
    """Where the policy says how much the budget holds; what is raised there is granted."""
    if account.holder in ("total", "default"):
        return f"budgets.{account.holder}"
    return f"budgets.{account.holder}s.{account.name.split(':', 1)[-1]}"
