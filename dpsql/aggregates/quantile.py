"""MEDIAN, PERCENTILE_CONT and _DISC, QUANTILE_*, APPROX_QUANTILE, MIN and MAX: drawn bins.

All are quantiles by rank of the values on a public grid. CONT and DISC differ in their type alone:
where plain SQL would interpolate between two neighbouring values, any value between them may come.
"""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from sqlglot import exp

from dpsql.aggregates.basis import HistogramBlock, Need, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock
from dpsql.aggregates.rows import rows_of
from dpsql.core.domain import DATE, FLOAT, INTEGER, TIMESTAMP, Kind, decimal
from dpsql.core.ir import Aggregate

_EXACT = Context(prec=60)
_EPOCH = dt.datetime(1970, 1, 1)
EXTREMES = ("min", "max")


class Quantile:
    """The bin that the mechanism drew, as a value of the argument's type; never NULL.

    An empty group has a value of the range, too: emptiness is data.
    """

    nodes: tuple[type[exp.Expr], ...] = (
        *(exp.Median, exp.PercentileCont, exp.PercentileDisc, exp.Quantile),
        *(exp.ApproxQuantile, exp.ApproxQuantiles, exp.Min, exp.Max),
    )
    names: tuple[str, ...] = ("quantile_cont", "quantile_disc", *EXTREMES)

    def fn(self, node: exp.Expr) -> str:
        if isinstance(node, (exp.Min, exp.Max)):
            return "min" if isinstance(node, exp.Min) else "max"
        between = isinstance(node, (exp.Median, exp.PercentileCont))
        return "quantile_cont" if between else "quantile_disc"

    def need(self, aggregate: Aggregate) -> Need:
        return Need("histogram", rows_of(aggregate), aggregate.arg)

    def result_type(self, aggregate: Aggregate) -> ResultType:
        assert aggregate.arg is not None
        kind, between = aggregate.arg.domain.type, aggregate.fn == "quantile_cont"
        if aggregate.moment == "timestamp" or (aggregate.moment and between):
            return ResultType("TIMESTAMP", TIMESTAMP)
        if aggregate.moment:
            return ResultType("DATE", DATE)
        if kind.kind is Kind.DECIMAL:
            return ResultType(f"DECIMAL(38,{kind.scale})", decimal(38, kind.scale))
        if kind.kind is Kind.FLOAT or between:
            return ResultType("DOUBLE", FLOAT)
        ends = aggregate.arg.domain.bounds.numbers()
        wide = max(abs(end) for end in ends) >= 2**62
        return ResultType("HUGEINT" if wide else "BIGINT", INTEGER)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        return None

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        """Coordinates are drawn bins: the quantile's, and the interval's first and last, told by
        their outer ends: a quantile lies anywhere in its bin."""
        block, type_ = noisy.block, self.result_type(aggregate)
        assert isinstance(block, HistogramBlock)
        chosen, low, high = (row.tolist() for row in noisy.coords)
        values = [_value(block.at(bin_), aggregate, type_) for bin_ in chosen]
        firsts = [block.ends(bin_)[0] for bin_ in low]
        lasts = [block.ends(bin_)[1] for bin_ in high]
        if aggregate.moment:
            first, last = (
                np.array([_value(end, aggregate, type_) for end in ends], dtype=object)
                for ends in (firsts, lasts)
            )
            return Answer(values, first, last)
        return Answer(values, np.array(firsts, dtype=float), np.array(lasts, dtype=float))

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        return None  # in ranks it is known beforehand, in values it depends on where people are


def _value(x: Fraction, aggregate: Aggregate, type_: ResultType) -> Any:
    if aggregate.moment:
        step = dt.timedelta(days=1) if aggregate.moment == "date" else dt.timedelta(seconds=1)
        moment = _EPOCH + int(x) * step
        return moment if type_.type is TIMESTAMP else moment.date()
    if type_.type.kind is Kind.INTEGER:
        return int(x)
    if type_.type.kind is Kind.DECIMAL:
        digits = round(x * 10**type_.type.scale)
        return _EXACT.scaleb(Decimal(digits), -type_.type.scale)
    return float(x)


FAMILY = Quantile()
