"""Opening what a policy names: its database, and its ledger for charges."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.errors import EngineFailed, LedgerError, PolicyError
from dpsql.policy.schema import BudgetSpec, Policy

if TYPE_CHECKING:
    from dpsql.ledger import Ledger


def open_engine(policy: Policy, engine: object = None) -> DuckDBEngine:
    """The policy's database, or what the owner hands in. PolicyError, EngineFailed."""
    if engine is not None:
        return DuckDBEngine.adopt(engine)
    if policy.database is None:
        raise PolicyError(
            "the policy names no database",
            code="database-url",
            hint="add `database: duckdb:///file.duckdb` to it",
        )
    path = policy.database.path
    if policy.database.engine != "duckdb":
        raise EngineFailed(f"{policy.database.engine} is not available yet", code="engine-kind")
    return DuckDBEngine.open(":memory:" if path is None else path, memory=policy.limits.memory)


def open_ledger(policy: Policy) -> Ledger:
    from dpsql.ledger import Ledger

    if policy.ledger is None:
        warnings.warn(
            "the policy names no ledger: what is spent is forgotten when the process ends",
            stacklevel=5,  # the caller of dpsql.connect
        )
    ledger = Ledger.open(policy.ledger_url)
    with contextlib.suppress(LedgerError):  # book-keeping: without it the same charges stand
        ledger.forfeit_stale()
    return ledger


def open_budget(ledger: Ledger, policy: Policy, spec: BudgetSpec) -> None:
    """Have the ledger say of a budget what the policy says. LedgerError; see `ensure_budget`."""
    members, named = policy.team_of(spec)
    ledger.ensure_budget(
        spec.key,
        spec.kind,
        spec.epsilon,
        spec.delta,
        refresh=spec.refresh,
        members=members,
        named=named,
    )
