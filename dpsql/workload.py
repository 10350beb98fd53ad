"""How far a budget goes for a file of queries, and with what accuracy: by planning alone.

Nothing is charged, no ledger is read, and no row about anybody (the values of public tables' key
columns are). The budget is a new one of the given (ε, δ). A statement that repeats another, or a
part of one, is free as it would be when asked: one release is priced once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from dpsql.accountant.charge import Charge
from dpsql.accountant.filter import admits
from dpsql.accountant.odometer import share
from dpsql.accountant.remaining import repeats
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.numbers import MIN_EPSILON
from dpsql.errors import InvalidQuery, PolicyError, RefusedQuery
from dpsql.expected import column_explanation, column_labels
from dpsql.guard import guarded
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Bound, Planned
from dpsql.policy.price import query_price
from dpsql.policy.promises import all_promises
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.preparation import Preparation
from dpsql.report import MAX_QUERIES
from dpsql.sql.split import split

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent
    from dpsql.ledger import Account

MOST = 1_000
"""Statements of one file."""
_STEPS = 14
_PRECISION = 1.005
Key = tuple[str, Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of one column: its 95 % half-width, for a group of `rows` rows if they count.

    `half_width` None: no use at this price.
    """

    aggregate: str
    rows: int | None
    half_width: float | None
    by_rows: tuple[tuple[int, float | None], ...] = ()
    """For other sizes, where rows count."""

    def to_dict(self) -> dict[str, object]:
        return {"aggregate": self.aggregate, "rows": self.rows, "half_width_95": self.half_width}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: where it begins and what it releases; or why it would be refused.

    `releases`: private aggregates; `new`: those of them that no statement before it pays for.
    `own_price`: all of them name their ε themselves, in OPTIONS.
    """

    line: int
    sql: str
    releases: int
    new: int
    own_price: bool
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The workload at one price of each private aggregate (what names its own keeps it).

    `rounds`: how often the whole workload fits, each time anew (other dates, say; a repeat is
    free); `further`: paid statements of one round more that fit then. `share`: of the budget's ε
    that one round takes, 1 where it does not fit. `expected`: by statement.
    """

    epsilon: Fraction
    delta: Fraction
    rounds: int
    further: int
    share: float
    expected: tuple[tuple[Expected, ...], ...]


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """`equal`: the largest one price at which every statement fits once; None where none does.

    `usual`: at the policy's `per_query` price; None where it names none. `added_up`: the price
    that adding up ε would allow, for comparison.
    """

    epsilon: Fraction
    delta: Fraction
    statements: tuple[Statement, ...]
    releases: int
    added_up: Fraction | None
    equal: Price | None
    usual: Price | None


def plan_workload(
    policy: Policy, text: str, *, epsilon: Fraction, delta: Fraction, dialect: str
) -> WorkloadPlan:
    """Plan every statement of `text` for a new budget of (ε, δ). Raises `Error`s alone.

    A statement that would be refused is told (`code`), not raised.
    """
    with guarded():
        session = _Session(_with_budget(policy, epsilon, delta))
        try:
            with session.engine.snapshot():
                return _Workload(session, text, dialect).planned()
        finally:
            session.close()


def _with_budget(policy: Policy, epsilon: Fraction, delta: Fraction) -> Policy:
    """The policy with one budget alone, for whoever asks."""
    spec = BudgetSpec("default", "default", epsilon, delta)
    budgets = replace(policy.budgets, default=spec, analysts={}, teams={}, total=None)
    return replace(policy, analysts_only=False, budgets=budgets)


class _Session(Preparation):
    """Takes queries as far as `certify`, on a budget that nothing was spent of."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, "workload")

    def account(self, spec: BudgetSpec) -> Account:
        from dpsql.ledger import Account

        terms = BudgetTerms.create(spec.epsilon, spec.delta)
        return Account(spec.key, spec.kind, terms, Charge.zero(terms.orders))

    def verified(self) -> Collection[tuple[str, str]] | None:
        """As though all were: nothing is asked here, and prices do not hang on it."""
        found = all_promises(self.policy, self.engine.catalog())
        return frozenset((one.table, one.key) for one in found)


@dataclass(frozen=True, slots=True)
class _Release:
    """One private aggregate: its events and ε, whether it names that, and hides its keys."""

    items: tuple[tuple[PrivacyEvent, int], ...]
    epsilon: Fraction
    own_price: bool
    private_keys: bool


class _Workload:
    def __init__(self, session: _Session, text: str, dialect: str) -> None:
        self._session = session
        self._dialect = dialect
        self._account = session.account(session.budget_spec)
        self._pieces = split(text, dialect)
        if len(self._pieces) > MOST:
            raise InvalidQuery(
                f"the file holds {len(self._pieces):,} statements, more than {MOST:,}",
                code="too-long",
                hint="plan a part of it; equal statements count once anyway",
            )
        self._bound: list[Bound | None] = []
        self._reused = session.policy.releases_reuse

    def planned(self) -> WorkloadPlan:
        statements = self._statements()
        releases = sum(statement.new for statement in statements)
        policy, spec = self._session.policy, self._session.budget_spec
        named = policy.budgets.per_query.epsilon
        equal = self._largest(releases) if releases else None
        usual = None
        if named is not None and releases:
            usual = self._price(*query_price(policy, spec))
        return WorkloadPlan(
            spec.epsilon,
            spec.delta,
            statements,
            releases,
            self._added_up(),
            *_at_the_same_rows(None if equal is None else self._price(*equal), usual),
        )

    def _statements(self) -> tuple[Statement, ...]:
        """Every statement prepared as for `explain`: all that can be refused is refused here."""
        found, seen = [], set[Key]()
        asked = Asked(*self._probe())
        for line, sql in self._pieces:
            try:
                ready = self._session.prepare(sql, None, dialect=self._dialect, asked=asked)
            except (RefusedQuery, InvalidQuery, PolicyError) as problem:
                self._bound.append(None)
                refused = Statement(line, sql, 0, 0, False, problem.code, problem.message)
                found.append(refused)
                continue
            self._bound.append(ready.planned.bound)
            releases = self._releases(ready.planned)
            new = releases.keys() - seen if self._reused else releases.keys()
            seen |= releases.keys()
            own = bool(releases) and all(one.own_price for one in releases.values())
            found.append(Statement(line, sql, len(releases), len(new), own))
        return tuple(found)

    def _probe(self) -> tuple[Fraction, Fraction]:
        """A price that any statement may ask for: which is refused does not hang on it."""
        policy, spec = self._session.policy, self._session.budget_spec
        named = policy.budgets.per_query.epsilon
        epsilon = self._most() if named is None else named
        return query_price(policy, spec, epsilon=epsilon)

    def _most(self) -> Fraction:
        """What one query may ask for at most."""
        largest = self._session.policy.budgets.max_per_query.epsilon
        epsilon = self._session.budget_spec.epsilon
        return epsilon if largest is None else min(epsilon, largest)

    # ---- prices ------------------------------------------------------------------------------

    def _at(self, epsilon: Fraction, delta: Fraction) -> list[Planned | None]:
        """Every statement planned at a price."""
        asked = Asked(epsilon, delta)
        return [
            None if bound is None else self._session.plan(bound, asked=asked)
            for bound in self._bound
        ]

    @staticmethod
    def _releases(planned: Planned) -> Mapping[Key, _Release]:
        """What a statement releases, by what makes two of them one."""
        return {
            (name, plan.epsilon, plan.delta): _Release(
                plan.items,
                plan.epsilon,
                private.options.epsilon is not None or private.options.aims.error is not None,
                plan.threshold is not None,
            )
            for plan, name, private in zip(
                planned.plans, planned.fingerprints, planned.bound.private, strict=True
            )
            if plan.items
        }

    def _paid(self, plans: Sequence[Planned | None]) -> list[list[_Release]]:
        """What each statement pays for; nothing where it repeats others."""
        seen, found = set[Key](), []
        for planned in plans:
            releases = {} if planned is None else self._releases(planned)
            new = releases.keys() - seen if self._reused else releases.keys()
            found.append([releases[key] for key in releases if key in new])
            seen |= releases.keys()
        return found

    def _largest(self, releases: int) -> tuple[Fraction, Fraction] | None:
        """The largest price, to three digits, at which every statement fits once.

        Bisection between a price that fits and one that does not; the one returned was tried.
        """
        delta = self._delta()
        high = self._most()
        if self._fits(high, delta):
            return high, delta
        low = min(high, self._session.budget_spec.epsilon / releases)
        while not self._fits(low := _three_digits(low), delta):
            high, low = low, low / 4
            if low < MIN_EPSILON:
                return None
        for _ in range(_STEPS):
            if high <= low * Fraction(_PRECISION):
                break
            middle = _three_digits(Fraction(math.sqrt(float(low) * float(high))))
            if not low < middle < high:
                break
            low, high = (middle, high) if self._fits(middle, delta) else (low, middle)
        return low, delta

    def _added_up(self) -> Fraction | None:
        """ε shared out among the releases that name no price of their own; None if none is left."""
        paid = [one for found in self._paid(self._at(*self._probe())) for one in found]
        named = sum((one.epsilon for one in paid if one.own_price), Fraction(0))
        others = sum(not one.own_price for one in paid)
        left = self._session.budget_spec.epsilon - named
        return left / others if others and left > 0 else None

    def _delta(self) -> Fraction:
        """The policy's usual δ, or less where private keys would use up their part of it."""
        policy, spec = self._session.policy, self._session.budget_spec
        epsilon, delta = query_price(policy, spec, epsilon=self._most())
        paid = self._paid(self._at(epsilon, delta))
        private = sum(one.private_keys for found in paid for one in found)
        return min(delta, self._account.terms.delta_thr / private) if private else delta

    def _fits(self, epsilon: Fraction, delta: Fraction) -> bool:
        return admits(self._account.terms, self._charge(self._paid(self._at(epsilon, delta))))

    def _charge(self, paid: Sequence[Sequence[_Release]]) -> Charge:
        items = [item for found in paid for one in found for item in one.items]
        return self._account.price(items) if items else self._account.spent

    def _price(self, epsilon: Fraction, delta: Fraction) -> Price:
        terms = self._account.terms
        plans = self._at(epsilon, delta)
        paid = self._paid(plans)
        items = [item for found in paid for one in found for item in one.items]
        rounds = repeats(terms, self._account.spent, items, MAX_QUERIES)
        spent, further = self._account.spent, 0
        if rounds:
            spent = self._account.price([(event, count * rounds) for event, count in items])
        for statement in (one for one in paid if one):
            spent = spent + self._charge([statement])
            if not admits(terms, spent):
                break
            further += 1
        return Price(
            epsilon,
            delta,
            rounds,
            further if rounds < MAX_QUERIES else 0,
            share(terms, self._charge(paid)),
            tuple(() if planned is None else self._expected(planned) for planned in plans),
        )

    def _expected(self, planned: Planned) -> tuple[Expected, ...]:
        found: dict[tuple[str, str], Expected] = {}
        for index, (plan, name) in enumerate(zip(planned.plans, planned.fingerprints, strict=True)):
            labels = column_labels(planned, index, self._session.policy.unit)
            for place, (column, label) in enumerate(zip(plan.columns, labels, strict=True)):
                if place != plan.units_column and plan.items:
                    told = column_explanation(plan, column, label)
                    found[name, label] = Expected(label, *told.expected(), told.half_widths)
        return tuple(found.values())


def _at_the_same_rows(
    first: Price | None, second: Price | None
) -> tuple[Price | None, Price | None]:
    """Both prices with each column told for one size of group: the larger of the two, of use
    at either price."""
    if first is None or second is None:
        return first, second
    pairs = zip(first.expected, second.expected, strict=True)
    told = [[*map(_alike, *statements)] for statements in pairs]
    one, other = (
        tuple(tuple(pair[which] for pair in statement) for statement in told) for which in (0, 1)
    )
    return replace(first, expected=one), replace(second, expected=other)


def _alike(one: Expected, other: Expected) -> tuple[Expected, Expected]:
    if one.rows is None or other.rows is None or one.rows == other.rows:
        return one, other
    rows = max(one.rows, other.rows)
    first, second = (
        replace(each, rows=rows, half_width=dict(each.by_rows)[rows]) for each in (one, other)
    )
    return first, second


def _three_digits(value: Fraction) -> Fraction:
    """Three significant digits, rounded down."""
    exponent = math.floor(math.log10(value)) - 2
    step = Fraction(10) ** exponent
    return (value // step) * step
