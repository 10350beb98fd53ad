"""Counts of at least 0 that add up: least squares with constraints, which is biased upwards.

The table over all axes is the one of cells of at least 0 whose margins lie nearest to the released
ones, weighted by inverse variances. Solved by L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995; scipy),
which starts at the unconstrained solution, draws nothing, and reaches bounds exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.consistency.lattice import Axes, spread_over, summed

_ROUNDS = 2_000


def nonnegative(
    start: NDArray[np.float64], wanted: Mapping[Axes, tuple[NDArray[Any], float]]
) -> NDArray[np.float64]:
    """The table nearest to the margins `wanted`, each with the variance of a cell.

    `start`: any table over all axes; its negative cells begin at 0.
    """
    from scipy.optimize import minimize

    shape, everything = start.shape, tuple(range(start.ndim))
    least = min(variance for _, variance in wanted.values())

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        table = flat.reshape(shape)
        total, slope = 0.0, np.zeros(shape)
        for axes, (margin, variance) in wanted.items():
            rest = summed(table, everything, axes) - margin
            weight = least / variance
            total += 0.5 * weight * float((rest * rest).sum())
            slope = slope + weight * spread_over(np.asarray(rest), axes, everything)
        return total, slope.ravel()

    begin = np.maximum(start, 0.0)
    found = minimize(
        cost,
        begin.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * begin.size,
        options={"maxiter": _ROUNDS, "maxfun": 2 * _ROUNDS, "ftol": 1e-15, "gtol": 1e-9},
    )
    whole: NDArray[np.float64] = np.maximum(np.asarray(found.x).reshape(shape), 0.0)
    return whole
