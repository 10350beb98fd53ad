"""AVG(x): the mean of rows, from the joint basis, NULL where the noisy count is not positive."""

from __future__ import annotations

import math

import numpy as np
from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, Need, PairBlock, ResultType
from dpsql.aggregates.noisy import Answer, Floats, Linear, NoisyBlock
from dpsql.aggregates.rows import rows_of
from dpsql.aggregates.whole import combined, quotient, times
from dpsql.core.domain import FLOAT
from dpsql.core.ir import Aggregate


class Avg:
    """Σ x / n of noisy parts, held within the value's range (post-processing)."""

    nodes: tuple[type[exp.Expr], ...] = (exp.Avg,)
    names: tuple[str, ...] = ("avg",)

    def fn(self, node: exp.Expr) -> str:
        return "avg"

    def need(self, aggregate: Aggregate) -> Need:
        return Need("moments", rows_of(aggregate), aggregate.arg, degree=1, counted=True)

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("DOUBLE", FLOAT)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return None

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        grid = noisy.grid_of(aggregate.arg)
        unit, lo, m = float(grid.unit), grid.lo, grid.span
        low, high = self._interval(aggregate, noisy)
        means = _means(aggregate, noisy).clip(float(lo), float(lo + m)) * unit
        shown = means.astype(object)
        shown[np.isnan(means)] = None
        return Answer(shown.tolist(), (low + lo) * unit, (high + lo) * unit)

    def _interval(self, aggregate: Aggregate, noisy: NoisyBlock) -> tuple[np.ndarray, np.ndarray]:
        """Fieller's, on the shifted grid 0..M."""
        from dpsql.mechanisms.fieller import ratio_interval

        block, m = noisy.block, float(noisy.grid_of(aggregate.arg).span)
        assert isinstance(block, (MomentsBlock, PairBlock))
        denominator = [1.0] * block.coordinates
        if noisy.turned is not None:
            total, difference = noisy.turned
            numerator, denominator = [m / (2 * total), m / (2 * difference)], [1 / total, 0.0]
        elif isinstance(block, MomentsBlock):
            numerator = [m * power / block.degree for power in range(block.coordinates)]
        else:
            at = block.values.index(aggregate.arg)
            numerator = [m * place[at] / block.degrees[at] for place in block.places]
        return ratio_interval(
            noisy.coords.astype(float),
            numerator=numerator,
            denominator=denominator,
            law=noisy.law,
            scales=[noisy.scale] * block.coordinates,
            low=0.0,
            high=m,
            confidence=noisy.confidence,
        )

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # falls with the number of rows, which is private


def _means(aggregate: Aggregate, noisy: NoisyBlock) -> Floats:
    """Σ x / n in grid units, one division each; NaN where the noisy count is not positive."""
    total, divisor = noisy.sum_weights(aggregate.arg)
    count, count_divisor = noisy.count_weights()
    shared, scale = math.gcd(*total) or 1, count_divisor / divisor
    scale *= shared  # smaller numbers, the same ratio
    top = times(combined([one // shared for one in total], noisy.coords), scale.numerator)
    bottom = times(combined(count, noisy.coords), scale.denominator)
    some = np.asarray(bottom > 0, dtype=bool)
    means = np.full(some.shape, np.nan)
    means[some] = quotient(top[some], bottom[some])
    return means


FAMILY = Avg()
