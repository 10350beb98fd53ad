"""Gaussian budgets: exact, order-free, and no more than one Gaussian release of the budget."""

from __future__ import annotations

from fractions import Fraction

import pytest
from dp_accounting.gaussian_mechanism import get_epsilon_gaussian
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.accountant import DiscreteGaussian, Gaussian, Laplace, Threshold
from dpsql.accountant.calibrate import gaussian_multiplier, is_private
from dpsql.accountant.charge import price as renyi_price
from dpsql.accountant.filter import BudgetTerms
from dpsql.accountant.filter import admits as renyi_admits
from dpsql.accountant.gdp import (
    SQUARE_UNIT,
    GaussianCharge,
    GaussianTerms,
    admits,
    price,
    share,
    why_not,
)
from dpsql.errors import LedgerError

TERMS = GaussianTerms.create(Fraction(1), Fraction(1, 10**6))

events = st.builds(Gaussian, st.fractions("0.01", 1000, max_denominator=1000))


@pytest.mark.parametrize(
    "size", [Fraction(1, 2**30), Fraction("0.1"), Fraction(1), Fraction(10**6)]
)
@pytest.mark.parametrize("chance", [Fraction(1, 10**30), Fraction(1, 10**6), Fraction(9, 10)])
def test_exactly_the_one_release_with_the_least_noise_fits(
    size: Fraction, chance: Fraction
) -> None:
    terms, least = GaussianTerms.create(size, chance), gaussian_multiplier(size, chance)
    assert admits(terms, price([Gaussian(least)]))
    assert not admits(terms, price([Gaussian(least * (1 - Fraction(1, 2**45)))]))
    assert admits(terms, price([(Gaussian(least * 10), 100)]))
    assert not admits(terms, price([(Gaussian(least * 10), 101)]))
    assert is_private(terms.square, size, chance)
    assert not is_private(terms.square * (1 + Fraction(1, 2**45)), size, chance)


def test_what_fits_is_private_by_dp_accounting() -> None:
    count = int(TERMS.square * 100)
    assert admits(TERMS, price([(Gaussian(10), count)]))
    assert not admits(TERMS, price([(Gaussian(10), count + 1)]))
    for n, fits in ((count, True), (count + 1, False)):
        theirs = get_epsilon_gaussian(10 / n**0.5, 1e-6)
        assert (theirs <= 1) == fits


def test_it_admits_more_gaussians_than_any_single_order() -> None:
    """The figure of the accounting note: 1.15 at epsilon 1."""
    terms = BudgetTerms.fixed_order(Fraction(1), Fraction(1, 10**6))
    low, high = 1, 9000
    while high - low > 1:
        middle = (low + high) // 2
        fits = renyi_admits(terms, renyi_price([(Gaussian(400), middle)], terms.orders))
        low, high = (middle, high) if fits else (low, middle)
    assert float(TERMS.square) * 400**2 / low == pytest.approx(1.15, abs=0.005)


@given(st.lists(events, max_size=8), st.lists(events, max_size=8))
@settings(max_examples=50, deadline=None)
def test_sums_are_order_free_and_round_up(a: list[Gaussian], b: list[Gaussian]) -> None:
    assert price(a) + price(b) == price(b) + price(a)
    assert price(a + b) == price((b + a)[::-1])
    exact = sum((1 / event.noise_multiplier**2 for event in a), Fraction(0))
    assert exact <= Fraction(price(a).square, SQUARE_UNIT) <= exact + Fraction(len(a), SQUARE_UNIT)
    assert price(a) + GaussianCharge() == price(a)


def test_gaussian_thresholds_are_priced_on_their_own_delta() -> None:
    terms = GaussianTerms.create(Fraction(1), Fraction(1, 10**6), split=Fraction(1, 2))
    key = Threshold(0, "1e-9", 1)
    assert admits(terms, price([(Gaussian(100), 9), (key, 500)]))
    assert why_not(terms, price([(key, 501)])) == "delta"
    assert why_not(terms, price([Gaussian(1)])) == "epsilon"
    assert terms.delta_conv + terms.delta_thr == Fraction(1, 10**6)


@pytest.mark.parametrize("event", [Laplace(100), DiscreteGaussian(100, 1), Threshold(1, "1e-9", 1)])
def test_other_events_are_refused(event: Laplace) -> None:
    with pytest.raises(ValueError, match=event.name):
        price([Gaussian(100), event])


def test_the_share_is_linear_and_terms_survive_json() -> None:
    least = gaussian_multiplier(Fraction(1), Fraction(1, 10**6))
    for n in (1, 30, 100):
        assert share(TERMS, price([(Gaussian(least * 10), n)])) == pytest.approx(n / 100)
    assert share(TERMS, price([Gaussian("0.1")])) == 1
    assert share(TERMS, GaussianCharge()) == 0
    assert GaussianTerms.from_json(TERMS.to_json()) == TERMS


@pytest.mark.parametrize(
    "change",
    [{"epsilon": "0"}, {"delta_conv": "1"}, {"x": "1"}, {"delta_thr": 0}, {"epsilon": "x"}],
)
def test_malformed_terms_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(LedgerError) as caught:
        GaussianTerms.from_json(TERMS.to_json() | change)
    assert caught.value.code == "bad-terms"


@pytest.mark.parametrize("args", [(0, "1e-6"), (1, 0), (1, 1), (1, "1e-6", 1), (1, "1e-6", -1)])
def test_impossible_promises_cannot_be_made(args: tuple[object, ...]) -> None:
    with pytest.raises(ValueError):
        GaussianTerms.create(*args)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        GaussianCharge(-1, 0)
