"""The ledger as a statement of account: one line a charge or change of terms, with the balance."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from dpsql.accountant.odometer import selection_share, share
from dpsql.history.filters import OPEN, Filter, moment
from dpsql.history.tables import tables_of
from dpsql.ledger import Account, Ledger
from dpsql.ledger.chain import Entry
from dpsql.ledger.entries import (
    Accepted,
    Charged,
    Granted,
    Record,
    TermsSet,
)
from dpsql.ledger.reading import read
from dpsql.ledger.state import State

FIELDS = (
    *("entry", "time", "kind", "analyst", "budget", "epsilon", "delta", "sql", "outcome"),
    *("used", "delta_used", "hash", "epsilons", "deltas", "window", "by", "why", "tables"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A charge (with its outcome so far) or a change of a budget's terms, and the state after it.

    `epsilon`, `delta`: the sum of what the statement was charged, the new terms, or what was
    granted (`by` whom and `why`). `parts`: the
    (ε, δ) of each private aggregate of a charge.
    """

    entry: int
    time: int
    kind: str
    analyst: str | None
    epsilon: Fraction
    delta: Fraction
    sql: str | None
    outcome: str | None
    account: Account
    hash: str
    parts: tuple[tuple[Fraction, Fraction], ...] = ()
    by: str | None = None
    why: str | None = None

    def record(self) -> dict[str, object]:
        """All fields as plain values; shares are of the budget just after the entry."""
        return {
            "entry": self.entry,
            "time": moment(self.time).isoformat(),
            "kind": self.kind,
            "analyst": self.analyst,
            "budget": self.account.name,
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "sql": self.sql,
            "outcome": self.outcome,
            "used": share(self.account.terms, self.account.spent),
            "delta_used": selection_share(self.account.terms, self.account.spent),
            "hash": self.hash,
            "epsilons": [float(epsilon) for epsilon, _ in self.parts],
            "deltas": [float(delta) for _, delta in self.parts],
            "window": None if self.account.window.end is None else str(self.account.window),
            "by": self.by,
            "why": self.why,
            "tables": [] if self.sql is None else list(tables_of(self.sql)),
        }


def steps(ledger: Ledger) -> Iterator[tuple[Entry, Record, State]]:
    """Each entry, what it says, and the state right after it (do not change or keep it).

    Balances are recomputed from the events. LedgerError where an entry cannot be read.
    """
    state = State()
    for entry in ledger.entries():
        record = read(entry)
        state.apply(entry, record)
        yield entry, record, state


def lines_of(ledger: Ledger, *, wanted: Filter | None = None, last: int = 0) -> list[Line]:
    """The lines of a ledger, the newest `last` of them (0: all), of those that are wanted."""
    outcomes = ledger.outcomes()
    lines: deque[Line] = deque(maxlen=last or None)
    for entry, record, state in steps(ledger):
        line = line_at(entry, record, state, outcomes, wanted or Filter())
        if line is not None:
            lines.append(line)
    return list(lines)


def line_at(
    entry: Entry,
    record: Record,
    state: State,
    outcomes: dict[int, tuple[int, str]],
    wanted: Filter,
) -> Line | None:
    """The line of an entry, if it has one and is wanted."""
    match record:
        case TermsSet(budget=budget) if wanted.terms(budget, entry.time):
            account = state.books[budget].account(entry.time)
            # Schemas 1 and 2 called a raise by the policy a grant.
            kind = "raise" if entry.kind == "grant" else entry.kind
            return Line(
                entry.seq, entry.time, kind, None, account.terms.epsilon, account.terms.delta, None,
                None, account, entry.hash,
            )  # fmt: skip
        case Granted(budget=budget, amounts=more) if wanted.terms(budget, entry.time):
            return Line(
                entry.seq, entry.time, "grant", None, more.epsilon, more.delta, None, None,
                state.books[budget].account(entry.time), entry.hash, by=record.by, why=record.why,
            )  # fmt: skip
        case Accepted(burned=burned):
            mine = [name for name in burned if wanted.terms(name, entry.time)]
            if mine:
                return Line(
                    entry.seq, entry.time, "accept", None, Fraction(0), Fraction(0), None, None,
                    state.books[mine[-1]].account(entry.time), entry.hash,
                )  # fmt: skip
        case Charged(request=request):
            outcome = outcomes.get(entry.seq, (0, OPEN))[1]
            if wanted.charge(request.analyst, request.sql, entry.time, outcome):
                account = state.books[request.budget].account(entry.time)
                return Line(
                    entry.seq, entry.time, "charge", request.analyst, request.epsilon,
                    request.delta, request.sql, outcome, account, entry.hash,
                    tuple((one.epsilon, one.delta) for one in request.aggregates),
                )  # fmt: skip
    return None
