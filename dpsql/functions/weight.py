"""A bound on how often an expression's parts are written out, so no text costs exponential time.

Guards mention their subject more than once, and DuckDB's planner itself expands NULLIF, BETWEEN,
simple CASE and short IN lists into copies: nested fourteen deep they took it minutes. So each
call is weighed by the leaves it finally stands for, and refused beyond MAX_LEAVES.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.ir import Call, Expr
from dpsql.functions.protocol import Scope

MAX_LEAVES = 2_000
_SHORT_LIST = 8

_FIRST_COPIES = {
    "nullif": 3,
    "between": 3,
    "between_rounded": 3,
    "date_trunc": 3,
    "date_part": 3,
    "date_shift": 3,
}
_DIVISIONS = ("div", "int_div", "mod")


def bounded(node: exp.Expr, call: Call, scope: Scope) -> Call:
    """The call, or RefusedQuery `too-complex`."""
    if leaves(call) > MAX_LEAVES:
        scope.refuse(
            node,
            "too-complex",
            "conditions and divisions are nested too deeply here",
            "compute the inner part in a subquery, or simplify it",
        )
    return call


def leaves(expr: Expr) -> int:
    """Columns and constants in what the engine's planner makes of the expression."""
    if not isinstance(expr, Call):
        return 1
    weights = [leaves(arg) for arg in expr.args]
    return max(1, sum(w * n for w, n in zip(weights, _copies(expr), strict=True)))


def _copies(call: Call) -> list[int]:
    count = len(call.args)
    if call.fn in _DIVISIONS:
        return [1, 2]
    if call.fn == "switch":
        return [count // 2, *[1] * (count - 1)]
    if call.fn in ("in", "in_rounded"):
        return [3 if count <= _SHORT_LIST else 1, *[0] * (count - 1)]
    if call.fn == "date_diff":
        return [3, 3]
    if call.fn == "cast" and call.options[0] in ("DATE", "TIMESTAMP"):
        return [2]
    return [_FIRST_COPIES.get(call.fn, 1), *[1] * (count - 1)]
