"""Any history of policies, grants, windows, clocks and charges, against a simple model.

The model keeps a list of everything that was paid and works with calendar dates, sums and the
filter alone: none of the ledger's folds. After every step the ledger, a second process' ledger
on the same file and `verify` must agree with it.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from ledger_cases import url

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.events import Gaussian, Pure
from dpsql.accountant.filter import admits
from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import BudgetExceeded
from dpsql.ledger import Ledger, Priced

MILLIONTH = Fraction(1, 10**6)
START = dt.datetime(2027, 12, 27, 22, tzinfo=dt.UTC)  # near the end of a week, month and year
HOLDERS = {"ann": "analyst", "team:t": "team", "total": "total"}
EPSILONS = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)])
NAMES = st.sampled_from(["ann", "team:t"])
WORDS = st.sampled_from(["never", "daily", "weekly", "monthly", "yearly"])


def label(word: str, day: dt.date) -> tuple[int, ...]:
    """The window by fields of the calendar; no arithmetic of seconds."""
    return {
        "never": (),
        "daily": (day.year, day.month, day.day),
        "weekly": day.isocalendar()[:2],
        "monthly": (day.year, day.month),
        "yearly": (day.year,),
    }[word]


def first_day(word: str, day: dt.date) -> dt.date:
    if word == "weekly":
        year, week, _ = day.isocalendar()
        return dt.date.fromisocalendar(year, week, 1)
    return dt.date(*(*label(word, day), 1, 1)[:3])


class Model:
    """One budget: what the policy says, what was granted, and all that was ever paid."""

    def __init__(self, epsilon: Fraction) -> None:
        first = BudgetTerms.create(epsilon, MILLIONTH)
        self.orders, self.weights = first.orders, first.weights
        self.epsilon, self.delta, self.word = epsilon, MILLIONTH, "never"
        self.grants: list[tuple[Fraction, Fraction]] = []
        self.paid: list[tuple[dt.date, object]] = []
        self.last = Charge.zero(self.orders)
        self.windows: dict[str, Charge] = {}
        """What each window had cost when it was last charged under its own calendar."""

    @property
    def terms(self) -> BudgetTerms:
        epsilon = self.epsilon + sum(e for e, _ in self.grants)
        half = (self.delta + sum(d for _, d in self.grants)) / 2
        return BudgetTerms(epsilon, half, half, self.orders, self.weights)

    def spent(self, day: dt.date) -> Charge:
        now, total = label(self.word, day), Charge.zero(self.orders)
        for when, event in self.paid:
            if label(self.word, when) == now:
                total = total + price([event], self.orders)
        return total

    def pay(self, day: dt.date, event) -> None:
        self.paid.append((day, event))
        self.last = self.spent(day)
        if self.word != "never":
            self.windows[f"{self.word} {first_day(self.word, day)}"] = self.last


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.where = url(Path(self.folder.name) / "l.db")
        self.clock = START
        self.latest = START  # the latest moment that any entry has
        self.ledger = self.opened()
        self.other = self.opened()
        self.models: dict[str, Model] = {}

    def opened(self) -> Ledger:
        return Ledger.open(self.where, clock=lambda: self.clock.timestamp())

    def teardown(self) -> None:
        self.ledger.close()
        self.other.close()
        self.folder.cleanup()

    def day(self) -> dt.date:
        return max(self.clock, self.latest).date()

    def wrote(self) -> None:
        self.latest = max(self.clock, self.latest)

    @initialize()
    def budgets(self) -> None:
        for name, kind in HOLDERS.items():
            epsilon = Fraction(6) if name == "total" else Fraction(1)
            self.ledger.ensure_budget(name, kind, epsilon, MILLIONTH)
            self.models[name] = Model(epsilon)

    @rule(name=NAMES, epsilon=EPSILONS, word=WORDS, many=st.integers(1, 2))
    def the_policy_says(self, name, epsilon, word, many) -> None:
        model, ledger = self.models[name], [self.ledger, self.other][many % 2]
        before = (model.epsilon, model.word)
        model.epsilon, model.word = epsilon, word
        for _ in range(many):  # read again, by the same or another process: nothing more happens
            ledger.ensure_budget(name, HOLDERS[name], epsilon, MILLIONTH, refresh=word)
        if before != (epsilon, word):
            self.wrote()

    @rule(epsilon=st.sampled_from([Fraction(1), Fraction(6), Fraction(12)]))
    def the_policy_says_of_total(self, epsilon) -> None:
        model = self.models["total"]
        if model.epsilon != epsilon:
            model.epsilon = epsilon
            self.wrote()
        self.ledger.ensure_budget("total", "total", epsilon, MILLIONTH)

    @rule(name=st.sampled_from(list(HOLDERS)), epsilon=EPSILONS, delta=st.sampled_from([0, 1]))
    def a_grant(self, name, epsilon, delta) -> None:
        more = epsilon, delta * MILLIONTH
        self.other.grant(name, epsilon=more[0], delta=more[1], by="owner", why="model")
        self.models[name].grants.append(more)
        self.wrote()

    @rule(hours=st.sampled_from([1, 2, 3, 25, 24 * 5, 24 * 31, -1, -26, -24 * 40, 24 * 366]))
    def the_clock_moves(self, hours) -> None:
        self.clock += dt.timedelta(hours=hours)

    @rule(
        name=NAMES,
        event=st.sampled_from([Pure(Fraction(1, 4)), Pure(Fraction(1)), Gaussian(6), Gaussian(2)]),
        second=st.booleans(),
    )
    def a_charge(self, name, event, second) -> None:
        day, ledger = self.day(), self.other if second else self.ledger
        after = {
            budget: self.models[budget].spent(day) + price([event], self.models[budget].orders)
            for budget in (name, "total")
        }
        fits = [budget for budget in after if admits(self.models[budget].terms, after[budget])]
        head = ledger.head()
        try:
            ledger.reserve(
                analyst="ann",
                budget=name,
                total="total",
                aggregates=[Priced.of([event], "f", Fraction(1, 4), Fraction(0))],
                sql="SELECT COUNT(*) FROM t",
                data_version="1",
            )
        except BudgetExceeded:
            assert len(fits) < 2
            assert ledger.head() == head
            return
        assert len(fits) == 2
        self.wrote()
        for budget in after:
            self.models[budget].pay(day, event)

    @rule()
    def a_restart(self) -> None:
        self.ledger.close()
        self.ledger = self.opened()

    @invariant()
    def all_agree(self) -> None:
        report = self.ledger.verify()
        assert report.ok, report.problems
        for name, model in self.models.items():
            for ledger in (self.ledger, self.other):
                account = ledger.account(name)
                assert account.spent == model.spent(self.day())
                assert account.terms == model.terms
                assert account.window.refresh == model.word
            assert report.spent[name] == model.last
        assert report.windows == {
            (name, window): spent
            for name, model in self.models.items()
            for window, spent in model.windows.items()
        }


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, derandomize=True
)
TestHistories = Histories.TestCase


@pytest.mark.slow
@pytest.mark.parametrize("store", ["16", "18"], indirect=True)
def test_histories_in_a_server(store):
    few = settings(max_examples=10, stateful_step_count=20, deadline=None, derandomize=True)
    run_state_machine_as_test(Histories, settings=few)
