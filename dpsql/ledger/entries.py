"""What an entry may say: each kind as a frozen record, written to and read from a chain body.

| kind      | says |
|-----------|------|
| `genesis` | which ledger this is, in which format |
| `budget`  | a budget exists from here on, with these terms (orders and weights fixed for ever) |
| `raise`   | the policy raised its terms; `limit`: lowered some of them; `refresh`: gave it another
|           | calendar of windows. Spend stands |
| `grant`   | its owner added to what the policy says, and why |
| `charge`  | these privacy events were paid for, by whom, on which budgets (and in which window of
|           | those that have windows), before execution |
| `outcome` | what became of a charge, and the hashes of what was released. Never a refund |
| `accept`  | the owner goes on without entries that were seen and are lost; their spend is burned |
| `promise` | a key on the owner's word was verified, for one version of the data. Spend stands |

Readers are strict: an unknown kind, a missing, unknown or ill-typed field is a LedgerError, since
a program that skips what it does not understand could overlook a charge. Amounts are exact
decimal or p/q text. Nothing that depends on private data is written: no durations, row counts or
values. An outcome repeats the time of the entry before it, for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dpsql.accountant.charge import Charge
from dpsql.accountant.compose import Item
from dpsql.accountant.events import PrivacyEvent
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import Refresh
from dpsql.ledger.account import Amounts
from dpsql.ledger.chain import FORMAT, canonical

OUTCOMES = ("released", "failed", "timeout", "cancelled", "forfeited")
HOLDERS = ("analyst", "team", "default", "total")

Events = tuple[tuple[PrivacyEvent, int], ...]
"""What one private aggregate is charged for: (event, count) pairs."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first entry: a random name, so that no head of another ledger can be taken for ours."""

    ledger: str

    def body(self) -> dict[str, Any]:
        return {"ledger": self.ledger, "format": FORMAT}


@dataclass(frozen=True, slots=True)
class TermsSet:
    """The policy's word on a budget from this entry on; `kind` is budget, raise, limit or refresh.

    A `grant` with terms is a raise as schemas 1 and 2 wrote it.
    """

    kind: str
    budget: str
    holder: str
    terms: BudgetTerms
    refresh: Refresh = "never"

    def body(self) -> dict[str, Any]:
        body = {"budget": self.budget, "holder": self.holder, "terms": self.terms.to_json()}
        return body if self.refresh == "never" else {**body, "refresh": self.refresh}


@dataclass(frozen=True, slots=True)
class Granted:
    """What an owner added to a budget, on top of what the policy says, for good."""

    budget: str
    amounts: Amounts
    by: str
    why: str

    def body(self) -> dict[str, Any]:
        return {
            "budget": self.budget,
            "epsilon": str(self.amounts.epsilon),
            "delta_conv": str(self.amounts.delta_conv),
            "delta_thr": str(self.amounts.delta_thr),
            "by": self.by,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Priced:
    """One private aggregate of a statement: its events, canonical plan, and own asked price.

    `epsilon` and `delta` are those of this aggregate taken alone (its `OPTIONS`, say).
    """

    events: Events
    fingerprint: str
    epsilon: Fraction
    delta: Fraction

    @classmethod
    def of(
        cls, items: Sequence[Item], fingerprint: str, epsilon: Fraction, delta: Fraction
    ) -> Priced:
        """With every item as (event, count), and exact amounts."""
        events = tuple(item if isinstance(item, tuple) else (item, 1) for item in items)
        return cls(events, fingerprint, Fraction(epsilon), Fraction(delta))

    def body(self) -> dict[str, Any]:
        return {
            "events": _written(self.events),
            "fingerprint": self.fingerprint,
            "epsilon": str(self.epsilon),
            "delta": str(self.delta),
        }


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A request as its analyst named it (`id`), and what was asked under that name (`hash`)."""

    id: str
    hash: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be charged: everything about a statement that its price and identity rest on."""

    analyst: str
    budget: str
    total: str | None
    aggregates: tuple[Priced, ...]
    sql: str
    data_version: str
    key: RequestKey | None = None

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """All events of all aggregates."""
        return [item for aggregate in self.aggregates for item in aggregate.events]

    @property
    def epsilon(self) -> Fraction:
        """What the statement was asked for in all: the sum over its aggregates."""
        return sum((aggregate.epsilon for aggregate in self.aggregates), Fraction(0))

    @property
    def delta(self) -> Fraction:
        """The sum of its aggregates' δ."""
        return sum((aggregate.delta for aggregate in self.aggregates), Fraction(0))

    @property
    def budgets(self) -> tuple[str, ...]:
        """The budgets it is charged to: the analyst's and, where there is one, the total."""
        if self.total in (None, self.budget):
            return (self.budget,)
        return (self.budget, str(self.total))

    def body(self) -> dict[str, Any]:
        written: dict[str, Any] = {
            "analyst": self.analyst,
            "budget": self.budget,
            "aggregates": [aggregate.body() for aggregate in self.aggregates],
            "sql": self.sql,
            "data_version": self.data_version,
        }
        if self.total is not None:
            written["total"] = self.total
        if self.key is not None:
            written["request"] = {"id": self.key.id, "hash": self.key.hash}
        return written


@dataclass(frozen=True, slots=True)
class Charged:
    """A paid request. `charges` are the prices as decided then, one for each budget.

    They are kept for auditors; spend is always recomputed from the events. `process` is who may
    settle it. `windows` names the window of each budget that has windows; it is that of the
    entry's time, or the ledger does not verify.
    """

    request: Request
    charges: Mapping[str, Charge]
    process: str
    windows: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        written = self.request.body()
        written["charges"] = {name: charge.to_json() for name, charge in self.charges.items()}
        written["process"] = self.process
        if self.windows:
            written["windows"] = dict(self.windows)
        return written


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the charge at entry `charge`; SHA-256 of each released payload."""

    charge: int
    outcome: str
    releases: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        return {"charge": self.charge, "outcome": self.outcome, "releases": list(self.releases)}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The owner goes on although entry `seq` of `ledger`, with hash `head`, was seen and is lost.

    `burned`: what each budget is charged for the lost part (acceptance.py).
    """

    ledger: str
    seq: int
    head: str
    burned: Mapping[str, Events]

    def body(self) -> dict[str, Any]:
        burned = {name: _written(events) for name, events in self.burned.items()}
        lost = {"ledger": self.ledger, "seq": self.seq, "head": self.head}
        return {"lost": lost, "burned": burned}


@dataclass(frozen=True, slots=True)
class Promised:
    """The owner's command found `key` NOT NULL and unique in `table`, in that stored version.

    That it is written at all is the owner's to publish; a promise that fails is not written.
    """

    table: str
    key: str
    data_version: str

    def body(self) -> dict[str, Any]:
        return {"table": self.table, "key": self.key, "data_version": self.data_version}


Record = Genesis | TermsSet | Granted | Charged | Outcome | Accepted | Promised


def kind_of(record: Record) -> str:
    """The `kind` under which a record is written."""
    match record:
        case Genesis():
            return "genesis"
        case TermsSet(kind=kind):
            return kind
        case Granted():
            return "grant"
        case Charged():
            return "charge"
        case Outcome():
            return "outcome"
        case Accepted():
            return "accept"
        case Promised():
            return "promise"


def write(seq: int, time: int, record: Record) -> bytes:
    """The canonical body of a record at a place in the chain."""
    return canonical({**record.body(), "seq": seq, "kind": kind_of(record), "time": time})


def _written(events: Events) -> list[dict[str, Any]]:
    return [{"event": event.to_json(), "count": count} for event, count in events]
