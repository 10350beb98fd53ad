"""The store of paid answers: asking the same again costs nothing and returns the same bytes.

A release lies under (budget, data version, fingerprint, ε, δ): it is free only to the budget that
paid for it. A fingerprint is the name of a question, and after a dash that of the noise; a budget
finds all it ever paid for one question, and the caller decides which of them answers. Another data
version's releases are not found; they are back when that version is. `Ledger.settle` stores a
release together with its SHA-256 in the charge's outcome, so bytes that were changed on disk are
not handed out. The payloads are released (noisy) values; exact ones are nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, bindparam, column, or_, select
from sqlalchemy import table as plain_table
from sqlalchemy.engine import Connection

from dpsql.errors import LedgerError
from dpsql.ledger.account import Account
from dpsql.ledger.chain import broken
from dpsql.ledger.entries import Charged, Outcome, Priced, Request
from dpsql.ledger.journal import Journal, entry_at
from dpsql.ledger.reading import read
from dpsql.ledger.schema import releases as table
from dpsql.ledger.state import State
from dpsql.ledger.upserts import keep


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
class Found:
    """A stored release as its budget finds it: the charge that paid for it, for what, the bytes."""

    seq: int
    paid: Priced
    payload: bytes


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """What is known of a stored release without opening it.

    `seq` is the charge that paid (`epsilon`, `delta`), `part` the place of this aggregate among its
    `parts`; analyst, SQL text and `time` (seconds since 1970) are that charge's. `told` is what the
    caller of `list` read from the payload.
    """

    budget: str
    data_version: str
    fingerprint: str
    epsilon: Fraction
    delta: Fraction
    seq: int
    hash: str
    size: int
    part: int
    parts: int
    analyst: str
    sql: str
    time: int
    told: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """What a statement finds stored, by question, oldest first; the budget at that moment."""

    found: Mapping[str, tuple[Found, ...]]
    account: Account


class Releases:
    """The releases of one ledger; reached as `ledger.releases`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def find(self, budget: str, data_version: str, questions: Iterable[str]) -> Replay:
        """All that the budget has of these questions in that data version, in one read.

        LedgerError `release-altered` if one is not the bytes that were released.
        """
        found: dict[str, tuple[Found, ...]] = {}
        with self._journal.reading() as (connection, state):
            for question in questions:
                asked = {"budget": budget, "data_version": data_version, "name": question}
                asked |= {"start": question + "-", "end": question + "."}  # "." follows "-"
                found[question] = tuple(
                    _vouched(connection, state, row[0], _place(row), row[6]).found
                    for row in connection.execute(_FIND, asked)
                )
            return Replay(found, state.account(budget))

    def list(
        self, budget: str | None = None, tell: Callable[[bytes], Any] = len
    ) -> list[StoredRelease]:
        """Every stored release (of one budget), oldest first. LedgerError `release-altered`.

        `tell` reads from the bytes what is wanted of them; they are not kept.
        """
        with self._journal.reading() as (connection, state):
            listed = []
            for number, place, raw in raw_releases(connection):
                if budget in (None, place[0]):
                    one = _vouched(connection, state, number, place, raw)
                    listed.append(_listed(one, place, tell))
            return sorted(listed, key=lambda one: (one.seq, one.part))

    def read(self, release: StoredRelease) -> bytes:
        """Its bytes. LedgerError `release-altered`, also where it is no longer there."""
        asked = {"budget": release.budget, "data_version": release.data_version}
        asked |= dict.fromkeys(("name", "start", "end"), release.fingerprint)
        with self._journal.reading() as (connection, state):
            for row in connection.execute(_FIND, asked):
                found = _vouched(connection, state, row[0], _place(row), row[6]).found
                if found.seq == release.seq:
                    return found.payload
        raise altered(release.seq)


@dataclass(frozen=True, slots=True)
class _Vouched:
    found: Found
    time: int
    request: Request


def _listed(one: _Vouched, place: Place, tell: Callable[[bytes], Any]) -> StoredRelease:
    payload, request = one.found.payload, one.request
    return StoredRelease(
        *place[:3],
        Fraction(place[3]),
        Fraction(place[4]),
        one.found.seq,
        hashlib.sha256(payload).hexdigest(),
        len(payload),
        request.aggregates.index(one.found.paid) + 1,
        len(request.aggregates),
        request.analyst,
        request.sql,
        one.time,
        tell(payload),
    )


Place = tuple[str, str, str, str, str]
"""Where a release lies: budget, data version, fingerprint, ε, δ (as p/q text)."""

_NAMES = ("budget", "data_version", "fingerprint", "epsilon", "delta")
# Read without column types: what the file holds is what we check, nothing is converted on the way.
_RAW = plain_table(table.name, *(column(name) for name in (*_NAMES, "seq", "payload")))
_ALL = select(_RAW.c.seq, *(_RAW.c[name] for name in _NAMES), _RAW.c.payload).order_by(
    _RAW.c.seq, _RAW.c.fingerprint
)
_FIND = _ALL.where(
    _RAW.c.budget == bindparam("budget"),
    _RAW.c.data_version == bindparam("data_version"),
    or_(
        _RAW.c.fingerprint == bindparam("name"),
        and_(_RAW.c.fingerprint >= bindparam("start"), _RAW.c.fingerprint < bindparam("end")),
    ),
)
_PAID = _ALL.where(_RAW.c.seq == bindparam("charge"), _RAW.c.fingerprint == bindparam("paid"))


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
    keep(connection, table, {**_named(place), "seq": seq, "payload": payload}, key=_NAMES)


def raw_releases(connection: Connection) -> Iterator[tuple[object, Place, object]]:
    """Every stored release as (charge, place, payload), their types unchecked, for verify."""
    for row in connection.execute(_ALL):
        yield row[0], _place(row), row[6]


def _place(row: Sequence[Any]) -> Place:
    return (row[1], row[2], row[3], row[4], row[5])


def unpaid(seq: int) -> LedgerError:
    """A release is offered that the charge at entry `seq` did not pay for."""
    return LedgerError(
        f"the charge at entry {seq} of the ledger is settled, or did not pay for this release",
        code="release-unpaid",
        hint="this is a defect of dpsql, please report it; the charge stands",
    )


def named(request: Request, outcome: Outcome, fingerprint: object, payload: object) -> bool:
    """Are these the bytes that the outcome names for this aggregate?

    Hashes stand in the order of the charge's aggregates, so that two releases of one charge cannot
    be exchanged. Where the numbers differ (nothing of dpsql writes so), any of them will do.
    """
    order = [one.fingerprint for one in request.aggregates]
    if fingerprint not in order or not isinstance(payload, bytes):
        return False
    digest = Release("", payload).hash
    if len(outcome.releases) != len(order):
        return digest in outcome.releases
    return outcome.releases[order.index(str(fingerprint))] == digest


def _vouched(
    connection: Connection, state: State, seq: object, place: Place, payload: object
) -> _Vouched:
    """All, if the charge at `seq` paid for this place and its outcome names these bytes."""
    if not isinstance(seq, int) or not isinstance(payload, bytes) or seq not in state.outcomes:
        raise altered(seq)
    try:
        entry = entry_at(connection, seq)
        charge, outcome = read(entry), read(entry_at(connection, state.outcomes[seq]))
    except KeyError:
        raise broken("an entry that was there before is missing", seq) from None
    if not isinstance(charge, Charged) or not isinstance(outcome, Outcome):
        raise altered(seq)
    request = charge.request
    for paid in request.aggregates:
        if places(request)[paid.fingerprint] == place:
            if named(request, outcome, paid.fingerprint, payload):
                return _Vouched(Found(seq, paid, payload), entry.time, request)
            break
    raise altered(seq)


def paid_for(
    connection: Connection, state: State, seq: object, fingerprint: object
) -> Found | None:
    """The stored release of a charge under the name it was paid for; None where it is gone.

    LedgerError `release-altered`.
    """
    row = connection.execute(_PAID, {"charge": seq, "paid": fingerprint}).first()
    return None if row is None else _vouched(connection, state, row[0], _place(row), row[6]).found


def altered(seq: object) -> LedgerError:
    """A stored answer, of the charge at entry `seq` if it is one, is not as it was released."""
    which = f"of the charge at entry {seq}" if isinstance(seq, int) else "in the ledger"
    return LedgerError(
        f"a stored release {which} is not what was released",
        code="release-altered",
        hint="run `dpsql ledger verify`; restore the ledger from a backup that verifies",
    )
