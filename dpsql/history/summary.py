"""Everything that the report page shows, gathered in one walk over the ledger.

What is kept grows with the number of budgets and tables and, a word a charge, with the outcomes;
not with statements or events.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from dpsql.accountant.odometer import odometer
from dpsql.errors import LedgerError
from dpsql.history.filters import OPEN
from dpsql.history.lines import steps
from dpsql.history.spending import Curve
from dpsql.history.tables import tables_of
from dpsql.ledger import Account, Ledger
from dpsql.ledger.entries import Charged, Granted, Promised, Record, TermsSet
from dpsql.ledger.refusals import Refusal

POINTS = 60
"""Of each budget's curve."""
LARGEST = 10
"""Queries that are listed."""


@dataclass(slots=True)
class BudgetHistory:
    """One budget: as it stands, over time, and what was charged to it."""

    account: Account
    curve: Curve = field(default_factory=lambda: Curve(POINTS))
    charges: int = 0
    ended: tuple[float, Fraction] = (0.0, Fraction(0))
    """(ε, δ) of the windows that are over, added up."""

    def end_window(self) -> None:
        """The account's window is over: what it told stays told."""
        epsilon = odometer(self.account.terms, self.account.spent)
        if epsilon > 0:
            self.ended = self.ended[0] + epsilon, self.ended[1] + self.account.terms.delta


@dataclass(slots=True)
class TableUse:
    """Charges whose text names a table; `epsilon`: what they were asked for, added up."""

    charges: int = 0
    epsilon: float = 0.0
    analysts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Large:
    """A charge among the largest."""

    entry: int
    time: int
    analyst: str
    epsilon: Fraction
    delta: Fraction
    sql: str
    outcome: str


@dataclass(slots=True)
class Summary:
    """See the module. `stopped`: why the walk ended early; None where it reached the end.

    `first`, `last`: times of the first and the newest charge or budget.
    """

    entries: int = 0
    charges: int = 0
    first: int | None = None
    last: int | None = None
    budgets: dict[str, BudgetHistory] = field(default_factory=dict)
    tables: dict[str, TableUse] = field(default_factory=dict)
    analysts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    largest: list[Large] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Collusion:
    """What all analysts together may have learned about one person so far, at most.

    `epsilon` holds at all times at once with `delta` (the odometer); None: there is no bound.
    `limit`: (ε, δ) of the total budget; None: the ledger has none, and the budgets were added up.
    """

    epsilon: float
    delta: Fraction
    limit: tuple[Fraction, Fraction] | None


def summary_of(ledger: Ledger, *, until: int | None = None) -> Summary:
    """The summary, of the entries up to number `until` if it is named.

    A ledger that cannot be read to its end is summed up as far as it can.
    """
    found = Summary()
    largest: list[tuple[Fraction, int, Large]] = []
    try:
        outcomes = ledger.outcomes()
        found.refusals = ledger.refusals.list()
        for entry, record, state in steps(ledger):
            if until is not None and entry.seq > until:
                break
            found.entries += 1
            if entry.kind not in ("genesis", "outcome", "promise"):
                found.first = entry.time if found.first is None else found.first
                found.last = entry.time
                touched = [state.books[name] for name in _touched(record, state.books)]
                _see_budgets(found, [book.account(entry.time) for book in touched], entry.time)
            if isinstance(record, Charged):
                outcome = outcomes.get(entry.seq, (0, OPEN))[1]
                _see_charge(found, record, outcome)
                request = record.request
                one = Large(
                    entry.seq, entry.time, request.analyst, request.epsilon, request.delta,
                    request.sql, outcome,
                )  # fmt: skip
                # Of equal ones the earlier: entry numbers differ, so `Large` is never compared.
                heapq.heappush(largest, (request.epsilon, -entry.seq, one))
                if len(largest) > LARGEST:
                    heapq.heappop(largest)
    except LedgerError as problem:
        found.stopped = problem.message
    found.largest = [one for _, _, one in sorted(largest, reverse=True)]
    return found


def _touched(record: Record, names: Iterable[str]) -> Iterable[str]:
    """The budgets an entry may have changed: a charge names them, and so do terms."""
    match record:
        case Charged(request=request):
            return request.budgets
        case TermsSet(budget=budget) | Granted(budget=budget):
            return (budget,)
        case Promised():
            return ()
        case _:
            return names


def _see_budgets(found: Summary, accounts: Iterable[Account], time: int) -> None:
    for account in accounts:
        known = found.budgets.get(account.name)
        if known is None:
            known = found.budgets[account.name] = BudgetHistory(account)
        elif known.account.window != account.window:
            known.end_window()
        known.account = account
        known.curve.add(time, account)


def _see_charge(found: Summary, record: Charged, outcome: str) -> None:
    request = record.request
    found.charges += 1
    found.analysts[request.analyst] += 1
    found.outcomes[outcome] += 1
    for name in request.budgets:
        found.budgets[name].charges += 1
    for table in tables_of(request.sql):
        use = found.tables.setdefault(table, TableUse())
        use.charges += 1
        use.epsilon += float(request.epsilon)
        use.analysts.add(request.analyst)


def collusion(summary: Summary) -> Collusion:
    """The worst case if all analysts put their answers together.

    From the total budget, whose events are those of all. Without one: the odometers of all
    budgets added up with their δ, which holds by basic composition.
    """
    accounts = [budget.account for budget in summary.budgets.values()]
    for account in accounts:
        if account.holder == "total":
            terms = account.terms
            bound = odometer(terms, account.spent)
            return Collusion(bound, terms.delta, (terms.epsilon, terms.delta))
    bounds = [(odometer(one.terms, one.spent), one.terms.delta) for one in accounts]
    bounds += [budget.ended for budget in summary.budgets.values()]
    spent = [(epsilon, delta) for epsilon, delta in bounds if epsilon > 0]
    total = sum((epsilon for epsilon, _ in spent), 0.0)
    return Collusion(total, sum((delta for _, delta in spent), Fraction(0)), None)
