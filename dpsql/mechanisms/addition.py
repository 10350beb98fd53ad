"""Opening an exact value and adding integer noise to it, without overflow."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE = 1 << 62


def as_integers(values: Any) -> NDArray[Any]:
    """An array of integers as int64, or as Python ints (dtype object) where int64 may not do.

    TypeError for anything but integers: a defect of the caller, visible in the types of the
    columns alone and so the same for every database.
    """
    array = np.asarray(values)
    if array.dtype.kind == "i":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "u" or (array.dtype == object):
        flat = [operator.index(value) for value in array.ravel().tolist()]
        result = np.empty(len(flat), dtype=object)
        result[:] = flat
        return result.reshape(array.shape)
    raise TypeError(f"noise is added to integers, not to {array.dtype}")


def add_noise(values: NDArray[Any], noise: NDArray[Any]) -> NDArray[Any]:
    """values + noise exactly: int64 where neither can reach 2^62, else Python ints."""
    if _fits(values) and _fits(noise):
        return values.astype(np.int64) + noise.astype(np.int64)
    total: NDArray[Any] = values.astype(object) + noise.astype(object)
    return total


def _fits(array: NDArray[Any]) -> bool:
    return array.dtype == np.int64 and (
        array.size == 0 or (int(array.min()) > -_SAFE and int(array.max()) < _SAFE)
    )
