"""LaplaceMechanism and GaussianMechanism: noise, price, support, types, extreme parameters."""

from __future__ import annotations

import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import stats

from dpsql.accountant.events import Gaussian, Laplace
from dpsql.core.exact import Exact
from dpsql.mechanisms import gaussian, laplace, quantile, threshold
from dpsql.mechanisms.gaussian import GaussianMechanism, ratio_to_root
from dpsql.mechanisms.laplace import LaplaceMechanism

HEADINGS = ["Guarantee", "Source", "Parameters", "Shape", "Errors", "Numerics", "Cost"]


def both(scale: Fraction):
    return [LaplaceMechanism(scale, 1, 1), GaussianMechanism(scale, 1)]


@pytest.mark.parametrize(
    "mechanism",
    [
        laplace.LaplaceMechanism,
        gaussian.GaussianMechanism,
        threshold.TruncatedGeometricThreshold,
        threshold.GaussianThreshold,
        quantile.QuantileMechanism,
    ],
)
def test_docstrings_carry_the_seven_headings(mechanism):
    lines = [line.strip() for line in mechanism.__doc__.splitlines()]
    found = [line.split(":")[0] for line in lines if line.split(":")[0] in HEADINGS]
    assert found == HEADINGS
    assert "Precondition" in mechanism.__doc__
    assert "Postcondition" in mechanism.__doc__


def test_laplace_prices_what_it_draws():
    mechanism = LaplaceMechanism(Fraction(7, 2), cell_sensitivity=5, cells=3)
    assert mechanism.items == [(Laplace(noise_multiplier=Fraction(7, 10)), 3)]
    assert mechanism.epsilon == Fraction(30, 7)
    assert sum(event.pure() * count for event, count in mechanism.items) == mechanism.epsilon


def test_gaussian_prices_what_it_draws():
    [(event, count)] = GaussianMechanism(Fraction(10), l2_squared=4).items
    assert (event, count) == (Gaussian(noise_multiplier=Fraction(5)), 1)


@pytest.mark.parametrize("sigma", ["1/1000000000000", "3/7", "1", "123456789/1000", str(2**100)])
@pytest.mark.parametrize("square", [1, 2, 3, 49, 10**6 + 1, 10**40 + 7])
def test_the_noise_multiplier_rounds_down(sigma, square):
    exact = Fraction(sigma)
    ratio = ratio_to_root(exact, square)
    assert ratio > 0
    assert ratio**2 * square <= exact**2
    assert (ratio * (1 + Fraction(1, 2**95))) ** 2 * square >= exact**2


@pytest.mark.parametrize("split", [(1.0,), (0.5, 0.5), (0.7, 0.2, 0.1)])
@pytest.mark.parametrize("order", [1.5, 2.0, 8.0, 40.0])
def test_the_whole_l1_on_one_coordinate_is_the_worst_split(split, order):
    def curve(change):
        return Laplace(noise_multiplier=Fraction(1 / change).limit_denominator(10**6)).renyi(order)

    assert sum(curve(part * 0.8) for part in split) <= curve(0.8) * (1 + 1e-5)


@pytest.mark.parametrize("scale", ["1/3", "1", "4"])
def test_rounded_laplace_is_within_the_pure_price(scale):
    """The rounded law at 0 and at 1: every output possible under both, ratio at most e^eps."""
    with mpmath.workdps(60):
        b = mpmath.mpf(Fraction(scale).numerator) / Fraction(scale).denominator

        def chance(m):
            if m == 0:
                return 1 - mpmath.exp(-1 / (2 * b))
            return (mpmath.exp(-(abs(m) - 0.5) / b) - mpmath.exp(-(abs(m) + 0.5) / b)) / 2

        bound = mpmath.exp(1 / b) * (1 + mpmath.mpf(10) ** -40)
        for output in range(-30, 31):
            assert chance(output) > 0
            assert chance(output) / chance(output - 1) <= bound
            assert chance(output - 1) / chance(output) <= bound


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(1), Fraction(5, 2), Fraction(20)])
def test_no_output_is_possible_under_one_count_only(index, scale):
    mechanism = both(scale)[index]
    size = 300_000
    seen = [
        dict(
            zip(
                *np.unique(mechanism.release(Exact(np.full(size, n))), return_counts=True),
                strict=True,
            )
        )
        for n in (0, 1)
    ]
    law = (stats.laplace, stats.norm)[index]
    for n, other in ((0, 1), (1, 0)):
        for output in seen[n]:
            edges = np.abs(output - other) + np.array([-0.5, 0.5])
            expected = size * (law.sf(edges[0] / float(scale)) - law.sf(edges[1] / float(scale)))
            if expected > 30:  # missing by chance: below 1e-13
                assert output in seen[other]
    assert min(seen[0]) < 0 < max(seen[0])


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("scale", [Fraction(2, 5), Fraction(3), Fraction(10**6)])
def test_unbiased(index, scale):
    """Seeded: the mean error of 1e5 counts is within 3 standard errors (0.27 % false alarm)."""
    counts = np.arange(100_000) % 977
    error = both(scale)[index].release(Exact(counts)) - counts
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(counts))


@pytest.mark.slow
@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("scale", [Fraction(1, 3), Fraction(1), Fraction(1000)])
def test_unbiased_with_fresh_entropy(index, scale):
    # Six cases at 6 standard errors: false alarm below 1.2e-8 in all.
    counts = np.zeros(10_000_000, dtype=np.int64)
    error = both(scale)[index].release(Exact(counts))
    assert abs(error.mean()) < 6 * error.std() / np.sqrt(len(counts))


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("scale", [Fraction(1, 10**12), Fraction(1, 10**9)])
def test_huge_epsilon_gives_the_exact_answer(index, scale):
    counts = np.arange(-500, 500)
    noised = both(scale)[index].release(Exact(counts))
    assert np.array_equal(noised, counts)
    assert noised is not counts
    assert LaplaceMechanism(Fraction(1, 10**9), 1, 1).epsilon == 10**9


@pytest.mark.parametrize("index", [0, 1])
def test_huge_scales_are_python_integers(index):
    noised = both(Fraction(2**100))[index].release(Exact(np.zeros(400, dtype=np.int64)))
    assert noised.dtype == object
    assert all(type(value) is int for value in noised)
    assert 0.5 < np.mean([abs(value) / 2**100 for value in noised]) < 1.5


@pytest.mark.parametrize("index", [0, 1])
def test_types_and_shapes(index):
    mechanism = both(Fraction(2))[index]
    assert mechanism.release(Exact(np.zeros((3, 4), dtype=np.int32))).shape == (3, 4)
    assert mechanism.release(Exact(np.zeros((3, 4), dtype=np.int32))).dtype == np.int64
    assert mechanism.release(Exact(np.zeros((0, 2), dtype=np.int64))).shape == (0, 2)
    assert mechanism.release(Exact([1, 2, 3])).shape == (3,)
    assert mechanism.release(Exact(5)).shape == ()
    edge = mechanism.release(Exact(np.array([2**63 - 1, -(2**63)])))
    assert edge.dtype == object
    assert abs(edge[0] - (2**63 - 1)) < 200
    assert abs(edge[1] + 2**63) < 200
    wide = np.array([[10**30, np.int64(3)]], dtype=object)
    noised = mechanism.release(Exact(wide))
    assert noised.shape == (1, 2)
    assert all(type(value) is int for value in noised.ravel())
    assert abs(noised[0, 0] - 10**30) < 200
    assert wide[0, 0] == 10**30
    assert mechanism.release(Exact(np.array([2**64 - 1], dtype=np.uint64)))[0] > 2**63


@pytest.mark.parametrize("values", [np.array([1.5]), np.array(["1"]), np.array([None])])
def test_only_integers_are_noised(values):
    with pytest.raises(TypeError):
        LaplaceMechanism(Fraction(1), 1, 1).release(Exact(values))


@pytest.mark.parametrize(
    "build",
    [
        lambda: LaplaceMechanism(Fraction(0), 1, 1),
        lambda: LaplaceMechanism(Fraction(-1), 1, 1),
        lambda: LaplaceMechanism(0.5, 1, 1),
        lambda: LaplaceMechanism(Fraction(1), 0, 1),
        lambda: LaplaceMechanism(Fraction(1), 1, 0),
        lambda: LaplaceMechanism(Fraction(1), 1.0, 1),
        lambda: GaussianMechanism(Fraction(0), 1),
        lambda: GaussianMechanism(1.0, 1),
        lambda: GaussianMechanism(Fraction(1), 0),
    ],
)
def test_bad_parameters_are_refused_at_construction(build):
    with pytest.raises(ValueError):
        build()


def test_mechanisms_are_plain_frozen_data():
    for mechanism in both(Fraction(3)):
        assert pickle.loads(pickle.dumps(mechanism)) == mechanism
        with pytest.raises(AttributeError):
            setattr(mechanism, mechanism.__slots__[0], Fraction(1))
