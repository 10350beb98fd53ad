"""Keys on the owner's word, as the ledger keeps them: verified once a version of the data."""

from __future__ import annotations

from dpsql.ledger.entries import Promised
from dpsql.ledger.journal import Journal


class Promises:
    """The promised keys of one ledger; reached as `ledger.promises`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def verified(self, data_version: str) -> frozenset[tuple[str, str]]:
        """(table, key) of the promises that were verified for this stored data version."""
        with self._journal.reading() as (_, state):
            found = [one for one in state.promises if one.data_version == data_version]
        return frozenset((one.table, one.key) for one in found)

    def record(self, table: str, key: str, data_version: str) -> bool:
        """Write that the promise was verified on that data. False where it stands already.

        Precondition: `key` is NOT NULL and unique in `table` as the data is now.
        """
        record = Promised(table, key, data_version)
        with self._journal.writing() as draft:
            if record in draft.state.promises:
                return False
            draft.append(record)
        return True
