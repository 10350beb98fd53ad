"""SUM(x): over no rows it is 0 plus noise, never NULL, because emptiness is data."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from sqlglot import exp

from dpsql.aggregates.basis import Need, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock, symmetric
from dpsql.aggregates.rows import rows_of
from dpsql.core.domain import FLOAT, INTEGER, Kind, decimal
from dpsql.core.ir import Aggregate

_EXACT = Context(prec=60)


class Sum:
    """Σ x on the value's grid: integers stay integers, decimals decimals."""

    nodes: tuple[type[exp.Expr], ...] = (exp.Sum,)
    names: tuple[str, ...] = ("sum",)

    def fn(self, node: exp.Expr) -> str:
        return "sum"

    def need(self, aggregate: Aggregate) -> Need:
        return Need("moments", rows_of(aggregate), aggregate.arg, degree=1)

    def result_type(self, aggregate: Aggregate) -> ResultType:
        assert aggregate.arg is not None
        kind = aggregate.arg.domain.type
        if kind.kind is Kind.INTEGER:
            return ResultType("HUGEINT", INTEGER)
        if kind.kind is Kind.DECIMAL:
            return ResultType(f"DECIMAL(38,{kind.scale})", decimal(38, kind.scale))
        return ResultType("DOUBLE", FLOAT)

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        assert aggregate.arg is not None
        kind = aggregate.arg.domain.type
        if kind.kind is Kind.FLOAT:
            return None
        weights, divisor = noisy.sum_weights(aggregate.arg)
        # The grid may be coarser than whole units (decimal places) for very wide ranges.
        unit = noisy.grid_of(aggregate.arg).unit
        return weights, divisor / (unit * 10**kind.scale)

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        assert aggregate.arg is not None
        weights, divisor = noisy.sum_weights(aggregate.arg)
        unit = noisy.grid_of(aggregate.arg).unit
        kind = aggregate.arg.domain.type
        exact = self.linear(aggregate, noisy)
        if exact is None:
            values: list[Any] = noisy.linear(weights, divisor / unit).tolist()
        else:
            values = noisy.rounded(*exact).tolist()
            if kind.kind is Kind.DECIMAL:
                values = [_EXACT.scaleb(Decimal(value), -kind.scale) for value in values]
        half = float(unit) * noisy.half_width(weights, divisor)
        return Answer(values, *symmetric(values, half))

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        unit = float(noisy.grid_of(aggregate.arg).unit)
        return unit * noisy.expected_error(*noisy.sum_weights(aggregate.arg))


FAMILY = Sum()
