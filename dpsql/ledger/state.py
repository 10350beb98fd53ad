"""The fold of the ledger: every budget's terms and spend, the open charges.

A `State` stands at one head and is moved forward only by the entries that follow that head, read
in the transaction that decides on it; other processes append too. Every link is checked on the
way. It raises at the first thing it cannot vouch for (verify.py is the one that lists them all).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.compose import Item
from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import InternalError, LedgerError
from dpsql.ledger.chain import GENESIS, Entry, Row, broken, unseal
from dpsql.ledger.entries import Accepted, Charged, Genesis, Outcome, Record, TermsSet, read


@dataclass(frozen=True, slots=True)
class Account:
    """A budget as it stands: who holds it, its current terms, what has been spent on it."""

    name: str
    holder: str
    terms: BudgetTerms
    spent: Charge

    def price(self, items: Sequence[Item]) -> Charge:
        """The price of events at this budget's own orders, refused if it is no price."""
        return _price(tuple(items), self.terms.orders)


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
        self.accounts: dict[str, Account] = {}
        self.open: dict[int, OpenCharge] = {}
        self.outcomes: dict[int, int] = {}
        """Entry of the outcome, by entry of the charge."""
        self.ledger = ""
        """The genesis's name."""
        self.requests: dict[tuple[str, str], tuple[str, int]] = {}
        """Hash and newest charge of each request, by analyst and the analyst's id for it."""
        self.accepted: list[Accepted] = []

    def account(self, name: str) -> Account:
        """The budget of that name. LedgerError `unknown-budget`."""
        if name not in self.accounts:
            raise LedgerError(
                f"the ledger knows no budget {name!r}",
                code="unknown-budget",
                hint="connect with the policy that declares it; its first use opens it",
            )
        return self.accounts[name]

    def follow(self, row: Row) -> None:
        """Move one entry forward. On an error the state stays where it was."""
        entry = unseal(row)
        if entry.seq != self.seq + 1:
            raise broken("its number does not follow the one before it", entry.seq)
        if entry.prev != self.head:
            raise broken("it does not link to the entry before it", entry.seq)
        if entry.time < self.time:
            raise broken("it is older than the entry before it", entry.seq)
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
                self._accept(entry.seq, record)
            case TermsSet():
                self._set_terms(entry.seq, record)
            case Charged():
                self._charge(entry, record)
            case Outcome():
                self._settle(entry.seq, record)

    def _set_terms(self, seq: int, record: TermsSet) -> None:
        known = self.accounts.get(record.budget)
        if (known is None) != (record.kind == "budget"):
            raise broken("a budget is opened twice, or changed before it was opened", seq)
        if known is None:
            spent = Charge.zero(record.terms.orders)
        elif (known.terms.orders, known.terms.weights) == _grid(record.terms):
            spent = known.spent
        else:
            raise broken("it changes the orders or weights of a budget", seq)
        account = Account(record.budget, record.holder, record.terms, spent)
        self.accounts[record.budget] = account

    def _charge(self, entry: Entry, record: Charged) -> None:
        unknown = [name for name in record.request.budgets if name not in self.accounts]
        if unknown:
            raise broken("it charges a budget that was never opened", entry.seq)
        charged = [self.accounts[name] for name in record.request.budgets]
        paid = [
            replace(account, spent=account.spent + account.price(record.request.items))
            for account in charged
        ]
        self.accounts.update({account.name: account for account in paid})
        self.open[entry.seq] = OpenCharge(entry.seq, entry.hash, record.process)
        if (key := record.request.key) is not None:
            self.requests[record.request.analyst, key.id] = key.hash, entry.seq

    def _accept(self, seq: int, record: Accepted) -> None:
        if set(record.burned) != set(self.accounts):
            raise broken("it does not burn the budgets that are open", seq)
        burned = [(self.accounts[name], events) for name, events in record.burned.items()]
        left = [replace(one, spent=one.spent + one.price(events)) for one, events in burned]
        self.accounts.update({account.name: account for account in left})
        self.accepted.append(record)

    def _settle(self, seq: int, record: Outcome) -> None:
        if record.charge not in self.open:
            raise broken("it settles no open charge", seq)
        del self.open[record.charge]
        self.outcomes[record.charge] = seq


@lru_cache(maxsize=4096)
def _price(items: tuple[Item, ...], orders: tuple[Fraction, ...]) -> Charge:
    """A charge is priced when it is decided and again when it is read back: once is enough."""
    try:
        charge = price(items, orders)
    except (ValueError, TypeError, ArithmeticError):
        raise _bad_price() from None
    return sound(charge, orders)


def sound(charge: Charge, orders: tuple[Fraction, ...]) -> Charge:
    """The charge itself, if it is one: right orders, whole units, none negative, not all zero.

    InternalError `bad-price` otherwise: a price that is NaN passes `spent + price > budget`, and a
    negative one is a refund, so neither is ever compared with anything.
    """
    finite = [units for units in (*charge.renyi, charge.pure) if units is not None]
    finite.append(charge.delta)
    whole = all(type(units) is int and units >= 0 for units in finite)
    free = whole and not any(finite) and len(finite) == len(charge.renyi) + 2
    fits = charge.orders == orders and len(charge.renyi) == len(charge.orders)
    if not whole or not fits or free:
        raise _bad_price()
    return charge


def _bad_price() -> InternalError:
    return InternalError(
        "the price of the query is not a price; nothing was charged or answered",
        code="bad-price",
        hint="this is a defect of dpsql, please report it",
    )


def _grid(terms: BudgetTerms) -> tuple[object, object]:
    return terms.orders, terms.weights
