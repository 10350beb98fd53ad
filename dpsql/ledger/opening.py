"""What the policy's word on a budget does to the ledger: the entry to write, and what it leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from fractions import Fraction

from dpsql.accountant.parameters import non_negative
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.numbers import MAX_EPSILON
from dpsql.core.refresh import DAY, Refresh
from dpsql.errors import LedgerError
from dpsql.ledger.account import Account, Amounts, Book
from dpsql.ledger.entries import Granted, TermsSet
from dpsql.ledger.state import State


def wanted(
    state: State, name: str, kind: str, asked: BudgetTerms, refresh: Refresh = "never"
) -> TermsSet | None:
    """The entry that brings the ledger in line with the policy, or None if it is.

    Compared with what the policy said before: grants are the ledger's own and stand. Orders and
    weights stay those of the first day. LedgerError `budget-kind` where two budgets would become
    one, `grants-too-large` where policy and grants together are none.
    """
    known = state.books.get(name)
    if known is None:
        return TermsSet("budget", name, kind, asked, refresh)
    personal = {"analyst", "default"}
    if kind != known.holder and not {kind, known.holder} <= personal:
        raise LedgerError(
            f"the ledger holds a budget {name!r} of another kind ({known.holder}, not {kind})",
            code="budget-kind",
            hint="rename one of them in the policy; two budgets of one name would be one budget",
        )
    now = known.policy
    terms = replace(asked, orders=now.orders, weights=now.weights)
    if terms == now and kind == known.holder and refresh == known.refresh:
        return None
    reached = terms.epsilon + known.granted.epsilon
    if terms.delta + known.granted.delta >= 1 or reached > MAX_EPSILON:
        raise too_large(name)
    lower = (
        terms.epsilon < now.epsilon
        or terms.delta_conv < now.delta_conv
        or terms.delta_thr < now.delta_thr
    )
    word = "refresh" if refresh != known.refresh else "limit" if lower else "raise"
    return TermsSet(word, name, kind, terms, refresh)


def foreseen(
    state: State, name: str, kind: str, asked: BudgetTerms, refresh: Refresh = "never"
) -> Account:
    """The budget as it will stand once that entry is written: what was spent stays spent."""
    change = wanted(state, name, kind, asked, refresh)
    if change is None:
        return state.account(name)
    known = state.books.get(name)
    if known is None:
        return Book(name, kind, change.terms, refresh).account(state.moment)
    book = Book(name, kind, known.policy, known.refresh)
    book.granted, book.reached = known.granted, known.reached
    book.set(change.terms, refresh, known.granted)
    for day, charge in known.days.items():
        book.add(charge, day * DAY)
    return book.account(state.moment)


def refuse_renamed(state: State, team: str, members: Iterable[str], named: Collection[str]) -> None:
    """LedgerError `team-renamed` if a new team's people spent as a team the policy has dropped.

    A team is its name: under another one it would start whole, and what its members learned
    would be forgotten. `named`: the keys of the policy's teams.
    """
    if team in state.books:
        return
    for member in sorted(members):
        for budget in sorted(state.payers.get(member, ())):
            if budget.startswith("team:") and budget not in named:
                old = budget.removeprefix("team:")
                raise LedgerError(
                    f"{member!r} spent as team {old!r}, which the policy no longer names, and "
                    f"team {team.removeprefix('team:')!r} would start with nothing spent",
                    code="team-renamed",
                    hint=f"give the team its name {old!r} back. If it is another team, keep "
                    f"{old!r} in the policy too, with `members: []`",
                )


def granted(
    budget: str, epsilon: Fraction, delta: Fraction, split: Fraction, *, by: str, why: str
) -> Granted:
    """The entry of a grant; `split` of δ goes to key selection. ValueError: no amounts or text."""
    epsilon, delta = non_negative(epsilon, "epsilon"), non_negative(delta, "delta")
    if delta >= 1 or not (epsilon or delta) or not 0 <= split <= 1:
        raise ValueError("a grant adds to epsilon or delta")
    if not why.strip() or not by.strip():
        raise ValueError("a grant says who gives it, and why")
    return Granted(budget, Amounts(epsilon, delta * (1 - split), delta * split), by, why)


def check_grant(account: Account, grant: Granted) -> None:
    """LedgerError `grants-too-large` where a budget would have δ = 1 or more ε than any may."""
    more = grant.amounts
    if account.terms.delta + more.delta >= 1 or account.terms.epsilon + more.epsilon > MAX_EPSILON:
        raise too_large(account.name)


def too_large(name: str) -> LedgerError:
    """Policy and grants together leave no δ below 1, or have an ε beyond all use."""
    return LedgerError(
        f"the policy and the grants of {name!r} together have a delta of 1 or more, or an epsilon"
        " above 1e12",
        code="grants-too-large",
        hint="lower that of the policy or of the grant; a delta is far below 1",
    )
