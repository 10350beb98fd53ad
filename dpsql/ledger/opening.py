"""What the policy's word on a budget does to the ledger: the entry to write, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

from dpsql.accountant.charge import Charge
from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import LedgerError
from dpsql.ledger.entries import TermsSet
from dpsql.ledger.state import Account, State


def wanted(state: State, name: str, kind: str, asked: BudgetTerms) -> TermsSet | None:
    """The entry that brings the ledger in line with the policy, or None if it is.

    Orders and weights stay those of the first day. LedgerError `budget-kind` where two budgets
    would become one.
    """
    known = state.accounts.get(name)
    if known is None:
        return TermsSet("budget", name, kind, asked)
    personal = {"analyst", "default"}
    if kind != known.holder and not {kind, known.holder} <= personal:
        raise LedgerError(
            f"the ledger holds a budget {name!r} of another kind ({known.holder}, not {kind})",
            code="budget-kind",
            hint="rename one of them in the policy; two budgets of one name would be one budget",
        )
    terms = replace(asked, orders=known.terms.orders, weights=known.terms.weights)
    if terms == known.terms and kind == known.holder:
        return None
    now = known.terms
    lower = (
        terms.epsilon < now.epsilon
        or terms.delta_conv < now.delta_conv
        or terms.delta_thr < now.delta_thr
    )
    return TermsSet("limit" if lower else "grant", name, kind, terms)


def foreseen(state: State, name: str, kind: str, asked: BudgetTerms) -> Account:
    """The budget as it will stand once that entry is written: what was spent stays spent."""
    change = wanted(state, name, kind, asked)
    if change is None:
        return state.account(name)
    known = state.accounts.get(name)
    spent = Charge.zero(change.terms.orders) if known is None else known.spent
    return Account(name, kind, change.terms, spent)
