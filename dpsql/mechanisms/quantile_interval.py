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
"""Chance that the interval does not hold the quantile, at the most."""


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Choose how far a quantile may lie from the bin that was released for it.

    Guarantee:  Precondition: that of QuantileMechanism; `centre` has been released.
                Postcondition: distance i of `distances` is drawn with probability proportional to
                exp(-epsilon · p(i) / (2Δ)), Δ = sensitivity · max(q, 1 - q), where
                p(i) = max(r - f(i), f(i-1) - r, 0) and f(i) = min(q·n - #(<centre - d_i),
                #(≤centre + d_i) - q·n) says how much weight the interval holds on either side of
                the quantile (f before the first distance is -inf, from the last on +inf). One unit
                moves every p by at most Δ: epsilon-bounded range, `cells` groups cost `cells`
                events. The interval holds every q-quantile of the histogram with probability of
                at least 95 %, whatever the histogram.
    Source:     docs/proofs/quantile.md (the interval).
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
    def distances(self) -> tuple[int, ...]:
        """0, 1, 2, 3, 4, 6, 8, 12, ... bins; the last of them reaches across the grid."""
        found, power = [0], 1
        while found[-1] < self.bins - 1:
            found += [power, power + power // 2] if power > 1 else [power]
            power *= 2
        last = next(i for i, distance in enumerate(found) if distance >= self.bins - 1)
        return tuple(found[: last + 1])

    @property
    def margin(self) -> int:
        """r: the weight that the interval is to hold on either side of the quantile."""
        q = self.quantile
        cost = self.epsilon / (2 * self.sensitivity * max(q, 1 - q))
        wrong = max(len(self.distances) - 1, 1) / MISS  # intervals that may miss, at the most
        # The float log is right to far more than is added here.
        return ceil(Fraction(log(wrong) * (1 + 2**-40)) / cost)

    def release(
        self, exact: Exact[tuple[NDArray[Any], NDArray[Any]]], centre: int
    ) -> tuple[int, int]:
        """The first and the last bin of the interval around `centre`."""
        positions, weights = exact.open_for_noise()
        q, distances = self.quantile, self.distances
        a, b = q.numerator, q.denominator
        upto = np.zeros(len(positions) + 1, dtype=object)
        upto[1:] = np.cumsum(weights.astype(_dtype(weights)))
        target = a * int(upto[-1])
        reach = np.array(distances, dtype=np.int64)
        below = upto[np.searchsorted(positions, centre - reach, side="left")]
        through = upto[np.searchsorted(positions, centre + reach, side="right")]
        held = np.minimum(target - b * below, b * through - target)  # f, b times its size
        penalties = np.zeros(len(distances), dtype=object)
        penalties[:-1] = np.maximum(b * self.margin - held[:-1], 0)
        penalties[1:] = np.maximum(penalties[1:], held[:-1] - b * self.margin)
        rate = self.epsilon / (2 * self.sensitivity * max(a, b - a))
        ones = np.ones(len(distances), dtype=np.int64)
        distance = distances[choose_index(penalties, ones, rate)]
        return max(centre - distance, 0), min(centre + distance, self.bins - 1)


def _dtype(weights: NDArray[Any]) -> Any:
    return np.int64 if total_weight(weights) < 2**62 else object
