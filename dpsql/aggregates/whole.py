"""Exact arithmetic on columns of integers: 64 bits where nothing can overflow, else Python ints.

Of noisy values alone: what is read here to choose the way is released already.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[Any]  # int64, or Python ints (dtype object)
Floats = NDArray[np.float64]

_SAFE = 2**62
_EXACT = 2**53  # integers up to here are doubles, and IEEE division of doubles rounds correctly


def combined(weights: Sequence[int], rows: Whole) -> Whole:
    """Σ wᵢ·rowᵢ, exactly. `rows`: (coordinates, groups)."""
    used = [(int(weight), row) for weight, row in zip(weights, rows, strict=True) if weight]
    if rows.dtype == np.int64 and sum(abs(w) * max(largest(row), 1) for w, row in used) < _SAFE:
        total: Whole = np.zeros(rows.shape[1], dtype=np.int64)
        for weight, row in used:
            total += row if weight == 1 else weight * row
        return total
    total = np.zeros(rows.shape[1], dtype=object)
    for weight, row in used:
        total = total + weight * row.astype(object)
    return total


def largest(column: Whole) -> int:
    """The largest absolute value; 0 of an empty column."""
    return 0 if not column.size else max(-int(column.min()), int(column.max()))


def times(column: Whole, factor: int) -> Whole:
    """column · factor, exactly."""
    if factor == 1:
        return column
    if column.dtype == np.int64 and max(largest(column), 1) * abs(factor) < _SAFE:
        return column * factor
    product: Whole = column.astype(object) * factor
    return product


def quotient(top: Whole, bottom: Whole | int) -> Floats:
    """top / bottom, each the double nearest to the exact ratio; `bottom` is nowhere 0."""
    if _doubles(top) and _doubles(bottom):
        return np.asarray(top / bottom, dtype=np.float64)
    below = bottom.tolist() if isinstance(bottom, np.ndarray) else [bottom] * len(top)
    return np.array([a / b for a, b in zip(top.tolist(), below, strict=True)], dtype=np.float64)


def nearest(column: Whole, divisor: Fraction) -> Whole:
    """column / divisor, rounded to the nearest integer (ties away from zero)."""
    whole, by = times(column, divisor.denominator), divisor.numerator
    if by == 1:
        return whole
    if whole.dtype == np.int64 and 2 * largest(whole) + by < _SAFE and by < _SAFE:
        return np.asarray(np.sign(whole) * ((np.abs(whole) * 2 + by) // (2 * by)))
    magnitude = (abs(whole.astype(object)) * 2 + by) // (2 * by)
    return np.where(whole < 0, -magnitude, magnitude).astype(object)


def _doubles(numbers: Whole | int) -> bool:
    if isinstance(numbers, int):
        return abs(numbers) <= _EXACT
    return numbers.dtype == np.int64 and largest(numbers) <= _EXACT
