"""Many events by arrays: never below the exact curve, and hardly above; the laws of a price."""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from dpsql.accountant import bulk, compose
from dpsql.accountant.charge import price
from dpsql.accountant.compose import Composition
from dpsql.accountant.events import (
    ZCDP,
    DiscreteGaussian,
    DiscreteLaplace,
    Exponential,
    Gaussian,
    Laplace,
    PrivacyEvent,
    Pure,
    RandomizedResponse,
    Threshold,
)
from dpsql.accountant.rounding import float_up, ratio_up
from dpsql.accountant.terms import BudgetTerms

ORDERS = BudgetTerms.create(Fraction(1), Fraction(1, 10**6)).orders
DRAW = random.Random(7)
LOSSES = [Fraction(DRAW.randrange(1, 10**9), 10 ** DRAW.randrange(0, 14)) for _ in range(100)]
LOSSES += [Fraction(10) ** exponent for exponent in (-130, -119, -40, -9, 1, 2, 5)]


def exact(event: PrivacyEvent, order: float) -> mpmath.mpf:
    """The curve with 300 digits, by the textbook forms."""
    a = mpmath.mpf(order)
    match event:
        case Gaussian(noise_multiplier=m):
            return a / (2 * number(m) ** 2)
        case ZCDP(rho=rho):
            return a * number(rho)
        case DiscreteGaussian(sigma=sigma, sensitivity=d):
            return a * d**2 / (2 * number(sigma) ** 2)
        case Laplace(noise_multiplier=m):
            e = 1 / number(m)
            both = a * mpmath.exp((a - 1) * e) + (a - 1) * mpmath.exp(-a * e)
            return mpmath.log(both / (2 * a - 1)) / (a - 1)
    e = number(event.epsilon)
    if isinstance(event, Exponential):
        value = a * sinhc(a * e) - (a - 1) * sinhc((a - 1) * e) - sinhc(e)
        return value / (a - 1)
    both = mpmath.exp(a * e) + mpmath.exp((1 - a) * e)
    return mpmath.log(both / (1 + mpmath.exp(e))) / (a - 1)


def sinhc(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.log(mpmath.sinh(x / 2) / (x / 2))


def number(value) -> mpmath.mpf:
    return mpmath.mpf(Fraction(value).numerator) / Fraction(value).denominator


MAKE = {
    "laplace": lambda e: Laplace(1 / e),
    "pure": Pure,
    "rr": RandomizedResponse,
    "gaussian": lambda e: Gaussian(1 / e),
    "zcdp": ZCDP,
    "discrete": lambda e: DiscreteGaussian(3 / e, 3),
}


def many(parts) -> bulk.Many:
    whole = Composition.of(parts)
    return bulk.Many.of(whole.parts, whole.names)


@pytest.mark.parametrize("make", [*MAKE.values(), Exponential], ids=[*MAKE, "exponential"])
@pytest.mark.parametrize("order", [1.0001, 1.0000001, 1.1, 1.5, 2.0, 23.0, 397.5])
def test_no_curve_is_ever_below_the_exact_one(make, order):
    """By themselves: sinh(a e/2) / cosh(e/2) was, next to order 1, by 10^-14 of it."""
    with mpmath.workdps(300):
        for loss in LOSSES:
            event = make(loss)
            assert number(event.renyi(order)) >= min(exact(event, order), worst(event)), loss


def worst(event: PrivacyEvent) -> mpmath.mpf:
    found = event.pure()
    return mpmath.inf if found is None else number(found)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("order", [1.0001, 1.0000001, 1.1, 1.5, 2.0, 23.0, 397.5])
def test_never_below_the_exact_curve_and_hardly_above(make, order):
    with mpmath.workdps(300):
        for loss in LOSSES:
            event = make(loss)
            got = number(many([event]).renyi(order))
            due = min(exact(event, order), worst(event))
            assert got >= due, loss
            assert got <= due * (1 + mpmath.mpf(2) ** -41) or got <= due + mpmath.mpf(10) ** -115


def test_numpys_functions_are_what_the_proof_takes_them_to_be():
    """Within 2^-49 of the exact value, over all the magnitudes that are used."""
    draw = random.Random(11)

    def magnitudes(low: float, high: float) -> list[float]:
        return [10.0 ** draw.uniform(low, high) for _ in range(1500)]

    points = {
        "expm1": [*magnitudes(-120, 2.69), *(-x for x in magnitudes(-120, 2.69))],
        "log1p": magnitudes(-240, 300),
        "sinh": magnitudes(-120, 2.69),
        "cosh": magnitudes(-120, 2.69),
        "tanh": magnitudes(-120, 2.69),
    }
    with mpmath.workdps(140):
        for name, given in points.items():
            got = getattr(np, name)(np.array(given)).tolist()
            for x, y in zip(given, got, strict=True):
                due = getattr(mpmath, name)(mpmath.mpf(x))
                assert abs(mpmath.mpf(y) - due) <= abs(due) * mpmath.mpf(2) ** -49, (name, x)


def mixed(count: int) -> list[PrivacyEvent]:
    """All different, of every kind and some that no array takes."""
    makers = [*MAKE.values(), lambda e: Threshold(e, Fraction(1, 10**9), 2), Exponential]
    return [makers[i % len(makers)](Fraction(i + 7, 1000)) for i in range(count)]


def test_it_is_the_price_of_the_events_one_by_one():
    events = mixed(1500)
    assert len(Composition.of(events).parts) > compose._MANY
    whole, single = price(events, ORDERS), [price([event], ORDERS) for event in events]
    for place in range(len(ORDERS)):
        total = sum(one.renyi[place] for one in single)
        assert total - len(events) <= whole.renyi[place] <= total + (total >> 40)
    assert whole.pure is None
    assert whole.delta == sum(one.delta for one in single)
    bounded = [event for event in events if event.pure() is not None]
    units = price(bounded, ORDERS).pure
    due = sum((event.pure() for event in bounded), Fraction(0)) * 10**40
    assert due <= units < due + 1


def test_order_and_grouping_change_no_bit(monkeypatch):
    events = mixed(900)
    twice = [*events, *events]
    DRAW.shuffle(twice)
    equal = [Laplace(Fraction(3)) for _ in range(3)]  # 3 * 1/3 is 1, exactly
    for more in ([], equal):
        once = price([*((event, 2) for event in events), *((e, 1) for e in more)], ORDERS)
        assert price([*more, *twice], ORDERS) == once
    whole = price([Laplace(Fraction(i, 7)) for i in range(1, 400)] + equal, ORDERS).pure
    without = price([Laplace(Fraction(i, 7)) for i in range(1, 400)], ORDERS).pure
    assert whole - without in (10**40 - 1, 10**40)
    # Where arrays begin is no seam: the same, to one part in 2^40 and a unit.
    below = price(events, ORDERS)
    monkeypatch.setattr(compose, "_MANY", 10**9)
    for a, b in zip(below.renyi, price(events, ORDERS).renyi, strict=True):
        assert b <= a <= b + (b >> 40) + 1


def test_an_infinite_one_makes_the_sum_infinite():
    events = [*mixed(600), Laplace(Fraction(1, 10**400))]
    assert many([Gaussian(Fraction(1, 10**400))]).renyi(2.0) is None
    assert price(events, ORDERS).renyi == (None,) * len(ORDERS)


def test_exact_sums():
    draw = random.Random(3)
    values = [draw.random() * 10.0 ** draw.randrange(-300, 300) for _ in range(500)]
    values += [0.0, 5e-324, 1.7e308]
    counts = [draw.randrange(1, 10**12) for _ in values]
    due = sum((Fraction(v) * n for v, n in zip(values, counts, strict=True)), Fraction(0))
    assert bulk.exact_sum(np.array(values), counts) == due
    assert bulk.exact_sum(np.array([]), []) == 0


def test_ratios_are_rounded_up_like_fractions():
    draw = random.Random(5)
    for _ in range(3000):
        p, q = (draw.randrange(1, 10 ** draw.randrange(1, 60)) for _ in range(2))
        assert ratio_up(p, q) == float_up(Fraction(p, q))
        assert ratio_up(3 * p, 3 * q) == float_up(Fraction(p, q))
    assert ratio_up(10**400, 1) == float("inf")


def test_equal_events_are_one_part_however_they_are_written():
    half = [Laplace(0.5), Laplace(Fraction(1, 2)), Laplace("0.5")]
    assert Composition.of(half).parts == ((half[0], 3),)
    assert len(Composition.of([Pure(1), RandomizedResponse(1), ZCDP(1)]).parts) == 3
    assert len(Composition.of([DiscreteLaplace(2, 3), DiscreteLaplace(3, 2)]).parts) == 2
