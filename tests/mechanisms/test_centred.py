"""CentredGaussian: what is turned, its sensitivity, its law, its price."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dpsql.accountant.events import Gaussian
from dpsql.aggregates.basis import Grid, MomentsBlock, Rows
from dpsql.aggregates.noisy import NoisyBlock
from dpsql.core.domain import INTEGER, Domain, Interval
from dpsql.core.exact import Exact
from dpsql.core.ir import Col
from dpsql.mechanisms.centred import CentredGaussian, turned

WHOLE = st.integers(-(10**20), 10**20)
STEPS = st.integers(1, 9)
VALUE = Col(0, "x", Domain(INTEGER, Interval(Fraction(-3), Fraction(17))))


@given(st.lists(st.tuples(WHOLE, WHOLE), min_size=1, max_size=5), STEPS, STEPS)
def test_turning_moves_no_further_than_priced(cells, total, difference):
    """Σ squares of the turned moves against (t² + d²)·Σ (L1 of a cell)², whatever the signs."""
    moved = sum((abs(u) + abs(v)) ** 2 for u, v in cells)
    out = turned(np.array(cells, dtype=object).T, total, difference)
    assert sum(int(x) ** 2 for x in out.ravel()) <= (total**2 + difference**2) * moved


@given(st.integers(0, 2**62 - 1), st.integers(0, 2**62 - 1), STEPS, STEPS)
def test_turning_is_exact_where_int64_ends(u, v, total, difference):
    (a,), (b,) = turned(np.array([[u], [v]]), total, difference)
    assert (int(a), int(b)) == (total * (u + v), difference * (v - u))


def test_the_bound_is_reached():
    """By a unit whose rows are all at one end: the sensitivity is no looser than need be."""
    for cell in ((0, 7), (7, 0)):
        out = turned(np.array([cell]).T, 3, 4)
        assert sum(int(x) ** 2 for x in out.ravel()) == 25 * 7**2


def draws(sigma, count=150_000):
    exact = np.zeros((2, count), dtype=np.int64)
    exact[0], exact[1] = 30, 12
    return CentredGaussian(sigma, 25, 3, 4).release(Exact(exact)) - np.array([[126], [-72]])


def test_the_noise_has_the_declared_law():
    """Each coordinate rounded Gaussian of the one sigma; 5 % off would fail (p < 1e-9)."""
    sigma = 50.0
    for noise in draws(Fraction(50)):
        values = noise + np.random.default_rng(3).uniform(-0.5, 0.5, noise.size)
        assert stats.kstest(values, stats.norm(0, sigma).cdf).pvalue > 1e-6
        assert stats.kstest(values, stats.norm(0, 1.05 * sigma).cdf).pvalue < 1e-9
        assert stats.kstest(values, stats.norm(0, 0.95 * sigma).cdf).pvalue < 1e-9


def test_the_two_are_independent():
    a, b = draws(Fraction(50))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)


def test_it_prices_the_turned_pair():
    [(event, count)] = CentredGaussian(Fraction(10), 25 * 4, 3, 4).items
    assert (event, count) == (Gaussian(noise_multiplier=Fraction(1)), 1)


@pytest.mark.parametrize("wrong", [(26, 3, 4), (25, 0, 5), (25, 3, -4), (0, 3, 4)])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=r"turned|whole|integer"):
        CentredGaussian(Fraction(1), *wrong)


def test_only_pairs_are_turned():
    with pytest.raises(ValueError, match="pair"):
        CentredGaussian(Fraction(1), 25, 3, 4).release(Exact(np.zeros((3, 2), dtype=np.int64)))


@pytest.mark.parametrize("weight", [1, 2**16])
@given(values=st.lists(st.integers(-3, 17), min_size=1, max_size=30))
def test_counts_and_sums_are_read_back_exactly(weight, values):
    grid = Grid(Fraction(1), -3, 17)
    block = MomentsBlock(Rows(None, None), VALUE, grid, 1)
    pair = np.array([[sum(17 - v for v in values)], [sum(v + 3 for v in values)]]) * weight
    noisy = NoisyBlock(block, turned(pair, 3, 4), weight, "gaussian", Fraction(1), turned=(3, 4))
    assert noisy.rounded(*noisy.count_weights()).tolist() == [len(values)]
    assert noisy.rounded(*noisy.sum_weights()).tolist() == [sum(values)]
