"""The proof that a query was charged: `execute` takes nothing without one."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import NoReturn

_MINT = object()


@dataclass(frozen=True, slots=True)
class Reservation:
    """One committed charge. Only `Ledger.reserve` makes one; it cannot be copied or pickled.

    `seq` is the entry's number and `head` the hash of the ledger at that entry (hexadecimal).
    Kept outside the ledger, (seq, head) is an anchor: `verify(expect_head=reservation.head)` fails
    if the ledger was cut off before it or rewritten.
    """

    seq: int
    head: str
    analyst: str
    budget: str
    total: str | None
    mint: InitVar[object]

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("a Reservation is made by Ledger.reserve alone")

    def __repr__(self) -> str:
        return f"Reservation(seq={self.seq}, head={self.head[:16]}…, budget={self.budget!r})"

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("a Reservation cannot be copied")

    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse


def issue(*, seq: int, head: str, analyst: str, budget: str, total: str | None) -> Reservation:
    """Make one. For `Ledger.reserve`, after the commit."""
    return Reservation(seq, head, analyst, budget, total, _MINT)
