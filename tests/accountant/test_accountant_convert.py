"""epsilon() and delta() against dp_accounting's RDP and PLD accountants, and by themselves."""

from __future__ import annotations

import logging
import math
from fractions import Fraction

import dp_accounting as dp
import numpy as np
import pytest
from accountant_laws import EXAMPLES
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant

from dpsql.accountant import (
    ZCDP,
    Exponential,
    Gaussian,
    Laplace,
    PoissonGaussian,
    Pure,
    RandomizedResponse,
    Threshold,
    delta,
    epsilon,
)

DELTA = 1e-6
GRID = [float(order) for order in RdpAccountant()._orders]
INTEGERS = [order for order in GRID if order == int(order)]

Case = tuple[list[tuple[object, int]], list[tuple[dp.DpEvent, int]]]


def _gaussian(s: float, n: int) -> Case:
    return [(Gaussian(s), n)], [(dp.GaussianDpEvent(s), n)]


def _laplace(b: float, n: int) -> Case:
    return [(Laplace(b), n)], [(dp.LaplaceDpEvent(b), n)]


def _poisson(q: float, s: float, n: int) -> Case:
    event = dp.PoissonSampledDpEvent(q, dp.GaussianDpEvent(s))
    return [(PoissonGaussian(q, s), n)], [(event, n)]


def _join(*cases: Case) -> Case:
    return [x for mine, _ in cases for x in mine], [x for _, theirs in cases for x in theirs]


UNSAMPLED = {
    "G10x1": _gaussian(10, 1),
    "G10x100": _gaussian(10, 100),
    "G0.3x2": _gaussian(0.3, 2),
    "G200x9": _gaussian(200, 9),
    "L10x1": _laplace(10, 1),
    "L10x1000": _laplace(10, 1000),
    "L0.2x1": _laplace(0.2, 1),
    "L300x50": _laplace(300, 50),
    "mixed": _join(_gaussian(10, 50), _laplace(10, 50)),
    "mixed2": _join(_gaussian(3, 2), _laplace(1, 1), _laplace(7.5, 20)),
    "zcdp": ([(ZCDP(0.1), 3)], [(dp.ZCDpEvent(0.1), 3)]),
}
SAMPLED = {
    "P.01": _poisson(0.01, 1.1, 1000),
    "P.2": _poisson(0.2, 3, 100),
    "P.5": _poisson(0.5, 8, 30),
}


def _rdp(theirs: list[tuple[dp.DpEvent, int]], orders: list[float]) -> RdpAccountant:
    logging.getLogger("absl").setLevel(logging.ERROR)
    accountant = RdpAccountant(orders)
    for event, count in theirs:
        accountant.compose(event, count)
    return accountant


def _pure(mine: list[tuple[object, int]]) -> float:
    parts = [event.pure() for event, _ in mine]  # type: ignore[attr-defined]
    if None in parts:
        return math.inf
    return float(sum(p * n for p, (_, n) in zip(parts, mine, strict=True)))


@pytest.mark.parametrize("case", UNSAMPLED.values(), ids=UNSAMPLED)
def test_with_its_orders_equal_to_dp_accounting(case: Case) -> None:
    mine, theirs = case
    accountant = _rdp(theirs, GRID)
    expected = min(accountant.get_epsilon(DELTA), _pure(mine))
    assert epsilon(mine, delta=DELTA, orders=GRID) == pytest.approx(expected, rel=1e-8)
    for target in (0.05, 1, 6):
        found = delta(mine, epsilon=target, orders=GRID)
        if _pure(mine) <= target:
            assert found == 0
        else:
            assert found == pytest.approx(accountant.get_delta(target), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("case", SAMPLED.values(), ids=SAMPLED)
def test_poisson_sampling_equals_dp_accounting_at_integer_orders(case: Case) -> None:
    mine, theirs = case  # its fractional orders are off by up to 200 %, or do not converge
    expected = _rdp(theirs, INTEGERS).get_epsilon(DELTA)
    assert epsilon(mine, delta=DELTA, orders=INTEGERS) == pytest.approx(expected, rel=1e-8)


def test_poisson_sampling_with_little_noise_uses_chords() -> None:
    """Where the quadrature needs too many points: exact at integers, above them between."""
    event = PoissonGaussian("0.3", "0.02")
    orders = [2.0, 2.3, 3.0, 3.7, 4.0, 40.0, 40.5, 41.0]
    curve = [event.renyi(order) for order in orders]
    assert curve == sorted(curve)
    for order, value in zip(orders, curve, strict=True):
        theirs = _rdp(_poisson(0.3, 0.02, 1)[1], [order])._rdp[0]
        assert value >= theirs * (1 - 1e-12)
        if order == int(order):
            assert value == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("case", [*UNSAMPLED.values(), *SAMPLED.values()])
def test_continuous_orders_are_never_above_the_grid(case: Case) -> None:
    mine, theirs = case
    theirs_epsilon = _rdp(theirs, GRID).get_epsilon(DELTA)
    found = epsilon(mine, delta=DELTA)
    assert found <= theirs_epsilon * (1 + 1e-9)
    assert found <= epsilon(mine, delta=DELTA, orders=GRID) * (1 + 1e-9)
    assert delta(mine, epsilon=1) <= delta(mine, epsilon=1, orders=GRID) * (1 + 1e-9)


# zCDP has no privacy loss distribution; its discretisation is slow or coarse for the others.
WITH_PLD = [name for name in [*UNSAMPLED, *SAMPLED] if name not in ("zcdp", "G0.3x2", "G200x9")]


@pytest.mark.parametrize("name", WITH_PLD)
def test_never_below_the_privacy_loss_distribution(name: str) -> None:
    mine, theirs = (UNSAMPLED | SAMPLED)[name]
    pld = PLDAccountant(value_discretization_interval=1e-3)
    for event, count in theirs:
        pld.compose(event, count)
    exact = pld.get_epsilon(DELTA)
    assert exact * (1 - 2e-3) <= epsilon(mine, delta=DELTA) <= exact * 1.15 + 0.02


@pytest.mark.parametrize(
    ("items", "table"),
    [
        ([(Gaussian(10), 1)], 0.430),
        ([(Gaussian(10), 10)], 1.472),
        ([(Gaussian(10), 1000)], 20.55),
        ([(Laplace(10), 10)], 0.999),
        ([(Laplace(10), 100)], 4.984),
        ([(Gaussian(10), 50), (Laplace(10), 50)], 5.108),
    ],
)
def test_the_figures_of_the_accounting_note(items: list[object], table: float) -> None:
    assert epsilon(items, delta=DELTA) == pytest.approx(table, abs=0.006)  # type: ignore[arg-type]


def test_randomized_response_counts() -> None:
    """dp_accounting's PLD accountant ignores the count of this event: 0.693 for 6.93."""
    one = RandomizedResponse("0.6931")
    exact = _binomial_epsilon(0.6931, 10, DELTA)
    found = epsilon([(one, 10)], delta=DELTA)
    assert exact <= found <= 6.931 + 1e-12
    assert found == epsilon([one] * 10, delta=DELTA)
    assert found > 5
    assert epsilon([(one, 10)], delta=0) == pytest.approx(6.931, rel=1e-15)


def _binomial_epsilon(e: float, n: int, delta_: float) -> float:
    truth = 1 / (1 + math.exp(-e))
    loss = [(n - 2 * k) * e for k in range(n + 1)]
    mass = [math.comb(n, k) * truth ** (n - k) * (1 - truth) ** k for k in range(n + 1)]

    def failure(target: float) -> float:
        return sum(m * max(0.0, -math.expm1(target - v)) for m, v in zip(mass, loss, strict=True))

    low, high = 0.0, n * e
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if failure(middle) > delta_ else (low, middle)
    return low


def test_delta_zero_gives_the_pure_sum_or_infinity() -> None:
    assert epsilon([(Laplace(10), 7), Pure("0.05")], delta=0) == 0.75
    assert epsilon([Laplace(10), Gaussian(1)], delta=0) == math.inf
    assert epsilon([], delta=0) == 0
    assert epsilon([], delta=1e-6) == 0
    assert epsilon([Gaussian(1)], delta=1) == 0
    assert delta([(Laplace(10), 7)], epsilon="0.7") == 0
    assert delta([], epsilon=0) == 0


def test_selection_deltas_are_taken_out_first() -> None:
    key = Threshold("0.1", "1e-7", 1)
    assert epsilon([key], delta="1e-7") == 0.1
    assert epsilon([key], delta="9e-8") == math.inf
    assert epsilon([key], delta=0) == math.inf
    assert epsilon([(key, 3), Gaussian(2)], delta="1e-6") == pytest.approx(
        epsilon([(Pure("0.1"), 3), Gaussian(2)], delta="7e-7"), rel=1e-12
    )
    alone = delta([Gaussian(2)], epsilon=3)
    assert delta([Gaussian(2), Threshold(0, "1e-3", 1)], epsilon=3) == pytest.approx(alone + 1e-3)


@pytest.mark.parametrize("event", EXAMPLES, ids=str)
def test_epsilon_and_delta_undo_each_other(event: object) -> None:
    for target in (1e-3, 1e-5):
        found = epsilon([event, (Gaussian(7), 2)], delta=target)  # type: ignore[list-item]
        again = delta([event, (Gaussian(7), 2)], epsilon=found)  # type: ignore[list-item]
        assert again <= target * (1 + 1e-6)
        assert again >= target * (1 - 1e-4) or found == 0


def test_epsilon_does_not_depend_on_the_order_of_the_list() -> None:
    items = [*EXAMPLES, (Gaussian(3), 4), (Laplace(9), 2), *EXAMPLES]
    assert epsilon(items, delta=0.4) == epsilon(items[::-1], delta=0.4)


@pytest.mark.parametrize("scale", [2.0**-30, 1e-3, 1.0, 1e6, 1e12, 1e300])
def test_extreme_sizes_stay_numbers(scale: float) -> None:
    for event in (Laplace(scale), Gaussian(scale), Exponential(scale), Pure(scale), ZCDP(scale)):
        for target in (1e-30, 1e-6, 0.9):
            found = epsilon([(event, 3)], delta=target)
            assert found >= 0
            assert not math.isnan(delta([(event, 3)], epsilon=Fraction(1, 2**30)))
            assert not math.isnan(delta([(event, 3)], epsilon=1e12))


def test_a_large_delta_closes_the_gap() -> None:
    """Bretagnolle-Huber: epsilon 0 once delta exceeds the total variation bound."""
    total_variation = math.erf(1 / (2 * 50 * math.sqrt(2)))
    assert epsilon([Gaussian(50)], delta=0.02) == 0
    assert epsilon([Gaussian(50)], delta=total_variation * 0.9) > 0
    assert delta([Gaussian(50)], epsilon=0) >= total_variation


def test_numpy_orders_are_read() -> None:
    assert epsilon([Gaussian(2)], delta=1e-6, orders=np.array([2.0, 8.0])) > 0
