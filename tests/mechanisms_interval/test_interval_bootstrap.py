"""Variance bars: known answers, shape of the point set, measured coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dpsql.mechanisms.bootstrap import (
    VarianceBasis,
    joint_variance_basis,
    noise_points,
    variance_estimate,
    variance_interval,
)
from dpsql.mechanisms.interval import rounded_variance

COLUMNS = {
    "uniform": lambda rng, n, span: rng.integers(0, span + 1, n),
    "low": lambda rng, n, span: rng.binomial(span, 0.1, n),
}


def sums(y, span):
    return np.array([((span - y) ** 2).sum(), (2 * y * (span - y)).sum(), (y * y).sum()])


def coverage(law, scale, span, rows, shape, sample, groups):
    rng = np.random.default_rng(31)
    y = COLUMNS[shape](rng, rows, span).astype(float)
    draw = rng.laplace if law == "laplace" else rng.normal
    noisy = sums(y, span)[:, None] + np.rint(draw(size=(3, groups)) * scale)
    lo, hi = variance_interval(
        noisy, basis=joint_variance_basis(span), law=law, scales=(scale,) * 3, sample=sample
    )
    truth, slack = y.var(ddof=1 if sample else 0), 1e-9 * span**2
    return float(((lo <= truth + slack) & (truth - slack <= hi)).mean())


def test_without_noise_the_bar_is_the_variance_itself():
    y = np.array([0, 3, 4, 10, 10], dtype=float)
    basis = joint_variance_basis(10)
    for sample in (False, True):
        want = y.var(ddof=1 if sample else 0)
        lo, hi = variance_interval(
            sums(y, 10)[:, None], basis=basis, law="laplace", scales=(1e-9,) * 3, sample=sample
        )
        assert lo[0] == pytest.approx(want)
        assert hi[0] == pytest.approx(want)
        got = variance_estimate(sums(y, 10)[:, None], basis=basis, sample=sample)
        assert got[0] == pytest.approx(want)


def test_where_the_noise_may_be_all_there_is_the_bar_is_the_whole_range():
    lo, hi = variance_interval(
        [[50.0], [60.0], [50.0]],
        basis=joint_variance_basis(10),
        law="laplace",
        scales=(1000.0,) * 3,
    )
    assert (lo[0], hi[0]) == (0.0, 25.0)
    empty = variance_estimate([[-1.0], [0.0], [0.0]], basis=joint_variance_basis(10))
    assert math.isnan(empty[0])


def test_a_centred_basis_gives_the_same_answer_without_noise():
    y = np.array([-2.0, 1.0, 5.0, 5.0])
    basis = VarianceBasis(count=(1, 0, 0), total=(0, 1, 0), squares=(0, 0, 1), span=10)
    got = variance_estimate([[4.0], [y.sum()], [(y * y).sum()]], basis=basis)
    assert got[0] == pytest.approx(y.var())


def test_the_points_follow_the_rounded_law():
    for law in ("laplace", "gaussian"):
        for scale in (0.6, 30.0):
            points = noise_points(law, (scale,) * 3)
            assert np.array_equal(points, np.rint(points))
            assert abs(points.mean(axis=1)).max() < 1e-9
            want = math.sqrt(rounded_variance(law, scale))
            assert points.std(axis=1) == pytest.approx([want] * 3, rel=0.06)
            assert abs(np.corrcoef(points) - np.eye(3)).max() < 0.1


def test_bars_are_the_same_every_time_and_in_every_block():
    rng = np.random.default_rng(2)
    noisy = np.array([[3e5], [2e5], [1e5]]) + np.rint(rng.normal(size=(3, 5000)) * 900)
    keywords = {"basis": joint_variance_basis(50), "law": "gaussian", "scales": (900.0,) * 3}
    lo, hi = variance_interval(noisy, **keywords)
    again = variance_interval(noisy[:, 4000:4010], **keywords)
    assert np.array_equal(lo[4000:4010], again[0])
    assert np.array_equal(hi[4000:4010], again[1])
    estimate = variance_estimate(noisy, basis=joint_variance_basis(50))
    assert np.all((lo <= estimate) & (estimate <= hi))


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
def test_quick_coverage(law):
    assert 0.93 <= coverage(law, 100.0, 10, 120, "uniform", False, 2000) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize("shape", list(COLUMNS))
@pytest.mark.parametrize("rows", [60, 200, 2000])
@pytest.mark.parametrize("sample", [False, True])
def test_measured_coverage(law, shape, rows, sample):
    assert 0.935 <= coverage(law, 100.0, 10, rows, shape, sample, 20_000) <= 0.97
