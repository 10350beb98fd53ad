"""A session: one analyst, one policy, one engine, one ledger. Answers queries, and charges them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.dialects.duckdb import TimedOut
from dpsql.error_bars import ColumnReport
from dpsql.errors import BudgetExceeded, LedgerError, RefusedQuery
from dpsql.guard import guarded
from dpsql.opening import open_budget, open_ledger, remembered
from dpsql.owner_log import OWNER_LOG
from dpsql.pipeline import charge, execute, perturb, postprocess, repeats, storage
from dpsql.pipeline.stages import Charged, Order, Planned, Release
from dpsql.planning.types import Plan
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation, Prepared
from dpsql.progress import Progress, Stage
from dpsql.reply_clock import on_the_clock
from dpsql.report import (
    AnsweredBy,
    Answering,
    BudgetReport,
    PrivacyReport,
    budget_report,
    release_report,
)
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.ledger import Account
    from dpsql.ledger import Release as StoredRelease
    from dpsql.ledger.releases import Found
    from dpsql.ledger.requests import Attempt


@dataclass(frozen=True)
class Answer:
    """A finished query: the result set as Arrow, its columns, and the privacy report."""

    table: Any
    names: tuple[str, ...]
    types: tuple[str, ...]
    privacy: PrivacyReport


@dataclass(frozen=True)
class Answered:
    """A release in its form's order, and how it came about."""

    release: Release
    how: Answering


@dataclass(frozen=True)
class Released:
    """The releases of a statement in order, each with how it came about, and the balance.

    `paid`: what was charged in all. `account` is the budget when the last of them was paid or
    found; None without any.
    """

    tables: list[Release]
    how: tuple[Answering, ...]
    paid: tuple[Fraction, Fraction]
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
            self._seen = remembered(self.policy)
            self.ledger = open_ledger(self.policy, self._seen)
            for spec in (self.budget_spec, self.total):
                if spec is not None:
                    open_budget(self.ledger, self.policy, spec)
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
        request_id: object = None,
        progress: Progress | None = None,
    ) -> Answer:
        """Answer one query. Raises subclasses of `Error` alone, and `Cancelled` for Ctrl-C.

        `request_id`: the analyst's own name for this request. Asked again under it, it is answered
        by the same releases, or charged anew if none were made; never charged twice for one answer.
        """
        asked, progress = self.asked_for(epsilon, delta), progress or Progress()
        clock = on_the_clock(self.policy.limits.reply_quantum_ms)
        with self._cancellable(progress), clock, guarded(), self._refusals_counted(sql):
            with self.engine.snapshot():
                prepared = self.prepare(sql, parameters, dialect=dialect, asked=asked)
                released = self._releases(prepared, progress, self._attempt(prepared, request_id))
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

    @contextlib.contextmanager
    def _refusals_counted(self, sql: str) -> Iterator[None]:
        """For the owner. Where it cannot be written, the refusal stands all the same."""
        try:
            yield
        except (RefusedQuery, BudgetExceeded) as problem:
            mine = {"analyst": self.analyst, "budget": self.budget_spec.key}
            try:
                self.ledger.refusals.note(**mine, code=problem.code, sql=sql)
            except LedgerError:
                OWNER_LOG.warning("a refusal could not be counted: %s", problem.code)
            raise

    def _attempt(self, prepared: Prepared, request_id: object) -> Attempt | None:
        """What the ledger knows of a named request; None if it has no name."""
        if request_id is None:
            return None
        from dpsql.ledger.requests import read_id, request_key

        key = request_key(
            read_id(request_id),
            budget=self.budget_spec.key,
            total=None if self.total is None else self.total.key,
            sql=prepared.planned.bound.parsed.recorded,
            data_version=self.data_version,
            wanted=_wanted(prepared.planned),
        )
        return self.ledger.retry(self.analyst, key)

    def _releases(
        self, prepared: Prepared, progress: Progress, attempt: Attempt | None
    ) -> Released:
        """The release of every private aggregate: stored ones for nothing, others charged."""
        planned = prepared.planned
        account: Account | None = None  # the budget as the last look at the ledger showed it
        stored: Mapping[str, Sequence[Found]] = {}
        if self.policy.releases_reuse and planned.plans:
            stored, account = self._stored(planned)
        known: dict[str, Answered] = {}
        free: dict[str, Found] = {}
        orders: dict[str, Order] = {}  # equal aggregates of a statement share one draw
        for index, (one, form) in enumerate(zip(planned.plans, planned.forms, strict=True)):
            if form.fingerprint in known or form.fingerprint in orders:
                continue
            if not one.items:  # public keys alone: nobody's row is read, nothing is charged
                release = storage.laid(form, one, perturb.run(one, execute.nothing(one)))
                known[form.fingerprint] = Answered(release, _free("public", one))
                continue
            if attempt is not None and (kept := _retried(attempt, one, form.fingerprint)):
                known[form.fingerprint] = kept
                continue
            found = repeats.answer(index, one, form, stored.get(form.question, ()))
            if isinstance(found, Order):
                orders[form.fingerprint] = found
            else:
                known[form.fingerprint] = _kept(found, one)
                free[form.fingerprint] = found.found
        paid = _price(orders.values())
        if orders:
            progress.stage = Stage.CHARGING
            charged = charge.run(
                planned,
                prepared.certified,
                list(orders.values()),
                ledger=self.ledger,
                analyst=self.analyst,
                budget=self.budget_spec,
                total=self.total,
                data_version=self.data_version,
                attempt=attempt,
            )
            progress.paid(*paid)
            done, account = self._run(charged, planned, keep=attempt is not None)
            known.update(done)
        if attempt is not None and (free or not (orders or attempt.charged or attempt.free)):
            for name, stands in self.ledger.answered(self.analyst, attempt, free).items():
                place = planned.fingerprints.index(name)
                if (first := _found(stands, planned.plans[place])) and stands != free.get(name):
                    known[name] = first  # another attempt at this request was before this one
        if account is None and planned.plans:
            account = self.account(self.budget_spec)
        answered = [known[name] for name in planned.fingerprints]
        parts = zip(planned.forms, planned.plans, answered, strict=True)
        tables = [storage.restored(form, one, found.release) for form, one, found in parts]
        how = [
            found.how if name not in planned.fingerprints[:place] else found.how.again()
            for place, (name, found) in enumerate(zip(planned.fingerprints, answered, strict=True))
        ]
        return Released(tables, tuple(how), paid, account)

    def _run(
        self, charged: Charged, planned: Planned, *, keep: bool
    ) -> tuple[dict[str, Answered], Account]:
        """Under the receipt: execute, perturb, store. The charge stands whatever happens.

        Also the budget as the settling transaction left it. `keep`: for a retry of this request.
        """
        outcome: Any = "failed"
        done: dict[str, Answered] = {}
        stored: list[StoredRelease] = []
        try:
            for order, certified in charged.statements:
                cells = execute.run(
                    certified, self.engine, timeout=self.policy.limits.timeout_seconds
                )
                drawn = perturb.run(order.plan, cells, order.earlier)
                answered, payload = self._kept_now(order, planned, drawn, charged.receipt.seq)
                done[planned.fingerprints[order.index]] = answered
                stored.append(payload)
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
        reused = stored if self.policy.releases_reuse else []
        kept = stored if keep else []
        hashes = [] if reused or kept else [release.hash for release in stored]
        account = self.ledger.settle(
            charged.receipt, "released", hashes, releases=reused, kept=kept
        )
        return done, account

    def _kept_now(
        self, order: Order, planned: Planned, drawn: Release, seq: int
    ) -> tuple[Answered, StoredRelease]:
        """What was drawn in its form's order, and the bytes it is stored as."""
        from dpsql.ledger import Release as StoredRelease

        plan, form = planned.plans[order.index], planned.forms[order.index]
        entries = () if order.earlier is None else order.earlier.entries
        release = storage.laid(form, plan, drawn)
        site = planned.bound.sites[order.index]
        about = storage.describe(plan, form, release, site, entries)
        how = Answering(
            "release" if order.earlier is None else "mean",
            plan.epsilon,
            plan.delta,
            order.epsilon,
            order.delta,
            (*entries, seq),
            order.plan.items,
            about.threshold,
        )
        payload = storage.pack(about, release)
        return Answered(release, how), StoredRelease(order.fingerprint, payload)

    def _stored(self, planned: Planned) -> tuple[Mapping[str, Sequence[Found]], Account]:
        """What this budget has paid for already of each question of the statement."""
        pairs = zip(planned.forms, planned.plans, strict=True)
        wanted = dict.fromkeys(form.question for form, one in pairs if one.items)
        replay = self.ledger.releases.find(self.budget_spec.key, self.data_version, list(wanted))
        return replay.found, replay.account

    def _answer(self, prepared: Prepared, result: postprocess.Result, released: Released) -> Answer:
        table: Any = result.table
        shown = len(result.columns)
        reports = []
        for index, column in enumerate(result.columns):
            low, high = (None if at is None else table.column(at) for at in column.ends)
            computed = low is None and not column.told and bool(prepared.planned.plans)
            reports.append(ColumnReport(prepared.names[index], low, high, computed))
        plans, account = prepared.planned.plans, released.account
        receipt = self.ledger.anchor()
        self._seen.keep(receipt)
        privacy = PrivacyReport(
            self.analyst,
            self.budget_spec.key,
            *released.paid,
            tuple(map(release_report, plans, released.how)),
            tuple(reports),
            receipt,
            None if account is None else lambda: self._report(account),
        )
        shown_table = table.select(list(range(shown))).rename_columns(list(prepared.names))
        return Answer(
            shown_table,
            prepared.names,
            tuple(column.type for column in result.columns),
            privacy,
        )


def _wanted(planned: Planned) -> list[tuple[str, Fraction, Fraction]]:
    """What must be paid for: fingerprint, ε and δ of each aggregate over private rows."""
    return [
        (name, one.epsilon, one.delta)
        for one, name in zip(planned.plans, planned.fingerprints, strict=True)
        if one.items
    ]


def _price(orders: Iterable[Order]) -> tuple[Fraction, Fraction]:
    """The sums of what private aggregates are charged."""
    listed = list(orders)
    return sum((o.epsilon for o in listed), Fraction(0)), sum(
        (o.delta for o in listed), Fraction(0)
    )


def _kept(kept: repeats.Kept, plan: Plan) -> Answered:
    """A stored release as the answer to this plan."""
    about, found = kept.about, kept.found
    same = (about.epsilon, about.delta) == (plan.epsilon, plan.delta)
    how = Answering(
        "repeat" if same else "tighter",
        about.epsilon,
        about.delta,
        Fraction(0),
        Fraction(0),
        (*about.entries, found.seq),
        found.paid.events,
        about.threshold,
    )
    return Answered(storage.unpack(found.payload), how)


def _retried(attempt: Attempt, plan: Plan, fingerprint: str) -> Answered | None:
    """What an earlier attempt at this request drew for the aggregate, averaged or not."""
    drawn = f"{fingerprint}+"  # with the entry it was averaged with
    for name, payload in attempt.payloads.items():
        if name == fingerprint or name.startswith(drawn):
            return Answered(storage.unpack(payload), _free("repeat", plan))
    found = attempt.found.get(fingerprint)
    return None if found is None else _found(found, plan)


def _found(found: Found, plan: Plan) -> Answered | None:
    """A stored release as the answer to this plan; None for those of a dpsql that kept less."""
    about = storage.about(found.payload)
    return None if about is None else _kept(repeats.Kept(found, about), plan)


def _free(by: AnsweredBy, plan: Plan) -> Answering:
    return Answering(by, plan.epsilon, plan.delta, Fraction(0), Fraction(0), (), ())
