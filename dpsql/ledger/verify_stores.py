"""The stores beside the chain, held against its entries: was this paid for, are these the bytes?

Types are the file's own: SQLite holds any in any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dpsql.ledger.entries import Charged, Outcome
from dpsql.ledger.free_answers import REQUEST, one_question
from dpsql.ledger.releases import Place, named, places


@dataclass(frozen=True, slots=True)
class Stores:
    """Checks rows against what the entries said; `fault` is told where and what is wrong."""

    charges: Mapping[int, Charged]
    outcomes: Mapping[int, Outcome]
    requests: Mapping[tuple[str, str], tuple[str, int]]
    """Hash and newest charge of each named request, by analyst and id."""
    fault: Callable[[str, str], None]

    def release(self, seq: object, place: Place, payload: object) -> None:
        """One row of the release store."""
        charge = self.charges.get(seq) if isinstance(seq, int) else None
        paid = charge is not None and place in places(charge.request).values()
        self._stored("stored release", seq, place[2], payload, paid=paid)

    def answer(self, seq: object, fingerprint: object, payload: object) -> None:
        """One row of the store of named requests' answers."""
        charge = self.charges.get(seq) if isinstance(seq, int) else None
        paid = charge is not None and charge.request.key is not None
        self._stored("kept answer", seq, fingerprint, payload, paid=paid)

    def free(self, row: tuple[object, ...]) -> None:
        """A row of free_answers.py: an id is one request's, and what answered it was paid for."""
        analyst, id, digest, fingerprint, seq, paid = row
        name = f"the free request {id!r} of {analyst!r}"
        charged = self.requests.get((str(analyst), str(id)))
        if charged is not None and charged[0] != digest:
            self.fault(name, f"entry {charged[1]} charges another under that id")
        if fingerprint == REQUEST:
            return
        charge = self.charges.get(seq) if isinstance(seq, int) else None
        names = () if charge is None else [one.fingerprint for one in charge.request.aggregates]
        if paid not in names or not one_question(fingerprint, paid):
            self.fault(name, "no charge paid for what answered it")

    def _stored(
        self, what: str, seq: object, fingerprint: object, payload: object, *, paid: bool
    ) -> None:
        if not isinstance(seq, int):
            self.fault(f"a {what}", "the number of its entry is not an integer")
            return
        name, outcome = f"{what} of entry {seq}", self.outcomes.get(seq)
        if not paid:
            self.fault(name, "no charge paid for it")
        elif not isinstance(payload, bytes):
            self.fault(name, "its payload was changed: it is not bytes")
        elif outcome is None or not named(self.charges[seq].request, outcome, fingerprint, payload):
            self.fault(name, "its bytes are not those that were released")
