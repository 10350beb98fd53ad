"""Even points of independent noises: a Korobov lattice put through the inverse distribution."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np

from dpsql.mechanisms.interval import Floats, Law


@lru_cache(maxsize=128)
def lattice_points(law: Law, scales: tuple[float, ...], size: int, generator: int) -> Floats:
    """`size` (an odd prime) even points (terms, size) of independent rounded noises.

    Korobov 1959: symmetric, every single coordinate exactly even; `scales` one per term. The same
    arguments give the same points, which are public and read-only.
    """
    steps = np.arange(size) - size // 2
    powers = np.array([pow(generator, term, size) for term in range(len(scales))])
    # Point k of a coordinate is the quantile at (k + 1/2)/size; k = size // 2 is the middle, 0.
    ranks = (size // 2 + np.multiply.outer(powers, steps)) % size
    even = (np.arange(size) + 0.5) / size
    if law == "gaussian":
        quantiles = np.array([NormalDist().inv_cdf(share) for share in even.tolist()])
    else:
        quantiles = np.where(even < 0.5, np.log(2 * even), -np.log(2 - 2 * even))
    rounded = np.rint(quantiles[ranks] * np.asarray(scales)[:, None])
    rounded.setflags(write=False)
    return np.asarray(rounded)
