"""The store of paid answers: asking the same again costs nothing and returns the same bytes.

A release is found under (budget, data version, fingerprint, ε, δ) and nothing less: it is free
only to the budget that paid for it, at the price of its own aggregate. `Ledger.settle` stores it
together with its SHA-256 in the charge's outcome, so bytes that were changed on disk are not
handed out. The payloads are released (noisy) values; exact ones are nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import bindparam, column, select
from sqlalchemy import table as plain_table
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlalchemy.engine import Connection

from dpsql.errors import LedgerError
from dpsql.ledger.account import Account
from dpsql.ledger.chain import broken
from dpsql.ledger.entries import Charged, Outcome, Request, read
from dpsql.ledger.journal import Journal, entry_at
from dpsql.ledger.schema import releases as table
from dpsql.ledger.state import State


@dataclass(frozen=True, slots=True)
class Release:
    """The bytes released for one private aggregate of a charge, named by its fingerprint."""

    fingerprint: str
    payload: bytes

    @property
    def hash(self) -> str:
        """SHA-256 of the payload, hexadecimal."""
        return hashlib.sha256(self.payload).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """What is known of a stored release without opening it. `seq` is the charge that paid."""

    budget: str
    data_version: str
    fingerprint: str
    epsilon: Fraction
    delta: Fraction
    seq: int
    hash: str
    size: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What a statement finds stored: payloads by fingerprint, and the budget at that moment."""

    payloads: Mapping[str, bytes]
    account: Account


class Releases:
    """The releases of one ledger; reached as `ledger.releases`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def find(
        self, budget: str, data_version: str, wanted: Sequence[tuple[str, Fraction, Fraction]]
    ) -> Replay:
        """The stored bytes of exactly these releases, each (fingerprint, ε, δ), in one read.

        LedgerError `release-altered` if one is not the bytes that were released.
        """
        payloads = {}
        with self._journal.reading() as (connection, state):
            for fingerprint, epsilon, delta in wanted:
                place = (budget, data_version, fingerprint, str(epsilon), str(delta))
                found = connection.execute(_FIND, _named(place)).first()
                if found is not None:
                    seq, payload = found
                    _, payloads[fingerprint] = _vouched(connection, state, seq, place, payload)
            return Replay(payloads, state.account(budget))

    def list(self, budget: str | None = None) -> list[StoredRelease]:
        """Every stored release (of one budget), oldest first. LedgerError `release-altered`."""
        with self._journal.reading() as (connection, state):
            found = []
            for number, place, raw in raw_releases(connection):
                if budget in (None, place[0]):
                    seq, payload = _vouched(connection, state, number, place, raw)
                    digest = hashlib.sha256(payload).hexdigest()
                    price = Fraction(place[3]), Fraction(place[4])
                    found.append(StoredRelease(*place[:3], *price, seq, digest, len(payload)))
            return found


Place = tuple[str, str, str, str, str]
"""Where a release lies: budget, data version, fingerprint, ε, δ (as p/q text)."""

_NAMES = ("budget", "data_version", "fingerprint", "epsilon", "delta")
# Read without column types: what the file holds is what we check, nothing is converted on the way.
_RAW = plain_table(table.name, *(column(name) for name in (*_NAMES, "seq", "payload")))
_FIND = select(_RAW.c.seq, _RAW.c.payload).where(*(_RAW.c[n] == bindparam(n) for n in _NAMES))
_ALL = select(_RAW.c.seq, *(_RAW.c[name] for name in _NAMES), _RAW.c.payload).order_by(
    _RAW.c.seq, _RAW.c.fingerprint
)
_STORE = insert_or(table).on_conflict_do_nothing()


def _named(place: Place) -> dict[str, str]:
    return dict(zip(_NAMES, place, strict=True))


def places(request: Request) -> dict[str, Place]:
    """Where the releases of a charge go, by fingerprint: each at its own aggregate's price."""
    return {
        one.fingerprint: (
            request.budget,
            request.data_version,
            one.fingerprint,
            str(one.epsilon),
            str(one.delta),
        )
        for one in request.aggregates
    }


def store(connection: Connection, seq: int, place: Place, payload: bytes) -> None:
    """Insert in the caller's transaction; a place that is taken keeps its bytes."""
    connection.execute(_STORE, {**_named(place), "seq": seq, "payload": payload})


def raw_releases(connection: Connection) -> Iterator[tuple[object, Place, object]]:
    """Every stored release as (charge, place, payload), their types unchecked, for verify."""
    for row in connection.execute(_ALL):
        yield row[0], (row[1], row[2], row[3], row[4], row[5]), row[6]


def unpaid(seq: int) -> LedgerError:
    """A release is offered that the charge at entry `seq` did not pay for."""
    return LedgerError(
        f"the charge at entry {seq} of the ledger is settled, or did not pay for this release",
        code="release-unpaid",
        hint="this is a defect of dpsql, please report it; the charge stands",
    )


def _vouched(
    connection: Connection, state: State, seq: object, place: Place, payload: object
) -> tuple[int, bytes]:
    """Both, if the charge at `seq` paid for this place and its outcome names these bytes."""
    if not isinstance(seq, int) or not isinstance(payload, bytes) or seq not in state.outcomes:
        raise _altered(seq)
    try:
        charge = read(entry_at(connection, seq))
        outcome = read(entry_at(connection, state.outcomes[seq]))
    except KeyError:
        raise broken("an entry that was there before is missing", seq) from None
    paid = isinstance(charge, Charged) and place in places(charge.request).values()
    named = isinstance(outcome, Outcome) and Release("", payload).hash in outcome.releases
    if not (paid and named):
        raise _altered(seq)
    return seq, payload


def _altered(seq: object) -> LedgerError:
    which = f"of the charge at entry {seq}" if isinstance(seq, int) else "in the ledger"
    return LedgerError(
        f"a stored release {which} is not what was released",
        code="release-altered",
        hint="run `dpsql ledger verify`; restore the ledger from a backup that verifies",
    )
