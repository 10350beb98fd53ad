"""How wide the bar of a computed column is expected to be: a sum, a difference, a ratio.

Of a line of counts and sums it is the same in every group. Of a ratio it falls with the rows: it is
told for a group of so many rows, sums with values in the middle of their ranges, half of the rows
passing a FILTER or the condition of a COUNT_IF. A line of one aggregate has its bar, times the
factor.
"""

from __future__ import annotations

from fractions import Fraction

from dpsql.aggregates.conditions import tested
from dpsql.core.ir import Aggregate
from dpsql.mechanisms.interval import half_width
from dpsql.mechanisms.open_ratio import open_ratio_interval
from dpsql.pipeline.computed_bars import Formula, Line, Noise
from dpsql.planning.types import Plan

PASSING = Fraction(1, 2)
"""Of the rows: what a condition lets through, before anything is read."""


def by_rows(one: Formula) -> bool:
    """Does it fall with the rows of a group? Not of a line of several aggregates."""
    return one.bottom is not None


def expected_half(plan: Plan, one: Formula, *, rows: int, confidence: float) -> float | None:
    """The expected half-width; None where the divisor may be 0. Not for a line of one aggregate."""
    noise = Noise(plan)
    top, above = noise.of(one.top)
    if one.bottom is None:
        return half_width(plan.law, top, noise.scales, confidence) + above
    bottom, below = noise.of(one.bottom)
    low, high = open_ratio_interval(
        [float(_pretended(plan, one.top, rows))],
        [float(_pretended(plan, one.bottom, rows))],
        numerator=top,
        denominator=bottom,
        law=plan.law,
        scales=noise.scales,
        slack=(above, below),
        confidence=confidence,
    )
    half = float(high[0] - low[0]) / 2
    return half if half < float("inf") else None


def alone(one: Formula) -> tuple[str, Fraction] | None:
    """(the aggregate's name, the factor) of a line of one aggregate."""
    if one.bottom is not None or len(one.top.terms) != 1:
        return None
    ((name, factor),) = one.top.terms.items()
    return name, abs(factor)


def _pretended(plan: Plan, line: Line, rows: int) -> Fraction:
    columns = {column.aggregate.name: column.aggregate for column in plan.columns}
    terms = (factor * _size(columns[name], rows) for name, factor in line.terms.items())
    return sum(terms, line.constant)


def _size(call: Aggregate, rows: int) -> Fraction:
    some = call.where is not None or tested(call) is not None
    size = rows * (PASSING if some else Fraction(1))
    if call.fn != "sum" or call.arg is None:
        return size
    low, high = call.arg.domain.bounds.numbers()
    return size * (low + high) / 2
