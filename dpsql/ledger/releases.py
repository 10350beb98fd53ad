"""The store of paid answers: asking the same again costs nothing and returns the same bytes.

A release is found under (budget, data version, fingerprint, ε, δ) and nothing less: it is free
only to the budget that paid for it. Its SHA-256 stands in the charge's outcome,
so bytes that were changed on disk are not handed out. The payloads are released (noisy) values;
exact ones are nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlalchemy.engine import Connection

from dpsql.errors import LedgerError
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


class Releases:
    """The releases of one ledger; reached as `ledger.releases`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def get(
        self, budget: str, data_version: str, fingerprint: str, epsilon: Fraction, delta: Fraction
    ) -> bytes | None:
        """The stored bytes of exactly this release, or None.

        LedgerError `release-altered` if they are not the bytes that were released.
        """
        place = (budget, data_version, fingerprint, str(epsilon), str(delta))
        with self._journal.reading() as (connection, state):
            found = connection.execute(_FIND, _named(place)).first()
            if found is None:
                return None
            seq, payload = int(found[0]), bytes(found[1])
            if not _vouched(connection, state, seq, place, payload):
                raise _altered(seq)
            return payload

    def put(
        self,
        budget: str,
        data_version: str,
        fingerprint: str,
        epsilon: Fraction,
        delta: Fraction,
        payload: bytes,
        seq: int,
    ) -> None:
        """Store a release of the open charge at entry `seq`, durably, before the reply.

        `Ledger.settle(..., releases=)` does this and the outcome in one transaction; use that
        where you can. If the place is taken, the bytes already there stay.
        LedgerError `release-unpaid` if that charge did not pay for exactly this, or is settled.
        """
        place = (budget, data_version, fingerprint, str(epsilon), str(delta))
        with self._journal.writing() as draft:
            if seq not in draft.state.open or place not in _paid(draft.connection, seq):
                raise unpaid(seq)
            store(draft.connection, seq, place, payload)

    def list(self, budget: str | None = None) -> list[StoredRelease]:
        """Every stored release (of one budget), oldest first."""
        query = select(table).order_by(table.c.seq, table.c.fingerprint)
        if budget is not None:
            query = query.where(table.c.budget == budget)
        with self._journal.reading() as (connection, _):
            return [
                StoredRelease(
                    row.budget,
                    row.data_version,
                    row.fingerprint,
                    Fraction(row.epsilon),
                    Fraction(row.delta),
                    row.seq,
                    hashlib.sha256(row.payload).hexdigest(),
                    len(row.payload),
                )
                for row in connection.execute(query)
            ]


Place = tuple[str, str, str, str, str]
"""Where a release lies: budget, data version, fingerprint, ε, δ (as p/q text)."""

_NAMES = ("budget", "data_version", "fingerprint", "epsilon", "delta")
_FIND = select(table.c.seq, table.c.payload).where(*(table.c[n] == bindparam(n) for n in _NAMES))
_STORE = insert_or(table).on_conflict_do_nothing()


def _named(place: Place) -> dict[str, str]:
    return dict(zip(_NAMES, place, strict=True))


def places(request: Request) -> dict[str, Place]:
    """Where the releases of a charge go, by fingerprint."""
    price = (str(request.epsilon), str(request.delta))
    return {f: (request.budget, request.data_version, f, *price) for f in request.fingerprints}


def store(connection: Connection, seq: int, place: Place, payload: bytes) -> None:
    """Insert in the caller's transaction; a place that is taken keeps its bytes."""
    connection.execute(_STORE, {**_named(place), "seq": seq, "payload": payload})


def stored_hashes(connection: Connection, seq: int) -> list[str]:
    """SHA-256 of every payload stored for the charge at entry `seq`."""
    found = connection.execute(
        select(table.c.payload).where(table.c.seq == seq).order_by(table.c.fingerprint)
    )
    return [hashlib.sha256(row.payload).hexdigest() for row in found]


def raw_releases(connection: Connection) -> Iterator[tuple[int, Place, bytes]]:
    """Every stored release as (charge, place, payload), for verify."""
    for row in connection.execute(select(table).order_by(table.c.seq)):
        place = (row.budget, row.data_version, row.fingerprint, row.epsilon, row.delta)
        yield row.seq, place, row.payload


def unpaid(seq: int) -> LedgerError:
    """A release is offered that the charge at entry `seq` did not pay for."""
    return LedgerError(
        f"the charge at entry {seq} of the ledger is settled, or did not pay for this release",
        code="release-unpaid",
        hint="this is a defect of dpsql, please report it; the charge stands",
    )


def _paid(connection: Connection, seq: int) -> set[Place]:
    try:
        record = read(entry_at(connection, seq))
    except KeyError:
        return set()
    return set(places(record.request).values()) if isinstance(record, Charged) else set()


def _vouched(connection: Connection, state: State, seq: int, place: Place, payload: bytes) -> bool:
    """Did the charge at `seq` pay for this place, and are these the bytes its outcome names?"""
    if place not in _paid(connection, seq):
        return False
    if seq in state.open:
        return True  # stored and paid, the process died before it could settle
    try:
        outcome = read(entry_at(connection, state.outcomes[seq]))
    except KeyError:
        raise broken("an outcome that was there before is missing", seq) from None
    return isinstance(outcome, Outcome) and hashlib.sha256(payload).hexdigest() in outcome.releases


def _altered(seq: int) -> LedgerError:
    return LedgerError(
        f"a stored release of the charge at entry {seq} is not what was released",
        code="release-altered",
        hint="run `dpsql ledger verify`; restore the ledger from a backup that verifies",
    )
