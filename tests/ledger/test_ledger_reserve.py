"""Budgets, charges and outcomes in one process: what is spent, what is refused, what stays."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import MILLIONTH, ask, budgets, url

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.events import Gaussian, Laplace, Pure, Threshold
from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import BudgetExceeded, InternalError, LedgerError
from dpsql.ledger import Ledger, state


@pytest.fixture
def ledger():
    with Ledger.open("sqlite://") as opened:
        budgets(opened)
        yield opened


@pytest.fixture(params=["memory", "file"])
def either(request, tmp_path):
    where = "sqlite://" if request.param == "memory" else url(tmp_path / "ledger.db")
    with Ledger.open(where) as opened:
        budgets(opened)
        yield opened


def refused(call, *args, error=BudgetExceeded, **kwargs):
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return caught.value


def test_a_charge_is_written_before_the_receipt_is_given(either):
    before = either.head()[0]
    receipt = ask(either)
    entry = list(either.entries())[-1]
    assert (entry.seq, entry.hash, entry.kind) == (receipt.seq, receipt.head, "charge")
    assert either.head() == (receipt.seq, receipt.head)
    assert receipt.seq == before + 1
    assert entry.body["analyst"] == "alice"
    assert entry.body["aggregates"] == [
        [{"event": {"event": "pure", "epsilon": "1/10"}, "count": 1}]
    ]
    assert either.spent("alice").epsilon == Fraction(1, 10)
    assert either.spent("total").epsilon == Fraction(1, 10)


def test_each_budget_prices_at_its_own_orders(ledger):
    budgets(ledger, epsilon=10)
    items = [[(Gaussian(3), 2)], [Laplace(5), (Threshold(Fraction(1, 9), "1e-9"), 3)]]
    ask(ledger, items=items)
    flat = [item for aggregate in items for item in aggregate]
    for name in ("alice", "total"):
        assert ledger.spent(name) == price(flat, ledger.terms(name).orders)
    assert ledger.terms("alice").orders != ledger.terms("total").orders


def test_the_budget_admits_exactly_what_it_covers(ledger):
    for _ in range(10):
        ask(ledger, "1/10")
    head = ledger.head()
    error = refused(ask, ledger, "1/1000000")
    assert error.code == "budget-epsilon"
    assert "'alice'" in str(error)
    assert error.hint
    assert ledger.head() == head  # nothing is written by a refusal


def test_the_total_refuses_too_and_says_so(ledger):
    ledger.ensure_budget("total", "total", Fraction(1, 2), MILLIONTH)
    ask(ledger, "1/2")
    error = refused(ask, ledger, "1/4")
    assert error.code == "budget-epsilon"
    assert "total" in str(error)
    assert ledger.spent("alice").epsilon == Fraction(1, 2)


def test_delta_of_selection_runs_out_apart(ledger):
    greedy = [[Threshold("0.01", "4e-7")]]
    ask(ledger, items=greedy)
    assert refused(ask, ledger, items=greedy).code == "budget-delta"
    ask(ledger, "1/10")  # epsilon is left


def test_without_a_total(ledger):
    receipt = ask(ledger, total=None)
    assert receipt.total is None
    assert ledger.spent("total").epsilon == 0
    assert ledger.verify().ok


def test_total_as_own_budget_is_charged_once(ledger):
    ask(ledger, budget="total")
    assert ledger.spent("total").epsilon == Fraction(1, 10)


def test_an_unknown_budget_is_refused(ledger):
    assert refused(ask, ledger, budget="bob", error=LedgerError).code == "unknown-budget"
    assert refused(ledger.spent, "bob", error=LedgerError).code == "unknown-budget"


@pytest.mark.parametrize("outcome", ["released", "failed", "timeout", "cancelled"])
def test_no_outcome_refunds(ledger, outcome):
    receipt = ask(ledger)
    spent = ledger.spent("alice")
    ledger.settle(receipt, outcome, ["ab" * 32] if outcome == "released" else [])
    assert ledger.spent("alice") == spent
    assert ledger.open_charges() == []
    assert ledger.verify().open_charges == 0
    assert refused(ledger.settle, receipt, "failed", error=LedgerError).code == "already-settled"


@pytest.mark.parametrize("outcome", ["refunded", "forfeited", ""])
def test_an_outcome_that_is_none(ledger, outcome):
    refused(ledger.settle, ask(ledger), outcome, error=ValueError)


def test_a_receipt_of_another_ledger_settles_nothing(ledger):
    with Ledger.open("sqlite://") as other:
        budgets(other)
        foreign = ask(other)
    ask(ledger)
    assert refused(ledger.settle, foreign, "failed", error=LedgerError).code == "already-settled"
    assert len(ledger.open_charges()) == 1


def test_only_reserve_makes_receipts(ledger):
    import copy
    import pickle

    from dpsql.ledger import Receipt

    receipt = ask(ledger)
    with pytest.raises(TypeError):
        Receipt(9, "00" * 32, "alice", "alice", None, None)
    with pytest.raises((TypeError, ValueError)):
        replace(receipt, seq=1)
    for copier in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copier(receipt)


def forged(orders, **changes):
    value = {"renyi": (1,) * len(orders), "pure": 1, "delta": 0, "orders": orders, **changes}
    return SimpleNamespace(**value)


NAN = float("nan")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda o: forged(o, renyi=(NAN,) * len(o)),
        lambda o: forged(o, renyi=(-(2**40),) * len(o)),
        lambda o: forged(o, renyi=(0.5,) * len(o)),
        lambda o: forged(o, renyi=(True,) * len(o)),
        lambda o: forged(o, renyi=(1,) * (len(o) - 1)),
        lambda o: forged(o, pure=NAN),
        lambda o: forged(o, pure=-1),
        lambda o: forged(o, delta=-1),
        lambda o: forged(o, delta=None),
        lambda o: forged(o, renyi=(0,) * len(o), pure=0),
        lambda o: forged(tuple(order + 1 for order in o)),
        lambda o: Charge(o, (NAN,) * len(o), 1, 0),
        lambda o: Charge.zero(o),
        lambda o: 1 / 0,
        lambda o: Fraction(NAN),
    ],
)
def test_a_price_that_is_none_is_refused_and_writes_nothing(ledger, monkeypatch, wrong):
    """NaN passes `spent + price > budget`, a negative price is a refund: neither is compared."""
    head = ledger.head()
    state._price.cache_clear()
    monkeypatch.setattr(state, "price", lambda items, orders: wrong(tuple(orders)))
    error = refused(ask, ledger, error=InternalError)
    assert error.code == "bad-price"
    monkeypatch.undo()
    assert ledger.head() == head


def test_a_filter_that_does_not_plainly_admit_refuses(ledger, monkeypatch):
    for answer in (None, 1, NAN, "yes"):
        monkeypatch.setattr("dpsql.ledger.store.admits", lambda *_, answer=answer: answer)
        refused(ask, ledger)


def test_no_events_are_no_request(ledger):
    for nothing in ([], [[]], [[(Pure(1), 0)]]):
        refused(ask, ledger, items=nothing, error=InternalError)


# --- idempotency keys ---


def test_a_key_charges_once(ledger):
    first = ask(ledger, key="k1")
    error = refused(ask, ledger, key="k1", error=LedgerError)
    assert error.code == "duplicate-request"
    assert f"entry {first.seq}" in str(error)
    ledger.settle(first, "failed")
    assert refused(ask, ledger, key="k1", error=LedgerError).code == "duplicate-request"
    assert ledger.spent("alice").epsilon == Fraction(1, 10)


@pytest.mark.parametrize("change", [{"sql": "SELECT 2"}, {"epsilon": "1/9"}, {"total": None}])
def test_a_key_belongs_to_one_request(ledger, change):
    ask(ledger, key="k1")
    assert refused(ask, ledger, key="k1", error=LedgerError, **change).code == "key-reused"


def test_keys_of_analysts_are_apart(ledger):
    ledger.ensure_budget("bob", "analyst", Fraction(1), MILLIONTH)
    ask(ledger, key="k1")
    ask(ledger, key="k1", analyst="bob")
    ask(ledger, key="k2")
    assert ledger.verify().ok


def test_a_refused_request_does_not_use_its_key(ledger):
    refused(ask, ledger, "100", key="k1")
    ask(ledger, "1/10", key="k1")


# --- budgets over time ---


def kinds(ledger):
    return [entry.kind for entry in ledger.entries()]


def test_a_budget_is_opened_once(ledger):
    before = kinds(ledger)
    budgets(ledger)
    assert kinds(ledger) == before == ["genesis", "budget", "budget"]


def test_a_grant_raises_and_keeps_orders_and_spend(ledger):
    old = ledger.terms("alice")
    for _ in range(10):
        ask(ledger)
    refused(ask, ledger)
    new = ledger.ensure_budget("alice", "analyst", Fraction(3), 4 * MILLIONTH)
    assert kinds(ledger)[-1] == "grant"
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
        ask(ledger, items=[[(Gaussian(Fraction(7, 3)), 3)]], key="k")
        spent, terms, head = ledger.spent("total"), ledger.terms("total"), ledger.head()
    with Ledger.open(where) as ledger:
        assert (ledger.spent("total"), ledger.terms("total"), ledger.head()) == (spent, terms, head)
        refused(ask, ledger, items=[[(Gaussian(Fraction(7, 3)), 3)]], key="k", error=LedgerError)


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
    monkeypatch.setattr("dpsql.ledger.store._PIECE", 2)
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
