"""Counts of at least 0 that add up: least squares with constraints, which is biased upwards.

The table over all axes is the one of cells of at least 0 whose margins lie nearest to the released
ones, weighted by inverse variances. Solved by scipy's `lsq_linear` (the reflective trust region
method of Branch, Coleman and Li 1999), which draws nothing; what it leaves just above 0 is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.consistency.lattice import Axes

MAX_CELLS = 4_000
"""Of the table, at most: about a second."""

_NOTHING = 1e-6
"""In units of the least standard deviation."""


def nonnegative(
    sizes: tuple[int, ...], wanted: Mapping[Axes, tuple[NDArray[Any], float]]
) -> NDArray[np.float64]:
    """The table of `sizes` nearest to the margins `wanted`, each with the variance of a cell."""
    from scipy import sparse
    from scipy.optimize import lsq_linear

    cells = np.arange(prod(sizes))
    least = min(variance for _, variance in wanted.values()) ** 0.5
    matrices, sides = [], []
    for axes, (margin, variance) in wanted.items():
        weight = least / variance**0.5
        rows = _rows(sizes, axes)
        shape = (rows.max() + 1, cells.size)
        matrices.append(sparse.csr_matrix((np.full(cells.size, weight), (rows, cells)), shape))
        sides.append(np.asarray(margin, dtype=np.float64).ravel() * weight)
    found = lsq_linear(
        sparse.vstack(matrices).tocsr(),
        np.concatenate(sides),
        bounds=(0.0, np.inf),
        method="trf",
        lsq_solver="lsmr",
        tol=1e-10,
        max_iter=200,
    )
    table: NDArray[np.float64] = np.asarray(found.x, dtype=np.float64).reshape(sizes)
    return np.where(table < _NOTHING * least, 0.0, table)


def _rows(sizes: tuple[int, ...], axes: Axes) -> NDArray[np.int64]:
    """Of each cell of the table, the cell of the margin it is part of."""
    places = np.arange(prod(sizes[axis] for axis in axes)).reshape(
        [size if axis in axes else 1 for axis, size in enumerate(sizes)]
    )
    return np.broadcast_to(places, sizes).ravel()
