"""pld.epsilon and pld.delta: upper bounds, close to the exact value, against independent ones."""

from __future__ import annotations

import math
from fractions import Fraction

import dp_accounting as dp
import mpmath as mp
import numpy as np
import pytest
from accountant_laws import EXAMPLES, Table, number, tables
from dp_accounting.gaussian_mechanism import get_epsilon_gaussian
from dp_accounting.pld import PLDAccountant
from dp_accounting.pld import privacy_loss_distribution as their_pld
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from two_outcomes import TwoOutcome

import dpsql.accountant as accountant
from dpsql.accountant import (
    ZCDP,
    DiscreteGaussian,
    DiscreteLaplace,
    Exponential,
    Gaussian,
    Laplace,
    PoissonGaussian,
    PrivacyEvent,
    Pure,
    RandomizedResponse,
    Threshold,
    pld,
)
from dpsql.accountant.loss_cells import TAIL_ERROR, cells
from dpsql.accountant.loss_grid import LossGrid, on_grid
from dpsql.accountant.loss_sum import LossSum

COARSE = 2**14
SUPPORTED = [
    event for event in EXAMPLES if not isinstance(event, ZCDP) and event != DiscreteGaussian(3, 2)
]


def exact_delta(table: Table, epsilon: mp.mpf) -> mp.mpf:
    return mp.fsum(max(mp.mpf(0), p - mp.e**epsilon * q) for p, q in table)


def response_delta(e: float, n: int, epsilon: float) -> float:
    """delta of n randomized responses, from the binomial law, with 40 digits."""
    with mp.workdps(40):
        truth = 1 / (1 + mp.exp(-mp.mpf(e)))
        return float(
            mp.fsum(
                mp.binomial(n, k) * truth ** (n - k) * (1 - truth) ** k * -mp.expm1(epsilon - loss)
                for k in range(n + 1)
                if (loss := (n - 2 * k) * mp.mpf(e)) > epsilon
            )
        )


@pytest.mark.parametrize("chance", [1e-30, 1e-6, 0.3])
@pytest.mark.parametrize(("noise", "count"), [(10, 1), (10, 100), (0.3, 2), (2000, 9)])
def test_gaussians_are_exact(noise: float, count: int, chance: float) -> None:
    exact = get_epsilon_gaussian(noise / math.sqrt(count), chance)
    found = pld.epsilon([(Gaussian(noise), count)], delta=chance, points=2**16)
    assert found >= exact * (1 - 1e-9)
    assert found <= exact * (1 + 1e-4) + 1e-6 / noise


@pytest.mark.parametrize("count", [1, 2, 10, 300, 3000])
@pytest.mark.parametrize("size", ["0.02", "0.6931"])
def test_randomized_responses_are_those_of_the_binomial_law(size: str, count: int) -> None:
    event, spread = RandomizedResponse(size), float(size) * math.sqrt(count)
    for target in (0.5 * spread, 2 * spread, 4 * spread):
        exact = response_delta(float(size), count, target)
        found = pld.delta([(event, count)], epsilon=target, points=COARSE if count < 99 else 2**18)
        assert found >= exact * (1 - 1e-12)
        assert found <= exact * 1.01 + 1e-300


@pytest.mark.parametrize("event", SUPPORTED, ids=str)
def test_one_release_bounds_the_delta_of_its_own_law(event: PrivacyEvent) -> None:
    with mp.workdps(30):
        for share in (0.1, 0.5, 0.9):
            target = Fraction(accountant.epsilon([event], delta="1e-4") * share)
            truth = [exact_delta(t, number(target)) for t in tables(event)]
            truth += [exact_delta([(q, p) for p, q in t], number(target)) for t in tables(event)]
            found = pld.delta([event], epsilon=target, points=COARSE)
            assert found >= max([*truth, mp.mpf(0)]) * (1 - mp.mpf("1e-12"))


def test_the_exponential_pair_is_the_supremum_over_its_class() -> None:
    eps = 1.3
    for target in (-1.0, 0.0, 0.4, 1.2):
        ts = np.linspace(0, eps, 200_001)
        w = (np.exp(-ts) - math.exp(-eps)) / -math.expm1(-eps)
        both = w * np.maximum(np.exp(ts) - math.exp(target), 0)
        both += (1 - w) * np.maximum(np.exp(ts - eps) - math.exp(target), 0)
        grid = on_grid(cells(Exponential("1.3"), 2.0**-16, "remove"), 2.0**-14)
        found = float(grid.mass @ np.maximum(-np.expm1(target - grid.losses), 0))
        assert found == pytest.approx(both.max(), rel=1e-6)
        assert found >= both.max() * (1 - 1e-9)


CASES = {
    "laplace": ([(Laplace(10), 100)], [(dp.LaplaceDpEvent(10), 100)]),
    "few": ([(Laplace("0.7"), 3)], [(dp.LaplaceDpEvent(0.7), 3)]),
    "mixed": (
        [(Gaussian(10), 50), (Laplace(10), 50)],
        [(dp.GaussianDpEvent(10), 50), (dp.LaplaceDpEvent(10), 50)],
    ),
    "sampled": (
        [(PoissonGaussian("0.02", "1.1"), 300), Laplace(4)],
        [
            (dp.PoissonSampledDpEvent(0.02, dp.GaussianDpEvent(1.1)), 300),
            (dp.LaplaceDpEvent(4), 1),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_between_dp_accountings_optimistic_and_pessimistic_estimates(name: str) -> None:
    mine, theirs = CASES[name]
    found = pld.epsilon(mine, delta=1e-6)
    pessimistic = PLDAccountant(value_discretization_interval=1e-4)
    for event, count in theirs:
        pessimistic.compose(event, count)
    assert _optimistic(theirs) <= found <= pessimistic.get_epsilon(1e-6) * (1 + 1e-4)


def _optimistic(items: list[tuple[dp.DpEvent, int]]) -> float:
    whole = None
    options = {"pessimistic_estimate": False, "value_discretization_interval": 1e-3}
    for event, count in items:
        if isinstance(event, dp.LaplaceDpEvent):
            one = their_pld.from_laplace_mechanism(event.noise_multiplier, **options)
        elif isinstance(event, dp.GaussianDpEvent):
            one = their_pld.from_gaussian_mechanism(event.noise_multiplier, **options)
        else:
            one = their_pld.from_gaussian_mechanism(
                event.event.noise_multiplier,
                sampling_prob=event.sampling_probability,
                **options,
            )
        many = one.self_compose(count)
        whole = many if whole is None else whole.compose(many)
    return whole.get_epsilon_for_delta(1e-6)


@pytest.mark.parametrize(("name", "figure"), [("laplace", 4.693), ("mixed", 4.793)])
def test_the_figures_of_the_accounting_note(name: str, figure: float) -> None:
    assert pld.epsilon(CASES[name][0], delta=1e-6) == pytest.approx(figure, abs=6e-4)


def test_the_stated_error_bound_holds_on_coarse_grids() -> None:
    """epsilon at delta is at most the true one at delta - beta, plus the bound of the module."""
    count, e, chance = 200, 0.3, 1e-6
    items = [(RandomizedResponse("0.3"), count)]
    for points in (2**10, 2**12, 2**14):
        found = pld.epsilon(items, delta=chance, points=points)
        step = next(pld._sums(pld.Composition.of(items), found, points)).step
        beta = chance / 100
        slack = 2 * step * math.sqrt(count * math.log(1 / beta) / 2) + count * step**2 / 2
        assert response_delta(e, count, found) <= chance
        assert response_delta(e, count, found - slack) >= chance - beta


items = st.lists(
    st.tuples(
        st.one_of(
            st.builds(Gaussian, st.fractions("0.5", 50, max_denominator=20)),
            st.builds(Laplace, st.fractions("0.5", 50, max_denominator=20)),
            st.builds(Pure, st.fractions("0.05", 2, max_denominator=20)),
            st.builds(
                DiscreteLaplace, st.fractions("0.5", 9, max_denominator=20), st.integers(1, 5)
            ),
            st.builds(Threshold, st.just(Fraction(1, 10)), st.just("1e-9"), st.integers(1, 3)),
        ),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=3,
)


@given(items)
@settings(max_examples=5, deadline=None)
def test_laws(listed: list[tuple[PrivacyEvent, int]]) -> None:
    found = pld.epsilon(listed, delta=1e-6, points=COARSE)
    assert found <= accountant.epsilon(listed, delta=1e-6)
    assert found == pytest.approx(pld.epsilon(listed[::-1], delta=1e-6, points=COARSE), rel=1e-9)
    repeated = [event for event, count in listed for _ in range(count)]
    assert found == pytest.approx(pld.epsilon(repeated, delta=1e-6, points=COARSE), rel=1e-9)
    assert pld.epsilon(listed, delta=1e-3, points=COARSE) <= found * (1 + 1e-9)
    more = pld.epsilon([*listed, Laplace(20)], delta=1e-6, points=COARSE)
    assert more >= found * (1 - 1e-3) - 1e-3
    if found > 0:
        assert pld.delta(listed, epsilon=found, points=COARSE) <= 1e-6 * 1.02


@pytest.mark.parametrize("shares", [(1, 1), (1, 4), (3, 2), (2, 2, 1)])
@pytest.mark.parametrize("scale", [0.4, 1.0, 7.0])
def test_no_split_of_a_laplace_change_is_worse_than_none(
    shares: tuple[int, ...], scale: float
) -> None:
    """docs/proofs/pld.md, 5, at the kinks of both curves, from the laws themselves."""
    with mp.workdps(30):
        whole = next(tables(DiscreteLaplace(scale, sum(shares))))
        split: Table = [(mp.mpf(1), mp.mpf(1))]
        for share in shares:
            part = next(tables(DiscreteLaplace(scale, share)))
            split = [(p * x, q * y) for p, q in split for x, y in part]
        for k in range(-sum(shares), sum(shares) + 1):
            target = k / mp.mpf(scale)
            assert exact_delta(split, target) <= exact_delta(whole, target) + mp.mpf("1e-25")


def test_many_releases_at_a_tiny_delta_need_no_finer_grid() -> None:
    """The tilt: 1e-30 is asked where float errors of an untilted sum are 1e-13."""
    exact = response_delta(0.1, 300, 19.93)
    assert exact < 1e-29
    found = pld.delta([(RandomizedResponse("0.1"), 300)], epsilon=19.93)
    assert exact * (1 - 1e-9) <= found <= exact * 1.01


@pytest.mark.parametrize(
    "event", [ZCDP("0.1"), DiscreteGaussian(3, 2), TwoOutcome(Fraction(1, 2), Fraction(1, 3))]
)
def test_events_without_a_known_pair_are_refused(event: PrivacyEvent) -> None:
    for ask in (lambda: pld.epsilon([event], delta=1e-6), lambda: pld.delta([event], epsilon=1)):
        with pytest.raises(ValueError, match=r"discrete Gaussian|no privacy loss distribution"):
            ask()


def test_limits() -> None:
    assert pld.epsilon([], delta=1e-6) == 0
    assert pld.epsilon([Laplace(10)], delta=0) == 0.1
    assert pld.epsilon([Gaussian(10)], delta=0) == math.inf
    assert pld.epsilon([Threshold(0, "1e-3", 1)], delta="1e-4") == math.inf
    assert pld.delta([(Laplace(10), 7)], epsilon="0.7") == 0
    assert pld.delta([Threshold(0, "1e-3", 1)], epsilon=1) == pytest.approx(1e-3)
    alone = pld.delta([Gaussian(2)], epsilon=3)
    assert pld.delta([Gaussian(2), Threshold(0, "1e-3", 1)], epsilon=3) == pytest.approx(
        alone + 1e-3
    )
    with pytest.raises(ValueError):
        pld.epsilon([Gaussian(1)], delta=1.5)
    with pytest.raises(ValueError):
        pld.epsilon([Gaussian(1)], delta=1e-6, points=0)


@pytest.mark.parametrize("noise", ["1e-9", "0.01", "1e9"])
def test_extreme_noise_stays_an_upper_bound(noise: str) -> None:
    for event in (Gaussian(noise), Laplace(noise), PoissonGaussian("0.5", noise)):
        found = pld.epsilon([event], delta=1e-6, points=COARSE)
        assert 0 <= found <= accountant.epsilon([event], delta=1e-6)


def test_normal_tails_are_as_accurate_as_assumed() -> None:
    with mp.workdps(40):
        for x in np.linspace(-20, 20, 81):
            exact = mp.erfc(mp.mpf(float(-x)) / mp.sqrt(2)) / 2
            assert abs(mp.mpf(float(ndtr(x))) / exact - 1) < TAIL_ERROR / 4


def test_the_fft_is_as_accurate_as_assumed() -> None:
    """A sum of 4,096 losses whose law is known exactly: within the error that was carried."""
    up, count, step = Fraction(3, 5), 4096, 2.0**-6
    grid = LossGrid(step, -1, np.array([float(1 - up), 0.0, float(up)]), 0.0)
    found = LossSum.of([(grid, count)], 0.0, -count, 2**14)
    with mp.workdps(40):
        for k in (1200, 1638, 1700, 2400):
            exact = mp.binomial(count, k) * mp.mpf("0.4") ** k * mp.mpf("0.6") ** (count - k)
            place = (count - 2 * k) - found.start
            value = mp.mpf(float(found.tilted[place])) * mp.exp(found.log_scale)
            assert exact - found.error <= value <= exact * (1 + mp.mpf("1e-7")) + found.error
    assert found.error < 1e-10
