"""Reading what an entry says: strict, field by field.

An unknown kind, a missing, unknown or ill-typed field is a LedgerError, since a program that skips
what it does not understand could overlook a charge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from dpsql.accountant.charge import Charge
from dpsql.accountant.events import PrivacyEvent, from_json
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import REFRESH
from dpsql.errors import LedgerError
from dpsql.ledger.account import Amounts
from dpsql.ledger.chain import FORMAT, Entry, broken
from dpsql.ledger.entries import (
    HOLDERS,
    OUTCOMES,
    Accepted,
    Charged,
    Events,
    Genesis,
    Granted,
    Outcome,
    Priced,
    Promised,
    Record,
    Request,
    RequestKey,
    TermsSet,
)


def read(entry: Entry) -> Record:
    """The record of an entry. LedgerError `unknown-entry`, `unknown-event` or `ledger-broken`."""
    reader = _READERS.get(entry.kind)
    if reader is None:
        raise LedgerError(
            f"entry {entry.seq} of the ledger is of a kind this dpsql does not know",
            code="unknown-entry",
            hint="a newer dpsql wrote it: upgrade. No query is answered meanwhile, since the "
            "entry may be a charge",
        )
    links = ("seq", "kind", "time")
    fields = _Fields(entry, {k: v for k, v in entry.body.items() if k not in links})
    try:
        record = reader(fields)
    except LedgerError as error:
        if error.code == "unknown-event":
            raise
        raise broken(f"this {entry.kind} cannot be read", entry.seq) from None
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError):
        raise broken(f"this {entry.kind} cannot be read", entry.seq) from None
    fields.done()
    return record


class _Fields:
    """Takes fields out of a body by name and type; what is left over at the end is an error."""

    def __init__(self, entry: Entry, body: Mapping[str, Any]) -> None:
        self.entry = entry
        self.left = dict(body)

    def text(self, name: str) -> str:
        return _text(self.left.pop(name))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(_text(value) for value in _list(self.left.pop(name)))

    def number(self, name: str) -> int:
        return _int(self.left.pop(name))

    def fraction(self, name: str) -> Fraction:
        text = self.text(name)
        value = Fraction(text)
        if str(value) != text:
            raise ValueError(text)
        return value

    def digest(self, name: str) -> str:
        text = self.text(name)
        if len(text) != 64 or set(text) - set("0123456789abcdef"):
            raise ValueError(text)
        return text

    def optional(self, name: str) -> str | None:
        return self.text(name) if name in self.left else None

    def take(self, name: str) -> Any:
        return self.left.pop(name)

    def done(self) -> None:
        if self.left:
            raise broken(f"this {self.entry.kind} has an unknown field", self.entry.seq)


def _genesis(fields: _Fields) -> Genesis:
    if fields.text("format") != FORMAT:
        raise ValueError("format")
    return Genesis(fields.text("ledger"))


def _terms(fields: _Fields) -> TermsSet:
    budget, holder = fields.text("budget"), fields.text("holder")
    if holder not in HOLDERS:
        raise ValueError(holder)
    terms, refresh = BudgetTerms.from_json(fields.take("terms")), fields.optional("refresh")
    if refresh is None:
        return TermsSet(fields.entry.kind, budget, holder, terms)
    calendar = [word for word in REFRESH[1:] if word == refresh]
    if not calendar or holder == "total":
        raise ValueError("refresh")
    return TermsSet(fields.entry.kind, budget, holder, terms, calendar[0])


def _grant(fields: _Fields) -> TermsSet | Granted:
    if "terms" in fields.left:
        return _terms(fields)
    budget = fields.text("budget")
    parts = [fields.fraction(name) for name in ("epsilon", "delta_conv", "delta_thr")]
    amounts = Amounts(*parts)
    if min(parts) < 0 or not any(parts):
        raise ValueError("grant")
    return Granted(budget, amounts, fields.text("by"), fields.text("why"))


def _charge(fields: _Fields) -> Charged:
    request = Request(
        analyst=fields.text("analyst"),
        budget=fields.text("budget"),
        total=fields.optional("total"),
        aggregates=_one_price(fields) if "fingerprints" in fields.left else _own_prices(fields),
        sql=fields.text("sql"),
        data_version=fields.text("data_version"),
        key=_request_key(fields),
    )
    charges = {name: Charge.from_json(value) for name, value in fields.take("charges").items()}
    if not request.items or set(charges) != set(request.budgets):
        raise ValueError("charges")
    windows = dict(fields.take("windows")) if "windows" in fields.left else {}
    return Charged(request, charges, fields.text("process"), windows)


def _request_key(fields: _Fields) -> RequestKey | None:
    if "request" not in fields.left:
        return None
    inner = _Fields(fields.entry, fields.take("request"))
    key = RequestKey(inner.text("id"), inner.digest("hash"))
    inner.done()
    return key


def _own_prices(fields: _Fields) -> tuple[Priced, ...]:
    found = []
    for written in _list(fields.take("aggregates")):
        inner = _Fields(fields.entry, written)
        found.append(
            Priced(
                _events(inner.take("events")),
                inner.text("fingerprint"),
                inner.fraction("epsilon"),
                inner.fraction("delta"),
            )
        )
        inner.done()
    return tuple(found)


def _one_price(fields: _Fields) -> tuple[Priced, ...]:
    """A charge as schema 1 wrote it: one ε and δ, the first aggregate's, for all of a statement.

    Read as it was meant then, so that the releases stored under it are found where they were put.
    """
    events = [_events(items) for items in _list(fields.take("aggregates"))]
    names = fields.texts("fingerprints")
    epsilon, delta = fields.fraction("epsilon"), fields.fraction("delta")
    fields.optional("key")  # a retry's name, that no release of dpsql gave
    return tuple(Priced(*pair, epsilon, delta) for pair in zip(events, names, strict=True))


def _outcome(fields: _Fields) -> Outcome:
    outcome = Outcome(fields.number("charge"), fields.text("outcome"), fields.texts("releases"))
    if outcome.outcome not in OUTCOMES:
        raise ValueError(outcome.outcome)
    return outcome


def _accepted(fields: _Fields) -> Accepted:
    lost = _Fields(fields.entry, fields.take("lost"))
    where = lost.text("ledger"), lost.number("seq"), lost.digest("head")
    lost.done()
    return Accepted(*where, {n: _events(items) for n, items in fields.take("burned").items()})


def _promise(fields: _Fields) -> Promised:
    return Promised(fields.text("table"), fields.text("key"), fields.text("data_version"))


def _events(items: object) -> Events:
    return tuple(_item(item) for item in _list(items))


def _item(item: Any) -> tuple[PrivacyEvent, int]:
    count = _int(item["count"])
    if set(item) != {"event", "count"} or count < 1:
        raise ValueError("item")
    return _event(tuple(sorted(item["event"].items()))), count


@lru_cache(maxsize=4096)
def _event(parameters: tuple[tuple[str, str], ...]) -> PrivacyEvent:
    return from_json(dict(parameters))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("integer")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("list")
    return value


_READERS: dict[str, Callable[[_Fields], Record]] = {
    "genesis": _genesis,
    "budget": _terms,
    "raise": _terms,
    "limit": _terms,
    "refresh": _terms,
    "grant": _grant,
    "charge": _charge,
    "outcome": _outcome,
    "accept": _accepted,
    "promise": _promise,
}
