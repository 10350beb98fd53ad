"""Where a ledger lies: how messages call it, where its receipts are kept, is anything there?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """`key` names the place itself, whoever looks; None: in memory, of which nothing is kept.

    `name` may stand in a message: no password, no host. `holds`: something lies there, or it cannot
    be looked at. `there`: it makes sense to open it and look.
    """

    name: str
    key: str | None
    holds: Callable[[], bool]
    there: Callable[[], bool]
