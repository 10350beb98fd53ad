"""A tighter answer from an earlier one and one more draw: the inverse-variance mean.

The earlier coordinate is S + round(X) with X normal of standard deviation s_A. To answer as well
as one release of s_B < s_A would, a second, independent release of the same S is drawn with

    1/s'^2 = 1/s_B^2 - 1/s_A^2,      s' rounded up,

an ordinary Gaussian release with its own event. The mean with weights w and 1 - w is
post-processing of the two, whatever the weights.

Guarantee:  its error is w X' + (1 - w) X_A + r, the first two a normal variable of standard
            deviation `scale` (exactly, but that it is rounded up), |r| <= 1/2 + 2^-17 for each
            mean taken: roundings are averaged with weights that sum to 1, and the mean is rounded
            to 1/REFINED. Not the law of one rounded Gaussian: rounded noises do not add.
Source:     docs/proofs/repeats.md; the weights are the inverse variances' (any would do).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.mechanisms.gaussian import root_up

REFINED = 2**16
"""A mean counts in 1/REFINED of a grid unit."""

SLACK = REFINED + REFINED // 256
"""In those units, more than roundings can make of it: half a unit for those of the draws, half for
an answer's own, and the rest for 255 means of means and the quantile's own rounding."""

_SHARE_BITS = 64


def complement(earlier: Fraction, wanted: Fraction) -> Fraction:
    """s': the scale that brings `earlier` to `wanted` < `earlier`, rounded up.

    Errors: ValueError unless 0 < wanted < earlier.
    """
    if not 0 < wanted < earlier:
        raise ValueError("only a larger scale can be brought to a smaller one")
    return root_up(1 / (1 / wanted**2 - 1 / earlier**2))


@dataclass(frozen=True, slots=True)
class Mean:
    """How two draws are averaged: `share` of 2^64 for the new one; `scale` of the mean."""

    share: int
    scale: Fraction


def mean_of(earlier: Fraction, new: Fraction) -> Mean:
    """The inverse-variance mean of noises of these scales."""
    share = round(earlier**2 / (earlier**2 + new**2) * 2**_SHARE_BITS)
    weight = Fraction(share, 2**_SHARE_BITS)
    return Mean(share, root_up((weight * new) ** 2 + ((1 - weight) * earlier) ** 2))


def average(mean: Mean, new: NDArray[Any], earlier: NDArray[Any], refined: int) -> NDArray[Any]:
    """The mean in units of 1/REFINED, as Python ints.

    `new` counts in grid units, `earlier` in 1/`refined` of them (1 or REFINED). ValueError where
    they have not the same shape, or `refined` is another number.
    """
    if new.shape != earlier.shape or refined not in (1, REFINED):
        raise ValueError("two releases of one question have the same coordinates")
    fresh, known = new.astype(object) * REFINED, earlier.astype(object) * (REFINED // refined)
    whole = mean.share * fresh + (2**_SHARE_BITS - mean.share) * known
    result: NDArray[Any] = np.empty(new.shape, dtype=object)
    result[...] = (whole + 2 ** (_SHARE_BITS - 1)) // 2**_SHARE_BITS
    return result
