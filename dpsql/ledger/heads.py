"""Heads that were kept outside the ledger: what it has to show, today as then."""

from __future__ import annotations

from dataclasses import dataclass

from dpsql.errors import LedgerError
from dpsql.ledger.anchor import Anchor

MAX_DIGITS = 19
"""Of an entry's number: what SQLite's integers hold, and no int() of hostile length."""
_HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Head:
    """Entry `seq` (None: any) was seen with the hash `hash`. `name` is for the report.

    `ledger` None: of whatever ledger is verified. `anchor`: of a receipt or checkpoint, so that a
    later acceptance may excuse it; None: no acceptance does.
    """

    name: str
    seq: int | None
    hash: str
    ledger: str | None = None
    anchor: Anchor | None = None

    @classmethod
    def of(cls, name: str, anchor: Anchor) -> Head:
        """The head that a receipt or a checkpoint names."""
        return cls(name, anchor.seq, anchor.head, anchor.ledger, anchor)

    def fits(self, seq: int, digest: str) -> bool:
        """Is it the head at this entry?"""
        return self.hash == digest and self.seq in (None, seq)


def read_head(text: str) -> tuple[int | None, str]:
    """A head as people keep it, (number or None, hash). LedgerError `bad-head` for other text."""
    number, colon, digest = text.strip().lower().rpartition(":")
    numbered = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    if not is_digest(digest, 64) or (colon and not numbered):
        raise LedgerError(
            "the expected head is not the head of a ledger",
            code="bad-head",
            hint="give the 64 hexadecimal digits that `ledger verify` or a receipt showed, or "
            "number:digits",
        )
    return (int(number) if colon else None), digest


def is_digest(text: object, length: int) -> bool:
    """Whether it is that many hexadecimal digits in lower case."""
    return isinstance(text, str) and len(text) == length and set(text) <= _HEX
