"""Error bars of quantiles: how far below and above a released bin, by the exponential mechanism."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isqrt, log
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.exponential import choose_index
from dpsql.mechanisms.quantile import MAX_BINS, total_weight

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent

BEYOND = 14
"""exp(-cost of the margin) is one over this: how much less likely an end is that holds nothing."""
END = 4
"""A distance that reaches the grid's end counts so many times: with `BEYOND` this is what makes
the miss of a small group 1/20 at the most: 1 / ((√2 - 1) · 14 · 4)."""
_FINE = 20  # bits of the squares of what distances count


@dataclass(frozen=True, slots=True)
class QuantileInterval:
    """Choose how far below and above the bin that was released for it a quantile may lie.

    Guarantee:  Precondition: that of QuantileMechanism; `centre` has been released.
                Postcondition: each end is drawn alone. Of the distances d = 0, 1, 2, 4, ... below,
                number t is drawn with probability proportional to w(t)·exp(-epsilon·p(t)/(2Δ)),
                where w(t) = 2^(t/2) (END times that for the distance that reaches the grid's end),
                Δ = sensitivity · max(q, 1 - q), p(t) = max(r - f(t), f(t-1) - r, 0) and
                f(t) = q·n - #(<centre - d) says how much weight lies between the low end and the
                quantile; likewise above it, with #(≤centre + d) - q·n. The first distance has no
                second term, the one that reaches the grid's end no first. One unit moves every p
                by at most Δ, and w is public: epsilon-bounded range for each end, `cells` groups
                cost 2·`cells` events. Of all histograms the interval holds the q-quantiles with
                probability of at least 82 %, and of at least 95 % where less than r lies beyond
                the quantile on the side that may be missed; of 95 to 99 % as measured.
    Source:     docs/proofs/quantile.md (the interval); benchmarks/coverage.py (measured).
    Parameters: epsilon      price of each end in one group, a rational > 0
                quantile, sensitivity, bins, cells: as QuantileMechanism's
    Shape:      `release` takes the histogram as QuantileMechanism does, and a bin; the interval's
                first and last bin come out.
    Errors:     ValueError at construction only.
    Numerics:   exact: integers and rationals; r is rounded up, w to a thousandth.
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
        """The events of one release in every group, with counts: one for each end."""
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.epsilon), 2 * self.cells)]

    @property
    def margin(self) -> int:
        """r: the weight that the interval is to hold on either side of the quantile."""
        q = self.quantile
        cost = self.epsilon / (2 * self.sensitivity * max(q, 1 - q))
        # The float log is right to far more than is added here.
        return ceil(Fraction(log(BEYOND) * (1 + 2**-40)) / cost)

    def release(
        self, exact: Exact[tuple[NDArray[Any], NDArray[Any]]], centre: int
    ) -> tuple[int, int]:
        """The first and the last bin of the interval around `centre`."""
        positions, weights = exact.open_for_noise()
        a, b = self.quantile.numerator, self.quantile.denominator
        total = total_weight(weights)
        upto = np.zeros(len(positions) + 1, dtype=np.int64 if total < 2**62 else object)
        upto[1:] = np.cumsum(weights.astype(upto.dtype))
        low = centre - np.array(distances(centre), dtype=np.int64)
        high = centre + np.array(distances(self.bins - 1 - centre), dtype=np.int64)
        below = upto[np.searchsorted(positions, low, side="left")].astype(object)
        through = upto[np.searchsorted(positions, high, side="right")].astype(object)
        return (
            int(low[self._end(a * total - b * below)]),
            int(high[self._end(b * through - a * total)]),
        )

    def _end(self, held: NDArray[Any]) -> int:
        """Which distance, of what each holds between itself and the quantile, in 1/denominators."""
        q = self.quantile
        margin = q.denominator * self.margin
        rate = self.epsilon / (2 * self.sensitivity * max(q.numerator, q.denominator - q.numerator))
        return choose_index(_penalties(held, margin), counted(len(held)), rate)


def distances(most: int) -> tuple[int, ...]:
    """0, 1, 2, 4, 8, ... below `most`, and `most`."""
    found = [0] if most else []
    found += [2**power for power in range(most.bit_length()) if 2**power < most]
    return (*found, most)


def counted(distances: int) -> NDArray[np.int64]:
    """w: how many times each distance counts, 2^(t/2) to a thousandth, the last END times that."""
    found = [isqrt(1 << (_FINE + place)) for place in range(distances)]
    found[-1] *= END
    return np.array(found, dtype=np.int64)


def _penalties(held: NDArray[Any], margin: int) -> NDArray[Any]:
    """max(r - f(i), f(i-1) - r, 0), all in the same units; the last reaches the grid's end."""
    found = np.zeros(len(held), dtype=object)
    found[:-1] = np.maximum(margin - held[:-1], 0)
    found[1:] = np.maximum(found[1:], held[:-1] - margin)
    return found
