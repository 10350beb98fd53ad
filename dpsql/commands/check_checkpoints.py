"""What `dpsql check` says of the checkpoints: are there any, how old, and where do they lie?

Whether the ledger shows them is for `dpsql ledger verify --checkpoint` to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dpsql.policy import Finding
from dpsql.policy.urls import sqlite_path

if TYPE_CHECKING:
    from dpsql.policy import Policy

WHERE = "checkpoints"


def check_checkpoints(policy: Policy, newest: int) -> Iterator[Finding]:
    """`newest`: the number of the ledger's last entry. Nothing where the policy names no place."""
    from dpsql.errors import LedgerError
    from dpsql.ledger.checkpoints import read_all

    if policy.checkpoints is None:
        return
    place = Path(policy.checkpoints)
    try:
        found = read_all(place) if place.is_dir() else []
    except LedgerError:
        found = []
    signed = [one.checkpoint.anchor.seq for one in found if one.checkpoint is not None]
    way = "dpsql ledger checkpoint, once a day by the system's timer, say"
    if not signed:
        yield Finding("warning", WHERE, f"there is none in {place} yet", way)
        return
    message = f"the newest is of entry {max(signed):,}; the ledger has {newest:,}"
    yield Finding("note", WHERE, message, way)
    ledger = sqlite_path(policy.ledger_url)
    if ledger is not None and _one_volume(place, ledger):
        message = "they lie on the ledger's volume: who can rewrite the one can delete the others"
        yield Finding("note", WHERE, message, "name a folder on another volume, or copy them away")


def _one_volume(one: Path, other: Path) -> bool:
    try:
        return os.stat(one).st_dev == os.stat(other.parent).st_dev
    except OSError:
        return False
