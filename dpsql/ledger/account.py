"""One budget: what the policy says of it, what its owner granted, what was spent in which window.

Its terms are the policy's epsilon and deltas plus all grants, at the orders and weights of its
first day. Its spend is a function of charges, their times and the calendar in force: the sum of
all charges in the present window. No charge is ever dropped, so a calendar that comes back, or a
longer one, counts what was charged under another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from dpsql.accountant.charge import Charge
from dpsql.accountant.compose import Item
from dpsql.accountant.events import PrivacyEvent
from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import DAY, Refresh, Window, window
from dpsql.ledger.ceilings import Ceiling, Peak
from dpsql.ledger.prices import priced

FOREVER = Window("never", 0, None)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a grant adds, or all of a budget's grants together add."""

    epsilon: Fraction = Fraction(0)
    delta_conv: Fraction = Fraction(0)
    delta_thr: Fraction = Fraction(0)

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.epsilon + other.epsilon,
            self.delta_conv + other.delta_conv,
            self.delta_thr + other.delta_thr,
        )

    @property
    def delta(self) -> Fraction:
        """Both parts of δ."""
        return self.delta_conv + self.delta_thr

    def on(self, terms: BudgetTerms) -> BudgetTerms:
        """The policy's terms, raised. ValueError where δ would reach 1."""
        return replace(
            terms,
            epsilon=terms.epsilon + self.epsilon,
            delta_conv=terms.delta_conv + self.delta_conv,
            delta_thr=terms.delta_thr + self.delta_thr,
        )


NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Account:
    """A budget as it stands: who holds it, its current terms, what has been spent on it.

    `terms` include `granted`. `spent` is what counts against them: all of it, or that of `window`.
    `reached`: the largest terms so far, which a budget that was lowered may have filled (None: none
    bound it, since it had windows). `used`: something was charged to it, in whatever window.
    """

    name: str
    holder: str
    terms: BudgetTerms
    spent: Charge
    window: Window = FOREVER
    granted: Amounts = NOTHING
    reached: BudgetTerms | None = None
    used: bool = False

    def price(self, items: Sequence[Item]) -> Charge:
        """The price of events at this budget's own orders, refused if it is no price."""
        return priced(tuple(items), self.terms.orders)


@dataclass(slots=True)
class Book:
    """A budget's entries summed up. `days` holds every day's charges, in the order of days."""

    name: str
    holder: str
    policy: BudgetTerms
    refresh: Refresh = "never"
    granted: Amounts = NOTHING
    terms: BudgetTerms = field(init=False)
    """What is promised now: the policy's word and the grants."""
    reached: BudgetTerms | None = field(init=False)
    days: dict[int, Charge] = field(default_factory=dict)
    peak: Peak = field(default_factory=Peak)
    """The most that its releases can have told."""
    _window: Window = FOREVER
    _spent: Charge = field(init=False)

    def __post_init__(self) -> None:
        self._spent = Charge.zero(self.policy.orders)
        self.terms = self.granted.on(self.policy)
        self.reached = self.policy if self.refresh == "never" else None
        self.peak.rise(self.terms, self.refresh)

    def set(self, policy: BudgetTerms, refresh: Refresh, granted: Amounts) -> None:
        """New terms or another calendar. ValueError, and nothing changes, if they are none."""
        terms = granted.on(policy)
        before = self.reached if refresh == "never" else None
        self.terms, self.reached = terms, _larger(terms, before)
        self.policy, self.refresh, self.granted = policy, refresh, granted
        self.peak.rise(terms, refresh)

    def add(self, charge: Charge, time: int) -> None:
        """A charge at a time not before that of any other."""
        self._turn(time)
        day = time // DAY
        self.days[day] = self.days[day] + charge if day in self.days else charge
        self._spent = self._spent + charge

    @property
    def now(self) -> Ceiling:
        """What a run admitted from here on can tell, while nothing changes."""
        return Ceiling(self.terms.epsilon, self.terms.delta, self.refresh)

    def burn(self, events: tuple[tuple[PrivacyEvent, int], ...], time: int) -> None:
        """A charge that no filter admitted: that of an accepted loss."""
        self.add(priced(events, self.policy.orders), time)
        self.peak.burn(events)

    def account(self, time: int) -> Account:
        """The budget at a time not before that of any charge."""
        self._turn(time)
        return Account(
            self.name,
            self.holder,
            self.terms,
            self._spent,
            self._window,
            self.granted,
            self.reached,
            bool(self.days),
        )

    def _turn(self, time: int) -> None:
        """Have `_spent` be that of the window of `time`."""
        now = window(self.refresh, time)
        if now == self._window:
            return
        spent = Charge.zero(self.policy.orders)
        for day in reversed(self.days):
            if day * DAY < now.start:
                break
            spent = spent + self.days[day]
        self._window, self._spent = now, spent


def _larger(terms: BudgetTerms, before: BudgetTerms | None) -> BudgetTerms | None:
    """The largest of each part; None, as for windows, where both δs together would reach 1."""
    if before is None:
        return None
    conv = max(terms.delta_conv, before.delta_conv)
    thr = max(terms.delta_thr, before.delta_thr)
    if conv + thr >= 1:
        return None
    epsilon = max(terms.epsilon, before.epsilon)
    return replace(terms, epsilon=epsilon, delta_conv=conv, delta_thr=thr)


def windows_of(books: Sequence[Book], time: int) -> dict[str, str]:
    """What a charge at that time records: the window of each budget that has windows."""
    return {book.name: str(window(book.refresh, time)) for book in books if book.refresh != "never"}
