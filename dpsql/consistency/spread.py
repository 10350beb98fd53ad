"""The law of what noise is left after reconciling: a weighted sum of many independent noises.

Gaussian noise stays Gaussian, exactly. Of Laplace noises the characteristic function is a product,
of which the tail is one integral (Gil-Pelaez 1951): no bound, no simulation. Both are the laws
before rounding; what roundings add is in `half_width`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np

Terms = tuple[tuple[float, int], ...]
"""(scale, how often) of independent noises that are added."""

_STEPS = 1 << 15


def half_width(
    law: Literal["laplace", "gaussian"],
    terms: Sequence[tuple[float, int]],
    *,
    rounding: tuple[float, float],
    confidence: float = 0.95,
) -> float:
    """The least h with P(|Σ ± roundings| ≤ h) ≥ confidence, to a part in 10^4.

    `terms`: scales (b or σ) of the noises in units of the answer, each with its number. `rounding`:
    at most, and the mean square, of what all roundings add, in the same units. Beside noise of four
    such steps they add their variance; beside less they add all that they can.
    """
    listed = tuple(sorted((abs(scale), often) for scale, often in terms if scale))
    if not listed:
        return rounding[0]
    quantile = _quantile(law, listed, confidence)
    variance = sum(often * scale * scale for scale, often in listed)
    variance *= 2 if law == "laplace" else 1
    most, square = rounding
    if math.sqrt(variance) >= 4 * most:
        return quantile * math.sqrt(1 + square / variance)
    return quantile + most


@lru_cache(maxsize=1024)
def _quantile(law: str, terms: Terms, confidence: float) -> float:
    size = math.sqrt(sum(often * scale * scale for scale, often in terms))
    if law == "gaussian":
        return -NormalDist().inv_cdf((1 - confidence) / 2) * size
    relative = [(scale / size, often) for scale, often in terms]
    low, high = 0.0, 40.0  # in units of `size`, the standard deviation being √2
    for _ in range(40):
        middle = (low + high) / 2
        if _inside(middle, relative) < confidence:
            low = middle
        else:
            high = middle
    return high * size


def _inside(reach: float, terms: Sequence[tuple[float, int]]) -> float:
    """P(|X| ≤ reach) = (2/π) ∫ sin(reach·t)/t · φ(t) dt, φ(t) = Π (1 + (b·t)²)^-often.

    φ falls like a Gaussian or, of a single term, like (b·t)^-2: cut where it is below 10^-6, the
    rest of that oscillates and is below 10^-6/(reach·t).
    """
    end = 1.0
    while _log_phi(np.array([end]), terms)[0] > math.log(1e-6) and end < 4_096:
        end *= 2
    # Midpoints of steps that are fine at 0, where most of the mass is.
    u = (np.arange(_STEPS) + 0.5) / _STEPS
    t = end * u * u
    width = 2 * end * u / _STEPS
    value = np.sin(reach * t) / t * np.exp(_log_phi(t, terms)) * width
    return float(value.sum()) * 2 / math.pi


def _log_phi(t: np.ndarray, terms: Sequence[tuple[float, int]]) -> np.ndarray:
    total = np.zeros(t.shape)
    for scale, often in terms:
        total -= often * np.log1p((scale * t) ** 2)
    return total
