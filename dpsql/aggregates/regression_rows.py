"""REGR_COUNT, REGR_AVGX and REGR_AVGY: count and means of the rows in which both values are."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from dpsql.aggregates.avg import Avg
from dpsql.aggregates.basis import Need
from dpsql.aggregates.count import Count
from dpsql.aggregates.noisy import Answer, NoisyBlock
from dpsql.aggregates.rows import rows_of
from dpsql.core.ir import Aggregate


class PairCount(Count):
    """COUNT of the rows with both values."""

    nodes: tuple[type[exp.Expr], ...] = (exp.RegrCount,)
    names: tuple[str, ...] = ("regr_count",)

    def fn(self, node: exp.Expr) -> str:
        return "regr_count"


class PairMean(Avg):
    """AVG over the rows with both values; from the tensor basis where one is there anyway."""

    nodes: tuple[type[exp.Expr], ...] = (exp.RegrAvgx, exp.RegrAvgy)
    names: tuple[str, ...] = ("regr_avgx", "regr_avgy")

    def fn(self, node: exp.Expr) -> str:
        return "regr_avgx" if isinstance(node, exp.RegrAvgx) else "regr_avgy"

    def need(self, aggregate: Aggregate) -> Need:
        return Need("moments", rows_of(aggregate), _mean_of(aggregate).arg, 1, counted=True)

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        return super().combine(_mean_of(aggregate), noisy)


def _mean_of(aggregate: Aggregate) -> Aggregate:
    """REGR_AVGX(y, x) is of x, its second argument."""
    return replace(aggregate, arg=aggregate.other) if aggregate.fn == "regr_avgx" else aggregate


COUNT_FAMILY, MEAN_FAMILY = PairCount(), PairMean()
