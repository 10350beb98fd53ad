"""Budgets: whose guarantee holds, and defaults that nobody could ever pay."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from dpsql.policy.findings import Finding
from dpsql.policy.odds import short_meaning
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.policy.together import filled_together

LARGE_EPSILON, LARGE_DELTA, LARGE_PRICE = 20, Fraction(1, 1000), 10
"""Above this ε, from this δ on and above this ε of one query the owner is warned, no more."""

NOT_SHOWN = "all budgets filled together are not shown to fit under total"


def check_budgets(policy: Policy) -> list[Finding]:
    """What each budget can buy, then what is guaranteed to whom."""
    return [
        *_promises(policy),
        *_affordable(policy),
        *_default(policy),
        *_windows(policy),
        *_guarantee(policy),
    ]


def named_budgets(policy: Policy) -> list[tuple[str, BudgetSpec]]:
    """All budgets but `default` and `total`, by their path under `budgets`."""
    budgets = policy.budgets
    return [
        *((f"budgets.analysts.{name}", spec) for name, spec in budgets.analysts.items()),
        *((f"budgets.teams.{name}", team.budget) for name, team in budgets.teams.items()),
    ]


def _promises(policy: Policy) -> Iterator[Finding]:
    """Budgets so large that what they guarantee is next to nothing."""
    budgets = policy.budgets
    listed = [("budgets.default", budgets.default), ("budgets.total", budgets.total)]
    for where, spec in [*listed, *named_budgets(policy)]:
        if spec is None:
            continue
        if spec.epsilon > LARGE_EPSILON:
            message = f"promises next to nothing: {short_meaning(f'{float(spec.epsilon):g}')}"
            yield Finding("warning", where, message, "a total of 10 or less is usual; 1 is good")
        if spec.delta >= LARGE_DELTA:
            message = (
                f"δ = {float(spec.delta):g}: the promise may fail outright with a chance of 1 in "
                f"{1 / float(spec.delta):,.0f}; a database of more people than that could lose one"
            )
            hint = "take a δ far below 1 / (number of people), such as 1e-6"
            yield Finding("warning", where, message, hint)
    price = budgets.per_query.epsilon
    if price is not None and price > LARGE_PRICE:
        message = f"one query promises little: {short_meaning(f'{float(price):g}')}"
        yield Finding("warning", "budgets.per_query", message, "1 or less is usual")


def _affordable(policy: Policy) -> Iterator[Finding]:
    budgets = policy.budgets
    listed = named_budgets(policy)
    if budgets.default is not None:
        listed.append(("budgets.default", budgets.default))
    price = budgets.per_query
    if price.epsilon is None:
        hint = "set budgets.per_query.epsilon"
        yield Finding("note", "budgets.per_query", "every query must name its epsilon", hint)
    for where, spec in listed:
        if price.epsilon is not None and price.epsilon > spec.epsilon:
            message = "less epsilon than one query costs by default (per_query.epsilon)"
            yield Finding("warning", where, message, "raise the budget or lower per_query")
        if price.delta is not None and price.delta > spec.delta / 2:
            message = "half of its delta, the share for private keys, is below per_query.delta"
            hint = "a query by a private key would be refused; lower per_query.delta"
            yield Finding("warning", where, message, hint)
        if budgets.total is not None and spec.epsilon > budgets.total.epsilon:
            message = "more epsilon than budgets.total: never all of it can be spent"
            yield Finding("warning", where, message, "raise total or lower this")


def _default(policy: Policy) -> Iterator[Finding]:
    default = policy.budgets.default
    if policy.analysts_only and default is not None:
        message = "no one gets it, since analysts_only is true"
        yield Finding("note", "budgets.default", message)
    if policy.analysts_only and not named_budgets(policy):
        message = "nobody may ask: analysts_only is true and no analyst is named"
        yield Finding("error", "budgets", message, "name analysts, or drop analysts_only")
    if not policy.analysts_only and default is not None:
        message = (
            "every new name gets a budget of its own; embedded, a name is a label that whoever "
            "holds the files may choose"
        )
        yield Finding("note", "budgets.default", message, "analysts_only: true closes the list")


def _windows(policy: Policy) -> Iterator[Finding]:
    """A budget that refreshes promises something of each window, nothing of all of them."""
    listed, default = named_budgets(policy), policy.budgets.default
    if default is not None and not policy.analysts_only:
        listed.append(("budgets.default", default))
    for where, spec in listed:
        if spec.refresh == "never":
            continue
        message = f"refreshes {spec.refresh}: its guarantee is for each window alone"
        if policy.budgets.total is None:
            message += ", and nothing bounds what is learned in all of them"
            yield Finding("warning", where, message, "set budgets.total: it never refreshes")
        else:
            yield Finding("note", where, f"{message}; all of them are bounded by budgets.total")


def _guarantee(policy: Policy) -> Iterator[Finding]:
    total = policy.budgets.total
    if total is None:
        yield Finding(
            "warning",
            "budgets.total",
            "missing: each budget's guarantee holds against its own holder, and nothing bounds "
            "what colluding analysts learn",
            "set budgets.total: {epsilon: .., delta: ..}",
        )
        return
    shown = f"(ε = {float(total.epsilon):.6g}, δ = {float(total.delta):.6g})"
    reason = unproven(policy, total)
    if reason:
        yield Finding(
            "note",
            "budgets.total",
            f"only the guarantee of all analysts together, {shown}, is given: {reason}, so a "
            "refusal may depend on what others spent",
            "for a guarantee per analyst: analysts_only: true, no refresh, and a total well above "
            "the sum of all budgets",
        )
        return
    yield Finding(
        "note",
        "budgets.total",
        f"all analysts together are held to {shown}, and each budget's own guarantee holds too: "
        "even all filled at once they fit under total (while the ledger holds no other budgets "
        "and no grants)",
    )


def unproven(policy: Policy, total: BudgetSpec) -> str:
    """Why per-analyst guarantees are not claimed; '' if they are (see together.py)."""
    from dpsql.accountant.filter import BudgetTerms

    specs = [spec for _, spec in named_budgets(policy)]
    if not policy.analysts_only and policy.budgets.default is not None:
        return "any number of unnamed analysts may spend"
    if any(spec.refresh != "never" for spec in specs):
        return "a budget with windows counts as unbounded"
    terms = [BudgetTerms.create(spec.epsilon, spec.delta) for spec in specs]
    if not filled_together(terms, BudgetTerms.create(total.epsilon, total.delta)):
        return NOT_SHOWN
    return ""
