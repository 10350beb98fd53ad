"""A query up to the charge: one analyst, one policy, one engine; no ledger is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dpsql import promised
from dpsql.accuracy import settle
from dpsql.binding.context import Context
from dpsql.binding.interval_ends import FUNCTIONS
from dpsql.binding.release_names import UNNAMED, release_table, releases_of
from dpsql.cells import CellsStore
from dpsql.checks.unbound import unbound
from dpsql.consistency.families import Mode
from dpsql.core.catalog import Catalog
from dpsql.core.numbers import read_delta, read_epsilon
from dpsql.core.targets import NOTHING, Aims, one_price
from dpsql.declared import DeclaredTable, declared_tables
from dpsql.dialects.naming import Naming
from dpsql.dialects.sealed import DoesNotBind, Sealed, TypedTable
from dpsql.errors import InternalError, InvalidQuery, RefusedQuery
from dpsql.guard import not_too_deep
from dpsql.opening import open_engine
from dpsql.pipeline import bind, certify, chains, parse, plan, postprocess, rewrite, storage
from dpsql.pipeline.constants import check_constants
from dpsql.pipeline.missing import placed
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Bound, Certified, Planned, Rewritten
from dpsql.planning.noise import LAWS, Laws
from dpsql.planning.search import EVERY, Alternatives
from dpsql.planning.types import Plan
from dpsql.policy import canonical_name, load, refuse_not_built, refuse_unfit
from dpsql.policy.data_identity import stored_version
from dpsql.policy.promises import Resting
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.public import PublicData
from dpsql.sql.parameters import Parameters

if TYPE_CHECKING:
    from dpsql.ledger import Account


@dataclass(frozen=True)
class Prepared:
    """A query taken as far as it goes without data or charge: for `explain` and `query`."""

    planned: Planned
    certified: tuple[Certified, ...]
    names: tuple[str, ...]
    outer: postprocess.Outer
    resting: tuple[Resting, ...] = ()
    """The owner's promises that the answer rests on."""


class Preparation(ABC):
    """Opens the engine, checks the policy against it, and takes queries as far as `certify`.

    `post_process`: how totals are made to add up where a SELECT does not say.
    """

    post_process: Mode = "auto"

    def __init__(
        self,
        policy: Policy | str | Path | Mapping[str, Any],
        analyst: str,
        *,
        epsilon: object = None,
        delta: object = None,
        aims: Aims = NOTHING,
        engine: object = None,
    ) -> None:
        self.policy = policy if isinstance(policy, Policy) else load(policy)
        refuse_not_built(self.policy)
        self.analyst = canonical_name(analyst)
        self.budget_spec = self.policy.budget_of(analyst)
        self.total = self.policy.budgets.total
        self.asked = Asked(_epsilon(epsilon), _delta(delta), one_price(epsilon, aims))
        self.engine = open_engine(self.policy, engine)
        try:
            refuse_unfit(self.policy, self.engine.catalog())
        except BaseException:  # even an interrupt must not leave it open
            self.engine.close()
            raise
        self.cells = CellsStore(self.policy, self.engine)
        self._public = PublicData(self.engine, self.policy)
        self._sealed = Sealed(timeout=self.policy.limits.timeout_seconds or 60.0)
        self._naming = Naming(FUNCTIONS)

    def close(self) -> None:
        self._sealed.close()
        self._naming.close()
        self.cells.close()
        self.engine.close()

    def declared(self) -> tuple[DeclaredTable, ...]:
        """What may be asked about, from the policy and the engine's schema."""
        return declared_tables(self.policy, self.engine.catalog())

    @abstractmethod
    def account(self, spec: BudgetSpec) -> Account:
        """Terms and spend of a budget, as they stand now."""

    @abstractmethod
    def verified(self) -> Collection[tuple[str, str]] | None:
        """(table, key) of the owner's promises that the ledger holds for this version of the data.

        None where no ledger could hold any.
        """

    def _resting(self, bound: Bound) -> tuple[Resting, ...]:
        """The promises that an answer rests on. RefusedQuery `promise-unverified`."""
        if not any(table.promised for table in self.policy.tables.values()):
            return ()
        version = stored_version(self.policy, self.engine.identity)
        return promised.required(bound, self.policy, self.verified(), version)

    def asked_for(self, epsilon: object, delta: object, aims: Aims = NOTHING) -> Asked:
        """The price or error asked for: what the call says, else what the session says."""
        mine, usual = Asked(_epsilon(epsilon), _delta(delta), one_price(epsilon, aims)), self.asked
        priced, aimed = mine.epsilon is not None, aims.error is not None
        merged = aims.over(replace(usual.aims, error=None) if priced else usual.aims)
        return Asked(
            mine.epsilon if priced or aimed else usual.epsilon,
            usual.delta if mine.delta is None else mine.delta,
            merged,
        )

    # ---- up to the charge --------------------------------------------------------------

    def bind(
        self,
        sql: str,
        parameters: Parameters,
        *,
        dialect: str,
        policy: Policy | None = None,
        clips: bool | None = None,
    ) -> Bound:
        """parse and bind; under another `policy` to see what that would change.

        `clips`: also estimate what clipping moves.
        """
        return bind.run(
            parse.run(sql, dialect=dialect, parameters=parameters),
            policy=self.policy if policy is None else policy,
            catalog=self.engine.catalog(),
            default_schema=self.engine.default_schema,
            describe=self._describe,
            analyst=self.analyst,
            clips=bool(clips),
        )

    def _describe(
        self, context: Context, query: exp.Expr
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a step of a chain gives. Call within a snapshot."""
        public = self._public.tables(context.public_used)
        try:
            return chains.describe(context, query, public, self._sealed)
        except DoesNotBind as problem:
            raise _unbound(query, problem, public, context.text) from None

    def plan(
        self,
        bound: Bound,
        *,
        asked: Asked,
        policy: Policy | None = None,
        laws: Laws = LAWS,
        alternatives: Alternatives = EVERY,
    ) -> Planned:
        """Plan with the noise laws, and the rest, to choose from. Call within a snapshot."""
        rules = self.policy if policy is None else policy
        made: plan.Made = {}

        def at(prices: Asked) -> Planned:
            return plan.run(
                bound,
                policy=rules,
                asked=prices,
                budget=self.budget_spec,
                public_values=self._public.values,
                public_rows=self._public.rows,
                laws=laws,
                alternatives=alternatives,
                made=made,
            )

        return settle.planned(bound, asked, at, rules)

    def prepare(self, sql: str, parameters: Parameters, *, dialect: str, asked: Asked) -> Prepared:
        """Everything that can refuse, before anything is charged. Call within a snapshot."""
        with not_too_deep():
            clips = asked.aims.clips
            bound = self.bind(sql, parameters, dialect=dialect, clips=clips)
            resting = self._resting(bound)
            planned = self.plan(bound, asked=asked)
            with placed(bound.parsed):
                rewritten = self._rewritten(planned)
            certified = self._certified(rewritten)
            outer = self._check_remainder(planned, sql)
            text = sql if dialect == "duckdb" else None
            names = self._names(bound.parsed.root, text, bound.catalog)
        if names is None or len(names) != len(outer.types):
            names = _fallback_names(bound, len(outer.types))
        return Prepared(planned, certified, tuple(names), outer, resting)

    def _rewritten(self, planned: Planned) -> Rewritten:
        offer, dialect = self.cells.offer, self.engine.dialect
        return rewrite.run(planned, policy=self.policy, dialect=dialect, offers=offer)

    def _certified(self, rewritten: Rewritten) -> tuple[Certified, ...]:
        cells = self.cells.engine
        return certify.run(rewritten, policy=self.policy, engine=self.engine, cells=cells)

    def certified(self, planned: Planned, plan: Plan) -> Certified:
        """A plan whose bounds have been found, rewritten and certified like those before it.

        Raises InternalError where it is not: it depends on the plan, hence on a release, alone.
        Unlike those before it this one comes after the charge.
        """
        alone = replace(planned, plans=(plan,), forms=planned.forms[:1])
        try:
            return self._certified(self._rewritten(alone))[0]
        except (InternalError, RefusedQuery) as problem:
            raise InternalError(
                f"with the bounds that were found: {problem.message}",
                code="certify",
                hint="this is a defect of dpsql; the statement did not run, what was charged stays"
                " charged, and the bounds that were found are kept",
            ) from None

    def _check_remainder(self, planned: Planned, sql: str) -> postprocess.Outer:
        public = self._public.tables(planned.bound.public)
        given = dict(public)
        sizes = {name.casefold(): table.table.num_rows for name, table in given.items()}
        for index, one in enumerate(planned.plans):
            given[release_table(index)] = storage.empty(one)
            sizes[release_table(index)] = one.least_groups
        steps = [step.query for step in planned.bound.steps if releases_of(step.query)]
        for query in (*steps, planned.bound.remainder):  # other steps are tried whole
            check_constants(query, self._sealed, sql)
        try:
            chains.check(planned, public, self._sealed)
            return postprocess.check(
                planned.bound.remainder, given, sizes, self._sealed, planned.plans
            )
        except DoesNotBind as problem:
            raise _unbound(planned.bound.remainder, problem, public, sql) from None

    def _names(self, root: exp.Expr, text: str | None, catalog: Catalog) -> list[str] | None:
        visible = {}
        for table in self.policy.tables.values():
            key = catalog.key_of(".".join(table.parts))
            if key is not None:
                columns = catalog.tables[key].columns
                visible[key] = [c for c in columns if not table.rule(c).hidden]
        return self._naming.names(root, catalog, visible, text)


def _unbound(
    query: exp.Expr, problem: DoesNotBind, public: Mapping[str, TypedTable], text: str
) -> InvalidQuery:
    columns = [name for table in public.values() for name in table.table.column_names]
    return unbound(query, problem.unresolved, columns, text)


def _epsilon(value: object) -> Fraction | None:
    return None if value is None else read_epsilon(value)


def _delta(value: object) -> Fraction | None:
    return None if value is None else read_delta(value)


def _fallback_names(bound: Bound, count: int) -> list[str]:
    query = bound.remainder
    named = query.named_selects if isinstance(query, exp.Query) else []
    known = [name if not name.startswith(UNNAMED) else "" for name in named]
    return [known[i] if i < len(known) and known[i] else f"column{i}" for i in range(count)]
