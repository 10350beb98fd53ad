"""AVG(x): the mean of rows, from the joint basis, NULL where the noisy count is not positive."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, Need, ResultType
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
        block = noisy.block
        assert isinstance(block, MomentsBlock)
        unit, lo, m = float(block.grid.unit), block.grid.lo, block.grid.span
        total, divisor = noisy.sum_weights()
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
        low, high = self._interval(block, noisy)
        return Answer(values, (low + lo) * unit, (high + lo) * unit)

    def _interval(self, block: MomentsBlock, noisy: NoisyBlock) -> tuple[np.ndarray, np.ndarray]:
        """Fieller's, on the shifted grid 0..M."""
        from dpsql.mechanisms.fieller import ratio_interval

        m = float(block.grid.span)
        numerator = (0.0, m) if block.degree == 1 else (0.0, m / 2, m)
        return ratio_interval(
            noisy.coords.astype(float),
            numerator=numerator,
            denominator=(1.0,) * (block.degree + 1),
            law=noisy.law,
            scales=[noisy.scale] * (block.degree + 1),
            low=0.0,
            high=m,
        )

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # falls with the number of rows, which is private


FAMILY = Avg()
