"""A session: one analyst, one policy, one engine, one ledger. Answers queries, and charges them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.accuracy import left, measured
from dpsql.answer import Answer, Released, Text
from dpsql.answering import Answered, Known, Steps, decided, drawn_now, fed, first_answers
from dpsql.choices import bounds_found, with_bounds
from dpsql.consistency.families import Mode, read_mode
from dpsql.consistency.shown import shown
from dpsql.core.targets import NOTHING, Aims
from dpsql.dialects.engine import TimedOut
from dpsql.error_bars import ColumnReport
from dpsql.errors import BudgetExceeded, LedgerError, RefusedQuery
from dpsql.first_look import Looking, after_first
from dpsql.guard import guarded
from dpsql.opening import open_budget, open_ledger, remembered
from dpsql.owner_log import OWNER_LOG
from dpsql.pipeline import charge, execute, perturb, postprocess, storage
from dpsql.pipeline.clip_shares import clip_shares
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Charged, Order, Planned
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation, Prepared
from dpsql.progress import Progress, Stage
from dpsql.reconciled import Reconciled
from dpsql.reply_clock import on_the_clock
from dpsql.report import BudgetReport, PrivacyReport, budget_report, release_reports
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.ledger import Account
    from dpsql.ledger import Release as ReleasedBytes
    from dpsql.ledger.releases import Found, Replay
    from dpsql.ledger.requests import Attempt


class Session(Preparation):
    """Opens the ledger too, and answers queries."""

    def __init__(
        self,
        policy: Policy | str | Path | Mapping[str, Any],
        analyst: str,
        *,
        epsilon: object = None,
        delta: object = None,
        aims: Aims = NOTHING,
        engine: object = None,
        post_process: object = None,
    ) -> None:
        """`post_process`: none, auto, additive or consistent (docs/semantics.md); OPTIONS wins."""
        self.post_process = read_mode("auto" if post_process is None else post_process)
        super().__init__(policy, analyst, epsilon=epsilon, delta=delta, aims=aims, engine=engine)
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

    def verified(self) -> Collection[tuple[str, str]] | None:
        found = self.ledger.promises.verified(self.data_version)
        return None if not found and self.policy.in_memory else found

    def budget(self) -> BudgetReport:
        return self._report(self.account(self.budget_spec), self._total_account())

    def _report(self, account: Account, total: Account | None) -> BudgetReport:
        return budget_report(account, total, self.policy, self.budget_spec, self.analyst)

    def _total_account(self) -> Account | None:
        return None if self.total is None else self.account(self.total)

    def query(
        self,
        sql: str,
        parameters: Parameters = None,
        *,
        epsilon: object = None,
        delta: object = None,
        aims: Aims = NOTHING,
        dialect: str = "duckdb",
        request_id: object = None,
        progress: Progress | None = None,
        post_process: object = None,
    ) -> Answer:
        """Answer one query. Raises subclasses of `Error` alone, and `Cancelled` for Ctrl-C.

        `post_process`: as the session's, for this query.
        `request_id`: the analyst's own name for this request. Asked again under it, it is answered
        by the same releases, or charged anew if none were made; never charged twice for one answer.
        """
        asked, progress = self.asked_for(epsilon, delta, aims), progress or Progress()
        mode = self.post_process if post_process is None else read_mode(post_process)
        clock = on_the_clock(self.policy.limits.reply_quantum_ms)
        text = Text(sql, parameters, dialect)
        with self._cancellable(progress), clock, guarded(), self._refusals_counted(sql):
            prepared, released, answer = self._ask(text, asked, request_id, progress, mode)
            if not measured.is_first(prepared.planned):
                return answer

            def ask(then: Asked, again: object) -> Answer:
                return self._ask(text, then, again, progress, mode)[2]

            before = Looking(prepared.planned, released, answer)
            counted = self._refusals_counted(sql)
            return after_first(self, text, asked, request_id, before, ask, counted)

    def _ask(
        self, text: Text, asked: Asked, request_id: object, progress: Progress, mode: Mode
    ) -> tuple[Prepared, Released, Answer]:
        """One statement, from its text to its answer."""
        with self.engine.snapshot():
            prepared = self.prepare(text.sql, text.parameters, dialect=text.dialect, asked=asked)
            try:
                attempt = self._attempt(prepared, request_id)
                released = self._releases(prepared, progress, attempt)
            except BudgetExceeded as problem:
                if prepared.planned.reached:
                    problem.hint = self._way_out(prepared.planned, asked) or problem.hint
                raise
            public = self._public.tables(prepared.planned.bound.public)
            found = replace(prepared.planned, plans=released.plans)
            tables, told = shown(
                found,
                released.tables,
                released.drawn,
                released.newest,
                mode,
                self.policy,
                self._public,
                self._kept,
            )
        progress.stage = Stage.RUNNING  # of what was stored or public, too
        result = postprocess.run(prepared.outer, tables, public, self._sealed, released.plans)
        return prepared, released, self._answer(prepared, result, released, told)

    def _way_out(self, planned: Planned, asked: Asked) -> str:
        """The error that what is left of the budgets still covers; '' where none."""
        from dpsql.accountant.filter import admits

        names = [spec for spec in (self.budget_spec, self.total) if spec is not None]
        accounts = [self.account(spec) for spec in names]

        def fits(items: Sequence[Any]) -> bool:
            return all(admits(one.terms, one.spent + one.price(items)) for one in accounts)

        def plan(prices: Asked) -> Planned:
            return self.plan(planned.bound, asked=prices)

        found = left.reachable(planned, asked, plan, fits)
        return "" if found is None else left.way_out(found)

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
        return self.ledger.attempt(self.analyst, key)

    def _releases(
        self, prepared: Prepared, progress: Progress, attempt: Attempt | None
    ) -> Released:
        """The release of every private aggregate: stored ones for nothing, others charged."""
        planned = prepared.planned
        account: Account | None = None  # the budget as the last look at the ledger showed it
        paid: Mapping[str, Sequence[Found]] = {}
        if self.policy.releases_reuse and planned.plans:
            paid, account = self._stored(planned)
        found = decided(planned, attempt, paid)
        known, orders, price = found.known, found.orders, _price(found.orders)
        if orders:
            progress.stage = Stage.CHARGING
            charged = charge.run(
                planned,
                prepared.certified,
                orders,
                ledger=self.ledger,
                analyst=self.analyst,
                budget=self.budget_spec,
                total=self.total,
                data_version=self.data_version,
                attempt=attempt,
            )
            progress.paid(*price)
            account = self._run(charged, planned, known, keep=attempt is not None)
        if attempt is not None and (found.stored or (attempt.fresh and not orders)):
            stands = self.ledger.answer_free(self.analyst, attempt, found.stored)
            known.update(first_answers(planned, stands, found.stored, known))
        if account is None and planned.plans:
            account = self.account(self.budget_spec)
        return self._released(planned, known, price, account)

    def _released(
        self,
        planned: Planned,
        known: Known,
        paid: tuple[Fraction, Fraction],
        account: Account | None,
    ) -> Released:
        """All that there is now, in the order of the statement."""
        places = range(len(planned.plans))
        answered = [known[name] for name in planned.fingerprints]
        parts = zip(planned.forms, planned.plans, answered, strict=True)
        return Released(
            [storage.restored(form, one, found.release) for form, one, found in parts],
            tuple(
                found.how if name not in planned.fingerprints[:place] else found.how.again()
                for place, (name, found) in enumerate(
                    zip(planned.fingerprints, answered, strict=True)
                )
            ),
            paid,
            account,
            tuple(with_bounds(planned, at, known) for at in places),
            tuple(bounds_found(planned, at, known, self.policy.unit) for at in places),
            [found.release for found in answered],
            max((e for found in answered if (e := found.entry) is not None), default=None),
        )

    def _run(
        self, charged: Charged, planned: Planned, known: dict[str, Answered], *, keep: bool
    ) -> Account:
        """Under the reservation: execute, perturb, store. The charge stands whatever happens.

        What is drawn is added to `known`, from which it feeds what comes after it. Returns the
        budget as the settling transaction left it. `keep`: for a retry of this request.
        """
        outcome: Any = "failed"
        steps = Steps(planned, known, self._public.tables(planned.bound.public), self._sealed)
        made: list[ReleasedBytes | str] = []
        reservation, whole = charged.reservation, keep or self.policy.releases_reuse
        try:
            for order, certified in charged.statements:
                if order.plan.awaited:
                    order = replace(order, plan=with_bounds(planned, order.index, known))
                    certified = self.certified(planned, order.plan)
                cells = execute.run(
                    certified,
                    self.engine,
                    timeout=self.policy.limits.timeout_seconds,
                    given=steps.given(order.index),
                    cells=self.cells.readable(certified),
                )
                drawn = perturb.run(order.plan, cells, order.earlier)
                del cells  # what is exact is needed no longer
                made_with = fed(planned, order.index, known)
                assert made_with is not None, "what feeds a release is drawn before it"
                now = drawn_now(order, planned, drawn, reservation.seq, made_with, whole=whole)
                known[planned.fingerprints[order.index]] = now[0]
                made.append(now[1])
            outcome = "released"
        except TimedOut as late:
            outcome = "timeout"
            raise late.plain() from None
        except KeyboardInterrupt:
            outcome = "cancelled"
            raise
        finally:
            if outcome != "released":
                self.ledger.settle(reservation, outcome)
        hashes = [one for one in made if isinstance(one, str)]
        stored = [one for one in made if not isinstance(one, str)]
        reused, kept = stored if self.policy.releases_reuse else [], stored if keep else []
        return self.ledger.settle(reservation, "released", hashes, releases=reused, kept=kept)

    def _stored(self, planned: Planned) -> tuple[Mapping[str, Sequence[Found]], Account]:
        """What this budget has paid for already of each question of the statement."""
        pairs = zip(planned.forms, planned.plans, strict=True)
        wanted = dict.fromkeys(form.question for form, one in pairs if one.items)
        replay = self._replay(list(wanted))
        return replay.found, replay.account

    def _kept(self, questions: Sequence[str]) -> Mapping[str, Sequence[Found]]:
        return self._replay(questions).found

    def _replay(self, questions: Sequence[str]) -> Replay:
        return self.ledger.releases.find(self.budget_spec.key, self.data_version, questions)

    def _answer(
        self,
        prepared: Prepared,
        result: postprocess.Result,
        released: Released,
        told: tuple[Reconciled, ...],
    ) -> Answer:
        table: Any = result.table
        shown = len(result.columns)
        reports = []
        for index, column in enumerate(result.columns):
            low, high = (None if at is None else table.column(at) for at in column.ends)
            computed = low is None and not column.told and bool(prepared.planned.plans)
            reports.append(ColumnReport(prepared.names[index], low, high, computed))
        plans, account = released.plans, released.account
        total = None if account is None else self._total_account()
        clipped = map(clip_shares, released.tables, plans)
        receipt = self.ledger.anchor()
        self._seen.keep(receipt)
        privacy = PrivacyReport(
            self.analyst,
            self.budget_spec.key,
            *released.paid,
            release_reports(plans, released.how, clipped, released.found, self.policy),
            tuple(reports),
            receipt,
            None if account is None else lambda: self._report(account, total),
            tuple(prepared.planned.reached.values()),
            reconciled=told,
            resting=prepared.resting,
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


def _price(orders: Sequence[Order]) -> tuple[Fraction, Fraction]:
    """The sums of what private aggregates are charged."""
    epsilon = sum((order.epsilon for order in orders), Fraction(0))
    return epsilon, sum((order.delta for order in orders), Fraction(0))
