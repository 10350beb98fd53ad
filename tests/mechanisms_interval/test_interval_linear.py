"""Linear error bars against brute-force convolution, closed forms and measured coverage."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, stats

from dpsql.mechanisms.interval import (
    Law,
    continuous_quantiles,
    expected_error,
    half_width,
    rounded_pmf,
    rounded_variance,
)

LAWS: tuple[Law, ...] = ("laplace", "gaussian")


def cdf(law, x, scale):
    return (stats.laplace if law == "laplace" else stats.norm).cdf(x, scale=scale)


def brute_force(law, weights, scales, confidence):
    """Least h by listing every atom of the rounded laws, probabilities from scipy's cdf."""
    sides = []
    for weight, scale in zip(weights, scales, strict=True):
        k = np.arange(-int(25 * scale) - 3, int(25 * scale) + 4)
        sides.append((abs(weight) * k, cdf(law, k + 0.5, scale) - cdf(law, k - 0.5, scale)))
    mass: dict[float, float] = {}
    for atoms in itertools.product(*(list(zip(*side, strict=True)) for side in sides)):
        size = round(abs(sum(value for value, _ in atoms)), 9)
        mass[size] = mass.get(size, 0.0) + math.prod(chance for _, chance in atoms)
    covered = 0.0
    for size in sorted(mass):
        covered += mass[size]
        if covered >= confidence:
            return size
    raise AssertionError("not enough mass")


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [0.05, 0.2, 0.4, 1.0, 2.7])
@pytest.mark.parametrize("weights", [(1,), (-2.5,), (1, 1), (1, 0.5), (0.3, 0.77)])
def test_small_scales_equal_brute_force(law, scale, weights):
    scales = [scale, scale * 1.5][: len(weights)]
    for confidence in (0.5, 0.95, 0.99):
        want = brute_force(law, weights, scales, confidence)
        assert half_width(law, weights, scales, confidence) == pytest.approx(want, abs=1e-8)


def test_one_laplace_coordinate_is_the_closed_form_at_every_scale():
    for scale in (Fraction(1, 10**12), Fraction(1, 3), 1, 10, 10**6, 2**100):
        edge = float(scale) * math.log(20) - 0.5
        want = max(0, math.ceil(edge))
        assert half_width("laplace", [1], [scale]) == pytest.approx(want, rel=1e-12)
    assert half_width("laplace", [1, 1, 0.5], [Fraction(1, 10**12)] * 3) == 0
    assert half_width("gaussian", [1], [10]) == 20  # ceil(19.6 - 0.5)


@pytest.mark.parametrize("betas", [(1, 1), (2, 0.7), (1, 1.000001), (3, 1, 0.2), (1, 1, 1, 1)])
def test_laplace_sums_equal_the_characteristic_function(betas):
    point = continuous_quantiles("laplace", np.array([betas], dtype=float), 0.95)[0]

    def integrand(u):
        return math.prod(1 / (1 + (b * u) ** 2) for b in betas) * np.sinc(u * point / math.pi)

    inside = 2 / math.pi * point * integrate.quad(integrand, 0, 400, limit=2000)[0]
    assert inside == pytest.approx(0.95, abs=2e-6)


def test_rows_of_a_batch_do_not_depend_on_each_other():
    rows = np.array([[1.0, 1.0], [5.0, 1e-9], [0.0, 0.0], [1e20, 3e20]])
    together = continuous_quantiles("laplace", rows, 0.95)
    alone = [float(continuous_quantiles("laplace", row[None, :], 0.95)[0]) for row in rows]
    assert together == pytest.approx(alone, rel=1e-8)
    assert together[1] == pytest.approx(5 * math.log(20), rel=2e-6)
    assert together[2] == 0


def test_large_scales_are_the_continuous_quantile_and_at_most_the_rounding_more():
    for law in LAWS:
        spread = float(continuous_quantiles(law, np.array([[50.0, 50.0]]), 0.95)[0])
        assert half_width(law, [1, 1], [50, 50]) == pytest.approx(spread + 1)
    assert half_width("gaussian", [3, 4], [1e9, 1e9]) == pytest.approx(1.959963985 * 5e9, rel=1e-8)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [0.01, 0.2, 0.7, 1.9, 2.1, 5.0, 40.0])
def test_variance_and_expected_error_of_the_rounded_law(law, scale):
    k = np.arange(-int(40 * scale) - 3, int(40 * scale) + 4)
    upper = cdf(law, -(np.abs(k) - 0.5), scale) - cdf(law, -(np.abs(k) + 0.5), scale)
    want = float((k * k * upper).sum())
    assert rounded_variance(law, scale) == pytest.approx(want, rel=1e-6, abs=1e-12)
    error = expected_error(law, [1, -0.5], [scale, scale])
    assert error == pytest.approx(math.sqrt(1.25 * want), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_expected_error_of_huge_and_tiny_scales(law):
    factor = 2 if law == "laplace" else 1
    assert expected_error(law, [1], [2**100]) == pytest.approx(math.sqrt(factor) * 2.0**100)
    assert expected_error(law, [1], [Fraction(1, 10**12)]) == 0
    assert expected_error(law, [1], [0]) == 0
    assert expected_error(law, [], []) == 0


@pytest.mark.parametrize("law", LAWS)
def test_the_pmf_sums_to_one_up_to_what_was_trimmed(law):
    for scale in (0.001, 0.3, 6.0):
        values, chances = rounded_pmf(law, scale)
        assert 1 - 2e-10 <= chances.sum() <= 1 + 1e-12
        assert chances == pytest.approx(
            cdf(law, values + 0.5, scale) - cdf(law, values - 0.5, scale), abs=1e-12
        )


def test_bad_numbers_are_refused():
    for weights, scales in (([1], [1, 2]), ([1], [-1]), ([math.nan], [1]), ([1], [math.inf])):
        with pytest.raises(ValueError):
            half_width("laplace", weights, scales)
    with pytest.raises(ValueError):
        half_width("laplace", [1], [1], confidence=1.0)
    with pytest.raises(ValueError):
        half_width("cauchy", [1], [1])  # type: ignore[arg-type]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("scale", [10.0, 60.0, 1e6])
def test_measured_coverage_of_linear_answers(law, scale):
    rng = np.random.default_rng(20261)
    draw = rng.laplace if law == "laplace" else rng.normal
    noise = np.rint(draw(size=(3, 400_000)) * scale)
    for weights in ((1,), (1, 1), (1, 0.5), (0.3, 0.77), (1, 1, 1), (0, 0.5, 1)):
        error = np.abs(np.tensordot(weights, noise[: len(weights)], 1))
        inside = (error <= half_width(law, weights, [scale] * len(weights)) * (1 + 1e-12)).mean()
        assert 0.948 <= inside <= 0.965
