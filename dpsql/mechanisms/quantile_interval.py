"""Error bars of quantiles: how far around a released bin, by the exponential mechanism."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.exponential import choose_index
from dpsql.mechanisms.quantile import MAX_BINS, total_weight

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent

MISS = Fraction(1, 20)
"""Chance that the interval does not hold the quantile: where it reaches both ends of the grid at
the most (small groups), else as measured."""
END = 2
"""A distance that reaches the grid's end counts so many times."""


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Choose how far below and above the bin that was released for it a quantile may lie.

    Guarantee:  Precondition: that of QuantileMechanism; `centre` has been released.
                Postcondition: of the distances 0, 1, 2, 4, ... a pair (i, j) is drawn with
                probability proportional to w(i)·w(j)·exp(-epsilon · max(p(i), p'(j)) / (2Δ)), where
                w is END for the distance that reaches the grid's end and 1 for others,
                Δ = sensitivity · max(q, 1 - q), p(i) = max(r - f(i), f(i-1) - r, 0) and
                f(i) = q·n - #(<centre - d_i) says how much weight lies between the low end and the
                quantile; p' likewise above it, with #(≤centre + d_j) - q·n. The first distance has
                no second term, the one that reaches the grid's end no first. One unit moves every
                p by at most Δ, and w is public: epsilon-bounded range, `cells` groups cost `cells`
                events. The interval holds the q-quantiles of the histogram with probability of at
                least 95 % where less than r lies on either side of them, and of 95 to 100 % as
                measured where more does.
    Source:     docs/proofs/quantile.md (the interval); benchmarks/coverage.py (measured).
    Parameters: epsilon, quantile, sensitivity, bins, cells: as QuantileMechanism's
    Shape:      `release` takes the histogram as QuantileMechanism does, and a bin; the interval's
                first and last bin come out.
    Errors:     ValueError at construction only.
    Numerics:   exact: integers and rationals; r is rounded up.
    Cost:       about 0.1 ms and 5 ns a bin that is not empty.
    """

    epsilon: Fraction
    quantile: Fraction
    sensitivity: int
    bins: int
    cells: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, Fraction) or self.epsilon <= 0:
            raise ValueError("the price of an interval is a rational above 0")
        if not isinstance(self.quantile, Fraction) or not 0 <= self.quantile <= 1:
            raise ValueError("a quantile is a rational in 0..1")
        for count in (self.sensitivity, self.bins, self.cells):
            if not isinstance(count, int) or count < 1:
                raise ValueError("sensitivity, bins and cells are integers of at least 1")
        if self.bins > MAX_BINS:
            raise ValueError("a grid has at most 2^52 bins")

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release in every group, with counts."""
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.epsilon), self.cells)]

    @property
    def margin(self) -> int:
        """r: the weight that the interval is to hold on either side of the quantile."""
        q = self.quantile
        cost = self.epsilon / (2 * self.sensitivity * max(q, 1 - q))
        # Pairs that may miss, at the most, against the one that reaches both ends.
        wrong = len(distances(self.bins - 1)) ** 2 / (MISS * END**2)
        # The float log is right to far more than is added here.
        return ceil(Fraction(max(log(wrong), 1) * (1 + 2**-40)) / cost)

    def release(
        self, exact: Exact[tuple[NDArray[Any], NDArray[Any]]], centre: int
    ) -> tuple[int, int]:
        """The first and the last bin of the interval around `centre`."""
        positions, weights = exact.open_for_noise()
        a, b = self.quantile.numerator, self.quantile.denominator
        total = total_weight(weights)
        upto = np.zeros(len(positions) + 1, dtype=np.int64 if total < 2**62 else object)
        upto[1:] = np.cumsum(weights.astype(upto.dtype))
        target, margin = a * total, b * self.margin
        low = centre - np.array(distances(centre), dtype=np.int64)
        high = centre + np.array(distances(self.bins - 1 - centre), dtype=np.int64)
        below = upto[np.searchsorted(positions, low, side="left")].astype(object)
        through = upto[np.searchsorted(positions, high, side="right")].astype(object)
        penalties = np.maximum.outer(
            _penalties(target - b * below, margin), _penalties(b * through - target, margin)
        )
        rate = self.epsilon / (2 * self.sensitivity * max(a, b - a))
        widths = np.outer(_counted(len(low)), _counted(len(high)))
        i, j = divmod(choose_index(penalties.ravel(), widths.ravel(), rate), len(high))
        return int(low[i]), int(high[j])


def distances(most: int) -> tuple[int, ...]:
    """0, 1, 2, 4, 8, ... below `most`, and `most`."""
    found = [0] if most else []
    found += [2**power for power in range(most.bit_length()) if 2**power < most]
    return (*found, most)


def _counted(distances: int) -> NDArray[np.int64]:
    """w: how many times each distance counts."""
    found = np.ones(distances, dtype=np.int64)
    found[-1] = END
    return found


def _penalties(held: NDArray[Any], margin: int) -> NDArray[Any]:
    """max(r - f(i), f(i-1) - r, 0), all in the same units; the last reaches the grid's end."""
    found = np.zeros(len(held), dtype=object)
    found[:-1] = np.maximum(margin - held[:-1], 0)
    found[1:] = np.maximum(found[1:], held[:-1] - margin)
    return found
