"""What an answer cost and how good it is: `cursor.privacy`, and the budget's state."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from dpsql.aggregates.quantile import EXTREMES
from dpsql.core.refresh import Window
from dpsql.core.targets import FirstLook, Reached
from dpsql.error_bars import ClippedShare, ColumnReport
from dpsql.found_bounds import FoundBound
from dpsql.planning.bounds import lowered
from dpsql.planning.types import Plan
from dpsql.policy import query_price
from dpsql.policy.promises import Resting
from dpsql.policy.schema import BudgetSpec, Policy
from dpsql.reconciled import Reconciled

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent
    from dpsql.ledger import Account
    from dpsql.ledger.anchor import Anchor

MAX_QUERIES = 1_000_000


AnsweredBy = Literal["release", "public", "repeat", "tighter", "mean"]
"""release: drawn now. public: public keys alone, nothing is drawn. repeat: the stored release of
this very price. tighter: a stored one of less noise. mean: a stored one of more noise, averaged
with what was drawn now."""


@dataclass(frozen=True)
class Answering:
    """What answered a private aggregate, and what was charged for it now.

    `epsilon`, `delta` are the precision of what is shown: that of a single release at this price.
    `entries` are the charges in the ledger on which it rests, the newest last; `items` the events
    charged now or, of a stored release, then.
    """

    by: AnsweredBy
    epsilon: Fraction
    delta: Fraction
    charged_epsilon: Fraction
    charged_delta: Fraction
    entries: tuple[int, ...]
    items: tuple[tuple[PrivacyEvent, int], ...]
    key_threshold: int | None = None

    @property
    def free(self) -> bool:
        return self.by in ("public", "repeat", "tighter")

    def again(self) -> Answering:
        """The same release once more in its statement: charged once."""
        if self.free:
            return self
        return replace(self, by="repeat", charged_epsilon=Fraction(0), charged_delta=Fraction(0))

    def to_json(self) -> dict[str, Any]:
        return {
            "answered_by": self.by,
            "precision": {"epsilon": float(self.epsilon), "delta": float(self.delta)},
            "charged": {
                "epsilon": float(self.charged_epsilon),
                "delta": float(self.charged_delta),
            },
            "entries": list(self.entries),
        }


@dataclass(frozen=True)
class ReleaseReport:
    """One private aggregate: its price, what was enforced on each unit, what noise was drawn.

    `epsilon`, `delta` are the full price asked for; `answering` tells what was charged of it.
    """

    epsilon: Fraction
    delta: Fraction
    free: bool
    mechanism: str
    strategy: str
    max_groups: int
    max_rows_per_group: int
    max_rows_per_unit: int | None
    events: tuple[tuple[dict[str, Any], int], ...]
    key_threshold: int | None
    answering: Answering
    bounds_found: tuple[FoundBound, ...] = ()
    """Bounds that were found privately, and about how many units they cut."""
    barless: tuple[str, ...] = ()
    """Of its aggregates those without an error bar, since their found bounds may cut too many."""
    extremes: bool = False
    """MIN or MAX is among its aggregates: drawn near the end of the values, without an interval."""
    clipped: tuple[ClippedShare, ...] = ()
    """Paid estimates of what clipping moved, which no interval holds."""
    capped: bool = False
    """Distinct values are counted, of one unit up to a cap: a lower bound where units have more."""
    lowered: tuple[str, ...] = ()
    """Options of the query that ask for more than the policy allows, in words."""

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "free": self.free,
            **self.answering.to_json(),
            "mechanism": self.mechanism,
            "strategy": self.strategy,
            "bounds": {
                "max_groups": self.max_groups,
                "max_rows_per_group": self.max_rows_per_group,
                "max_rows_per_unit": self.max_rows_per_unit,
            },
            "bounds_lowered": list(self.lowered),
            "bounds_found": {one.name: one.value for one in self.bounds_found},
            "bounds_cut": {one.name: one.to_json() for one in self.bounds_found},
            "bounds_hold": not self.barless,
            "key_threshold": self.key_threshold,
            "clipping": {
                "in_intervals": False,
                "estimates": [one.to_json() for one in self.clipped],
            },
            "events": [{**event, "count": str(count)} for event, count in self.events],
        }


@dataclass(frozen=True)
class PrivacyReport:
    """`cursor.privacy`: what this execution charged, and what its numbers are worth.

    `epsilon` and `delta` are the sums over the releases that were paid now (0 if all were
    stored). `remaining` is None where the statement read public tables alone.
    """

    analyst: str
    budget: str
    epsilon: Fraction
    delta: Fraction
    releases: tuple[ReleaseReport, ...]
    columns: tuple[ColumnReport, ...]
    receipt: Anchor
    """Where the ledger stood: it must show this entry for ever (`ledger verify --expect-head`)."""
    balance: Callable[[], BudgetReport] | None = field(repr=False, default=None)
    targets: tuple[Reached, ...] = ()
    """Of the releases for which an error was asked in place of a price."""
    first: FirstLook | None = None
    """The small paid look before an answer within a percentage; its charge is in the sums."""
    reconciled: tuple[Reconciled, ...] = ()
    """Columns whose totals were made to add up, with the error before and after."""
    resting: tuple[Resting, ...] = ()
    """The owner's promises that the guarantee rests on; where one is false there is none."""

    @functools.cached_property
    def remaining(self) -> BudgetReport | None:
        """The budget right after this execution; worked out when first asked for."""
        return None if self.balance is None else self.balance()

    @property
    def free(self) -> bool:
        """Nothing was charged: a stored release, or public data."""
        return self.epsilon == 0 and self.delta == 0

    @property
    def events(self) -> tuple[tuple[dict[str, Any], int], ...]:
        """The privacy events charged by this execution."""
        return tuple(e for release in self.releases if not release.free for e in release.events)

    def to_json(self) -> dict[str, Any]:
        """As plain values; half-widths are sequences that are worked out as they are read."""
        return {
            "analyst": self.analyst,
            "budget": self.budget,
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "free": self.free,
            "releases": [release.to_json() for release in self.releases],
            "reconciled": [one.to_json() for one in self.reconciled],
            "half_widths_95": {c.name: c.bars for c in self.columns},
            "intervals_95": {c.name: c.intervals for c in self.columns},
            "remaining": None if self.remaining is None else self.remaining.to_json(),
            "receipt": self.receipt.to_json(),
            "targets": [one.to_json() for one in self.targets],
            "first_look": None if self.first is None else self.first.to_json(),
            "promises": [one.to_json() for one in self.resting],
        }


@dataclass(frozen=True)
class TotalReport:
    """The budget of all analysts together, which each query must fit, too: see `BudgetReport`."""

    epsilon: Fraction
    delta: Fraction
    share: float
    queries: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "share": self.share,
            "remaining_queries": self.queries,
        }


@dataclass(frozen=True)
class BudgetReport:
    """State of one budget. `share` is the part used, `spent` an ε that holds at any time (Ville).

    `epsilon`, `delta`: the policy's and what was granted on top (`granted`). Of a budget that
    refreshes, all else is of the present `window`. `queries`: how many more queries of the
    policy's default price fit this budget and the `total` (None: no default price); `binds` names
    the one of the two that leaves less, this one if they leave the same.
    """

    analyst: str
    budget: str
    epsilon: Fraction
    delta: Fraction
    share: float
    selection_share: float
    spent: float
    queries: int | None
    granted: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    window: Window | None = None
    total: TotalReport | None = None
    binds: str = ""

    @property
    def total_binds(self) -> bool:
        """Whether all analysts together have less left than this budget."""
        return self.total is not None and self.binds != self.budget

    def to_json(self) -> dict[str, Any]:
        window = self.window
        return {
            "analyst": self.analyst,
            "budget": {
                "name": self.budget,
                "epsilon": float(self.epsilon),
                "delta": float(self.delta),
                "granted": {"epsilon": float(self.granted[0]), "delta": float(self.granted[1])},
                "window": None
                if window is None
                else {
                    "refresh": window.refresh,
                    "start": _moment(window.start),
                    "next": _moment(window.end or 0),
                },
            },
            "spent": {"epsilon": self.spent, "delta_share": self.selection_share},
            "share": self.share,
            "remaining_queries": self.queries,
            "binding_budget": self.binds or self.budget,
            "total": None if self.total is None else self.total.to_json(),
        }


def release_reports(
    plans: Iterable[Plan],
    how: Iterable[Answering],
    clipped: Iterable[tuple[ClippedShare, ...]],
    found: Iterable[tuple[FoundBound, ...]],
    policy: Policy,
) -> tuple[ReleaseReport, ...]:
    """One of each plan; `found`: the bounds that were found for it."""
    each = zip(plans, how, clipped, found, strict=True)
    return tuple(_release_report(*one, policy) for one in each)


def _release_report(
    plan: Plan,
    answering: Answering,
    clipped: tuple[ClippedShare, ...],
    found: tuple[FoundBound, ...],
    policy: Policy,
) -> ReleaseReport:
    return ReleaseReport(
        plan.epsilon,
        plan.delta,
        answering.free,
        plan.law_name,
        plan.strategy,
        plan.bounds.touched,
        plan.bounds.max_rows_per_group,
        plan.bounds.max_rows_per_unit,
        tuple((event.to_json(), count) for event, count in answering.items),
        answering.key_threshold,
        answering,
        found,
        tuple(plan.columns[place].aggregate.name for place in sorted(plan.barless)),
        any(one.fn in EXTREMES for one in plan.aggregate.aggregates),
        clipped,
        plan.capped,
        lowered(plan, policy),
    )


def budget_report(
    account: Account, total: Account | None, policy: Policy, spec: BudgetSpec, analyst: str
) -> BudgetReport:
    """From accounts of the ledger, the analyst's or team's and the total's; no data is touched."""
    from dpsql.accountant.odometer import odometer, selection_share, share

    epsilon = _usual_epsilon(policy, spec)
    used, queries, binds = share(account.terms, account.spent), _fit(account, epsilon), spec.key
    whole = None if total is None else _total_report(total, epsilon)
    if whole is not None:
        if _less(whole, account, used, queries):
            binds = "total"
        if queries is not None and whole.queries is not None:
            queries = min(queries, whole.queries)
    return BudgetReport(
        analyst,
        spec.key,
        account.terms.epsilon,
        account.terms.delta,
        used,
        selection_share(account.terms, account.spent),
        odometer(account.terms, account.spent),
        queries,
        (account.granted.epsilon, account.granted.delta),
        None if account.window.end is None else account.window,
        whole,
        binds,
    )


def _total_report(total: Account, epsilon: Fraction | None) -> TotalReport:
    from dpsql.accountant.odometer import share

    used = share(total.terms, total.spent)
    return TotalReport(total.terms.epsilon, total.terms.delta, used, _fit(total, epsilon))


def _less(whole: TotalReport, account: Account, used: float, queries: int | None) -> bool:
    """Does the total leave less than the budget itself: in usual queries, else in ε?"""
    if queries is not None and whole.queries is not None and queries != whole.queries:
        return whole.queries < queries
    left = float(account.terms.epsilon) * (1 - used)
    return float(whole.epsilon) * (1 - whole.share) < left


def _moment(time: int) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).isoformat()


def _usual_epsilon(policy: Policy, spec: BudgetSpec) -> Fraction | None:
    """The policy's default price of a query; None where it names none."""
    return None if policy.budgets.per_query.epsilon is None else query_price(policy, spec)[0]


def _fit(account: Account, epsilon: Fraction | None) -> int | None:
    """Queries at this ε (Laplace, public keys) that the filter would still admit."""
    from dpsql.accountant.events import Laplace
    from dpsql.accountant.remaining import repeats

    if epsilon is None:
        return None
    event = Laplace(noise_multiplier=1 / epsilon)
    return repeats(account.terms, account.spent, [event], MAX_QUERIES)
