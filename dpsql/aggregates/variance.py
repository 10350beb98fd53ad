"""VAR_POP, VAR_SAMP, STDDEV_POP, STDDEV_SAMP from the degree-2 joint basis."""

from __future__ import annotations

import math

import numpy as np
from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, Need, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock
from dpsql.aggregates.rows import rows_of
from dpsql.core.domain import FLOAT
from dpsql.core.ir import Aggregate

_NAMES: dict[type[exp.Expr], str] = {
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
}


class Variance:
    """NULL where the noisy count is ≤ 0 (≤ 1 for SAMP); held within what the range allows."""

    nodes: tuple[type[exp.Expr], ...] = tuple(_NAMES)
    names: tuple[str, ...] = ("var_pop", "var_samp", "stddev_pop", "stddev_samp")

    def fn(self, node: exp.Expr) -> str:
        return _NAMES[type(node)]

    def need(self, aggregate: Aggregate) -> Need:
        return Need("moments", rows_of(aggregate), aggregate.arg, degree=2, counted=True)

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("DOUBLE", FLOAT)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return None

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        block = noisy.block
        assert isinstance(block, MomentsBlock)
        sample, root = aggregate.fn.endswith("samp"), aggregate.fn.startswith("stddev")
        unit = float(block.grid.unit)
        columns = [row.tolist() for row in noisy.coords]
        values = [
            _variance(int(a), int(b), int(c), block.grid.span, noisy.weight, sample)
            for a, b, c in zip(*columns, strict=True)
        ]
        low, high = self._interval(block, noisy, sample)
        if root:
            return Answer(
                [None if v is None else math.sqrt(v) * unit for v in values],
                np.sqrt(low) * unit,
                np.sqrt(high) * unit,
            )
        squared = unit * unit
        return Answer(
            [None if v is None else v * squared for v in values], low * squared, high * squared
        )

    def _interval(
        self, block: MomentsBlock, noisy: NoisyBlock, sample: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        from dpsql.mechanisms.bootstrap import joint_variance_basis, variance_interval

        return variance_interval(
            noisy.coords.astype(float) / noisy.weight,
            basis=joint_variance_basis(block.grid.span),
            law=noisy.law,
            scales=[noisy.scale / noisy.weight] * 3,
            sample=sample,
            confidence=noisy.confidence,
        )

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # falls with the number of rows, which is private


def _variance(s0: int, s1: int, s2: int, m: int, weight: int, sample: bool) -> float | None:
    """M²(4QN - T²)/(4N²) with N = ΣSᵢ = n·M²·W, T = S1 + 2·S2, Q = S2: one exact division."""
    n = s0 + s1 + s2
    one_row = m * m * weight
    if n <= (one_row if sample else 0):
        return None
    t = s1 + 2 * s2
    numerator, denominator = m * m * (4 * s2 * n - t * t), 4 * n * n
    if sample:
        numerator, denominator = numerator * n, denominator * (n - one_row)
    most = m * m / 4 * (2 if sample else 1)
    return min(max(numerator / denominator, 0.0), most)


FAMILY = Variance()
