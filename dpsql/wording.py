"""Expressions, numbers and ranges in words: for people to recognise, not exact SQL."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sqlglot import exp

from dpsql.core.domain import Interval
from dpsql.core.ir import Call, Col, Expr, Lit, Unknown, value_parameter

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
        case Unknown(step=step):
            return f"${value_parameter(step)}"
        case Call(fn=fn, args=(left, right)) if fn in _INFIX:
            return f"({words(left)} {_INFIX[fn]} {words(right)})"
        case Call(fn=fn, args=args, options=options):
            return f"{fn}({', '.join([*options, *map(words, args)])})"


def spelled(columns: Mapping[str, tuple[exp.Expr, ...]], name: str, fallback: Expr | str) -> str:
    """A release column as the query writes it; `columns` are its `Site`'s."""
    nodes = columns.get(name, ())
    if nodes:
        return str(nodes[0].unalias().sql("duckdb"))
    return fallback if isinstance(fallback, str) else words(fallback)


def sought(kind: str, value: Expr | None, unit: str) -> str:
    """A bound that is found privately (a `ChoicePlan`'s kind and value), in words."""
    if value is None:
        return f"rows of a {unit} in one group"
    name = words(value)
    return {
        "total": f"total of {name} of a {unit} in one group",
        "high": f"high end of {name}",
        "low": f"low end of {name}",
    }[kind]


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
