"""Connections that go while something is being written: what is known then, and what is not.

Before COMMIT was sent nothing stands (`Lost`), and asking again is safe. After it, until its
answer came, both may be true (`InDoubt`): then the ledger itself is asked (`Journal.writing`), and
where it cannot be, the charge counts as spent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dpsql.errors import LedgerError

T = TypeVar("T")

PAUSE = 0.1
"""Seconds between two attempts to reach a server that may be starting again."""


class Lost(LedgerError):
    """The connection went before COMMIT was sent, or could not be made: nothing was written."""


class InDoubt(LedgerError):
    """COMMIT was sent and its answer never came: what was written may stand, or not."""


def lost(name: str) -> Lost:
    """The connection to the ledger went; nothing that this call wrote stands."""
    return Lost(
        f"the connection to the ledger {name} was lost; nothing was charged by this call",
        code="ledger-lost",
        hint="ask again; a charge that was written before stands",
    )


def in_doubt(name: str) -> InDoubt:
    """Nobody can tell now whether what was written stands."""
    return InDoubt(
        f"the connection to the ledger {name} was lost while a charge was being written, and it "
        "could not be found out whether it stands: count it as spent",
        code="ledger-in-doubt",
        hint="when the server is back, `dpsql budget` shows what was spent; a request with an id "
        "may be asked again under the same id",
    )


def again(work: Callable[[], T], patience: float) -> T:
    """The work, begun anew as long as it surely wrote nothing and there is patience left."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return work()
        except Lost:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)
