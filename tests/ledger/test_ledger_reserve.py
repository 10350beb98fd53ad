"""One charge: what is written before it, what refuses it, and that no outcome refunds it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from ledger_cases import MILLIONTH, ask, budgets, refused

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.events import Gaussian, Laplace, Pure, Threshold
from dpsql.errors import InternalError, LedgerError
from dpsql.ledger import Ledger, prices


def test_a_charge_is_written_before_the_receipt_is_given(either):
    before = either.head()[0]
    receipt = ask(either)
    entry = list(either.entries())[-1]
    assert (entry.seq, entry.hash, entry.kind) == (receipt.seq, receipt.head, "charge")
    assert either.head() == (receipt.seq, receipt.head)
    assert receipt.seq == before + 1
    assert entry.body["analyst"] == "alice"
    assert entry.body["aggregates"] == [
        {
            "events": [{"event": {"event": "pure", "epsilon": "1/10"}, "count": 1}],
            "fingerprint": "f1",
            "epsilon": "1/10",
            "delta": "1/100000000",
        }
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

    from dpsql.ledger import Reservation

    receipt = ask(ledger)
    with pytest.raises(TypeError):
        Reservation(9, "00" * 32, "alice", "alice", None, None)
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
    prices.priced.cache_clear()
    monkeypatch.setattr(prices, "price", lambda items, orders: wrong(tuple(orders)))
    error = refused(ask, ledger, error=InternalError)
    assert error.code == "bad-price"
    monkeypatch.undo()
    assert ledger.head() == head


def test_a_filter_that_does_not_plainly_admit_refuses(ledger, monkeypatch):
    for answer in (None, 1, NAN, "yes"):
        monkeypatch.setattr("dpsql.ledger.admission.admits", lambda *_, answer=answer: answer)
        refused(ask, ledger)


def test_no_events_are_no_request(ledger):
    for nothing in ([], [[]], [[(Pure(1), 0)]]):
        refused(ask, ledger, items=nothing, error=InternalError)
