"""Every aggregate through `perturb`: noise on the declared grid, all of it, under both neighbours.

`perturb` adds noise to the coordinates of a group; whatever an aggregate makes of them is
post-processing. So each aggregate's coordinates are looked at where they leave `perturb`'s
mechanisms, at a group of nothing and at one of a row: all must be whole numbers, with every residue
as likely as any other where the noise is wide, and every value near the centre under both where it
is narrow.
"""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from test_support_and_bias import cells_of, plan_of

from dpsql import aggregates
from dpsql.aggregates.basis import MomentsBlock, PairBlock
from dpsql.core.exact import Exact
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.pipeline import perturb

TWO = "x, n"
CALLS = {
    "count": "COUNT(x)",
    "count_star": "COUNT(*)",
    "count_units": "COUNT(DISTINCT pid)",
    "sum": "SUM(x)",
    "avg": "AVG(x)",
    "var_pop": "VAR_POP(x)",
    "var_samp": "VAR_SAMP(x)",
    "stddev_pop": "STDDEV_POP(x)",
    "stddev_samp": "STDDEV_SAMP(x)",
    "covar_pop": f"COVAR_POP({TWO})",
    "covar_samp": f"COVAR_SAMP({TWO})",
    "corr": f"CORR({TWO})",
    "regr_slope": f"REGR_SLOPE({TWO})",
    "regr_intercept": f"REGR_INTERCEPT({TWO})",
    "regr_r2": f"REGR_R2({TWO})",
    "regr_count": f"REGR_COUNT({TWO})",
    "regr_avgx": f"REGR_AVGX({TWO})",
    "regr_avgy": f"REGR_AVGY({TWO})",
    "regr_sxx": f"REGR_SXX({TWO})",
    "regr_syy": f"REGR_SYY({TWO})",
    "regr_sxy": f"REGR_SXY({TWO})",
    "weighted_avg": "SUM(COALESCE(n, 0) * n) / SUM(n)",
}
LAWS = {"laplace": (1.0, 1e-6, 1), "gaussian": (0.5, 0.3, 12)}
GROUPS = 6_000
WIDE = 64  # a spread that makes residues modulo 16 uniform to far below what is tested


def plan_for(call, law):
    epsilon, delta, groups = LAWS[law]
    where = "WHERE x IS NOT NULL AND n >= 0" if "/" in call else ""  # else two sums
    sql = f"SELECT kind, {call} FROM events {where} GROUP BY kind"
    return plan_of(sql, epsilon=epsilon, delta=delta, max_groups=groups, max_rows=2)


class Done(Exception):
    """All blocks have been noised; the answers made of them are not looked at."""


def noised(plan, *, row):
    """What each block's mechanism gives `perturb` for groups of nothing, or of one row."""
    seen, law = [], type(plan.blocks[0].mechanism)
    real = law.release

    def release(self, exact):
        seen.append(real(self, exact))
        if len(seen) == len(plan.blocks):
            raise Done
        return seen[-1]

    exact = []
    for part in plan.blocks:
        one = np.zeros((part.block.coordinates, GROUPS), dtype=np.int64)
        one[0] = part.block.row_total if row else 0  # the first coordinate takes the whole row
        exact.append(one)
    units = Exact(np.full(GROUPS, 10**6, dtype=np.int64))
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Done):
        patch.setattr(law, "release", release)
        perturb.run(plan, cells_of(plan, exact, units))
    assert len(seen) == len(plan.blocks)
    return seen


def spread(mechanism):
    scale = getattr(mechanism, "scale", None)
    return float(mechanism.sigma) if scale is None else float(scale) * math.sqrt(2)


def look(plan):
    """Asserts it of every coordinate; how many there were."""
    pairs = [noised(plan, row=row) for row in (False, True)]
    looked = 0
    for index, part in enumerate(plan.blocks):
        wide = spread(part.mechanism) >= WIDE
        for zero, one in zip(pairs[0][index], pairs[1][index], strict=True):
            assert all(isinstance(value, int) for side in (zero, one) for value in side.tolist())
            if wide:
                for side in (zero, one):
                    residues = np.bincount((side % 16).astype(np.int64), minlength=16)
                    assert stats.chisquare(residues).pvalue > 1e-9, residues
            else:
                reach = int(spread(part.mechanism))
                near = set(range(-reach, reach + 1))
                assert near <= set(zero.tolist())
                assert near <= set(one.tolist())
            looked += 1
    return looked


def test_every_aggregate_is_here():
    """A new one needs a line in CALLS; quantiles have bins, below.

    Distinct values are counted by a statement and a mechanism of their own: no block on a grid, and
    the gate is test_gates_distinct.py.
    """
    names = {name for family in aggregates.FAMILIES for name in family.names}
    quantiles = set(aggregates.quantile.FAMILY.names)
    distinct = set(aggregates.distinct.FAMILY.names)
    assert distinct == {"count_distinct"}
    called = set()
    for call in CALLS.values():
        plan = plan_for(call, "laplace")
        called |= {column.aggregate.fn for column in plan.columns}
    elsewhere = quantiles | distinct
    assert names - elsewhere <= called, names - elsewhere - called


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", CALLS)
def test_all_noise_on_the_grid_under_both(name, law):
    plan = plan_for(CALLS[name], law)
    assert all(
        isinstance(part.mechanism, LaplaceMechanism if law == "laplace" else GaussianMechanism)
        for part in plan.blocks
    )
    if name != "count_units":  # what private selection says already
        assert look(plan) >= 1


def test_float_noise_is_seen(monkeypatch):
    """A sampler with the 24 bits of a single-precision float: low bits of wide noise are even."""
    from dpsql.mechanisms import laplace

    real = laplace.rounded_laplace

    def single(scale, size):
        return np.asarray(real(scale, size) * 1.0, dtype=np.float32).astype(np.int64)

    plan = plan_for("VAR_POP(x)", "laplace")
    monkeypatch.setattr(laplace, "rounded_laplace", single)
    with pytest.raises(AssertionError):
        look(plan)


# ---- answers -----------------------------------------------------------------------------------


def test_degrees_are_those_of_wide_blocks():
    """What is said above about wide noise is said about something."""
    wide = [plan_for(CALLS[name], "laplace").blocks[0] for name in ("avg", "var_pop", "corr")]
    assert [type(part.block) for part in wide] == [MomentsBlock, MomentsBlock, PairBlock]
    assert all(spread(part.mechanism) >= WIDE for part in wide)


def test_sums_are_whole_multiples_of_the_grid():
    plan = plan_for("SUM(x)", "laplace")
    exact = [np.zeros((1, GROUPS), dtype=np.int64)]
    units = Exact(np.full(GROUPS, 10**6, dtype=np.int64))
    answer = perturb.run(plan, cells_of(plan, exact, units)).table.column("a0").to_pylist()
    unit = plan.blocks[0].block.grid.unit
    assert all((Fraction(value) / unit).denominator == 1 for value in answer[:2000])
