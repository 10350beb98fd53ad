"""What COVAR, CORR and REGR aggregates share: moments of two values from one tensor basis.

With u = x/Mx and v = y/My over 0..1, the coordinates S_ij = Σ B_i(x)·B_j(y) of the basis of degrees
(dx, dy) give, with T = Mx^dx·My^dy (and W under weights), by degree elevation of Bernstein bases

    n = Σ S_ij / T              Σu = Σ (i/dx)·S_ij / T      Σuv = Σ (i/dx)(j/dy)·S_ij / T
    Σu² = Σ i(i-1)/(dx(dx-1))·S_ij / T, for dx = 2

All are kept as integers, four times T in size: 4T·n, 4T·Σu, and so on. Differences such as
n·Σuv - Σu·Σv are then exact, and quotients of them are one division.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from dpsql.aggregates.basis import Need, PairBlock, ResultType
from dpsql.aggregates.noisy import Answer, Floats, Linear, NoisyBlock
from dpsql.aggregates.rows import pair_of, rows_of
from dpsql.core.domain import FLOAT
from dpsql.core.ir import Aggregate

Array = NDArray[Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Value:
    """Where a value lies in its own unit: lo, and how wide its range is."""

    lo: float
    width: float


@dataclass(frozen=True)
class Moments:
    """Of values a (the first argument) and b, mapped to 0..1. `sizes`: what stands for one row."""

    n: Array
    a: Array
    b: Array
    ab: Array
    aa: Array
    bb: Array
    row: int
    first: Value
    second: Value

    @property
    def some(self) -> Bools:
        """Are there rows at all, as far as the noise tells?"""
        return np.asarray(self.n > 0, dtype=bool)

    @property
    def c_ab(self) -> Array:
        """n²·covariance of a and b."""
        return np.asarray(self.n * self.ab - self.a * self.b)

    @property
    def c_aa(self) -> Array:
        """n²·variance of a; only where the basis has its square."""
        return np.asarray(self.n * self.aa - self.a * self.a)

    @property
    def c_bb(self) -> Array:
        return np.asarray(self.n * self.bb - self.b * self.b)


def divided(top: Array, bottom: Array, where: Bools) -> Array:
    """top / bottom where it is defined, else 0."""
    return np.where(where, top, 0) / np.where(where, bottom, 1)


class PairFamily:
    """An aggregate of two values that follows from their moments; NULL where it is undefined."""

    by_node: ClassVar[dict[type[exp.Expr], str]] = {}

    def fn(self, node: exp.Expr) -> str:
        return self.by_node[type(node)]

    def degrees(self, fn: str) -> tuple[int, int]:
        """Of the first and of the second argument."""
        raise NotImplementedError

    def statistic(self, fn: str, m: Moments) -> tuple[Array, Bools]:
        """Its values, and where it is defined."""
        raise NotImplementedError

    def ends(self, fn: str, first: Value, second: Value) -> tuple[float, float]:
        """What it cannot leave, whatever the rows."""
        raise NotImplementedError

    def need(self, aggregate: Aggregate) -> Need:
        of_first, of_second = self.degrees(aggregate.fn)
        x, y = pair_of(aggregate)
        if x != aggregate.arg:
            of_first, of_second = of_second, of_first
        return Need(
            "pair", rows_of(aggregate), x, of_first, counted=True, other=y, other_degree=of_second
        )

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("DOUBLE", FLOAT)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return None

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        block, fn = noisy.block, aggregate.fn
        assert isinstance(block, PairBlock)
        at = block.values.index(aggregate.arg)
        weights, row = _weights(block, at), 4 * noisy.weight * block.row_total
        first, second = (
            Value(float(grid.lo * grid.unit), float(grid.span * grid.unit))
            for grid in (block.grids[at], block.grids[1 - at])
        )

        def moments(parts: Sequence[Array]) -> Moments:
            n, a, b, ab, aa, bb = parts
            return Moments(n, a, b, ab, aa, bb, row, first, second)

        exact = moments([noisy.combination(line) for line in weights])
        found, defined = self.statistic(fn, exact)
        low, high = self.ends(fn, first, second)
        values = [
            min(max(float(value), low), high) if known else None
            for value, known in zip(found.tolist(), defined.tolist(), strict=True)
        ]
        return Answer(values, *self._interval(fn, noisy, weights, moments, values, (low, high)))

    def _interval(
        self,
        fn: str,
        noisy: NoisyBlock,
        weights: Sequence[Sequence[int]],
        moments: Any,
        values: Sequence[float | None],
        ends: tuple[float, float],
    ) -> tuple[Floats, Floats]:
        from dpsql.mechanisms.inversion import inverted_interval

        low, high = inverted_interval(
            noisy.coords.astype(float),
            moments=weights,
            statistic=lambda parts: self.statistic(fn, moments(parts)),
            law=noisy.law,
            scales=[noisy.scale] * len(weights[0]),
            low=ends[0],
            high=ends[1],
            confidence=noisy.confidence,
        )
        known = np.array([np.nan if value is None else value for value in values])
        return np.fmin(low, known), np.fmax(high, known)

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # falls with the number of rows, which is private


def _weights(block: PairBlock, at: int) -> list[list[int]]:
    """4T times n, Σa, Σb, Σab, Σa², Σb² in the coordinates; a is value `at` of the block.

    Squares that the basis does not hold are left 0: no statistic reads them.
    """
    da, db = block.degrees[at], block.degrees[1 - at]
    places = [(place[at], place[1 - at]) for place in block.places]
    return [
        [4 for _ in places],
        [4 * i // da for i, _ in places],
        [4 * j // db for _, j in places],
        [4 * i * j // (da * db) for i, j in places],
        [2 * i * (i - 1) if da == 2 else 0 for i, _ in places],
        [2 * j * (j - 1) if db == 2 else 0 for _, j in places],
    ]
