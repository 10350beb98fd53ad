"""Laws that every event obeys; a new event without a law of its own fails here."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath as mp
import pytest
from accountant_laws import EXAMPLES, divergence, integral, tables

from dpsql.accountant import Laplace, PoissonGaussian, PrivacyEvent, epsilon
from dpsql.accountant.charge import price
from dpsql.accountant.events import from_json, registered

ORDERS = [1.0 + 2.0**-20, 1.001, 1.1, 1.5, 2, 2.5, 3, 7.3, 16, 40, 63.5, 128, 512, 1024, 1e5, 1e9]
FEW = [1.01, 2, 3.7, 33.3]
by_event = pytest.mark.parametrize("event", EXAMPLES, ids=str)

# Test modules may register events of their own.
OURS = {name: cls for name, cls in registered().items() if cls.__module__.startswith("dpsql.")}


def test_every_event_has_examples_and_a_law_of_its_own() -> None:
    assert {type(event) for event in EXAMPLES} == set(OURS.values())
    for event in EXAMPLES:
        assert list(tables(event)) or integral(event, 2) is not None


@by_event
def test_the_curve_is_a_number_and_does_not_decrease(event: PrivacyEvent) -> None:
    curve = [event.renyi(order) for order in [1.0, *ORDERS, math.inf]]
    assert all(value >= 0 for value in curve)
    assert curve == sorted(curve)


@by_event
def test_the_curve_bounds_the_divergence_of_its_own_law(event: PrivacyEvent) -> None:
    with mp.workdps(30):
        for order in FEW:
            truth = [divergence(t, order) for t in tables(event)]
            truth += [divergence([(q, p) for p, q in t], order) for t in tables(event)]
            truth += [value for value in [integral(event, order)] if value is not None]
            worst = max(truth)
            assert event.renyi(order) >= worst, (event, order)
            if order == int(order) or event.name != "discrete_gaussian":  # exact there only
                assert event.renyi(order) <= worst * (1 + _looseness(event))


@by_event
def test_order_one_bounds_kl(event: PrivacyEvent) -> None:
    with mp.workdps(40):
        for table in tables(event):
            assert event.renyi(1.0) >= divergence(table, 1)
            assert event.renyi(1.0) <= event.renyi(1.0 + 2.0**-20) * (1 + 1e-9)


@by_event
def test_json_round_trip_is_exact(event: PrivacyEvent) -> None:
    data = event.to_json()
    assert data["event"] == event.name
    assert all(isinstance(text, str) for text in data.values())
    assert from_json(data) == event
    assert hash(from_json(data)) == hash(event)


@by_event
def test_self_composition_is_repeated_composition(event: PrivacyEvent) -> None:
    grid = (Fraction(3, 2), Fraction(7), Fraction(100))
    assert price([(event, 5)], grid) == price([event] * 5, grid)
    assert price([(event, 2), event, (event, 0), (event, 2)], grid) == price([(event, 5)], grid)
    for order in (1.5, 7.0):
        repeated = math.fsum([event.renyi(order)] * 5)
        assert epsilon([(event, 5)], delta=Fraction(1, 2)) == epsilon([event] * 5, delta="0.5")
        assert price([event] * 5, [Fraction(order)]).divergences[0] >= Fraction(repeated) * (
            1 - Fraction(1, 2**50)
        )


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_price_falls_as_the_noise_grows(name: str) -> None:
    build = {
        "gaussian": lambda s: registered()[name](s),
        "laplace": lambda s: registered()[name](s),
        "discrete_gaussian": lambda s: registered()[name](s, 2),
        "discrete_laplace": lambda s: registered()[name](s, 2),
        "poisson_gaussian": lambda s: registered()[name]("0.1", s),
        "threshold": lambda s: registered()[name](1 / s, "1e-9", 2),
    }.get(name, lambda s: registered()[name](1 / s))
    scales = [Fraction(k, 4) for k in (1, 2, 3, 5, 8, 13, 40, 200, 5000)]
    prices = [epsilon([(build(s), 3)], delta="1e-6") for s in scales]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] > prices[-1]


@pytest.mark.parametrize("size", [1e-140, 1e-30, 1e-12, 1e-9, 1e-4, 1e3, 1e9, 1e200, 1e400])
@pytest.mark.parametrize("name", ["laplace", "discrete_laplace", "pure", "exponential"])
def test_extreme_losses_neither_vanish_nor_overflow(name: str, size: float) -> None:
    loss = Fraction(10) ** 400 if size == math.inf else Fraction(size)
    event = {
        "laplace": lambda: Laplace(1 / loss),
        "discrete_laplace": lambda: registered()[name](3 / loss, 3),
    }.get(name, lambda: registered()[name](loss))()
    curve = [event.renyi(order) for order in ORDERS]
    assert all(value > 0 for value in curve)
    assert curve == sorted(curve)
    # small losses: a e^2 / 2 for the pure ones, a e^2 / 8 for the bounded range
    if 1e-100 < size < 1e-6:
        factor = {"exponential": 8, "discrete_laplace": None}.get(name, 2)
        if factor:
            assert curve[4] == pytest.approx(2 * size * size / factor, rel=1e-5)


def test_a_noise_that_no_float_holds_is_priced_infinite() -> None:
    assert registered()["gaussian"](Fraction(1, 10**500)).renyi(2.0) == math.inf
    assert registered()["zcdp"](10**500).renyi(2.0) == math.inf
    assert PoissonGaussian("0.5", Fraction(1, 10**500)).renyi(2.0) == math.inf


def _looseness(event: PrivacyEvent) -> float:
    """How far above its own law a curve may lie: rounding, unless it is a bound for a class."""
    return 2e-2 if event.name == "exponential" else 1e-10  # its table has 39 values of t
