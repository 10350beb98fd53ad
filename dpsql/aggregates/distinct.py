"""COUNT(DISTINCT x), also as APPROX_COUNT_DISTINCT: how many values there are in a group."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Need, Rows
from dpsql.aggregates.count import Count
from dpsql.core.ir import Aggregate


class Distinct(Count):
    """Number of distinct values, each unit counting for at most the cap of them.

    NULL is no value; nor are NaN and infinities, nor dates beyond the years 1 to 9999, as in keys.
    """

    nodes: tuple[type[exp.Expr], ...] = ()  # what the binder recognises
    names: tuple[str, ...] = ("count_distinct",)

    def need(self, aggregate: Aggregate) -> Need:
        return Need("distinct", Rows(aggregate.where, None), aggregate.arg)


FAMILY = Distinct()
