"""What a settled charge leaves in the stores of answers, in the transaction that settles it."""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.errors import LedgerError
from dpsql.ledger.entries import Charged
from dpsql.ledger.journal import Draft, entry_at
from dpsql.ledger.reading import read
from dpsql.ledger.releases import Release, places, store, unpaid
from dpsql.ledger.requests import keep
from dpsql.ledger.reservation import Reservation


def stored(
    draft: Draft, seq: int, releases: Sequence[Release], kept: Sequence[Release]
) -> list[str]:
    """Store a charge's releases in the settling transaction; their hashes.

    In the order of the charge's aggregates, which `releases.named` relies on.
    """
    if not (releases or kept):
        return []
    record = read(entry_at(draft.connection, seq))
    paid = places(record.request) if isinstance(record, Charged) else {}
    for release in releases:
        if release.fingerprint not in paid:
            raise unpaid(seq)
        store(draft.connection, seq, paid[release.fingerprint], release.payload)
    for release in kept:
        if release.fingerprint not in paid:
            raise unpaid(seq)
        keep(draft.connection, seq, release.fingerprint, release.payload)
    named = {one.fingerprint: one for one in (*releases, *kept)}
    return [named[fingerprint].hash for fingerprint in paid if fingerprint in named]


def settled(
    draft: Draft,
    reservation: Reservation,
    hashes: Sequence[str],
    releases: Sequence[Release],
    kept: Sequence[Release],
) -> tuple[str, ...]:
    """Store what the outcome of an open charge leaves; all its hashes. LedgerError if not open."""
    waiting = draft.state.open.get(reservation.seq)
    if waiting is None or waiting.head != reservation.head:
        raise not_open(reservation.seq)
    return (*hashes, *stored(draft, reservation.seq, releases, kept))


def not_open(seq: int) -> LedgerError:
    """The charge cannot be settled now."""
    return LedgerError(
        f"the charge at entry {seq} is settled already, or belongs to another ledger",
        code="already-settled",
        hint="one charge has one outcome; the charge stands",
    )
