"""Noisy block coordinates as an aggregate's `combine` sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dpsql.aggregates.basis import (
    Block,
    CountBlock,
    DistinctBlock,
    Grid,
    HistogramBlock,
    MomentsBlock,
    PairBlock,
    SumBlock,
    TallyBlock,
    UnitsBlock,
)
from dpsql.aggregates.whole import combined, nearest, quotient, times
from dpsql.core.ir import Call, Expr

Law = Literal["laplace", "gaussian"]
LAW_NAMES: dict[Law, str] = {"laplace": "rounded Laplace", "gaussian": "rounded Gaussian"}
EXPONENTIAL = "exponential mechanism"
Floats = NDArray[np.float64]
Linear = tuple[Sequence[int], Fraction]
"""Integer weights and a divisor: (weights · coords) / divisor."""


@dataclass(frozen=True)
class NoisyBlock:
    """One block after noise. `coords` is (coordinates, groups) of Python ints or int64.

    `weight` is W under the weights strategy (each row counts W), else 1; `scale` the noise scale
    (b or σ) in units of one coordinate. `slack`, in the same units, is what a coordinate and the
    answer's own rounding may be off beyond that law: for means of several draws alone.
    `confidence` of the error bars; not of a histogram's, which are drawn.
    Of a histogram the coordinates are drawn bins (`quantile`), and there is no scale.
    """

    block: Block | HistogramBlock | DistinctBlock
    coords: NDArray[Any]
    weight: int
    law: Law
    scale: Fraction
    slack: int = 0
    turned: tuple[int, int] | None = None
    """Of a mean's pair (u, v), with turned = (t, d): the coordinates are t·(u + v), d·(v - u)."""
    confidence: float = 0.95

    def combination(self, weights: Sequence[int]) -> NDArray[Any]:
        """Σ wᵢ·coordᵢ as exact Python ints, one for each group: no product of them overflows."""
        return combined(weights, self.coords).astype(object)

    def grid_of(self, value: Expr | None) -> Grid:
        """The grid of a value of this block."""
        block = self.block
        if isinstance(block, PairBlock):
            return block.grids[block.values.index(value)]
        if isinstance(block, TallyBlock):
            return Grid(Fraction(1), 0, 1)
        assert isinstance(block, (SumBlock, MomentsBlock, HistogramBlock))
        return block.grid

    # ---- linear views: integer weights and the divisor of the sum ------------------------

    def count_weights(self, test: Expr | None = None) -> tuple[tuple[int, ...], Fraction]:
        """n = (weights · coords) / divisor. `test`: of a tally the class, None for all rows."""
        match self.block:
            case TallyBlock() as tally:
                return _classes(tally, test), Fraction(self.weight * tally.steps)
            case CountBlock() | UnitsBlock() | DistinctBlock():
                return (1,), Fraction(self.weight)
            case MomentsBlock(grid=grid) if self.turned is not None:
                return (1, 0), Fraction(self.turned[0] * self.weight * grid.span)
            case MomentsBlock(degree=degree, grid=grid):
                return (1,) * (degree + 1), Fraction(self.weight * grid.span**degree)
            case PairBlock() as pair:
                return (1,) * pair.coordinates, Fraction(self.weight * pair.row_total)
        raise ValueError("a sum alone holds no count")

    def sum_weights(self, value: Expr | None = None) -> tuple[tuple[int, ...], Fraction]:
        """Σ v in grid units = (weights · coords) / divisor. `value`: which, of a pair."""
        match self.block:
            case TallyBlock():
                assert isinstance(value, Call)
                return self.count_weights(value.args[0])
            case PairBlock() as pair:
                at = pair.values.index(value)
                grid, degree = pair.grids[at], pair.degrees[at]
                terms = (degree * grid.lo + place[at] * grid.span for place in pair.places)
                return tuple(terms), Fraction(degree * self.weight * pair.row_total)
            case SumBlock():
                return (1,), Fraction(self.weight)
            case MomentsBlock(grid=grid) if self.turned is not None:
                total, difference = self.turned
                weights = (2 * grid.lo + grid.span) * difference, grid.span * total
                return weights, Fraction(2 * total * difference * self.weight * grid.span)
            case MomentsBlock(degree=1, grid=grid):
                return (grid.lo, grid.lo + grid.span), Fraction(self.weight * grid.span)
            case MomentsBlock(grid=grid):
                lo, m = grid.lo, grid.span
                return (2 * lo, 2 * lo + m, 2 * (lo + m)), Fraction(2 * self.weight * m * m)
        raise ValueError("a count holds no sum")

    def linear(self, weights: Sequence[int], divisor: Fraction) -> Floats:
        """The linear answer as floats."""
        whole = combined(weights, self.coords)
        return quotient(times(whole, divisor.denominator), divisor.numerator)

    def rounded(self, weights: Sequence[int], divisor: Fraction) -> NDArray[Any]:
        """The linear answer rounded to the nearest integer (ties away from zero), exactly."""
        return nearest(combined(weights, self.coords), divisor)

    def half_width(self, weights: Sequence[int], divisor: Fraction) -> float:
        """Half-width of the linear answer's bar; one number for all groups."""
        from dpsql.mechanisms.interval import half_width

        scales = [self.scale] * len(weights)
        terms = [Fraction(weight) / divisor for weight in weights]
        loose = float(self.slack * sum(map(abs, terms)))
        return half_width(self.law, terms, scales, self.confidence) + loose

    def expected_error(self, weights: Sequence[int], divisor: Fraction) -> float:
        """Root mean squared error of the linear answer."""
        from dpsql.mechanisms.interval import expected_error

        scales = [self.scale] * len(weights)
        return expected_error(self.law, [Fraction(w) / divisor for w in weights], scales)


@dataclass(frozen=True)
class Answer:
    """An aggregate's column: values (None where the noisy count leaves none), and its bar."""

    values: list[Any]
    low: NDArray[Any]
    high: NDArray[Any]


def without_bar(answer: Answer) -> Answer:
    """The values alone."""
    none = np.full(len(answer.values), np.nan)
    return Answer(answer.values, none, none)


def _classes(tally: TallyBlock, test: Expr | None) -> tuple[int, ...]:
    if test is None:
        return (1,) * tally.coordinates
    return (0, *(int(one == test) for one in tally.tests))


def symmetric(values: Sequence[Any], half_width: float) -> tuple[Floats, Floats]:
    centre = np.asarray(values, dtype=np.float64)
    return centre - half_width, centre + half_width
