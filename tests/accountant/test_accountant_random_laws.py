"""Laws of events, charges and prices over random parameters, not only over the examples."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import mpmath as mp
import pytest
from accountant_laws import divergence, integral, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.accountant import PrivacyEvent, delta, epsilon
from dpsql.accountant.charge import Charge, price
from dpsql.accountant.events import from_json, registered
from dpsql.accountant.filter import BudgetTerms, admits
from dpsql.accountant.odometer import odometer, share
from dpsql.ledger.entries import Priced
from dpsql.ledger.reading import _events

size = st.fractions(Fraction(1, 50), 50, max_denominator=50)
chance = st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100)
small = st.integers(1, 4)
BUILD = {
    "gaussian": (size,),
    "laplace": (size,),
    "discrete_gaussian": (st.fractions(Fraction(1, 2), 9, max_denominator=9), small),
    "discrete_laplace": (st.fractions(Fraction(1, 5), 20, max_denominator=20), small),
    "randomized_response": (size,),
    "pure": (size,),
    "zcdp": (size,),
    "poisson_gaussian": (chance, st.fractions(Fraction(1, 2), 9, max_denominator=9)),
    "exponential": (size,),
    "threshold": (st.fractions(0, 3, max_denominator=9), st.just(Fraction(1, 10**9)), small),
}
OURS = [name for name, cls in registered().items() if cls.__module__.startswith("dpsql.")]
ORDERS = (Fraction(5, 4), Fraction(8), Fraction(90))


def test_no_event_is_left_out() -> None:
    assert sorted(BUILD) == sorted(OURS)


def an_event(name: str) -> st.SearchStrategy[PrivacyEvent]:
    return st.tuples(*BUILD[name]).map(lambda values: registered()[name](*values))


any_event = st.sampled_from(sorted(BUILD)).flatmap(an_event)
cheap = st.sampled_from(sorted({*BUILD} - {"poisson_gaussian"})).flatmap(an_event)
lists = st.lists(st.tuples(cheap, st.integers(0, 9)), max_size=5)


@pytest.mark.parametrize("name", sorted(BUILD))
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_no_curve_is_below_numerical_integration(name: str, data: st.DataObject) -> None:
    event = data.draw(an_event(name))
    order = data.draw(st.sampled_from([1.05, 1.7, 4.0, 21.5]))
    with mp.workdps(30):
        truth = [divergence(t, order) for t in tables(event)]
        truth += [divergence([(q, p) for p, q in t], order) for t in tables(event)]
        truth += [value for value in [integral(event, order)] if value is not None]
        assert event.renyi(order) >= max(truth) * (1 - mp.mpf("1e-25"))


@given(any_event)
@settings(max_examples=60, deadline=None)
def test_curves_rise_from_zero_to_the_worst_loss(event: PrivacyEvent) -> None:
    curve = [event.renyi(a) for a in (1.0, 1.01, 1.5, 2.0, 3.3, 8.0, 60.0, 3000.0, math.inf)]
    assert curve == sorted(curve)
    assert curve[0] >= 0
    pure = event.pure()
    assert curve[-1] == math.inf if pure is None else curve[-1] >= pure


@given(any_event, st.integers(1, 10**9))
@settings(max_examples=60, deadline=None)
def test_events_pass_through_the_ledger_unchanged(event: PrivacyEvent, count: int) -> None:
    assert from_json(event.to_json()) == event
    written = Priced.of([(event, count)], "plan", Fraction(1), Fraction(0)).body()
    read = _events(json.loads(json.dumps(written["events"])))
    assert read == ((event, count),)
    assert price(read, ORDERS) == price([(event, count)], ORDERS)
    charge = price(read, ORDERS)
    assert Charge.from_json(charge.to_json()) == charge


@given(lists, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_composition_is_repetition_in_any_order(
    items: list[tuple[PrivacyEvent, int]], dice: object
) -> None:
    apart = [event for event, count in items for _ in range(count)]
    dice.shuffle(apart)  # type: ignore[attr-defined]
    assert price(items, ORDERS) == price(apart, ORDERS)
    one_by_one = Charge.zero(ORDERS)
    for event in apart:
        one_by_one = one_by_one + price([event], ORDERS)
    whole = price(items, ORDERS)
    for joint, single in zip(whole.renyi, one_by_one.renyi, strict=True):
        assert joint is not None
        assert single is not None
        assert joint <= single <= joint + len(apart)
    assert epsilon(items, delta=Fraction(1, 10**4)) == epsilon(apart, delta=Fraction(1, 10**4))


@given(lists, cheap)
@settings(max_examples=30, deadline=None)
def test_more_releases_cost_more_and_more_delta_buys_epsilon(
    items: list[tuple[PrivacyEvent, int]], event: PrivacyEvent
) -> None:
    chance, larger = Fraction(1, 10**5), Fraction(1, 10**3)
    before, after = (epsilon(each, delta=chance) for each in (items, [*items, event]))
    assert after >= before * (1 - 1e-9)
    assert epsilon(items, delta=larger) <= before * (1 + 1e-9)
    assert delta([*items, event], epsilon=1) >= delta(items, epsilon=1) * (1 - 1e-9)


@given(lists, cheap)
@settings(max_examples=30, deadline=None)
def test_filters_and_odometers_only_go_one_way(
    items: list[tuple[PrivacyEvent, int]], event: PrivacyEvent
) -> None:
    made = (
        BudgetTerms.create(Fraction(8), Fraction(1, 10**4)),
        BudgetTerms.fixed_order(Fraction(8), Fraction(1, 10**4)),
        BudgetTerms.pure(Fraction(8)),
    )
    for terms in made:
        before, after = (price(each, terms.orders) for each in (items, [*items, event]))
        assert admits(terms, before) or not admits(terms, after)
        assert odometer(terms, after) >= odometer(terms, before) * (1 - 1e-9)
        assert share(terms, after) >= share(terms, before) - 1e-6
        assert BudgetTerms.from_json(terms.to_json()) == terms
        if admits(terms, before) and terms.delta:
            assert epsilon(items, delta=terms.delta) <= float(terms.epsilon) * (1 + 1e-9)


@given(lists)
@settings(max_examples=30, deadline=None)
def test_a_pure_budget_is_the_pure_sum(items: list[tuple[PrivacyEvent, int]]) -> None:
    terms = BudgetTerms.pure(Fraction(8))
    spent = price(items, terms.orders)
    fits = spent.epsilon is not None and spent.epsilon <= 8 and spent.selection_delta == 0
    assert admits(terms, spent) == fits
