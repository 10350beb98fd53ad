"""A point of a ledger that somebody has seen: the receipt of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from dpsql.ledger.ceilings import Held


@dataclass(frozen=True, slots=True)
class Anchor:
    """Entry `seq` of `ledger` (its genesis's name) has the hash `head`.

    Kept outside the ledger it shows that the ledger was cut off before it or rewritten.
    `accepted`: how many losses the owner had accepted up to there (acceptance.py). `held`: the most
    that budgets can have told by then, for an acceptance to count.
    """

    ledger: str
    seq: int
    head: str
    accepted: int = 0
    held: Held = ()

    def __str__(self) -> str:
        """As `ledger verify --expect-head` takes it."""
        return f"{self.seq}:{self.head}"

    def to_json(self) -> dict[str, str | int]:
        return {"ledger": self.ledger, "seq": self.seq, "head": self.head}
