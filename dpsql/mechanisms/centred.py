"""Rounded Gaussian noise on a pair of coordinates, turned: their total and their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.addition import add_noise, as_integers
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.samplers import rounded_gaussian

_ROOM = 2**62


@dataclass(frozen=True, slots=True)
class CentredGaussian(GaussianMechanism):
    """Release total * (u + v) and difference * (v - u) of coordinates (u, v), each noised.

    Guarantee:  Precondition: adding or removing one unit changes (u, v) in each cell by some x in
                L1, and the sum of x^2 over all cells is at most `moved`.
                Postcondition: |u + v| and |v - u| change by at most x each, so the turned vector
                by at most (total^2 + difference^2) * moved = `l2_squared` in squared L2: the
                Gaussian mechanism with that sensitivity, and noise of one sigma on both.
    Source:     docs/proofs/division.md, section 4; Gaussian mechanism as in `gaussian`.
    Parameters: as GaussianMechanism, with l2_squared of the turned vector, and
                total, difference   integers of at least 1: which of the two is to be told better
    Shape:      (2, groups) in and out; what comes out is turned, and stays so.
    Errors:     ValueError at construction; `release` as GaussianMechanism, and for other shapes.
    Numerics:   integers and rationals throughout.
    """

    total: int = 1
    difference: int = 1

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is another class than the one written here.
        GaussianMechanism.__post_init__(self)
        if min(self.total, self.difference) < 1:
            raise ValueError("a turned pair counts both, in whole steps")
        if self.l2_squared % self.steps:
            raise ValueError("l2_squared is that of the turned pair")

    @property
    def steps(self) -> int:
        """By how much turning multiplies squared distances, at the most."""
        return self.total**2 + self.difference**2

    def release(self, exact: Exact[Any]) -> NDArray[Any]:
        """The noised (total * (u + v), difference * (v - u))."""
        values = as_integers(exact.open_for_noise())
        if values.ndim != 2 or values.shape[0] != 2:
            raise ValueError("a pair of coordinates is turned")
        noise = rounded_gaussian(self.sigma, values.size)
        return add_noise(turned(values, self.total, self.difference), noise.reshape(values.shape))


def turned(values: NDArray[Any], total: int, difference: int) -> NDArray[Any]:
    """(total * (u + v), difference * (v - u)), exactly."""
    import numpy as np

    most = 2 * max(total, difference)
    if values.dtype != object and values.size:
        largest = max(abs(int(values.max())), abs(int(values.min())))
        if largest * most >= _ROOM:
            values = values.astype(object)
    u, v = values
    return np.stack([total * (u + v), difference * (v - u)])
