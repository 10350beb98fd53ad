"""The law of what noise is left."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dpsql.consistency.spread import half_width
from dpsql.mechanisms.interval import continuous_quantiles

NONE = (0.0, 0.0)


def test_one_laplace_is_its_closed_form() -> None:
    assert half_width("laplace", [(7.0, 1)], rounding=NONE) == pytest.approx(
        7 * math.log(20), rel=1e-4
    )


@pytest.mark.parametrize("betas", [(1, 1), (3, 1, 1), (5, 2, 2, 0.5), (9, 1, 1, 1, 1, 1)])
def test_several_are_the_phase_type_law(betas) -> None:
    terms = [(float(b), 1) for b in betas]
    expected = continuous_quantiles("laplace", np.array([betas], dtype=float), 0.95)[0]
    assert half_width("laplace", terms, rounding=NONE) == pytest.approx(expected, rel=2e-4)


def test_many_are_nearly_gaussian_and_gaussians_are() -> None:
    many = half_width("laplace", [(1.0, 10_000)], rounding=NONE)
    assert many == pytest.approx(1.95996 * math.sqrt(20_000), rel=1e-3)
    assert half_width("gaussian", [(3.0, 4), (1.0, 9)], rounding=NONE) == pytest.approx(
        1.959964 * math.sqrt(45), rel=1e-6
    )


def test_roundings_are_added_whole_beside_little_noise() -> None:
    assert half_width("gaussian", [(0.1, 1)], rounding=(1.0, 1 / 6)) == pytest.approx(1.196, 1e-3)
    wide = half_width("gaussian", [(10.0, 1)], rounding=(1.0, 1 / 6))
    assert wide == pytest.approx(1.959964 * math.sqrt(100 + 1 / 6), rel=1e-6)
    assert half_width("laplace", [], rounding=(0.5, 1 / 12)) == 0.5
