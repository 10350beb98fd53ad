"""Going on without entries that are lost: what it costs, so that the promise still holds.

Somebody holds a receipt (seq, head) that the ledger does not show: it was restored from an older
copy, or another file lies in its place. What was spent in the lost part is not known. Its releases
were admitted, so they are together (ε, δ)-DP for each budget, whatever they were, given the entries
that are left: an acceptance charges each budget exactly that, once more. Every budget is then
exhausted, and what the owner wants to give beyond it is a raise in the policy, in plain sight.

A budget that was opened only in the lost part, for a name the policy does not list, is not known
here: `budgets.total`, where there is one, covers it (SECURITY.md).
"""

from __future__ import annotations

from collections.abc import Iterable

from dpsql.accountant.events import Threshold
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.windows import DAY, Refresh, windows_between
from dpsql.errors import LedgerError
from dpsql.ledger.account import Account
from dpsql.ledger.entries import Accepted, Events

_LOST = 3653 * DAY


def burn(terms: BudgetTerms, refresh: Refresh, now: int) -> Events:
    """The price of releases of which nothing is known but that these terms admitted them.

    Of a budget that refreshes any window of the last ten years may have been filled. All of them
    are counted on the day of the acceptance, so a longer calendar later counts them, too; until
    the present window ends, nothing more is answered.

    An (ε, δ)-DP mechanism is ε-DP but with probability δ (Kairouz, Oh, Viswanath 2015), which is
    what a `Threshold` of one key is priced as.
    """
    event = Threshold(terms.epsilon, terms.delta, 1)
    return ((event, windows_between(refresh, max(0, now - _LOST), now)),)


def accepted(ledger: str, seq: int, head: str, accounts: Iterable[Account], now: int) -> Accepted:
    """The entry, of time `now`, that gives up (seq, head) of `ledger` and burns every budget."""
    burned = {one.name: burn(one.terms, one.window.refresh, now) for one in accounts}
    return Accepted(ledger, seq, head, burned)


def nothing_to_accept() -> LedgerError:
    """The receipt that would be given up is in the ledger: nothing is lost."""
    return LedgerError(
        "the ledger shows that entry: nothing is lost, and nothing was written",
        code="nothing-to-accept",
        hint="give the receipt that the refusal named; `dpsql ledger verify` says what is wrong",
    )
