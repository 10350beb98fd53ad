"""COUNT(DISTINCT unit), also as APPROX_COUNT_DISTINCT: each unit counts once in a group."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Need, ResultType, Rows
from dpsql.aggregates.count import Count
from dpsql.core.domain import INTEGER
from dpsql.core.ir import Aggregate


class Units(Count):
    """Number of distinct units with at least one row; free where a key is thresholded by it."""

    nodes: tuple[type[exp.Expr], ...] = (exp.ApproxDistinct,)  # and what the binder recognises
    names: tuple[str, ...] = ("count_units",)

    def need(self, aggregate: Aggregate) -> Need:
        return Need("units", Rows(aggregate.where, None))

    def result_type(self, aggregate: Aggregate) -> ResultType:
        return ResultType("BIGINT", INTEGER)


FAMILY = Units()
