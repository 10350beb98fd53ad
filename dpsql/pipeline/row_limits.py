"""LIMIT and OFFSET that a released value decides: it may be negative, or no number at all.

The engine would raise then, after the charge. Held within what a limit can be, they cannot: less
than none is none, and NULL is no limit, as ever.
"""

from __future__ import annotations

from sqlglot import exp

_MOST = 2**62  # more rows than any answer has


def held(query: exp.Expr) -> exp.Expr:
    """The query with its computed limits held within 0 and 2^62; constants stay as they are."""
    if not any(_computed(node) for node in query.find_all(exp.Limit, exp.Offset)):
        return query
    made = query.copy()
    for node in list(made.find_all(exp.Limit, exp.Offset)):
        if _computed(node):
            node.set("expression", _held(node))
    return made


def _computed(node: exp.Expr) -> bool:
    """PERCENT takes constants alone."""
    value = node.args.get("expression")
    return value is not None and value.find(exp.Subquery) is not None


def _held(node: exp.Expr) -> exp.Expr:
    """A value that is NULL, or no number, limits nothing and skips nothing."""
    # By way of DOUBLE, which rounds halves to even, as LIMIT does.
    value = node.args["expression"].copy()
    for kind in ("DOUBLE", "HUGEINT"):
        value = exp.TryCast(this=value, to=exp.DataType.build(kind, dialect="duckdb"))
    most, least = exp.Literal.number(_MOST), exp.Literal.number(0)
    if isinstance(node, exp.Offset):
        return _least(_greatest(value, least), most)
    return _greatest(_least(value, most), least)


def _greatest(value: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.Greatest(this=value, expressions=[other], ignore_nulls=True)


def _least(value: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.Least(this=value, expressions=[other], ignore_nulls=True)
