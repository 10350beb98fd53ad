"""COUNT(*), COUNT(x) and COUNT_IF(condition)."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Need, ResultType
from dpsql.aggregates.conditions import tested
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock, symmetric
from dpsql.aggregates.rows import rows_of
from dpsql.core.domain import INTEGER
from dpsql.core.ir import Aggregate


class Count:
    """Number of rows, an integer, not clamped at 0: unbiased."""

    nodes: tuple[type[exp.Expr], ...] = (exp.Count, exp.CountIf)
    names: tuple[str, ...] = ("count_star", "count")

    def fn(self, node: exp.Expr) -> str:
        return "count"

    def need(self, aggregate: Aggregate) -> Need:
        return Need("count", rows_of(aggregate))

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("BIGINT", INTEGER)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return noisy.count_weights(tested(aggregate))

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        weights, divisor = noisy.count_weights(tested(aggregate))
        values = noisy.rounded(weights, divisor).tolist()
        return Answer(values, *symmetric(values, noisy.half_width(weights, divisor)))

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return noisy.expected_error(*noisy.count_weights(tested(aggregate)))


FAMILY = Count()
