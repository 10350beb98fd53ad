"""A session: one analyst, one policy, one engine, one ledger. Answers queries, and charges them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.dialects.duckdb import TimedOut
from dpsql.error_bars import ColumnReport
from dpsql.guard import guarded
from dpsql.opening import open_ledger
from dpsql.pipeline import charge, execute, perturb, postprocess, storage
from dpsql.pipeline.stages import Charged, Planned, Release
from dpsql.planning.types import Plan
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation, Prepared
from dpsql.progress import Progress, Stage
from dpsql.reply_clock import on_the_clock
from dpsql.report import (
    BudgetReport,
    PrivacyReport,
    budget_report,
    release_report,
)
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.ledger import Account


@dataclass(frozen=True)
class Answer:
    """A finished query: the result set as Arrow, its columns, and the privacy report."""

    table: Any
    names: tuple[str, ...]
    types: tuple[str, ...]
    privacy: PrivacyReport


@dataclass(frozen=True)
class Released:
    """The releases of a statement in order, which of them were `paid` now, and the balance.

    `account` is the budget when the last of them was paid or found; None without any.
    """

    tables: list[Release]
    paid: tuple[bool, ...]
    account: Account | None


class Session(Preparation):
    """Opens the ledger too, and answers queries."""

    def __init__(
        self,
        policy: Policy | str | Path | Mapping[str, Any],
        analyst: str,
        *,
        epsilon: object = None,
        delta: object = None,
        engine: object = None,
    ) -> None:
        super().__init__(policy, analyst, epsilon=epsilon, delta=delta, engine=engine)
        self.data_version = stored_version(self.policy, self.engine.identity)
        try:
            self.ledger = open_ledger(self.policy)
            for spec in (self.budget_spec, self.total):
                if spec is not None:
                    self.ledger.ensure_budget(spec.key, spec.kind, spec.epsilon, spec.delta)
        except BaseException:  # even an interrupt must not leave it open
            super().close()
            raise

    def close(self) -> None:
        super().close()
        self.ledger.close()

    def account(self, spec: BudgetSpec) -> Account:
        return self.ledger.account(spec.key)

    def budget(self) -> BudgetReport:
        return self._report(self.account(self.budget_spec))

    def _report(self, account: Account) -> BudgetReport:
        return budget_report(account, self.policy, self.budget_spec, self.analyst)

    def query(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        epsilon: object = None,
        delta: object = None,
        dialect: str = "duckdb",
        progress: Progress | None = None,
    ) -> Answer:
        """Answer one query. Raises subclasses of `Error` alone, and `Cancelled` for Ctrl-C."""
        asked, progress = self.asked_for(epsilon, delta), progress or Progress()
        clock = on_the_clock(self.policy.limits.reply_quantum_ms)
        with self._cancellable(progress), clock, guarded():
            with self.engine.snapshot():
                prepared = self.prepare(sql, parameters, dialect=dialect, asked=asked)
                released = self._releases(prepared, progress)
                public = self._public.tables(prepared.planned.bound)
            progress.stage = Stage.RUNNING  # of what was stored or public, too
            result = postprocess.run(prepared.outer, released.tables, public, self._sealed)
            return self._answer(prepared, result, released)

    @contextlib.contextmanager
    def _cancellable(self, progress: Progress) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            raise progress.cancelled(self.budget_spec.key) from None

    def _releases(self, prepared: Prepared, progress: Progress) -> Released:
        """The release of every private aggregate: stored ones for nothing, others charged."""
        planned = prepared.planned
        known: dict[str, Release] = {}
        account: Account | None = None  # the budget as the last look at the ledger showed it
        for one, name in zip(planned.plans, planned.fingerprints, strict=True):
            if not one.items:  # public keys alone: nobody's row is read, nothing is charged
                known[name] = perturb.run(one, execute.nothing(one))
        if self.policy.releases_reuse and planned.plans:
            stored, account = self._stored(planned)
            known.update(stored)
        order = [index for index, name in enumerate(planned.fingerprints) if name not in known]
        first = {planned.fingerprints[index]: index for index in reversed(order)}
        missing = sorted(first.values())  # equal aggregates of a statement share one draw
        if missing:
            progress.stage = Stage.CHARGING
            charged = charge.run(
                planned,
                prepared.certified,
                missing,
                ledger=self.ledger,
                analyst=self.analyst,
                budget=self.budget_spec,
                total=self.total,
                data_version=self.data_version,
            )
            now = [planned.plans[index] for index in missing]
            progress.paid(*_price(now))
            done, account = self._run(charged, planned)
            known.update(done)
        if account is None and planned.plans:
            account = self.account(self.budget_spec)
        paid = tuple(index in missing for index in range(len(planned.plans)))
        return Released([known[name] for name in planned.fingerprints], paid, account)

    def _run(self, charged: Charged, planned: Planned) -> tuple[dict[str, Release], Account]:
        """Under the receipt: execute, perturb, store. The charge stands whatever happens.

        Also the budget as the settling transaction left it.
        """
        outcome: Any = "failed"
        done: dict[str, Release] = {}
        try:
            for index, certified in charged.statements:
                cells = execute.run(
                    certified, self.engine, timeout=self.policy.limits.timeout_seconds
                )
                done[planned.fingerprints[index]] = perturb.run(certified.plan, cells)
            outcome = "released"
        except TimedOut as late:
            outcome = "timeout"
            raise late.plain() from None
        except KeyboardInterrupt:
            outcome = "cancelled"
            raise
        finally:
            if outcome != "released":
                self.ledger.settle(charged.receipt, outcome)
        stored = [storage.pack(name, release) for name, release in done.items()]
        if self.policy.releases_reuse:
            account = self.ledger.settle(charged.receipt, "released", releases=stored)
        else:
            hashes = [release.hash for release in stored]
            account = self.ledger.settle(charged.receipt, "released", hashes)
        return done, account

    def _stored(self, planned: Planned) -> tuple[dict[str, Release], Account]:
        """What this budget has paid for already, each part of the statement on its own."""
        wanted = [
            (name, one.epsilon, one.delta)
            for one, name in zip(planned.plans, planned.fingerprints, strict=True)
            if one.items
        ]
        found = self.ledger.releases.find(self.budget_spec.key, self.data_version, wanted)
        stored = {name: storage.unpack(payload) for name, payload in found.payloads.items()}
        return stored, found.account

    def _answer(self, prepared: Prepared, result: postprocess.Result, released: Released) -> Answer:
        table: Any = result.table
        shown = len(result.columns)
        reports = []
        for index, column in enumerate(result.columns):
            low, high = (None if at is None else table.column(at) for at in column.ends)
            computed = low is None and not column.told and bool(prepared.planned.plans)
            reports.append(ColumnReport(prepared.names[index], low, high, computed))
        plans, paid, account = prepared.planned.plans, released.paid, released.account
        now = [one for one, charged in zip(plans, paid, strict=True) if charged]
        privacy = PrivacyReport(
            self.analyst,
            self.budget_spec.key,
            *_price(now),
            tuple(
                release_report(one, free=not charged)
                for one, charged in zip(plans, paid, strict=True)
            ),
            tuple(reports),
            None if account is None else lambda: self._report(account),
        )
        shown_table = table.select(list(range(shown))).rename_columns(list(prepared.names))
        return Answer(
            shown_table,
            prepared.names,
            tuple(column.type for column in result.columns),
            privacy,
        )


def _price(plans: Sequence[Plan]) -> tuple[Fraction, Fraction]:
    """The sums of what private aggregates are charged."""
    return sum((p.epsilon for p in plans), Fraction(0)), sum((p.delta for p in plans), Fraction(0))
