"""The ledger: who was charged what, before any data was touched, in a chain nobody edits unseen.

One idea a file: `chain` (canonical bytes and hashes), `entries` (what a body may say), `reading`
(strictly), `account` (one budget: terms, grants, windows, spend), `prices`, `state` (the fold of
all entries), `schema` (the tables), `database` (what is asked of a store, and `where` one lies):
`sqlite` with its `faults`, or `postgres` with `postgres_target` (the URL), `postgres_schema` (DDL
and rights) and `postgres_faults`; `upserts`; `doubts` (connections that go), `journal` (one
process's look at it: the state, kept up to date), `opening` (what the policy says of a budget),
`admission` (the filter is asked), `store` (`Ledger`: reserve, settle), `reservation` (the proof of
a charge), `process` (who holds an open one), `walk`, `outcomes`, `view` (for who only looks).

Answers: `releases` (the store of paid ones), `requests` (named ones, for a retry), `free_answers`
(named ones that cost nothing), `settling` (what a settled charge leaves in the first two);
`refusals` (counted beside the chain). `promises` (keys on the owner's word). `verify` (the
independent recomputation, with `verify_stores`) and its `report`.

Against what no chain can show (docs/proofs/ledger.md): `anchor` (a point that was seen),
`remembered` (the user's receipts), `checkpoints` and `signing` (the owner's signed heads), `heads`
(what `verify` compares with), `ceilings` (the most that budgets can have told), `acceptance` (what
a loss costs) and `losses` (going on after one).

Names resolve on first use: SQLAlchemy is imported when a ledger is opened, not with dpsql.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpsql.ledger.account import Account
    from dpsql.ledger.chain import Entry
    from dpsql.ledger.entries import Priced
    from dpsql.ledger.releases import Release, Releases, StoredRelease
    from dpsql.ledger.report import Report
    from dpsql.ledger.reservation import Reservation
    from dpsql.ledger.store import Ledger
    from dpsql.ledger.view import View

__all__ = [
    "Account",
    "Entry",
    "Ledger",
    "Priced",
    "Reservation",
    "Release",
    "Releases",
    "Report",
    "StoredRelease",
    "View",
]

_HOME = {
    "Account": "account",
    "Entry": "chain",
    "Ledger": "store",
    "Priced": "entries",
    "Reservation": "reservation",
    "Release": "releases",
    "Releases": "releases",
    "Report": "report",
    "StoredRelease": "releases",
    "View": "view",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
