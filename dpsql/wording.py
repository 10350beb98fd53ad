"""Expressions and aggregates in words: for people to recognise, not exact SQL."""

from __future__ import annotations

from fractions import Fraction

from dpsql.core.domain import Interval
from dpsql.core.ir import Aggregate, Call, Col, Expr, Lit

_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "eq": "=",
    "neq": "<>",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "and": "AND",
    "or": "OR",
}


def words(expr: Expr) -> str:
    """An expression: names and operators."""
    match expr:
        case Col(name=name):
            return name
        case Lit(value=None):
            return "NULL"
        case Lit(value=value):
            return repr(value) if isinstance(value, str) else str(value)
        case Call(fn=fn, args=(left, right)) if fn in _INFIX:
            return f"({words(left)} {_INFIX[fn]} {words(right)})"
        case Call(fn=fn, args=args, options=options):
            return f"{fn}({', '.join([*options, *map(words, args)])})"


def aggregate_words(aggregate: Aggregate, unit: str) -> str:
    """`SUM(amount) FILTER (WHERE ...)`; `unit` names the column that COUNT(DISTINCT) counts."""
    match aggregate.fn:
        case "count_star":
            text = "COUNT(*)"
        case "count_units":
            text = f"COUNT(DISTINCT {unit})"
        case name:
            text = f"{name.upper()}({words(aggregate.arg) if aggregate.arg else '*'})"
    where = aggregate.where
    return text if where is None else f"{text} FILTER (WHERE {words(where)})"


def number(value: float) -> str:
    """Three or so digits, with thousands separators: `5,090`, `0.0312`, `1.2e+09`."""
    size = abs(value)
    if size == 0 or not 1e-4 <= size < 1e9:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.3g}"


def span(bounds: Interval) -> str:
    """`0 to 5,000` of a bounded range of numbers or moments."""
    lo, hi = (
        number(float(end)) if isinstance(end, Fraction) else str(end)
        for end in (bounds.lo, bounds.hi)
    )
    return f"{lo} to {hi}"
