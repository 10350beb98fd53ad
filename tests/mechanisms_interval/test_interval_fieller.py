"""Fieller intervals: the quadratic's roots, exact coverage by enumeration, measured coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dpsql.mechanisms.fieller import ratio_interval
from dpsql.mechanisms.interval import rounded_pmf

SPAN = 2.0**20


def average(u, v, *, law, scales, span):
    """Interval of AVG on the grid, M·v/(u + v), from the joint basis u = Σ(M - y), v = Σ y."""
    return ratio_interval(
        np.stack([np.asarray(u, dtype=float), np.asarray(v, dtype=float)]),
        numerator=(0, span),
        denominator=(1, 1),
        law=law,
        scales=scales,
        low=0,
        high=span,
    )


def coverage(law, scale, span, rows, total, groups, seed):
    rng = np.random.default_rng(seed)
    draw = rng.laplace if law == "laplace" else rng.normal
    noise = np.rint(draw(size=(2, groups)) * scale)
    lo, hi = average(
        rows * span - total + noise[0], total + noise[1], law=law, scales=(scale, scale), span=span
    )
    truth, slack = total / rows, 1e-9 * span
    return float(((lo <= truth + slack) & (truth - slack <= hi)).mean())


def test_gaussian_interval_is_between_the_roots_of_fiellers_quadratic():
    rng = np.random.default_rng(7)
    rows, mean, scale = 400.0, 0.3, 5 * SPAN
    u = rows * (1 - mean) * SPAN + rng.normal(size=500) * scale
    v = rows * mean * SPAN + rng.normal(size=500) * scale
    lo, hi = average(u, v, law="gaussian", scales=(scale, scale), span=SPAN)
    z = 1.959963984540054
    n = u + v
    a = n**2 - 2 * (z * scale) ** 2
    b = -2 * n * v + 2 * (z * scale) ** 2
    c = v**2 - (z * scale) ** 2
    root = np.sqrt(b**2 - 4 * a * c)
    want_lo, want_hi = (-b - root) / (2 * a) * SPAN, (-b + root) / (2 * a) * SPAN
    width = want_hi - want_lo
    assert np.all(lo <= want_lo + 1e-3 * width)  # chords and rounding only widen
    assert np.all(hi >= want_hi - 1e-3 * width)
    assert lo == pytest.approx(want_lo, abs=0.002 * float(width.max()))
    assert hi == pytest.approx(want_hi, abs=0.002 * float(width.max()))


def test_laplace_ends_sit_where_the_pivot_meets_its_exact_quantile():
    scale = 3 * SPAN
    u, v = np.array([70.0 * SPAN]), np.array([40.0 * SPAN])
    for end in average(u, v, law="laplace", scales=(scale, scale), span=SPAN):
        p = float(end[0]) / SPAN
        pivot = abs((1 - p) * v[0] - p * u[0])
        a, b = (1 - p) * scale, p * scale
        tail = (a * a * math.exp(-pivot / a) - b * b * math.exp(-pivot / b)) / (a * a - b * b)
        assert tail == pytest.approx(0.05, rel=5e-3)


def test_a_count_within_its_noise_gives_the_whole_range():
    lo, hi = average([5.0, -400.0, 0.0], [6.0, -300.0, 0.0], law="laplace", scales=(9, 9), span=7)
    assert lo.tolist() == [0, 0, 0]
    assert hi.tolist() == [7, 7, 7]


def test_no_noise_gives_the_ratio_itself():
    lo, hi = average([30.0, 0.0], [10.0, 40.0], law="laplace", scales=(1e-9, 1e-9), span=4)
    assert lo == pytest.approx([1, 4])
    assert hi == pytest.approx([1, 4])


def test_noise_carried_past_an_end_keeps_the_end_and_a_width():
    lo, hi = average([-500.0], [40_000.0], law="gaussian", scales=(100, 100), span=10)
    assert hi[0] == 10
    assert 9.9 < lo[0] < 9.96
    lo, hi = average([40_000.0], [-500.0], law="gaussian", scales=(100, 100), span=10)
    assert lo[0] == 0
    assert 0.04 < hi[0] < 0.1


def test_any_linear_basis_and_range():
    """Centred (n, s) of the same noise scales, mean between -R and R, against the quadratic."""
    n, s, sn, ss, z = 900.0, -120.0, 40.0, 60.0, 1.959963984540054
    lo, hi = ratio_interval(
        np.array([[n], [s]]),
        numerator=(0, 1),
        denominator=(1, 0),
        law="gaussian",
        scales=(sn, ss),
        low=-1,
        high=1,
    )
    roots = np.roots([n * n - (z * sn) ** 2, -2 * n * s, s * s - (z * ss) ** 2])
    assert lo[0] == pytest.approx(roots.min(), abs=2e-3)
    assert hi[0] == pytest.approx(roots.max(), abs=2e-3)
    with pytest.raises(ValueError):
        ratio_interval(
            [[1.0]], numerator=[1], denominator=[1], law="laplace", scales=[9], low=1, high=1
        )


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize(("rows", "total"), [(12, 0), (12, 6), (40, 3), (40, 40)])
def test_exact_coverage_at_scale_one_by_listing_all_outcomes(law, rows, total):
    """AVG of a 0/1 column at ε = 1: lattice and noise are of one size."""
    k, chance = rounded_pmf(law, 1.0)
    first, second = (grid.ravel() for grid in np.meshgrid(k, k, indexing="ij"))
    weight = np.multiply.outer(chance, chance).ravel()
    lo, hi = average(rows - total + first, total + second, law=law, scales=(1, 1), span=1)
    truth = total / rows
    inside = weight[(lo <= truth + 1e-9) & (truth - 1e-9 <= hi)].sum()
    assert 0.9499 <= inside <= 0.995


def test_quick_coverage():
    for law in ("laplace", "gaussian"):
        inside = coverage(law, 1.0 * SPAN, SPAN, 60, 20 * SPAN, 20_000, seed=5)
        assert 0.944 <= inside <= 0.956
        assert stats.binom.sf(int(inside * 20_000), 20_000, 0.95) < 0.9999


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize("scale", [10.0, 1e7])
@pytest.mark.parametrize("rows", [30, 100, 2000])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_measured_coverage(law, scale, rows, share):
    inside = coverage(law, scale, scale, rows, round(rows * share) * scale, 100_000, seed=11)
    assert 0.945 <= inside <= 0.972
