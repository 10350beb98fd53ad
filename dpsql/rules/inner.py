"""Aggregates within one unit's rows: exact integers and decimals, never a sum of floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.aggregates.basis import Grid, Rows, SumBlock
from dpsql.core.domain import Kind
from dpsql.core.ir import FixedPoint, InnerAggregate
from dpsql.rules.build import bigint
from dpsql.rules.keys import presentable
from dpsql.rules.values import bounded_value

if TYPE_CHECKING:
    from dpsql.rules.source import Sources


def inner_aggregate(call: InnerAggregate, sources: Sources) -> exp.Expr:
    """The call with its FILTER.

    Guarantee: a function of the unit's rows as a multiset, which no engine error can interrupt.
    """
    node = _call(call, sources)
    if call.where is None:
        return node
    return exp.Filter(this=node, expression=exp.Where(this=sources.expr(call.where)))


def _call(call: InnerAggregate, sources: Sources) -> exp.Expr:
    if call.arg is None:
        return exp.Count(this=exp.Star())
    value = argument(call, sources)
    return over(call.fn, value)


def over(fn: str, value: exp.Expr) -> exp.Expr:
    """The engine's aggregate of what `argument` made."""
    if fn == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[value]))
    if fn.startswith("count"):
        return exp.Count(this=value)
    if fn.startswith("sum"):
        return exp.Sum(this=value)
    return exp.Min(this=value) if fn == "min" else exp.Max(this=value)


def argument(call: InnerAggregate, sources: Sources) -> exp.Expr:
    """What is aggregated of one row: exact, whatever the data holds."""
    assert call.arg is not None
    if call.grid is not None:
        return fixed(call, call.grid, sources)
    arg, kind = sources.expr(call.arg), call.arg.domain.type
    if call.fn == "sum":
        return bigint(arg)
    if call.fn == "sum_decimal":
        return exp.cast(arg, f"DECIMAL({kind.precision},{kind.scale})")
    if call.fn in ("min", "max") and kind.kind is Kind.FLOAT:
        return presentable(call.arg, arg)  # of 0.0 and -0.0 either may be found first
    return arg


def fixed(call: InnerAggregate, grid: FixedPoint, sources: Sources) -> exp.Expr:
    """The row's value as an integer within the grid; NULL for NULL, NaN and infinities."""
    assert call.arg is not None
    block = SumBlock(Rows(None, call.arg), call.arg, Grid(grid.unit, grid.lo, grid.hi))
    return bounded_value(block, sources)
