"""WEIGHTED_AVG(x, w) = SUM(x * w) / SUM(w), from the tensor basis of degrees (1, 1)."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Need, PairBlock, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock
from dpsql.aggregates.rows import pair_of, rows_of
from dpsql.core.domain import FLOAT
from dpsql.core.ir import Aggregate


class WeightedMean:
    """Weights are at least 0; NULL where their noisy sum is not positive; within the range of x."""

    nodes: tuple[type[exp.Expr], ...] = ()
    names: tuple[str, ...] = ("weighted_avg",)

    def fn(self, node: exp.Expr) -> str:
        return "weighted_avg"

    def need(self, aggregate: Aggregate) -> Need:
        x, y = pair_of(aggregate)
        return Need("pair", rows_of(aggregate), x, 1, counted=True, other=y, other_degree=1)

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("DOUBLE", FLOAT)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return None

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        """With x = lo + y: Σ y·w / Σ w, both linear in the coordinates; Fieller's interval."""
        from dpsql.mechanisms.fieller import ratio_interval

        block = noisy.block
        assert isinstance(block, PairBlock)
        at = block.values.index(aggregate.arg)
        grid, weights = block.grids[at], block.grids[1 - at]
        dx, dw = block.degrees[at], block.degrees[1 - at]
        # dw·w and dx·y at each place of the basis, as whole numbers.
        heavy = [dw * weights.lo + place[1 - at] * weights.span for place in block.places]
        top = [place[at] * grid.span * w for place, w in zip(block.places, heavy, strict=True)]
        bottom = [dx * w for w in heavy]
        parts = zip(noisy.combination(top), noisy.combination(bottom), strict=True)
        unit, span = float(grid.unit), grid.span
        values = [
            None if whole <= 0 else (grid.lo + min(max(part / whole, 0.0), float(span))) * unit
            for part, whole in parts
        ]
        size = float(max(map(abs, bottom), default=1) or 1)
        low, high = ratio_interval(
            noisy.coords.astype(float),
            numerator=[number / size for number in top],
            denominator=[number / size for number in bottom],
            law=noisy.law,
            scales=[noisy.scale] * block.coordinates,
            low=0.0,
            high=float(span),
            confidence=noisy.confidence,
        )
        return Answer(values, (low + grid.lo) * unit, (high + grid.lo) * unit)

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # falls with the number of rows, which is private


FAMILY = WeightedMean()
