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
CALLS = (*(name for name in _SAME if name != "every"), *TWO)


def arguments(call: exp.Expr) -> list[exp.Expr]:
    """The arguments of an aggregate call of one or two values."""
    if isinstance(call, exp.Anonymous):
        return list(call.expressions)
    return [part for name in ("this", "expression") if (part := call.args.get(name)) is not None]


def plain(node: exp.Expr) -> exp.Expr:
    """The aggregate that the call means; the node itself where it is no other name of one.

    DuckDB's FAVG differs from AVG in how floats are added; here integers are, so nothing differs.
    """
    target = _SAME.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
    if target is None or len(node.expressions) != 1:
        return node
    made = target(this=node.expressions[0])
    made.meta.update(node.meta)
    return made
