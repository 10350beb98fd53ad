"""The ledger for who only looks: nothing is created, opened as a budget or written.

Where there is no ledger yet, nothing is spent, and every budget is whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import Refresh
from dpsql.ledger.account import Account
from dpsql.ledger.opening import foreseen
from dpsql.ledger.state import State
from dpsql.ledger.store import Holder, Ledger


class View:
    """Budgets as the next query would find them. `ledger` is None where there is none yet."""

    def __init__(self, url: str) -> None:
        """LedgerError for a file that is no ledger, or none this user can read."""
        self.ledger = Ledger.view(url)

    def account(
        self,
        name: str,
        kind: Holder,
        epsilon: Fraction,
        delta: Fraction,
        refresh: Refresh = "never",
        members: Sequence[str] = (),
        named: Sequence[str] = (),
    ) -> Account:
        """The budget under the policy's (ε, δ) and calendar, written down or not.

        LedgerError if the chain does not verify, `budget-kind`, `team-renamed`: what a query meets.
        """
        asked = BudgetTerms.create(epsilon, delta)
        if self.ledger is None:
            empty = State()
            empty.now = int(time.time())
            return foreseen(empty, name, kind, asked, refresh)
        return self.ledger.foreseen(name, kind, asked, refresh, members, named)

    def close(self) -> None:
        if self.ledger is not None:
            self.ledger.close()
