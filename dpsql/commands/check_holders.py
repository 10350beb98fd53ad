"""What the ledger changes about whose guarantee holds: grants, former budgets, people who moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dpsql.errors import LedgerError, PolicyError
from dpsql.policy import Finding
from dpsql.policy.check_budgets import NOT_SHOWN, named_budgets, unproven
from dpsql.policy.together import filled_together

if TYPE_CHECKING:
    from dpsql.accountant.terms import BudgetTerms
    from dpsql.ledger import Account, Ledger
    from dpsql.policy import Policy
    from dpsql.policy.schema import BudgetSpec


def check_holders(policy: Policy, ledger: Ledger, accounts: Sequence[Account]) -> list[Finding]:
    """An `error` is what a query would meet; nothing is written."""
    return [
        *_refused(policy, ledger),
        *_granted(accounts),
        *_guarantee(policy, ledger, accounts),
        *_moved(policy, ledger),
    ]


def _refused(policy: Policy, ledger: Ledger) -> Iterator[Finding]:
    for where, spec in _all(policy):
        try:
            _foreseen(policy, ledger, spec)
        except LedgerError as problem:
            yield Finding("error", where, problem.message, problem.hint)


def _granted(accounts: Sequence[Account]) -> Iterator[Finding]:
    for account in accounts:
        more = account.granted
        if more.epsilon or more.delta:
            said = f"ε = {float(more.epsilon):.6g}, δ = {float(more.delta):.6g}"
            message = f"{account.name} was granted {said} on top of the policy"
            yield Finding("note", "ledger", message, "dpsql ledger show says by whom, and why")


def _guarantee(policy: Policy, ledger: Ledger, accounts: Sequence[Account]) -> Iterator[Finding]:
    """Whether each budget's own guarantee holds under `total`, with all that the ledger holds.

    A query is refused by its own budget, which is its holder's business, or by `total`. Where
    `total` admits whatever all budgets admit together (together.py) only the first happens. What
    they admit is bounded by the largest terms that each one ever had, of budgets that the policy
    no longer names too: they were spent, and `total` counts them.
    """
    total = policy.budgets.total
    by_policy = "no total" if total is None else unproven(policy, total)
    if total is None or by_policy not in ("", NOT_SHOWN):
        return
    try:
        whole = _foreseen(policy, ledger, total).terms
        reached = _reached(policy, ledger, accounts)
    except LedgerError:  # said by _refused
        return
    if reached is not None and filled_together(reached, whole):
        message = "with all budgets and grants in the ledger, each budget's own guarantee holds too"
        yield Finding("note", "budgets.total", message)
    elif not by_policy:
        message = (
            "with what the ledger holds (grants, windows, terms before they were lowered, budgets "
            "that the policy does not name) only the guarantee of all analysts together is given"
        )
        hint = "dpsql budget grant --total, or raise budgets.total"
        yield Finding("warning", "budgets.total", message, hint)


def _reached(
    policy: Policy, ledger: Ledger, accounts: Sequence[Account]
) -> list[BudgetTerms] | None:
    """The largest terms of every budget but `total`; None where one has or had windows."""
    named = [_foreseen(policy, ledger, spec) for _, spec in named_budgets(policy)]
    mine = {account.name for account in named}
    others = [a for a in accounts if a.name not in mine and a.holder != "total" and a.used]
    found = [account.reached for account in (*named, *others)]
    known = [terms for terms in found if terms is not None]
    return known if len(known) == len(found) else None


def _moved(policy: Policy, ledger: Ledger) -> Iterator[Finding]:
    """People who have spent on another budget than the one they have now."""
    for analyst, budgets in ledger.payers().items():
        try:
            now = policy.budget_of(analyst).key
        except PolicyError:  # who left is no longer answered
            continue
        before = [name for name in budgets if name != now]
        if before:
            message = (
                f"{analyst!r} spends {now} and has spent {', '.join(before)}: each keeps what was "
                "spent on it, and what one person learned is the sum"
            )
            yield Finding("note", "ledger", message, "budgets.total bounds the sum, if it is set")


def _all(policy: Policy) -> list[tuple[str, BudgetSpec]]:
    total = policy.budgets.total
    return [*named_budgets(policy), *([] if total is None else [("budgets.total", total)])]


def _foreseen(policy: Policy, ledger: Ledger, spec: BudgetSpec) -> Account:
    from dpsql.accountant.terms import BudgetTerms

    asked = BudgetTerms.create(spec.epsilon, spec.delta)
    return ledger.foreseen(spec.key, spec.kind, asked, spec.refresh, *policy.team_of(spec))
