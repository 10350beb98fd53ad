"""Other names of aggregates, which the parser leaves as unknown functions."""

from __future__ import annotations

from sqlglot import exp

_SAME: dict[str, type[exp.Expr]] = {
    "mean": exp.Avg,
    "favg": exp.Avg,
    "every": exp.LogicalAnd,
}
TWO = {"weighted_avg": "weighted_avg", "wavg": "weighted_avg"}
"""Aggregates of two values that the parser does not know: name → family."""
_QUANTILES = ("approx_percentile",)
CALLS = (*(name for name in _SAME if name != "every"), *TWO, *_QUANTILES)


def arguments(call: exp.Expr) -> list[exp.Expr]:
    """The arguments of an aggregate call of one or two values."""
    if isinstance(call, exp.Anonymous):
        return list(call.expressions)
    return [part for name in ("this", "expression") if (part := call.args.get(name)) is not None]


def plain(node: exp.Expr) -> exp.Expr:
    """The aggregate that the call means; the node itself where it is no other name of one.

    DuckDB's FAVG differs from AVG in how floats are added; here integers are, so nothing differs.
    """
    if isinstance(node, exp.WithinGroup):
        return _within_group(node)
    if isinstance(node, exp.Anonymous) and node.name.lower() in _QUANTILES:
        if len(node.expressions) != 2:
            return node
        value, which = node.expressions
        quantile = exp.ApproxQuantile(this=value, quantile=which)
        quantile.meta.update(node.meta)
        return quantile
    target = _SAME.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
    if target is None or len(node.expressions) != 1:
        return node
    made = target(this=node.expressions[0])
    made.meta.update(node.meta)
    return made


def _within_group(node: exp.WithinGroup) -> exp.Expr:
    """PERCENTILE_CONT(q) WITHIN GROUP (ORDER BY x [DESC]) as PERCENTILE_CONT(x, q)."""
    call, order = node.this, node.expression
    terms = order.expressions if isinstance(order, exp.Order) else []
    given = isinstance(call, (exp.PercentileCont, exp.PercentileDisc))
    if not given or call.args.get("expression") is not None or len(terms) != 1:
        return node
    term = terms[0]
    value = term.this if isinstance(term, exp.Ordered) else term
    made: exp.Expr = type(call)(this=value, expression=call.this)
    made.meta.update({**call.meta, **node.meta})
    if isinstance(term, exp.Ordered) and term.args.get("desc"):
        made.meta["descending"] = True
    return made
