"""The closed form against dense weighted least squares, and against itself."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from dpsql.consistency.lattice import Lattice, adjustments, apart, base, parts, summed
from dpsql.consistency.nonnegative import nonnegative
from dpsql.consistency.rounding import chain, deviation, whole


@st.composite
def lattices(draw) -> Lattice:
    count = draw(st.integers(1, 3))
    sizes = tuple(draw(st.integers(1, 4)) for _ in range(count))
    every = list(parts(tuple(range(count))))
    margins = draw(st.lists(st.sampled_from(every), min_size=2, max_size=5))
    variances = [draw(st.sampled_from([0.5, 1.0, 7.0, 300.0])) for _ in margins]
    return Lattice(sizes, tuple(margins), tuple(variances))


def tables_of(lattice: Lattice, seed: int, scale: float = 9.0) -> list[np.ndarray]:
    """Margins of one table, plus noise that is not small."""
    rng = np.random.default_rng(seed)
    whole_ = rng.integers(0, 50, lattice.sizes)
    everything = tuple(range(len(lattice.sizes)))
    found = []
    for axes in lattice.margins:
        margin = summed(whole_, everything, axes)
        noise = np.rint(rng.normal(0, scale, margin.shape)).astype(np.int64)
        found.append(np.asarray(margin + noise, dtype=object))
    return found


def matrix(lattice: Lattice, axes: tuple[int, ...]) -> np.ndarray:
    """The margin as a matrix over the cells of the whole table."""
    cells = list(product(*map(range, lattice.sizes)))
    rows = {
        key: place for place, key in enumerate(product(*(range(lattice.sizes[a]) for a in axes)))
    }
    found = np.zeros((len(rows), len(cells)))
    for column, cell in enumerate(cells):
        found[rows[tuple(cell[a] for a in axes)], column] = 1
    return found


def dense(lattice: Lattice, tables: list[np.ndarray]) -> list[np.ndarray]:
    """The least squares estimate of every margin, by numpy's own solver."""
    mats = [matrix(lattice, axes) for axes in lattice.margins]
    scaled = [m / v**0.5 for m, v in zip(mats, lattice.variances, strict=True)]
    wanted = [
        t.astype(float).ravel() / v**0.5 for t, v in zip(tables, lattice.variances, strict=True)
    ]
    solution = np.linalg.lstsq(np.vstack(scaled), np.concatenate(wanted), rcond=None)[0]
    return [m @ solution for m in mats]


@given(lattices(), st.integers(0, 2**32 - 1))
def test_it_is_dense_least_squares(lattice: Lattice, seed: int) -> None:
    tables = tables_of(lattice, seed)
    expected = dense(lattice, tables)
    for table, change, best in zip(tables, adjustments(lattice, tables), expected, strict=True):
        np.testing.assert_allclose((table.astype(float) + change).ravel(), best, atol=1e-6)


@given(lattices())
def test_variances_and_coefficients_are_those_of_dense_least_squares(lattice: Lattice) -> None:
    mats = [matrix(lattice, axes) for axes in lattice.margins]
    stacked = np.vstack([m / v**0.5 for m, v in zip(mats, lattice.variances, strict=True)])
    inverse = np.linalg.pinv(stacked)
    for mat, axes in zip(mats, lattice.margins, strict=True):
        spread = mat @ inverse  # on noises of variance 1
        np.testing.assert_allclose(
            (spread**2).sum(axis=1), lattice.variance_after(axes), rtol=1e-7, atol=1e-9
        )
        told = []
        for place, coefficient, often in lattice.coefficients(axes):
            told += [coefficient * lattice.variances[place] ** 0.5] * often
        found = spread[0][np.abs(spread[0]) > 1e-9]
        told = [one for one in told if abs(one) > 1e-9]
        np.testing.assert_allclose(np.sort(found), np.sort(told), atol=1e-7)


@given(lattices(), st.integers(0, 2**32 - 1))
def test_nothing_gets_worse(lattice: Lattice, seed: int) -> None:
    for axes, variance in zip(lattice.margins, lattice.variances, strict=True):
        assert lattice.variance_after(axes) <= variance * (1 + 1e-9)


@given(lattices(), st.integers(0, 2**32 - 1), st.booleans())
def test_whole_numbers_add_up_near_their_real_values(
    lattice: Lattice, seed: int, nested: bool
) -> None:
    if nested:  # a chain of margins
        count = len(lattice.sizes)
        margins = tuple(tuple(range(size)) for size in range(count + 1))
        lattice = Lattice(lattice.sizes, margins, tuple(1.0 + size for size in range(count + 1)))
    tables = tables_of(lattice, seed)
    units = 2**32
    changes = adjustments(lattice, tables)
    real = {
        axes: np.asarray(
            table * units
            + np.array([round(x * units) for x in change.ravel()], dtype=object).reshape(
                change.shape
            ),
            dtype=object,
        )
        for axes, table, change in zip(lattice.margins, tables, changes, strict=True)
    }
    bottom = base(lattice, real, units)
    order = chain(lattice.margins, len(lattice.sizes))
    assert order is not None or not nested
    rounded = whole(bottom, units, order)
    everything = tuple(range(len(lattice.sizes)))
    for axes, table in real.items():
        margin = summed(rounded, everything, axes)
        most, _ = deviation(axes, chained=order is not None)
        worst = np.abs(np.asarray(margin - table / units, dtype=float)).max()
        assert worst <= most + 1e-4
    # sums of shown margins are the shown margins above them, exactly: all are of one table
    assert all(isinstance(cell, int) for cell in rounded.ravel())


def test_margins_that_agree_stay_exactly_as_they_are() -> None:
    lattice = Lattice((2, 3), ((0, 1), (0,), ()), (1.0, 2.0, 3.0))
    table = np.array([[2**100, 1, 2], [3, 4, 5]], dtype=object)
    tables = [table, table.sum(axis=1), np.array(table.sum(), dtype=object)]
    assert all(not change.any() for change in adjustments(lattice, tables))
    assert apart(lattice, tables) == 0


def test_a_contradiction_is_seen() -> None:
    lattice = Lattice((2,), ((0,), ()), (1.0, 1.0))
    tables = [np.array([10, 20], dtype=object), np.array(60, dtype=object)]
    assert apart(lattice, tables) == pytest.approx(30 / 3**0.5)


@given(lattices(), st.integers(0, 2**32 - 1))
def test_counts_of_at_least_0_are_the_nearest_ones(lattice: Lattice, seed: int) -> None:
    tables = tables_of(lattice, seed, scale=40.0)
    wanted = {}
    mats, sides = [], []
    for axes, table, variance in zip(lattice.margins, tables, lattice.variances, strict=True):
        if axes in wanted:
            continue
        wanted[axes] = (table.astype(float), variance)
        mats.append(matrix(lattice, axes) / variance**0.5)
        sides.append(table.astype(float).ravel() / variance**0.5)
    found = nonnegative(np.zeros(lattice.sizes), wanted)
    assert found.min() >= 0
    _, residual = nnls(np.vstack(mats), np.concatenate(sides))
    mine = np.linalg.norm(np.vstack(mats) @ found.ravel() - np.concatenate(sides))
    assert mine <= residual + 1e-4 * max(1.0, residual)
