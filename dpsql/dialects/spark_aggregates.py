"""Aggregates and windows in Spark: sums of exact numbers have 38 digits, and never raise."""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.domain import Kind
from dpsql.dialects.spark_numbers import WIDE
from dpsql.dialects.spark_scalars import Scalars
from dpsql.dialects.spark_terms import WIDEST, Term, call, cast, digits, refuse
from dpsql.dialects.told import BIG, HUGE, INT, Told
from dpsql.dialects.windows import RANKS, called, ends_of, over

_FRAME = frozenset({"kind", "start", "start_side", "end", "end_side"})
_ADDED = 10
"""Digits that Spark's SUM has more than what it sums: 10^10 rows would do."""


def aggregate(node: exp.Expr, scalars: Scalars) -> Term | None:
    """An aggregate or a window; None for what is over one row."""
    if isinstance(node, exp.Window):
        return _window(node, scalars)
    if isinstance(node, exp.Filter):
        inner = scalars.write(node.this)
        test = scalars.write(node.args["expression"].this)
        return Term(f"{inner.sql} FILTER (WHERE {test.sql})", inner.told)
    if isinstance(node, exp.Count):
        return _count(node, scalars)
    if isinstance(node, exp.Sum):
        return _sum(scalars.write(node.this))
    if isinstance(node, (exp.Min, exp.Max)):
        return _extreme(node, scalars.write(node.this))
    return None


def _count(node: exp.Count, scalars: Scalars) -> Term:
    if isinstance(node.this, exp.Star):
        return Term("count(*)", BIG)
    if isinstance(node.this, exp.Distinct):
        (value,) = node.this.expressions
        return Term(f"count(DISTINCT {scalars.write(value).sql})", BIG)
    return Term(call("count", scalars.write(node.this).sql), BIG)


def _sum(value: Term) -> Term:
    """As wide as a DECIMAL can be before any row is added: a sum that had no room would be NULL.

    The normal form keeps what is summed over units far below 10^38, however many rows there are.
    """
    if value.told.kind is Kind.INTEGER:
        return Term(call("try_sum", cast(value.sql, WIDE)), HUGE)
    if value.told.kind is not Kind.DECIMAL:
        refuse("a SUM of floats", "sums of ours are of whole numbers")
    precision, scale = digits(value.told)
    if precision < WIDEST - _ADDED:  # beside a NULL of more digits it has these, as they are
        wide = f"CAST(NULL AS DECIMAL({WIDEST - _ADDED}, {scale}))"
        value = Term(call("coalesce", value.sql, wide), value.told)
    else:
        value = Term(cast(value.sql, f"DECIMAL({precision}, {scale})"), value.told)
    return Term(call("try_sum", value.sql), Told(Kind.DECIMAL, 0, (WIDEST, scale)))


def _extreme(node: exp.Expr, value: Term) -> Term:
    if value.told.kind is Kind.OPAQUE:
        refuse("the least or greatest of this type")
    return Term(call("min" if isinstance(node, exp.Min) else "max", value.sql), value.told)


# ---- windows ---------------------------------------------------------------------------------


def _window(node: exp.Window, scalars: Scalars) -> Term:
    if isinstance(node.this, exp.Filter):
        refuse("FILTER of a window", "CASE inside of what is aggregated does the same")
    found = called(node.this, scalars.write, _form, INT)
    term = scalars.write(node.this) if found is None else Term(*found)
    framed = not isinstance(node.this, (*RANKS, exp.Ntile, exp.Lag, exp.Lead))
    frame = _frame if framed else None  # the others' frame is their own
    around = over(node, scalars.write, lambda one: _ordered(one, scalars), frame)
    return Term(f"{term.sql} {around}", term.told)


def _form(word: str, *args: str) -> str:
    return call(word.lower(), *args)


def _ordered(node: exp.Expr, scalars: Scalars) -> str:
    """NULLs where the normal form has them: last unless it says first."""
    direction = "DESC" if node.args.get("desc") else "ASC"
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{scalars.write(node.this).sql} {direction} NULLS {nulls}"


def _frame(spec: exp.Expr) -> str:
    """Of rows, or of peers; a distance between values could leave their type."""
    if {part for part, value in spec.args.items() if value} - _FRAME:
        refuse("this frame of a window")
    kind, ends = str(spec.args["kind"]).upper(), ends_of(spec)
    if kind != "ROWS" and (kind != "RANGE" or any(c.isdigit() for c in "".join(ends))):
        refuse(f"a window's frame of {kind} by a distance")
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"
