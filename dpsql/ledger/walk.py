"""All entries of a ledger one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dpsql.ledger.chain import Entry, decode, unseal
from dpsql.ledger.database import Database
from dpsql.ledger.journal import raw_rows

PIECE = 500


def walk(
    database: Database, start: int = 0, skip: Callable[[bytes], bool] | None = None
) -> Iterator[Entry]:
    """Entries from number `start` on, each one's own hash checked; `skip` reads stored texts."""
    while True:
        # In pieces: no transaction stays open while the caller thinks about an entry.
        with database.read() as connection:
            rows = list(raw_rows(connection, start, PIECE))
        for row in rows:
            if skip is None or not isinstance(row[3], bytes) or not skip(row[3]):
                yield unseal(row)
        if len(rows) < PIECE:
            return
        start = decode(rows[-1])[0] + 1
