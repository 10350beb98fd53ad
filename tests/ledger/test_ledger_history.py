"""A ledger over time: budgets raised and lowered, clocks, reopening, threads, any history."""

from __future__ import annotations

import threading
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import MILLIONTH, ask, budgets, refused, url

from dpsql.accountant.events import Gaussian
from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger


def kinds(ledger):
    return [entry.kind for entry in ledger.entries()]


def test_a_budget_is_opened_once(ledger):
    before = kinds(ledger)
    budgets(ledger)
    assert kinds(ledger) == before == ["genesis", "budget", "budget"]


def test_a_raise_by_the_policy_raises_and_keeps_orders_and_spend(ledger):
    old = ledger.terms("alice")
    for _ in range(10):
        ask(ledger)
    refused(ask, ledger)
    new = ledger.ensure_budget("alice", "analyst", Fraction(3), 4 * MILLIONTH)
    assert kinds(ledger)[-1] == "raise"
    assert (new.orders, new.weights) == (old.orders, old.weights)
    assert new.orders != BudgetTerms.create(Fraction(3), 4 * MILLIONTH).orders
    assert (new.epsilon, new.delta_thr) == (3, 2 * MILLIONTH)
    assert ledger.spent("alice").epsilon == 1
    ask(ledger)
    assert ledger.verify().ok


def test_a_lowered_budget_keeps_its_spend(ledger):
    for _ in range(5):
        ask(ledger)
    ledger.ensure_budget("alice", "analyst", Fraction(2, 5), MILLIONTH)
    assert kinds(ledger)[-1] == "limit"
    refused(ask, ledger, "1/1000")
    assert ledger.spent("alice").epsilon == Fraction(1, 2)
    assert ledger.verify().ok  # spent more than the new terms, but none of it under them
    ledger.ensure_budget("alice", "analyst", Fraction(3, 5), MILLIONTH)
    ask(ledger)
    refused(ask, ledger)
    assert ledger.verify().ok


def test_an_analyst_named_later_keeps_the_spend(ledger):
    ledger.ensure_budget("carol", "default", Fraction(1), MILLIONTH)
    ask(ledger, analyst="carol")
    ledger.ensure_budget("carol", "analyst", Fraction(2), MILLIONTH)
    assert ledger.account("carol").holder == "analyst"
    assert ledger.spent("carol").epsilon == Fraction(1, 10)
    error = refused(
        ledger.ensure_budget, "carol", "team", Fraction(1), MILLIONTH, error=LedgerError
    )
    assert error.code == "budget-kind"
    assert [account.name for account in ledger.budgets()] == ["alice", "total", "carol"]


def test_a_kind_that_is_none(ledger):
    refused(ledger.ensure_budget, "x", "robot", Fraction(1), MILLIONTH, error=ValueError)


# --- time, reopening, threads ---


def test_the_clock_may_go_backwards(tmp_path):
    now = [2_000_000_000.9]
    with Ledger.open(url(tmp_path / "l.db"), clock=lambda: now[0]) as ledger:
        budgets(ledger)
        now[0] = 1_000_000_000.0
        first = ask(ledger)
        now[0] = 2_000_000_100.0
        ask(ledger)
        now[0] = 2_000_009_000.0
        ledger.settle(first, "released")
        times = [entry.time for entry in ledger.entries()]
    assert times == sorted(times)
    assert times[3] == 2_000_000_000
    # An outcome does not read the clock: how long a query ran depends on the data.
    assert times[-1] == times[-2] == 2_000_000_100
    with Ledger.open(url(tmp_path / "l.db"), clock=lambda: 5.0) as ledger:
        ask(ledger)
        assert ledger.verify().ok


def test_entries_hold_no_floats_and_no_counts(ledger):
    ledger.settle(ask(ledger, "1/3"), "released", ["ab" * 32])

    def numbers(value):
        if isinstance(value, dict):
            return [n for key in value for n in numbers(value[key])]
        if isinstance(value, list):
            return [n for inner in value for n in numbers(inner)]
        return [] if isinstance(value, str) else [value]

    for entry in ledger.entries():
        assert all(type(number) is int for number in numbers(entry.body))
    assert sorted(list(ledger.entries())[-1].body) == [
        "charge", "kind", "outcome", "releases", "seq", "time",
    ]  # fmt: skip


def test_reopening_finds_the_same(tmp_path):
    where = url(tmp_path / "ledger.db")
    with Ledger.open(where) as ledger:
        budgets(ledger, epsilon=10)
        ask(ledger, items=[[(Gaussian(Fraction(7, 3)), 3)]])
        spent, terms, head = ledger.spent("total"), ledger.terms("total"), ledger.head()
    with Ledger.open(where) as ledger:
        assert (ledger.spent("total"), ledger.terms("total"), ledger.head()) == (spent, terms, head)
        ask(ledger, items=[[(Gaussian(Fraction(7, 3)), 3)]])
        assert ledger.verify().ok


def test_two_ledgers_on_one_file_see_each_other(tmp_path):
    where = url(tmp_path / "ledger.db")
    with Ledger.open(where) as one, Ledger.open(where) as two:
        budgets(one)
        for _ in range(5):
            ask(one)
            ask(two)
        refused(ask, one)
        refused(ask, two)
        assert one.head() == two.head()


def test_entries_are_read_in_pieces(ledger, monkeypatch):
    monkeypatch.setattr("dpsql.ledger.walk.PIECE", 2)
    for number, entry in enumerate(ledger.entries(), start=1):
        assert entry.seq == number
        if number < 4:
            ask(ledger)  # nothing is held open between entries
    assert [entry.seq for entry in ledger.entries(3)] == list(range(3, ledger.head()[0] + 1))


def test_threads_share_one_ledger(either):
    """8 threads, 40 attempts at a tenth: exactly ten are admitted, as in one thread."""
    results = []

    def attempts():
        for _ in range(5):
            try:
                receipt = ask(either)
                either.settle(receipt, "released")
                results.append("admitted")
            except BudgetExceeded as error:
                results.append(error.code)

    threads = [threading.Thread(target=attempts) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["admitted"] * 10 + ["budget-epsilon"] * 30
    report = either.verify()
    assert report.ok
    assert report.open_charges == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "settle", "raise", "lower"]),
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["1/10", "1/3", "7/8", "3"]),
    ),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_any_history_sums_up_and_verifies(steps):
    """Whatever is asked in whatever order: spend is the sum of what was admitted, never less."""
    with Ledger.open("sqlite://") as ledger:
        budgets(ledger)
        ledger.ensure_budget("bob", "analyst", Fraction(2), MILLIONTH)
        spent = {"alice": Fraction(0), "bob": Fraction(0)}
        waiting = []
        for step, who, amount in steps:
            if step == "ask":
                try:
                    waiting.append(ask(ledger, amount, analyst=who))
                    spent[who] += Fraction(amount)
                except BudgetExceeded:
                    pass
            elif step == "settle" and waiting:
                ledger.settle(waiting.pop(), "failed")
            elif step in ("raise", "lower"):
                size = Fraction(amount) * (2 if step == "raise" else 1)
                ledger.ensure_budget(who, "analyst", size, MILLIONTH)
        report = ledger.verify()
        assert report.ok, report.problems
        assert report.open_charges == len(waiting)
        for who, amount in spent.items():
            assert ledger.spent(who).epsilon >= amount
            assert report.spent[who] == ledger.spent(who)
            assert ledger.spent(who).epsilon - amount < Fraction(1, 10**30)
        assert ledger.spent("total").epsilon >= sum(spent.values())
