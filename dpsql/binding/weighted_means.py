"""`SUM(x * w) / SUM(w)` read as one aggregate: one noisy basis for both sums, and an error bar.

Asked apart the two sums would share the budget, and their quotient would have no interval. It is
read so only where nothing else changes: both sums are over the same rows, and neither is shown or
used elsewhere (it would be paid for a second time).
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.rows import rows_of
from dpsql.binding.select import PrivateSelect
from dpsql.core.ir import Aggregate
from dpsql.errors import Error


def weighted_mean(node: exp.Expr, select: PrivateSelect) -> exp.Expr | None:
    """WEIGHTED_AVG(x, w), under the same FILTER; None where the node is no such quotient."""
    if not isinstance(node, exp.Div) or node.args.get("typed"):
        return None
    top, bottom = node.this.unnest(), node.args["expression"].unnest()
    upper, lower = _sum_of(top), _sum_of(bottom)
    if upper is None or lower is None or upper[1] != lower[1]:
        return None
    product, weight = upper[0], lower[0]
    if not isinstance(product, exp.Mul):
        return None
    factors = [product.this.unnest(), product.args["expression"].unnest()]
    if weight not in factors or factors[0] == factors[1]:
        return None
    value = factors[1 - factors.index(weight)]
    if _uses(top, select) != 1 or _uses(bottom, select) != 1 or not _fit(value, weight, select):
        return None
    made: exp.Expr = exp.Anonymous(this="weighted_avg", expressions=[value.copy(), weight.copy()])
    made.update_positions(top if isinstance(top, exp.Sum) else top.this)
    if upper[1] is not None:
        made = exp.Filter(this=made, expression=upper[1].copy())
    return made


def _sum_of(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None] | None:
    """(what is summed, its FILTER)."""
    where = node.args["expression"] if isinstance(node, exp.Filter) else None
    call = node.this if isinstance(node, exp.Filter) else node
    if not isinstance(call, exp.Sum) or call.meta.get("named"):
        return None
    return (call.this.unnest(), where) if isinstance(call.this, exp.Expr) else None


def _uses(aggregate: exp.Expr, select: PrivateSelect) -> int:
    return sum(1 for node in select.node.find_all(type(aggregate)) if node == aggregate)


def _fit(value: exp.Expr, weight: exp.Expr, select: PrivateSelect) -> bool:
    """Are both numbers of known range, the weights not negative, and the value always there?"""
    try:
        x, w = (select.scope.informed(part) for part in (value, weight))
    except Error:
        return False
    numbers = all(e.domain.type.numeric and e.domain.bounds.bounded for e in (x, w))
    if not numbers or w.domain.bounds.numbers()[0] < 0:
        return False
    both = rows_of(Aggregate("", "weighted_avg", x, None, w))
    return both == rows_of(Aggregate("", "sum", w, None))
