"""Bars after reconciling hold as often as they say, in whole tables drawn many times.

The mechanism's laws are drawn by numpy with a fixed seed: nothing here is random.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dpsql.aggregates.noisy import Linear
from dpsql.consistency.blocks import Contradiction, Reconciliation, Source
from dpsql.consistency.families import Family, Node

COUNT: Linear = ((1,), Fraction(1))
SETS = {
    "rollup": ((0, 1), (0,), ()),
    "cube": ((0, 1), (0,), (1,), ()),
    "two margins": ((0,), (1,)),
}


def reconciliation(sets, laws, scales, exact, rng) -> Reconciliation:
    sources = []
    for axes, law, scale in zip(sets, laws, scales, strict=True):
        away = tuple(axis for axis in range(exact.ndim) if axis not in axes)
        table = np.asarray(exact.sum(axis=away))
        draw = rng.laplace if law == "laplace" else rng.normal
        noisy = np.asarray(table + np.rint(draw(0, scale, table.shape)).astype(int), dtype=object)
        node = Node((0,), axes, tuple(range(len(axes))), {"count": 0})
        sources.append(Source(node, 0, noisy[np.newaxis], 1, law, Fraction(scale), 1))
    nodes = tuple(one.node for one in sources)
    return Reconciliation(Family(exact.shape, nodes, False, ()), sources)


@pytest.mark.parametrize("scale", [0.5, 2.0, 40.0])
@pytest.mark.parametrize("law", ["laplace", "gaussian"])
@pytest.mark.parametrize("name", SETS)
def test_bars_hold_19_times_in_20(name: str, law: str, scale: float) -> None:
    rng = np.random.default_rng(20261128)
    sets, exact = SETS[name], rng.integers(0, 30, (4, 5))
    inside = dict.fromkeys(sets, 0)
    cells = dict.fromkeys(sets, 0)
    width = {}
    for _ in range(150):
        scales = [scale] * len(sets)
        made = reconciliation(sets, [law] * len(sets), scales, exact, rng)
        values = made.values(COUNT)
        for place, axes in enumerate(made.axes):
            away = tuple(axis for axis in range(2) if axis not in axes)
            error = np.abs(np.asarray(values[axes] - exact.sum(axis=away), dtype=float))
            width[axes] = made.half_width(place, COUNT)
            inside[axes] += int((error <= width[axes] + 1e-9).sum())
            cells[axes] += error.size
    for axes in sets:
        coverage = inside[axes] / cells[axes]
        # Fewest: 150 totals, 3 standard errors of which are 5 %; little noise covers more.
        assert coverage >= 0.95 - 3 * (0.0475 / cells[axes]) ** 0.5, (axes, width)
        if scale >= 40:  # below, whole steps are a part of the bar
            assert coverage <= 0.95 + 3.5 * (0.0475 / cells[axes]) ** 0.5, (axes, width)


def test_answers_add_up_and_are_unbiased() -> None:
    rng = np.random.default_rng(7)
    exact = rng.integers(0, 9, (3, 4))
    total = np.zeros(exact.shape)
    rounds = 400
    for _ in range(rounds):
        made = reconciliation(SETS["cube"], ["laplace"] * 4, [5.0] * 4, exact, rng)
        values = made.values(COUNT)
        cells = values[0, 1]
        assert (cells.sum(axis=1) == values[0,]).all()
        assert (cells.sum(axis=0) == values[1,]).all()
        assert cells.sum() == values[()]
        total += cells.astype(float) - exact
    spread = (made.lattice.variance_after((0, 1)) / rounds) ** 0.5
    assert np.abs(total / rounds).max() <= 5 * spread


def test_counts_of_at_least_0_add_up() -> None:
    rng = np.random.default_rng(8)
    exact = (rng.random((6, 7)) < 0.2) * rng.integers(0, 40, (6, 7))
    made = reconciliation(SETS["cube"], ["laplace"] * 4, [10.0] * 4, exact, rng)
    values = made.values(COUNT, atleast0=True)
    assert min(int(np.min(table)) for table in values.values()) >= 0
    assert (values[0, 1].sum(axis=1) == values[0,]).all()
    assert (values[0, 1] == 0).sum() > 10  # zeros stay zeros
    closer = np.abs(values[0, 1] - exact).sum()
    assert closer < np.abs(made.values(COUNT)[0, 1] - exact).sum()


def test_real_sums_add_up_in_doubles_in_any_order() -> None:
    rng = np.random.default_rng(9)
    exact = rng.integers(0, 10**12, (5, 6))
    made = reconciliation(SETS["cube"], ["gaussian"] * 4, [1e6] * 4, exact, rng)
    digits = 8
    values = {
        a: t.astype(float) * 2.0**-digits for a, t in made.values(COUNT, digits=digits).items()
    }
    for order in (slice(None), slice(None, None, -1)):
        assert sum(values[0, 1].ravel()[order]) == values[()]


def test_margins_of_other_tables_are_left_alone() -> None:
    rng = np.random.default_rng(10)
    exact = rng.integers(0, 30, (4, 5))
    made = reconciliation(SETS["rollup"], ["laplace"] * 3, [1.0] * 3, exact, rng)
    sources = [*made.sources]
    beyond = sources[2].coords + 500
    other = Source(sources[2].node, 0, beyond, 1, "laplace", Fraction(1), 1)
    with pytest.raises(Contradiction):
        Reconciliation(
            Family((4, 5), tuple(s.node for s in sources), False, ()), [*sources[:2], other]
        )
