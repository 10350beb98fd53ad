"""The lower bounds: true at the true ε, reached where something is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dpsql.audit.estimates import (
    block_bound,
    epsilon_bound,
    one_run_bound,
    proportion_above,
    proportion_below,
    scores,
)

ALPHA = 0.001


def laplace(epsilon, blocks, shift, seed, groups=1):
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.laplace(0, 1 / epsilon, (blocks, groups)) + shift


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_never_above_the_truth_and_near_it(epsilon, seed):
    """Alone at 0.1 %, so that 15 of them fail by chance in 1.5 % of streams; these are fixed."""
    low, high = (laplace(epsilon, 20_000, s, seed * 2 + s) for s in (0, 1))
    told = block_bound(low, high, delta=0, alpha=ALPHA)
    assert 0.7 * epsilon < told <= epsilon


@pytest.mark.parametrize("truth", [1.4, 2.0])
def test_noise_too_small_is_seen(truth):
    low, high = (laplace(truth, 20_000, s, s) for s in (0, 1))
    assert block_bound(low, high, delta=0, alpha=ALPHA) > 1.0


def test_a_difference_over_several_groups_is_added_up():
    """Each group moves by ε = 0.5; all four together by 2."""
    low, high = (laplace(0.5, 20_000, s, s, groups=4) for s in (0, 1))
    assert 1.0 < block_bound(low, high, delta=0, alpha=ALPHA) <= 2.0


def test_missing_answers_count_as_nothing_told():
    low, high = (laplace(1.0, 8000, s, s) for s in (0, 1))
    low[::3], high[::3] = np.nan, np.nan
    assert 0.2 < block_bound(low, high, delta=0, alpha=ALPHA) <= 1.0
    nothing = np.full((100, 2), np.nan)
    assert block_bound(nothing, nothing, delta=0, alpha=ALPHA) == 0
    assert all(np.isfinite(score(nothing)).all() for score in scores(nothing, nothing))


def test_identical_answers_tell_nothing():
    same = laplace(1.0, 4000, 0, 1)
    assert block_bound(same, laplace(1.0, 4000, 0, 2), delta=0, alpha=ALPHA) < 0.3


def test_delta_is_taken_off():
    assert epsilon_bound(50, 100, 10, 100, delta=0.9, alpha=ALPHA) == 0
    with_delta = epsilon_bound(500, 1000, 10, 1000, delta=0.1, alpha=ALPHA)
    assert 0 < with_delta < epsilon_bound(500, 1000, 10, 1000, delta=0, alpha=ALPHA)


@pytest.mark.parametrize("seen", [0, 1, 7, 100])
def test_clopper_and_pearson(seen):
    """At the bound the tail of the binomial is alpha: their definition."""
    low, high = proportion_above(seen, 100, 0.01), proportion_below(seen, 100, 0.01)
    if seen:
        assert stats.binom.sf(seen - 1, 100, low) == pytest.approx(0.01, rel=1e-6)
    else:
        assert low == 0
    if seen < 100:
        assert stats.binom.cdf(seen, 100, high) == pytest.approx(0.01, rel=1e-6)
    else:
        assert high == 1


@pytest.mark.parametrize(("correct", "guesses"), [(0, 0), (50, 100), (40, 100), (10, 10)])
def test_one_run_without_delta_is_the_binomial(correct, guesses):
    told = one_run_bound(correct, guesses, guesses, delta=0, alpha=0.01)
    if told == 0:
        assert guesses == 0 or stats.binom.sf(correct - 1, guesses, 0.5) > 0.01
    else:
        rate = math.exp(told) / (1 + math.exp(told))
        assert stats.binom.sf(correct - 1, guesses, rate) == pytest.approx(0.01, rel=1e-3)


def test_one_run_with_delta_claims_less():
    plain = one_run_bound(900, 1000, 5000, delta=0, alpha=0.01)
    careful = one_run_bound(900, 1000, 5000, delta=1e-6, alpha=0.01)
    much = one_run_bound(900, 1000, 5000, delta=0.01, alpha=0.01)
    assert plain > careful > much


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_one_run_holds_for_randomised_response(epsilon):
    """The best that ε allows: each guess right with e^ε / (1 + e^ε)."""
    generator = np.random.Generator(np.random.PCG64(5))
    right = generator.binomial(4000, math.exp(epsilon) / (1 + math.exp(epsilon)))
    told = one_run_bound(right, 4000, 4000, delta=0, alpha=0.001)
    assert 0.8 * epsilon < told <= epsilon
