"""Intervals of counts shown past a threshold: exact coverage by enumeration of the cut law."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from dpsql.mechanisms.truncated import threshold_interval_gaussian, threshold_interval_geometric


def gaussian_coverage(sigma, threshold, n, confidence=0.95, at_least=1):
    m = np.arange(threshold, max(threshold, n) + int(12 * sigma) + 3)
    chance = stats.norm.sf(m - 0.5 - n, scale=sigma) - stats.norm.sf(m + 0.5 - n, scale=sigma)
    lo, hi = threshold_interval_gaussian(
        m, sigma=sigma, threshold=threshold, at_least=at_least, confidence=confidence
    )
    assert np.all((lo >= at_least) & (lo <= hi) & (hi >= m) & (lo <= np.maximum(m, at_least)))
    return chance[(lo <= n) & (n <= hi)].sum() / chance.sum()


@pytest.mark.parametrize("sigma", [0.3, 4.2, 15.0, 50.0])
@pytest.mark.parametrize("distance", [-3.0, -1.0, 0.0, 1.0, 3.0, 12.0])
def test_gaussian_coverage_given_release(sigma, distance):
    threshold = 2 + math.ceil(5.2 * sigma)
    n = max(1, threshold + round(distance * sigma))
    if stats.norm.sf((threshold - 0.5 - n) / sigma) < 1e-12:
        pytest.skip("such a count is never shown")
    for confidence in (0.9, 0.95):
        inside = gaussian_coverage(sigma, threshold, n, confidence)
        assert inside >= confidence - 1e-9
        if sigma > 10 and distance >= 0:
            assert inside <= (1 + confidence) / 2 + 0.01  # at the cut one side cannot miss


def test_the_plain_bar_would_have_failed_where_this_one_holds():
    """Nominal 95 % covered 22 % at n = 30, T = 46."""
    sigma, threshold, n = 9.0, 46, 30
    m = np.arange(threshold, 150)
    chance = stats.norm.sf(m - 0.5 - n, scale=sigma) - stats.norm.sf(m + 0.5 - n, scale=sigma)
    plain = chance[np.abs(m - n) <= 17].sum() / chance.sum()
    assert plain < 0.5
    assert gaussian_coverage(sigma, threshold, n) >= 0.95


@pytest.mark.parametrize(
    ("epsilon", "cutoff"), [(Fraction(1), 14), (0.2, 81), (0.01, 852), (3.0, 4), (30.0, 1)]
)
@pytest.mark.parametrize("minimum", [1, 10])
def test_geometric_coverage_given_release(epsilon, cutoff, minimum):
    threshold = cutoff + minimum
    z = np.arange(-cutoff, cutoff + 1)
    chance = np.exp(-float(epsilon) * np.abs(z))
    chance /= chance.sum()
    for n in {minimum, minimum + 1, cutoff // 2, cutoff, cutoff + 3, 2 * cutoff + 1, 5 * cutoff}:
        shown = n + z >= threshold
        if n < minimum or chance[shown].sum() < 1e-12:
            continue
        m = (n + z)[shown]
        lo, hi = threshold_interval_geometric(
            m, epsilon=epsilon, cutoff=cutoff, threshold=threshold, at_least=minimum
        )
        assert np.all((lo >= minimum) & (lo <= m) & (m <= hi))
        inside = chance[shown][(lo <= n) & (n <= hi)].sum() / chance[shown].sum()
        assert inside >= 0.95 - 1e-9


def test_far_above_the_threshold_it_is_the_plain_bar():
    lo, hi = threshold_interval_gaussian([10_000], sigma=20, threshold=100)
    assert (lo[0], hi[0]) == (10_000 - 39, 10_000 + 39)
    lo, hi = threshold_interval_geometric([10_000], epsilon=1, cutoff=14, threshold=15)
    assert (lo[0], hi[0]) == (9_997, 10_003)


def test_huge_epsilon_is_exact():
    for m in (2, 3, 50):
        lo, hi = threshold_interval_geometric([m], epsilon=10**9, cutoff=1, threshold=2)
        assert (lo[0], hi[0]) == (m, m)
        lo, hi = threshold_interval_gaussian([m], sigma=Fraction(1, 10**9), threshold=2)
        assert (lo[0], hi[0]) == (m, m)
    lo, hi = threshold_interval_geometric([5], epsilon=1, cutoff=0, threshold=1)
    assert (lo[0], hi[0]) == (5, 5)


def test_shapes_duplicates_and_unshown_entries():
    noisy = np.array([[120, -50], [120, 101]])
    lo, hi = threshold_interval_gaussian(noisy, sigma=20, threshold=100)
    assert lo.shape == hi.shape == (2, 2)
    assert lo[0, 0] == lo[1, 0]
    assert lo[0, 1] == 1  # not shown: read as the threshold, no error
    empty = threshold_interval_gaussian(np.empty(0, dtype=np.int64), sigma=20, threshold=100)
    assert empty[0].size == 0
    with pytest.raises(ValueError):
        threshold_interval_gaussian([1], sigma=1, threshold=1, confidence=0)
