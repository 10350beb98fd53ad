"""Many quantiles of one histogram: the middle one first, then those on either side of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.quantile import MAX_BINS, QuantileMechanism

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent

SPREAD = 64
"""Parts of a bin: its weight is spread over so many, so that a heavy one can be split in two."""


@dataclass(frozen=True, slots=True)
class QuantileTree:
    """Choose the bins of many quantiles, in rounds of the exponential mechanism over parts.

    Guarantee:  Precondition: that of QuantileMechanism.
                Postcondition: bins are cut into `SPREAD` parts of equal weight. In a round each
                open stretch of parts (at first all) has its middle quantile drawn by
                QuantileMechanism from the weights inside it, at its place among the stretch's
                quantiles, and is cut there. Stretches of one round do not meet, so the weights
                that one unit adds to all of them are at most its `sensitivity` together: a round
                has epsilon-bounded range, and `cells` groups cost `cells` events a round; there
                are 1 + ⌊log2 of the number of quantiles⌋ `rounds`.
    Source:     Kaplan, Schnapp and Stemmer 2022 (rounds); docs/proofs/quantile.md (units, parts).
    Parameters: epsilon      price of one round in one group, a rational > 0
                quantiles    ascending, different, above 0 and below 1
                sensitivity, bins, cells: as QuantileMechanism's
    Shape:      `release` takes the histogram as QuantileMechanism does; one bin for each quantile.
    Errors:     ValueError at construction only.
    Numerics:   exact, as QuantileMechanism.
    Cost:       about 10 us for each bin that is not empty and each round.
    """

    epsilon: Fraction
    quantiles: tuple[Fraction, ...]
    sensitivity: int
    bins: int
    cells: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, Fraction) or self.epsilon <= 0:
            raise ValueError("the price of a round is a rational above 0")
        inner = all(isinstance(q, Fraction) and 0 < q < 1 for q in self.quantiles)
        if not self.quantiles or not inner or sorted(set(self.quantiles)) != [*self.quantiles]:
            raise ValueError("quantiles are rationals between 0 and 1, ascending")
        for count in (self.sensitivity, self.bins, self.cells):
            if not isinstance(count, int) or count < 1:
                raise ValueError("sensitivity, bins and cells are integers of at least 1")
        if self.bins > MAX_BINS // SPREAD:
            raise ValueError("a grid of parts has at most 2^52 bins")

    @property
    def rounds(self) -> int:
        return len(self.quantiles).bit_length()

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release in every group, with counts."""
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.epsilon), self.cells * self.rounds)]

    def release(self, exact: Exact[tuple[NDArray[Any], NDArray[Any]]]) -> list[int]:
        """The chosen bins, ascending."""
        positions, weights = exact.open_for_noise()
        parts = np.asarray(positions, dtype=np.int64)[:, None] * SPREAD + np.arange(SPREAD)
        found = [0] * len(self.quantiles)
        # (first and last quantile, those at the ends, first part, part beyond, weights inside)
        whole = (parts.ravel(), np.repeat(weights, SPREAD))
        stretches = [
            (0, len(found), Fraction(0), Fraction(1), 0, self.bins * SPREAD, *whole),
        ]
        while stretches:
            first, last, below, above, start, end, places, inside = stretches.pop()
            middle = (first + last) // 2
            q = self.quantiles[middle]
            cut = self._cut((q - below) / (above - below), start, end, places, inside)
            found[middle] = min(cut // SPREAD, self.bins - 1)
            at, after = np.searchsorted(places, [cut, cut + 1])
            if first < middle:
                left = (below, q, start, max(cut, start), places[:at], inside[:at])
                stretches.append((first, middle, *left))
            if middle + 1 < last:
                right = (q, above, min(cut + 1, end), end, places[after:], inside[after:])
                stretches.append((middle + 1, last, *right))
        return found

    def _cut(
        self, q: Fraction, start: int, end: int, places: NDArray[Any], inside: NDArray[Any]
    ) -> int:
        """The part that holds a stretch's quantile; where the stretch is empty, where it was."""
        if end <= start:
            return start
        law = QuantileMechanism(self.epsilon, q, SPREAD * self.sensitivity, end - start)
        return start + law.release(Exact((places - start, inside)))
