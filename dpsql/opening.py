"""Opening what a policy names: its database, and its ledger for charges."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.duckdb_files import FilesEngine
from dpsql.dialects.engine import Engine
from dpsql.errors import LedgerError, PolicyError
from dpsql.policy.schema import BudgetSpec, Policy

if TYPE_CHECKING:
    from dpsql.ledger import Ledger, View
    from dpsql.ledger.remembered import Remembered


def open_engine(policy: Policy, engine: object = None) -> Engine:
    """The policy's database, or what the owner hands in. PolicyError, EngineFailed."""
    if is_spark(policy, engine):
        return _open_spark(policy, engine)
    layout = policy.layout
    if layout is not None:
        if engine is not None:
            raise PolicyError(
                "engine= cannot be given where the policy names files or attached databases",
                code="engine-type",
                hint="leave engine= out, or make views of the files in that connection yourself",
            )
        return FilesEngine(layout, memory=policy.limits.memory)
    if engine is not None:
        return DuckDBEngine.adopt(engine)
    if policy.database is None:
        raise PolicyError(
            "the policy names no database",
            code="database-url",
            hint="add `database: duckdb:///file.duckdb` to it",
        )
    path = policy.database.path
    if policy.database.engine == "postgresql":
        from dpsql.dialects.postgres import PostgresEngine

        watched = [".".join(table.parts) for table in policy.tables.values()]
        return PostgresEngine.open(policy.database.url, watched=watched)
    return DuckDBEngine.open(":memory:" if path is None else path, memory=policy.limits.memory)


def is_spark(policy: Policy, engine: object = None) -> bool:
    """Does Spark answer: by the policy's `database`, or a session that is handed in?"""
    if engine is not None:
        module = type(engine).__module__
        return type(engine).__name__ == "SparkSession" and module.startswith("pyspark.sql")
    return policy.database is not None and policy.database.engine == "spark"


def _open_spark(policy: Policy, session: object) -> Engine:
    from dpsql.dialects.spark import SparkEngine, opened_by
    from dpsql.dialects.spark_files import SparkFilesEngine
    from dpsql.dialects.spark_open import adopt
    from dpsql.dialects.spark_url import own_parameters

    url = "" if session is not None or policy.database is None else policy.database.url
    opened = adopt(session) if session is not None else opened_by(url, policy.limits.memory)
    near, layout = own_parameters(url), policy.layout
    beside = [".".join(t.parts) for t in policy.tables.values() if t.files is None]
    if layout is None:
        return SparkEngine(opened, **near, watched=beside)
    return SparkFilesEngine(opened, layout, **near, watched=beside)


def open_ledger(policy: Policy, seen: Remembered) -> Ledger:
    """The policy's ledger, for charges. LedgerError if it shows less than this user has `seen`."""
    from dpsql.ledger import Ledger

    if policy.ledger is None:
        warnings.warn(
            "the policy names no ledger: what is spent is forgotten when the process ends",
            stacklevel=5,  # the caller of dpsql.connect
        )
    seen.require_ledger()
    ledger = Ledger.open(policy.ledger_url)
    try:
        seen.require_shown(ledger)
    except BaseException:  # even an interrupt must not leave it open
        ledger.close()
        raise
    with contextlib.suppress(LedgerError):  # book-keeping: without it the same charges stand
        ledger.forfeit_stale()
    seen.keep(ledger.anchor())
    return ledger


def open_view(policy: Policy) -> View:
    """The policy's ledger for who only looks: refused as `open_ledger` refuses, nothing is kept."""
    from dpsql.ledger import View

    seen = remembered(policy)
    seen.require_ledger()
    view = View(policy.ledger_url)
    try:
        if view.ledger is not None:
            seen.require_shown(view.ledger)
    except BaseException:  # even an interrupt must not leave it open
        view.close()
        raise
    return view


def remembered(policy: Policy) -> Remembered:
    """What this user has seen where the policy's ledger lies."""
    from dpsql.ledger.database import where_is
    from dpsql.ledger.remembered import Remembered

    return Remembered(where_is(policy.ledger_url))


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
