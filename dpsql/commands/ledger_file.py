"""The ledger that a policy names, for the commands of `dpsql ledger`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpsql.errors import LedgerError

if TYPE_CHECKING:
    from dpsql.ledger import Ledger
    from dpsql.policy import Policy


def load_kept(policy: str) -> Policy:
    """The policy. LedgerError `ledger-missing` if its ledger is kept in memory."""
    from dpsql.policy import load

    loaded = load(policy)
    if loaded.ledger_url == "sqlite://":
        raise LedgerError(
            "the policy keeps its ledger in memory: there is nothing to read",
            code="ledger-missing",
            hint="write ledger: sqlite:///ledger.db in the policy",
        )
    return loaded


def open_audit(policy: str) -> Ledger:
    """The policy's ledger, to read only, whatever its state."""
    from dpsql.ledger import Ledger

    return Ledger.audit(load_kept(policy).ledger_url)
