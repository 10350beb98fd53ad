"""The law of what noise is left."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dpsql.consistency.spread import half_width, variance
from dpsql.mechanisms.interval import continuous_quantiles

NONE = (1e-9, 0.0)


def test_one_laplace_is_its_closed_form() -> None:
    assert half_width([("laplace", 7.0, 1)], rounding=NONE) == pytest.approx(
        7 * math.log(20), rel=1e-4
    )


@pytest.mark.parametrize("betas", [(1, 1), (3, 1, 1), (5, 2, 2, 0.5), (9, 1, 1, 1, 1, 1)])
def test_several_are_the_phase_type_law(betas) -> None:
    terms = [("laplace", float(b), 1) for b in betas]
    expected = continuous_quantiles("laplace", np.array([betas], dtype=float), 0.95)[0]
    assert half_width(terms, rounding=NONE) == pytest.approx(expected, rel=2e-4)


def test_many_are_nearly_gaussian_and_gaussians_are() -> None:
    many = half_width([("laplace", 1.0, 10_000)], rounding=NONE)
    assert many == pytest.approx(1.95996 * math.sqrt(20_000), rel=1e-3)
    assert half_width([("gaussian", 3.0, 4), ("gaussian", 1.0, 9)], rounding=NONE) == pytest.approx(
        1.959964 * math.sqrt(45), rel=1e-6
    )


def test_roundings_add_their_variance_and_little_noise_counts_in_steps() -> None:
    wide = half_width([("gaussian", 10.0, 1)], rounding=(1.0, 1 / 6))
    assert wide == pytest.approx(1.959964 * math.sqrt(100 + 1 / 6), rel=1e-6)
    assert half_width([("gaussian", 1.0, 1)], rounding=(1.0, 1 / 6)) == 2.0
    assert half_width([("gaussian", 0.1, 1)], rounding=(1.0, 1 / 6)) == 1.0
    assert half_width([], rounding=(1.0, 1 / 12)) == 0.0


def test_both_laws_together() -> None:
    """Against a fine convolution of the two densities."""
    step = 0.01
    x = np.arange(-60, 60, step)
    laplace = np.exp(-np.abs(x) / 2) / 4
    gaussian = np.exp(-((x / 3) ** 2) / 2) / (3 * math.sqrt(2 * math.pi))
    density = np.convolve(laplace, gaussian, mode="same") * step
    h = half_width([("laplace", 2.0, 1), ("gaussian", 3.0, 1)], rounding=NONE)
    assert density[np.abs(x) <= h].sum() * step == pytest.approx(0.95, abs=2e-3)


@pytest.mark.parametrize(
    "terms",
    [
        [("laplace", 1.0, 2)],
        [("laplace", 1.0, 1), ("laplace", 0.3, 9)],
        [("laplace", 3.0, 1), ("laplace", 1.0, 1)],
        [("laplace", 1.0, 1), ("gaussian", 1.0, 1)],
        [("laplace", 1.0, 500)],
    ],
)
def test_no_sum_is_wider_than_one_laplace_of_its_variance(terms) -> None:
    """By which ratios and variances are told (`Reconciliation.noisy`)."""
    alone = math.sqrt(variance(terms) / 2) * math.log(20)
    assert half_width(terms, rounding=NONE) <= alone * (1 + 2e-4)
