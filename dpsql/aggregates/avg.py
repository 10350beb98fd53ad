"""AVG(x): the mean of rows, from the joint basis, NULL where the noisy count is not positive."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, Need, PairBlock, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock
from dpsql.aggregates.rows import rows_of
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
        total, divisor = noisy.sum_weights(aggregate.arg)
        count, count_divisor = noisy.count_weights()
        n = noisy.combination(count)
        s = noisy.combination(total)
        scale = count_divisor / divisor
        values: list[float | None] = []
        for rows, value in zip(n.tolist(), s.tolist(), strict=True):
            if rows <= 0:
                values.append(None)
                continue
            mean = value * scale.numerator / (rows * scale.denominator)
            values.append(min(max(mean, float(lo)), float(lo + m)) * unit)
        low, high = self._interval(aggregate, noisy)
        return Answer(values, (low + lo) * unit, (high + lo) * unit)

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


FAMILY = Avg()
