"""The fold of the ledger: every budget's terms and spend, the open charges.

A `State` stands at one head and is moved forward only by the entries that follow that head, read
in the transaction that decides on it; other processes append too. Every link is checked on the
way. It raises at the first thing it cannot vouch for (verify.py is the one that lists them all).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import LAST, Refresh
from dpsql.errors import LedgerError
from dpsql.ledger import process
from dpsql.ledger.acceptance import burns
from dpsql.ledger.account import Account, Amounts, Book, windows_of
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import held
from dpsql.ledger.chain import GENESIS, Entry, Row, broken, unseal
from dpsql.ledger.entries import (
    Accepted,
    Charged,
    Genesis,
    Granted,
    Outcome,
    Promised,
    Record,
    TermsSet,
)
from dpsql.ledger.prices import priced
from dpsql.ledger.reading import read


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """A charge that has no outcome yet, and the process that may settle it."""

    seq: int
    head: str
    process: str


class State:
    """Everything a decision needs, at the head (`seq`, `head`)."""

    def __init__(self) -> None:
        self.seq = 0
        self.head = GENESIS.hex()
        self.time = 0
        self.now = 0
        """The clock when this transaction began."""
        self.books: dict[str, Book] = {}
        self.payers: dict[str, set[str]] = {}
        """The budgets that each analyst's statements were charged to, `total` not counted."""
        self.open: dict[int, OpenCharge] = {}
        self.outcomes: dict[int, int] = {}
        """Entry of the outcome, by entry of the charge."""
        self.ledger = ""
        """The genesis's name."""
        self.requests: dict[tuple[str, str], tuple[str, int]] = {}
        """Hash and newest charge of each request, by analyst and the analyst's id for it."""
        self.forsaken: set[str] = set()
        """Heads of charges that this process will not settle: it was never told that they stand."""
        self.shared = False
        """May another machine, of whatever name, have written an entry?"""
        self.accepted: list[tuple[Accepted, int]] = []
        """With the times of the entries."""
        self.promises: set[Promised] = set()
        """The keys on the owner's word that were verified, each for a version of the data."""

    @property
    def moment(self) -> int:
        """The time of this transaction, and of the entries it appends: the clock's, unless the
        ledger has seen a later one. A clock that is set back opens no window again."""
        return max(self.time, self.now)

    def left(self, charge: OpenCharge) -> bool:
        """Will surely nobody settle this charge?"""
        return charge.head in self.forsaken or process.gone(charge.process, shared=self.shared)

    def account(self, name: str) -> Account:
        """The budget of that name, now. LedgerError `unknown-budget`."""
        if name not in self.books:
            raise LedgerError(
                f"the ledger knows no budget {name!r}",
                code="unknown-budget",
                hint="connect with the policy that declares it; its first use opens it",
            )
        return self.books[name].account(self.moment)

    def anchor(self, names: Collection[str] | None = None) -> Anchor:
        """This point, with the ceilings of the budgets of these names (None: of all)."""
        wanted = self.books if names is None else [name for name in names if name in self.books]
        found = held({name: self.books[name].peak.ceiling for name in wanted})
        return Anchor(self.ledger, self.seq, self.head, len(self.accepted), found)

    def follow(self, row: Row) -> None:
        """Move one entry forward. On an error the state stays where it was."""
        entry = unseal(row)
        if entry.seq != self.seq + 1:
            raise broken("its number does not follow the one before it", entry.seq)
        if entry.prev != self.head:
            raise broken("it does not link to the entry before it", entry.seq)
        if entry.time < self.time:
            raise broken("it is older than the entry before it", entry.seq)
        if entry.time >= LAST:
            raise broken("its time is none of the calendar", entry.seq)
        self.apply(entry, read(entry))
        self.seq, self.head, self.time = entry.seq, entry.hash, entry.time

    def apply(self, entry: Entry, record: Record) -> None:
        """What one entry changes; `record` is what it says. Links are for `follow` to check."""
        if isinstance(record, Genesis) != (entry.seq == 1):
            raise broken("a ledger has one genesis, its first entry", entry.seq)
        match record:
            case Genesis(ledger=name):
                self.ledger = name
            case Accepted():
                self._accept(entry, record)
            case TermsSet():
                self._set_terms(entry.seq, record)
            case Granted():
                self._grant(entry.seq, record)
            case Charged():
                self._charge(entry, record)
            case Outcome():
                self._settle(entry.seq, record)
            case Promised():
                if record in self.promises:
                    raise broken("it verifies a promise a second time", entry.seq)
                self.promises.add(record)

    def _set_terms(self, seq: int, record: TermsSet) -> None:
        known = self.books.get(record.budget)
        if (known is None) != (record.kind == "budget"):
            raise broken("a budget is opened twice, or changed before it was opened", seq)
        if known is None:
            book = Book(record.budget, record.holder, record.terms, record.refresh)
            self.books[record.budget] = book
        elif (known.policy.orders, known.policy.weights) == _grid(record.terms):
            _change(known, seq, record.terms, record.refresh, known.granted)
            known.holder = record.holder
        else:
            raise broken("it changes the orders or weights of a budget", seq)

    def _grant(self, seq: int, record: Granted) -> None:
        known = self.books.get(record.budget)
        if known is None:
            raise broken("it grants to a budget that was never opened", seq)
        _change(known, seq, known.policy, known.refresh, known.granted + record.amounts)

    def _charge(self, entry: Entry, record: Charged) -> None:
        unknown = [name for name in record.request.budgets if name not in self.books]
        if unknown:
            raise broken("it charges a budget that was never opened", entry.seq)
        charged = [self.books[name] for name in record.request.budgets]
        if record.windows != windows_of(charged, entry.time):
            raise broken("it names another window than its time lies in", entry.seq)
        items = tuple(record.request.items)
        prices = [priced(items, book.policy.orders) for book in charged]
        for book, charge in zip(charged, prices, strict=True):
            book.add(charge, entry.time)
            book.peak.admitted()
        self.payers.setdefault(record.request.analyst, set()).add(record.request.budget)
        self.open[entry.seq] = OpenCharge(entry.seq, entry.hash, record.process)
        if (key := record.request.key) is not None:
            self.requests[record.request.analyst, key.id] = key.hash, entry.seq

    def _accept(self, entry: Entry, record: Accepted) -> None:
        if set(record.burned) != set(self.books):
            raise broken("it does not burn the budgets that are open", entry.seq)
        for name, events in record.burned.items():
            book = self.books[name]
            if not burns(events, book.now, entry.time):
                raise broken("it does not burn all of a budget", entry.seq)
            book.burn(events, entry.time)
        self.accepted.append((record, entry.time))

    def _settle(self, seq: int, record: Outcome) -> None:
        if record.charge not in self.open:
            raise broken("it settles no open charge", seq)
        del self.open[record.charge]
        self.outcomes[record.charge] = seq


def _change(book: Book, seq: int, policy: BudgetTerms, refresh: Refresh, granted: Amounts) -> None:
    try:
        book.set(policy, refresh, granted)
    except ValueError:
        raise broken("policy and grants together make no budget", seq) from None


def _grid(terms: BudgetTerms) -> tuple[object, object]:
    return terms.orders, terms.weights
