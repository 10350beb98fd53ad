"""Which ledger a new policy names: what was spent is neither shared by chance nor forgotten."""

from __future__ import annotations

from pathlib import Path

from dpsql.errors import PolicyError
from dpsql.policy import load
from dpsql.policy.urls import DEFAULT_LEDGER, sqlite_path
from dpsql.setup.source import url_from

USUAL = "dpsql.yaml"


def ledger_of(output: Path) -> str:
    """The URL, relative to the folder of `output`.

    A policy that is replaced keeps the ledger it had: its budgets are spent there. One under a name
    of its own gets a ledger of that name, or two policies in a folder would spend one budget.
    """
    folder = output.absolute().parent
    if output.exists():
        try:
            before = load(output).ledger
        except PolicyError:
            before = None
        if before is not None:
            return _relative(folder, before)
    name = DEFAULT_LEDGER if output.name == USUAL else f"{output.stem}-ledger.db"
    return url_from(folder, folder / name, "sqlite")


def _relative(folder: Path, url: str) -> str:
    path = sqlite_path(url)
    return url if path is None else url_from(folder, path, "sqlite")
