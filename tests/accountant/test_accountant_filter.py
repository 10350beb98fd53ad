"""The mixture filter: sound under adaptivity, decided from above, at every size of budget."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import mpmath as mp
import pytest
from accountant_laws import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from two_outcomes import TwoOutcome, true_delta

from dpsql.accountant import Gaussian, Laplace, Pure, Threshold, epsilon
from dpsql.accountant.charge import RENYI_UNIT, Charge, price
from dpsql.accountant.filter import (
    BudgetTerms,
    admits,
    log_failure_from_above,
    log_from_below,
    why_not,
)
from dpsql.accountant.odometer import odometer, selection_share, share
from dpsql.errors import LedgerError

SIZES = [Fraction(1, 2**30), Fraction(1, 100), Fraction(1), Fraction(8), Fraction(10**6)]
SIZES += [Fraction(10**12)]
DELTAS = [Fraction(1, 10**30), Fraction(1, 10**6), Fraction(9, 10)]
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda f: f"{float(f):.2g}")
deltas = pytest.mark.parametrize("delta", DELTAS, ids=lambda f: f"{float(f):.2g}")


def supremum(terms: BudgetTerms, spent: Charge) -> mp.mpf:
    """log g(S) by ternary search on a concave function, with 40 digits."""
    with mp.workdps(40):
        rows = [
            (mp.mpf((o - 1).numerator) / (o - 1).denominator, _mp(w), _mp(terms.epsilon - d))
            for o, w, d in zip(terms.orders, terms.weights, spent.divergences, strict=True)
            if d is not None
        ]

        def h(u: mp.mpf) -> mp.mpf:
            y = mp.e**u
            den = mp.fsum(w * mp.e ** (c * (gap + y)) for c, w, gap in rows)
            return mp.log(-mp.expm1(-y)) - mp.log(den)

        low, high = mp.mpf(-40), mp.mpf(5)
        for _ in range(160):
            left, right = low + (high - low) / 3, high - (high - low) / 3
            low, high = (left, high) if h(left) < h(right) else (low, right)
        return h((low + high) / 2)


def _mp(value: Fraction) -> mp.mpf:
    return mp.mpf(value.numerator) / value.denominator


def _most(terms: BudgetTerms, event: object) -> int:
    """How many copies are admitted, by bisection."""

    def fits(n: int) -> bool:
        return admits(terms, price([(event, n)], terms.orders))  # type: ignore[list-item]

    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


@given(
    st.sampled_from([Fraction(1, 50), Fraction(1), Fraction(30)]),
    st.lists(st.tuples(st.sampled_from(EXAMPLES), st.integers(1, 40)), min_size=1, max_size=4),
    st.integers(-20, 6),
)
@settings(max_examples=30)
def test_the_supremum_is_bounded_from_above(
    size: Fraction, items: list[tuple[Gaussian, int]], shift: int
) -> None:
    terms = BudgetTerms.create(size, Fraction(1, 10**5))
    whole = price(items, terms.orders)
    spent = (
        Charge(
            whole.orders, tuple(v * 2**shift // 1 for v in whole.renyi if v is not None), None, 0
        )
        if shift >= 0
        else Charge(
            whole.orders, tuple(v // 2**-shift for v in whole.renyi if v is not None), None, 0
        )
    )
    truth, found, target = (
        supremum(terms, spent),
        log_failure_from_above(terms, spent),
        log_from_below(terms),
    )
    assert found >= truth * (1 - mp.sign(truth) * mp.mpf("1e-30"))
    assert (found <= target) == admits(terms, spent)
    if truth < target - 1e-6:
        assert admits(terms, spent)
    if truth > math.log(float(terms.delta_conv)):
        assert not admits(terms, spent)


@sizes
@deltas
def test_at_every_size_the_last_admitted_is_decided_rightly(
    size: Fraction, delta: Fraction
) -> None:
    terms = BudgetTerms.create(size, delta)
    event = Gaussian(Fraction(20) / min(size, Fraction(1)))
    last = _most(terms, event)
    assert last >= 1
    log_delta = mp.log(_mp(terms.delta_conv))
    fits, not_ = (price([(event, n)], terms.orders) for n in (last, last + 1))
    assert supremum(terms, fits) <= log_delta
    # refused: truly above, or within the certified margin (nothing but rounding is lost)
    assert supremum(terms, not_) >= log_delta - mp.mpf("1e-6")
    # and what is admitted converts to no more than the budget at a fixed list
    assert epsilon([(event, last)], delta=terms.delta_conv) <= float(size) * (1 + 1e-9)


@sizes
@deltas
def test_at_every_size_one_pure_query_of_the_whole_budget_fits(
    size: Fraction, delta: Fraction
) -> None:
    terms = BudgetTerms.create(size, delta)
    assert admits(terms, price([Pure(size)], terms.orders))
    assert admits(terms, price([(Laplace(5 / size), 5)], terms.orders))
    if delta < size:  # else the promise is mostly the delta's, and admits much more
        assert not admits(terms, price([Pure(size * 2)], terms.orders))


def test_single_order_is_prop_12() -> None:
    order = Fraction(22)
    terms = BudgetTerms(Fraction(1), Fraction(1, 10**6), Fraction(0), (order,), (Fraction(1),))
    divergence = Fraction(1, 2)
    spent = Charge((order,), (int(divergence * RENYI_UNIT),), None, 0)
    a = 22
    prop = 21 * (0.5 - 1) + 21 * math.log1p(-1 / a) - math.log(a)
    assert log_failure_from_above(terms, spent) >= prop
    assert float(supremum(terms, spent)) == pytest.approx(prop, rel=1e-12)


def test_gaussian_capacity_is_that_of_the_accounting_note() -> None:
    """Fraction of the best possible order's admissions: .991 for Gaussians (table of 2.3)."""
    terms = BudgetTerms.create(Fraction(1), Fraction(1, 10**6), split=Fraction(0))
    assert _most(terms, Gaussian(1000)) / 2e6 == pytest.approx(0.02436 * 0.991, rel=4e-3)


@given(st.data())
@settings(max_examples=15)
def test_no_adaptive_strategy_breaks_the_promise(data: st.DataObject) -> None:
    """Trees of filtered two-outcome mechanisms; refused ones are skipped and asking goes on."""
    promised = data.draw(st.sampled_from([Fraction(1, 2), Fraction(2)]))
    delta = data.draw(st.sampled_from([Fraction(1, 10), Fraction(1, 1000)]))
    terms = BudgetTerms.create(promised, delta, split=Fraction(0))
    chance = st.fractions(Fraction(1, 1000), Fraction(1, 2), max_denominator=1000)
    ratio = st.fractions(Fraction(2, 3), Fraction(3, 2), max_denominator=50)
    pool = []
    for _ in range(5):
        p = data.draw(chance)
        pool.append(TwoOutcome(p, p * data.draw(ratio)))
    choice = {n: data.draw(st.integers(0, 4)) for n in range(31)}

    def strategy(history: tuple[int, ...]) -> TwoOutcome | None:
        asked: list[TwoOutcome] = []
        node, position, taken = 0, 0, 0
        while position < 4:
            event = pool[choice[node % 31]]
            position += 1
            if admits(terms, price([*asked, event], terms.orders)):
                if taken == len(history):
                    return event
                asked.append(event)
                node = 2 * node + 1 + history[taken]
                taken += 1
            else:
                node = 2 * node + 1
        return None

    assert true_delta(strategy, promised) <= float(delta) * (1 + 1e-12)


def test_selection_deltas_have_their_own_cap() -> None:
    terms = BudgetTerms.create(Fraction(1), Fraction(1, 10**6))
    key = Threshold(0, Fraction("1e-9"), 1)
    assert admits(terms, price([(key, 500)], terms.orders))
    assert why_not(terms, price([(key, 501)], terms.orders)) == "delta"
    assert why_not(terms, price([(key, 501), Pure(9)], terms.orders)) == "delta"
    assert why_not(terms, price([Pure(9)], terms.orders)) == "epsilon"
    assert why_not(terms, Charge.zero(terms.orders)) is None
    assert selection_share(terms, price([(key, 250)], terms.orders)) == 0.5
    all_selection = BudgetTerms.create(Fraction(1), Fraction(1, 10**6), split=Fraction(1))
    assert why_not(all_selection, price([Gaussian(100)], all_selection.orders)) == "epsilon"
    assert admits(all_selection, price([Pure(1)], all_selection.orders))


def test_infinite_and_huge_charges_are_refused_at_once() -> None:
    for size in SIZES:
        terms = BudgetTerms.create(size, Fraction(1, 10**6))
        huge = [
            Charge(terms.orders, (None,) * 3, None, 0),
            Charge(terms.orders, (10**600,) * 3, None, 0),
            Charge(terms.orders, (10**600, None, 10**3000), 10**3000, 0),
        ]
        for spent in huge:
            started = time.perf_counter()
            assert why_not(terms, spent) == "epsilon"
            assert share(terms, spent) == 1.0
            assert odometer(terms, spent) > float(size)
            assert time.perf_counter() - started < 30


def test_an_infinite_order_does_not_spoil_the_others() -> None:
    terms = BudgetTerms.create(Fraction(1), Fraction(1, 10**6))
    free = Charge(terms.orders, (0, None, 10**3000), None, 0)
    assert admits(terms, free)
    assert not admits(terms, Charge(terms.orders, (None, None, 10**3000), None, 0))


def test_other_orders_are_an_error() -> None:
    terms = BudgetTerms.create(Fraction(1), Fraction(1, 10**6))
    for ask in (admits, why_not, share, odometer):
        with pytest.raises(ValueError):
            ask(terms, Charge.zero([Fraction(2)]))


@sizes
@deltas
def test_terms_survive_json_and_split_the_promise(size: Fraction, delta: Fraction) -> None:
    terms = BudgetTerms.create(size, delta, split=Fraction(1, 4))
    assert BudgetTerms.from_json(terms.to_json()) == terms
    assert terms.delta == delta
    assert terms.delta_thr / terms.delta == Fraction(1, 4)
    assert all(order > 1 and float(order) == order for order in terms.orders)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epsilon", "0"),
        ("delta_thr", "1"),
        ("orders", ["1", "2", "3"]),
        ("weights", ["1"]),
        ("x", "1"),
    ],
)
def test_malformed_terms_are_refused(key: str, value: object) -> None:
    data = BudgetTerms.create(Fraction(1), Fraction(1, 10**6)).to_json() | {key: value}
    with pytest.raises(LedgerError) as caught:
        BudgetTerms.from_json(data)
    assert caught.value.code == "bad-terms"


@pytest.mark.parametrize("args", [(0, "1e-6"), (1, 0), (1, 1), (-1, "1e-6"), (1, True)])
def test_impossible_promises_cannot_be_made(args: tuple[object, object]) -> None:
    with pytest.raises(ValueError):
        BudgetTerms.create(*args)  # type: ignore[arg-type]


@sizes
def test_the_share_of_n_equal_releases_is_linear(size: Fraction) -> None:
    terms = BudgetTerms.create(size, Fraction(1, 10**6))
    assert share(terms, Charge.zero(terms.orders)) == 0
    event = Gaussian(Fraction(100) / min(size, Fraction(1)))
    last = _most(terms, event)
    for n in (last // 10, last // 2, last):
        found = share(terms, price([(event, n)], terms.orders))
        assert found == pytest.approx(n / last, abs=2 / last + 1e-3)
    assert share(terms, price([(event, last + 1)], terms.orders)) >= 1 - 2 / last - 1e-3
    assert share(terms, price([Pure(size / 4)], terms.orders)) <= 0.25


@sizes
def test_the_odometer_solves_its_equation(size: Fraction) -> None:
    terms = BudgetTerms.create(size, Fraction(1, 10**6))
    assert odometer(terms, Charge.zero(terms.orders)) == 0
    event = Gaussian(Fraction(30) / min(size, Fraction(1)))
    spent = price([(event, max(1, _most(terms, event) // 2))], terms.orders)
    found = odometer(terms, spent)
    with mp.workdps(40):
        rows = zip(terms.orders, terms.weights, spent.divergences, strict=True)
        gap = mp.mpf(found)
        total = mp.fsum(_mp(w) * mp.e ** (_mp(o - 1) * (gap - _mp(d))) for o, w, d in rows)
        assert total * _mp(terms.delta_conv) >= 1
        assert total * _mp(terms.delta_conv) <= 1 + 1e-6 * (1 + float(terms.orders[-1]) * found)
    # never less than a fixed list's epsilon, never more than the pure sum
    assert found >= epsilon([(event, 1)], delta=terms.delta_conv) * 0.5
    small = price([Pure(size / 100)], terms.orders)
    assert odometer(terms, small) <= float(size / 100) * (1 + 1e-12)
