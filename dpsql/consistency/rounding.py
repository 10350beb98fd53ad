"""Whole numbers that add up: margins of one whole-numbered table, each near its real value.

Running totals of the table are rounded, and cells are their differences, so that whatever is summed
over whole axes is made of few rounded numbers, however many cells it has:

* along a nested chain of margins (ROLLUP) the table is one line, cell after cell, and every margin
  is a stretch of it: the difference of two rounded totals, less than 1 from its real value, and
  never negative where the cells are not;
* otherwise totals run along every axis, and a margin over s axes is made of 2^s rounded totals:
  at most 2^(s-1) from its real value, and about sqrt(2^s / 12) as a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.consistency.lattice import Axes


def chain(margins: Sequence[Axes], count: int) -> Axes | None:
    """The axes in an order in which every margin is the first few; None if there is none."""
    order: list[int] = []
    for axes in sorted(margins, key=len):
        if not set(order) <= set(axes):
            return None
        order += [axis for axis in axes if axis not in order]
    return (*order, *(axis for axis in range(count) if axis not in order))


def whole(table: NDArray[Any], units: int, order: Axes | None) -> NDArray[Any]:
    """The table of ints in 1/`units` as whole numbers; `order` of its axes for a chain."""
    if order is None:
        rounded = _nearest(_running(table), units)
        for axis in range(table.ndim):
            rounded = _steps(rounded, axis)
        return rounded
    line = np.transpose(table, order)
    rounded = _steps(_nearest(np.cumsum(line.ravel(), dtype=object), units), 0)
    back = np.transpose(rounded.reshape(line.shape), np.argsort(order))
    return np.asarray(back)


def deviation(axes: Axes, *, chained: bool) -> tuple[float, float]:
    """How far a rounded margin may be from its real value: at most, and its mean square."""
    ends = min(2, 2 ** len(axes)) if chained else 2 ** len(axes)
    return ends / 2, ends / 12


def _running(table: NDArray[Any]) -> NDArray[Any]:
    for axis in range(table.ndim):
        table = np.cumsum(table, axis=axis, dtype=object)
    return table


def _steps(table: NDArray[Any], axis: int) -> NDArray[Any]:
    first = np.zeros_like(np.take(table, [0], axis=axis))
    return np.asarray(np.diff(table, axis=axis, prepend=first))


def _nearest(table: NDArray[Any], units: int) -> NDArray[Any]:
    """To the nearest whole number, halves up."""
    return np.asarray((2 * table + units) // (2 * units))
