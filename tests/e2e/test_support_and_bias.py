"""What comes out of the noise: unbiased, on the grid, without NaN, the same support for 0 and 1.

Issue 2, point 1, through the pipeline's own `perturb` (tests/mechanisms tests the samplers alone).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import e2e_neighbours as neighbours
import numpy as np
import pyarrow as pa
import pytest

from dpsql.core.exact import Exact
from dpsql.mechanisms import entropy
from dpsql.pipeline import perturb
from dpsql.pipeline.stages import ExactCells


@pytest.fixture(autouse=True)
def seeded(request, monkeypatch):
    """The default run draws one fixed stream, the slow one what the system gives."""
    if request.node.get_closest_marker("slow"):
        return
    bits = np.random.PCG64(20260922)
    monkeypatch.setattr(entropy, "words", lambda count: bits.random_raw(count).astype(np.uint64))


@cache
def planner():
    world = neighbours.World.open()
    world.load({"shops": [("x", "r"), ("y", "s")]})
    return world


@cache
def plan_of(sql, *, epsilon=1.0, delta=1e-6, **bounds):
    (plan,) = planner().plan(sql, neighbours.policy(**bounds), epsilon=epsilon, delta=delta)
    return plan


def cells_of(plan, values, units=None):
    """Exact cells of private keys 0..n-1: `values[i]` is block i's (coordinates, groups)."""
    count = values[0].shape[1]
    keys = tuple(
        pa.chunked_array([pa.array([f"k{i:06}" for i in range(count)])]) for _ in plan.keys
    )
    return ExactCells(Exact(keys), units, tuple(Exact(block) for block in values))


def many(plan, values, groups):
    """The answers of `groups` private keys that all hold the same exact vector."""
    blocks = [np.repeat(np.array([v], dtype=np.int64).T, groups, axis=1) for v in values]
    units = Exact(np.full(groups, 10**6, dtype=np.int64))
    release = perturb.run(plan, cells_of(plan, blocks, units))
    assert release.table.num_rows == groups
    return release.table


LAWS = {"laplace": {"epsilon": 1.0, "delta": 1e-6}, "gaussian": {"epsilon": 0.5, "delta": 0.3}}


def counts(law, true, groups=100_000):
    plan = plan_of(
        "SELECT kind, COUNT(*) FROM events GROUP BY kind",
        max_groups=1 if law == "laplace" else 12,
        max_rows=3,
        **LAWS[law],
    )
    assert plan.law == law
    table = many(plan, [[true]], groups)
    return plan, np.array(table.column("a0").to_pylist())


def spread(plan):
    part = plan.blocks[0].mechanism
    scale = getattr(part, "scale", None)
    return float(part.sigma) if scale is None else float(scale) * math.sqrt(2)


def unbiased(law, true, errors):
    plan, seen = counts(law, true)
    assert all(isinstance(value, int) for value in seen[:100].tolist())
    assert seen.min() < true - 2 * spread(plan), "clamped from below?"
    mean, error = float(np.mean(seen)) - true, spread(plan) / math.sqrt(len(seen))
    assert abs(mean) < errors * error
    return mean / error


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("true", [0, 1, 7, 1_000_003])
def test_a_hundred_thousand_counts_are_unbiased(law, true):
    """The mean error of 10^5 COUNTs lies within 3 standard errors of 0, at 0 as well."""
    unbiased(law, true, 3)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_fresh_counts_are_unbiased(law):
    unbiased(law, 7, 6)


@pytest.mark.parametrize("fault", ["clamped at 0", "rounded down", "half off"])
def test_a_bias_is_seen(fault, monkeypatch):
    from dpsql.mechanisms.laplace import LaplaceMechanism

    real = LaplaceMechanism.release
    change = {
        "clamped at 0": lambda noisy: np.maximum(noisy, 0),
        "rounded down": lambda noisy: np.where(noisy % 2 == 0, noisy, noisy - 1),
        "half off": lambda noisy: noisy + (np.arange(noisy.size).reshape(noisy.shape) % 10 == 0),
    }[fault]
    monkeypatch.setattr(LaplaceMechanism, "release", lambda self, exact: change(real(self, exact)))
    with pytest.raises(AssertionError):
        unbiased("laplace", 1, 3)


@pytest.mark.parametrize("law", LAWS)
def test_the_spread_is_the_declared_one(law):
    """Two-sided: 3 % more or less noise than the plan prices is seen."""
    plan, seen = counts(law, 7)
    assert abs(float(np.std(seen)) / spread(plan) - 1) < 0.03


@pytest.mark.parametrize("law", LAWS)
def test_a_pairs_coordinates_have_the_declared_noise(law):
    """COVAR's basis of four: the count read from it is unbiased, its spread that of four draws."""
    plan = plan_of(
        "SELECT kind, COVAR_POP(x, n), REGR_COUNT(x, n) FROM events GROUP BY kind",
        max_groups=1 if law == "laplace" else 12,
        max_rows=1,
        **LAWS[law],
    )
    (part,) = plan.blocks
    assert (plan.law, part.block.coordinates) == (law, 4)
    row, rows, groups = part.block.row_total, 5_000, 50_000
    table = many(plan, [[rows * row - 700, 500, 150, 50]], groups)
    seen = np.array(table.column("a1").to_pylist(), dtype=float)
    wanted = math.sqrt(4 * spread(plan) ** 2 / row**2 + 1 / 12)  # rounded to whole rows
    assert abs(seen.std() / wanted - 1) < 0.03
    assert abs(seen.mean() - rows) < 4 * wanted / math.sqrt(groups)


@pytest.mark.parametrize("law", LAWS)
def test_no_output_is_possible_under_one_count_only(law):
    """Counts 0 and 1: every value near the centre occurs under both, none between the integers."""
    plan, zero = counts(law, 0)
    _, one = counts(law, 1)
    reach = int(2 * spread(plan))
    near = set(range(-reach, reach + 1))
    assert near <= set(zero.tolist())
    assert near <= set(one.tolist())


def test_a_short_support_is_seen(monkeypatch):
    """Even noise only: outputs would tell 0 from 1."""
    from dpsql.mechanisms.laplace import LaplaceMechanism

    real = LaplaceMechanism.release

    def even(self, exact):
        value = exact.open_for_noise()
        noise = real(self, exact) - value
        return value + 2 * (noise // 2)

    monkeypatch.setattr(LaplaceMechanism, "release", even)
    with pytest.raises(AssertionError):
        test_no_output_is_possible_under_one_count_only("laplace")


ODD = {
    "AVG(n)": [[0, 0]],
    "AVG(x)": [[0, 0]],
    "VAR_SAMP(n)": [[0, 0, 0]],
    "VAR_POP(x)": [[0, 0, 0]],
    "STDDEV_SAMP(n)": [[0, 0, 0]],
    "STDDEV_POP(x)": [[0, 0, 0]],
    "SUM(x)": [[0]],
    "SUM(n)": [[0]],
}


@pytest.mark.parametrize("call", ODD)
@pytest.mark.parametrize("epsilon", [1e-9, 1e-3, 1.0, 1e9])
def test_no_answer_is_nan_or_infinite(call, epsilon):
    """Empty groups at any ε: NULL where the noisy count leaves nothing, else finite numbers."""
    plan = plan_of(
        f"SELECT kind, {call} FROM events GROUP BY kind", epsilon=epsilon, delta=0.1, max_groups=1
    )
    table = many(plan, ODD[call], 500)
    for name in ("a0", "a0_low", "a0_high"):
        if name not in table.column_names:
            continue
        for value in table.column(name).to_pylist():
            assert value is None or math.isfinite(value)
    values = table.column("a0").to_pylist()
    if call.startswith("SUM"):
        assert None not in values, "SUM over no rows is 0 plus noise, never NULL"
    if call.startswith("STDDEV"):
        assert all(value is None or value >= 0 for value in values)


def test_null_where_the_noisy_count_is_not_positive():
    plan = plan_of("SELECT kind, AVG(n) FROM events GROUP BY kind", epsilon=0.1, max_groups=1)
    values = many(plan, ODD["AVG(n)"], 2000).column("a0").to_pylist()
    share = sum(value is None for value in values) / len(values)
    assert 0.4 < share < 0.6  # an empty group's noisy count is not positive half of the time
    low, high = -3, 5
    assert all(value is None or low <= value <= high for value in values)


def test_sums_lie_on_the_grid():
    """Every noisy SUM of a DOUBLE is a whole number of public grid units."""
    plan = plan_of("SELECT kind, SUM(x) FROM events GROUP BY kind", max_groups=1)
    unit = plan.blocks[0].block.grid.unit
    for value in many(plan, [[12345]], 1000).column("a0").to_pylist():
        assert (Fraction(value) / unit).denominator == 1


def test_rare_keys_are_withheld():
    """Keys of one unit appear with probability at most δ: none of 20,000 at δ = 1e-6."""
    plan = plan_of("SELECT kind, COUNT(*) FROM events GROUP BY kind", max_groups=1, max_rows=1)
    groups = 20_000
    cells = cells_of(
        plan, [np.ones((1, groups), np.int64)] * len(plan.blocks), Exact(np.ones(groups, np.int64))
    ) if plan.blocks else ExactCells(
        Exact((pa.chunked_array([pa.array([f"k{i}" for i in range(groups)])]),)),
        Exact(np.ones(groups, np.int64)),
        (),
    )  # fmt: skip
    assert perturb.run(plan, cells).table.num_rows <= 1
