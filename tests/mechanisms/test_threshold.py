"""Both thresholds: the (eps, delta) promise from the exact laws, sampling, minimum, extremes."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import pytest
from scipy import stats

from dpsql.accountant.events import Gaussian, Threshold
from dpsql.core.exact import Exact
from dpsql.mechanisms.threshold import (
    GaussianThreshold,
    TruncatedGeometricThreshold,
    delta_per_key,
    least_bound,
    upper_quantile,
)

MILLIONTH = Fraction(1, 10**6)

PARAMETERS = [
    (epsilon, delta, groups, least)
    for epsilon in ("1/10", "1", "3", "50")
    for delta in ("1/1000000", "1/100", "9/10", f"1/{10**30}")
    for groups, least in ((1, 0), (1, 10), (3, 2))
]


def mpf(value):
    value = Fraction(value)
    return mpmath.mpf(value.numerator) / value.denominator


def excess(p, q, e):
    """sum (P - exp(e) Q)+ : the least delta for which P <= exp(e) Q + delta on every event."""
    factor = mpmath.exp(e)
    return mpmath.fsum(
        max(chance - factor * q.get(output, mpmath.mpf(0)), mpmath.mpf(0))
        for output, chance in p.items()
    )


@pytest.mark.parametrize(("epsilon", "delta", "groups", "least"), PARAMETERS)
def test_truncated_geometric_is_private_for_all_neighbours(epsilon, delta, groups, least):
    """(e, d) in both directions between n and n + 1, from the law itself at 60 digits."""
    mechanism = TruncatedGeometricThreshold(Fraction(epsilon), Fraction(delta), groups, least)
    bound, shift = mechanism.bound, mechanism.shift
    counts = set(range(shift + 3)) | {shift + bound + i for i in (-1, 0, 1)}
    counts |= {shift + 2 * bound + i for i in (-1, 0, 1)}
    if bound < 30:
        counts |= set(range(shift + 3 * bound))
    with mpmath.workdps(60):
        e, d = mpf(mechanism.epsilon_per_key), mpf(mechanism.delta_per_key)
        ratio = mpmath.exp(-e)
        slack = mpmath.mpf(10) ** -55
        pmf = cache(lambda n: mechanism.pmf(n, ratio))
        for n in sorted(count for count in counts if count >= 0):
            here, there = pmf(n), pmf(n + 1)
            assert abs(mpmath.fsum(here.values()) - 1) < slack
            assert excess(here, there, e) <= d + slack
            assert excess(there, here, e) <= d + slack
            if n <= shift:
                assert set(here) == {None}
        assert 1 - (1 - d) ** groups <= mpf(delta) * (1 + slack)


@pytest.mark.parametrize(("epsilon", "delta", "groups", "least"), PARAMETERS)
def test_the_bound_is_the_least_that_is_private(epsilon, delta, groups, least):
    mechanism = TruncatedGeometricThreshold(Fraction(epsilon), Fraction(delta), groups, least)
    with mpmath.workdps(60):
        r = mpmath.exp(-mpf(mechanism.epsilon_per_key))
        d = mpf(mechanism.delta_per_key)

        def edge(bound):
            return (1 - r) * r**bound / (1 + r - 2 * r ** (bound + 1))

        assert edge(mechanism.bound) <= d
        assert mechanism.bound == 1 or edge(mechanism.bound - 1) > d
        closed = mpmath.log((1 - r + 2 * d * r) / (d * (1 + r))) / mpf(mechanism.epsilon_per_key)
        assert mechanism.bound == max(1, int(mpmath.ceil(closed)))


@pytest.mark.parametrize(("epsilon", "delta", "groups", "least"), PARAMETERS)
def test_the_coin_spends_delta_and_no_more(epsilon, delta, groups, least):
    """Also with the coin shown: the chances of each cut, times what it leaks, sum to at most d."""
    mechanism = TruncatedGeometricThreshold(Fraction(epsilon), Fraction(delta), groups, least)
    assert sum(chance for _, chance in mechanism.cuts) == 1
    with mpmath.workdps(60):
        e, d = mpf(mechanism.epsilon_per_key), mpf(mechanism.delta_per_key)
        ratio = mpmath.exp(-e)
        for n in (mechanism.bound + 1, 2 * mechanism.bound + mechanism.min_units):
            laws = [(cut.pmf(n, ratio), cut.pmf(n + 1, ratio), p) for cut, p in mechanism.cuts]
            for forth in (True, False):
                leak = mpmath.fsum(
                    mpf(p) * (excess(a, b, e) if forth else excess(b, a, e)) for a, b, p in laws
                )
                assert leak <= d * (1 + mpmath.mpf(10) ** -50)
        edges = [
            (1 - ratio) * ratio**cut.bound / (1 + ratio - 2 * ratio ** (cut.bound + 1))
            for cut, _ in mechanism.cuts
        ]
        spent = mpmath.fsum(mpf(p) * t for (_, p), t in zip(mechanism.cuts, edges, strict=True))
        assert spent <= d
        if mechanism.bound > 1:
            assert spent >= d - mpmath.mpf(2) ** -63


@pytest.mark.parametrize("epsilon", ["1/10", "1", "3"])
def test_selection_is_the_optimum_but_for_delta(epsilon):
    """The best (e, d)-DP selection shows no key with more chance than ours plus delta
    (Desfontaines et al. 2020, its recursion)."""
    mechanism = TruncatedGeometricThreshold(Fraction(epsilon), MILLIONTH, 1)
    with mpmath.workdps(60):
        e, d = mpf(epsilon), mpf(MILLIONTH)
        ratio, best = mpmath.exp(-e), mpmath.mpf(0)
        for n in range(3 * mechanism.bound):
            shown = 1 - mechanism.pmf(n, ratio)[None]
            assert best - d < shown <= best + mpmath.mpf(10) ** -50
            best = min(best / ratio + d, 1 - ratio * (1 - best - d), mpmath.mpf(1))


def test_the_coin_is_fair_to_its_chance():
    mechanism = TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1)
    [(wide, _), (narrow, chance)] = mechanism.cuts
    assert (wide.bound, narrow.bound) == (14, 13)
    assert 0.93 < chance < 0.94
    draws = [mechanism.draw() for _ in range(20_000)]
    share = sum(draw == narrow for draw in draws) / 20_000
    assert abs(share - chance) < 5 * (chance * (1 - chance) / 20_000) ** 0.5
    assert set(draws) == {wide, narrow}


@pytest.mark.parametrize(
    ("rate", "delta"),
    [("1e-9", "1e-6"), ("1e-9", "9e-1"), ("1e-15", "1e-30"), ("1e9", "1e-30"), ("5000", "1e-6")],
)
def test_least_bound_at_extremes(rate, delta):
    e, d = Fraction(rate), Fraction(delta)
    bound = least_bound(e, d)
    with mpmath.workdps(80):
        closed = mpmath.log(
            (1 - mpmath.exp(-mpf(e)) + 2 * mpf(d) * mpmath.exp(-mpf(e)))
            / (mpf(d) * (1 + mpmath.exp(-mpf(e))))
        ) / mpf(e)
        assert bound == max(1, int(mpmath.ceil(closed)))


def test_known_thresholds():
    """The figures of the literature at eps = 1, delta = 1e-6: K = 14, released from 15 on."""
    assert TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1).threshold == 15
    assert TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1, 1).threshold == 15
    assert TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1, 10).threshold == 24
    assert TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 5).threshold == 67


@pytest.mark.parametrize("least", [0, 4])
@pytest.mark.parametrize("count", [1, 5, 14, 16, 40])
def test_truncated_geometric_releases_its_law(count, least):
    mechanism = TruncatedGeometricThreshold(Fraction(2, 3), Fraction(1, 100), 1, least)
    size = 100_000
    cut = mechanism.draw()  # one coin for all keys of a release
    kept, noisy = cut.release(Exact(np.full(size, count)))
    assert (kept.dtype, noisy.dtype) == (bool, np.int64)
    law = cut.pmf(count, float(np.exp(-2 / 3)))
    assert not noisy[~kept].any()
    assert set(noisy[kept].tolist()) <= set(law)
    seen = [(~kept).sum() if key is None else (kept & (noisy == key)).sum() for key in law]
    expected = np.array(list(law.values())) * size
    assert np.abs((np.array(seen) - expected) / np.sqrt(expected + 1)).max() < 5.5


@pytest.mark.parametrize("least", [0, 1, 2, 10])
@pytest.mark.parametrize("kind", ["geometric", "gaussian"])
def test_counts_below_the_minimum_never_appear(kind, least):
    """Even where delta is large and noise wide: n = 0 and n < min_units are never kept."""
    delta = Fraction(9, 10)
    mechanism = (
        TruncatedGeometricThreshold(Fraction(1, 50), delta, 1, least)
        if kind == "geometric"
        else GaussianThreshold(Fraction(50), delta, 1, least)
    )
    for count in range(max(least, 1)):
        kept, noisy = mechanism.release(Exact(np.full(5000, count)))
        assert not kept.any()
        assert not noisy.any()
    kept, _ = mechanism.release(Exact(np.full(5000, max(least, 1))))
    assert kept.any()


def test_the_minimum_moves_the_threshold_and_nothing_else():
    ratio = Fraction(1, 3)
    plain = TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 2)
    moved = TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 2, 8)
    assert moved.items == plain.items
    for n in (1, 5, 30, 60):
        shifted = {None if y is None else y + 7: p for y, p in plain.pmf(n, ratio).items()}
        assert moved.pmf(n + 7, ratio) == shifted
    assert (
        GaussianThreshold(Fraction(9), MILLIONTH, 2, 8).threshold
        == GaussianThreshold(Fraction(9), MILLIONTH, 2).threshold + 7
    )


@pytest.mark.parametrize("delta", ["1/1000000000", "1/1000", "2/5"])
def test_huge_epsilon_keeps_two_and_is_exact(delta):
    mechanism = TruncatedGeometricThreshold(Fraction(10**9), Fraction(delta), 1)
    assert (mechanism.bound, mechanism.threshold) == (1, 2)
    with mpmath.workdps(40):
        for n in (2, 3, 10):
            law = mechanism.pmf(n, mpmath.exp(-(10**9)))
            assert law.get(None, 0) <= 2 * mpf(delta)
            assert law[n] >= 1 - 2 * mpf(delta)
    counts = np.arange(50_000) % 7
    for selector in (mechanism, GaussianThreshold(Fraction(1, 10**9), Fraction(delta), 3)):
        kept, noisy = selector.release(Exact(counts))
        assert np.array_equal(kept, counts >= 2)
        assert np.array_equal(noisy, np.where(counts >= 2, counts, 0))


def test_geometric_prices_exactly_what_was_asked():
    for groups in (1, 3, 7, 1000):
        mechanism = TruncatedGeometricThreshold(Fraction(1), MILLIONTH, groups)
        [(event, count)] = mechanism.items
        assert event == Threshold(Fraction(1, groups), MILLIONTH / groups, 1)
        assert event.pure() * count == 1
        assert event.delta() * count == MILLIONTH


@pytest.mark.parametrize("groups", [1, 4, 100, 10**6])
@pytest.mark.parametrize("delta", ["1/1000000", f"1/{10**30}", "1/10", "1/2", "9/10"])
def test_delta_per_key_is_safe(groups, delta):
    with mpmath.workdps(120):
        truth = 1 - (1 - mpf(delta)) ** (mpmath.mpf(1) / groups)
        assert mpf(delta_per_key(Fraction(delta), groups)) <= truth * (1 + mpmath.mpf(10) ** -50)
        assert delta_per_key(Fraction(delta), groups) >= Fraction(delta) / groups


def test_the_assumption_on_erfc():
    """libm's erfc is right to a relative 2^-41 where the quantile search reads it."""
    with mpmath.workdps(60):
        for z in np.linspace(-6, 16, 2000).tolist():
            truth = mpmath.erfc(mpmath.mpf(z))
            assert abs(mpmath.mpf(math.erfc(z)) - truth) < truth * mpmath.mpf(2) ** -44


@pytest.mark.parametrize("tail", ["1/2", "9/10", "1/20", "1/1000000", f"1/{10**30}", f"1/{10**60}"])
def test_the_quantile_is_from_above(tail):
    z = upper_quantile(Fraction(tail))
    with mpmath.workdps(60):
        assert mpmath.erfc(mpmath.mpf(z) / mpmath.sqrt(2)) / 2 <= mpf(tail)
        less = mpmath.mpf(z) - 1e-11 * max(1, abs(z))
        assert mpmath.erfc(less / mpmath.sqrt(2)) / 2 > mpf(tail)


@pytest.mark.parametrize("sigma", ["1/1000000000", "1/3", "1", "9/2", "75/2", "1000", str(10**9)])
@pytest.mark.parametrize("groups", [1, 5, 1000])
@pytest.mark.parametrize("delta", ["1/1000000", f"1/{10**30}", "1/20", "9/10"])
def test_gaussian_threshold_holds_delta(sigma, groups, delta):
    """1 + round(N) >= T for one of `groups` lone keys: at most delta, and T not wasteful."""
    mechanism = GaussianThreshold(Fraction(sigma), Fraction(delta), groups)
    with mpmath.workdps(60):

        def leak(threshold):
            z = (mpmath.mpf(threshold) - 1 - mpmath.mpf(1) / 2) / mpf(sigma)
            return 1 - (1 - mpmath.erfc(z / mpmath.sqrt(2)) / 2) ** groups

        assert leak(mechanism.threshold) <= mpf(delta)
        if Fraction(delta) <= Fraction(1, 2) and Fraction(sigma) < 10**9:
            # Minimal, but for a T that the float's slack may have lifted by one grid step.
            assert leak(mechanism.threshold - 1) > mpf(delta) * (1 - mpmath.mpf(10) ** -6)


def test_without_the_half_unit_delta_would_be_wrong():
    naive = int(np.ceil(1 + stats.norm.isf(1e-6)))
    right = GaussianThreshold(Fraction(1), MILLIONTH, 1).threshold
    leak = [stats.norm.sf(t - 1.5) for t in (naive, right)]
    assert leak[1] <= 1e-6
    assert leak[0] > 3e-6


def test_gaussian_threshold_releases_its_law():
    mechanism = GaussianThreshold(Fraction(4), Fraction(1, 20), 2)
    for count in (1, 8, 12, 30):
        kept, noisy = mechanism.release(Exact(np.full(50_000, count)))
        chance = stats.norm.sf((mechanism.threshold - count - 0.5) / 4)
        spread = np.sqrt(chance * (1 - chance) / 50_000)
        assert abs(kept.mean() - chance) < 5 * spread + 1e-4
        assert (noisy[kept] >= mechanism.threshold).all()
        assert not noisy[~kept].any()
    assert abs(noisy[kept].mean() - 30) < 0.1


def test_gaussian_prices_noise_and_delta_apart():
    noise, selection = GaussianThreshold(Fraction(10), MILLIONTH, 4).items
    assert noise == (Gaussian(noise_multiplier=Fraction(5)), 1)
    assert selection == (Threshold(Fraction(0), MILLIONTH, 1), 1)
    assert selection[0].pure() == 0
    assert selection[0].delta() == MILLIONTH


def test_empty_and_wide_inputs():
    for mechanism in (
        TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1),
        GaussianThreshold(Fraction(5), MILLIONTH, 1),
    ):
        kept, noisy = mechanism.release(Exact(np.array([], dtype=np.int64)))
        assert len(kept) == len(noisy) == 0
        kept, noisy = mechanism.release(Exact(np.array([2**48, 0], dtype=object)))
        assert kept.tolist() == [True, False]
        assert abs(int(noisy[0]) - 2**48) < 60


def test_tiny_epsilon_and_many_groups():
    mechanism = TruncatedGeometricThreshold(Fraction(1, 2**30), MILLIONTH, 1000)
    kept, _ = mechanism.release(Exact(np.array([1, 10, mechanism.bound * 3])))
    assert kept.tolist() == [False, False, True]
    wide = GaussianThreshold(Fraction(2**45), MILLIONTH, 1000)
    kept, _ = wide.release(Exact(np.array([1, wide.threshold * 5])))
    assert kept.tolist() == [False, True]


@pytest.mark.parametrize(
    "build",
    [
        lambda: TruncatedGeometricThreshold(Fraction(0), MILLIONTH, 1),
        lambda: TruncatedGeometricThreshold(0.5, MILLIONTH, 1),
        lambda: TruncatedGeometricThreshold(Fraction(1), Fraction(0), 1),
        lambda: TruncatedGeometricThreshold(Fraction(1), Fraction(1), 1),
        lambda: TruncatedGeometricThreshold(Fraction(1), 1e-6, 1),
        lambda: TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 0),
        lambda: TruncatedGeometricThreshold(Fraction(1), MILLIONTH, 1, -1),
        lambda: TruncatedGeometricThreshold(Fraction(1, 2**70), Fraction(1, 10**30), 1),
        lambda: GaussianThreshold(Fraction(0), MILLIONTH, 1),
        lambda: GaussianThreshold(Fraction(2**51), MILLIONTH, 1),
        lambda: GaussianThreshold(Fraction(1), MILLIONTH, 1, 1.5),
    ],
)
def test_bad_parameters_are_refused_at_construction(build):
    with pytest.raises(ValueError):
        build()
