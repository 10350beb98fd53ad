"""Bounds on the size of an expression, so that no text costs exponential time.

Guards mention their subject more than once, and DuckDB's planner itself expands NULLIF, BETWEEN,
simple CASE and short IN lists into copies: nested fourteen deep they took it minutes. So each
expression is weighed by the leaves it finally stands for. Inlined subqueries may repeat a part
without end; text most, for it also grows in every row: by what is joined to it and by what the
query itself writes. Depth is limited because every later stage,
the engine's planner included, follows the tree down.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.ir import Call, Expr, Lit
from dpsql.functions.division import may_overflow
from dpsql.functions.places import MAX_PADDED
from dpsql.functions.protocol import Scope

MAX_LEAVES = 2_000
MAX_JOINED = 64  # how many texts one text may be made of
MAX_WRITTEN = 10_000  # how many characters of one text the query may write itself
MAX_DEPTH = 100
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


def weighed(node: exp.Expr, expr: Expr, scope: Scope) -> Expr:
    """The expression, or RefusedQuery `too-complex` or `too-deep`."""
    if depth(expr) > MAX_DEPTH:
        scope.refuse(
            node,
            "too-deep",
            f"more than {MAX_DEPTH} operations are nested here",
            "compute the inner part in a subquery grouped by the unit, or simplify it",
        )
    if written_text(expr) > MAX_WRITTEN:
        scope.refuse(
            node,
            "too-complex",
            f"more than {MAX_WRITTEN:,} characters of one text are written here",
            "one person's row could take long over them: use shorter texts",
        )
    if leaves(expr) > MAX_LEAVES or joined_texts(expr) > MAX_JOINED:
        scope.refuse(
            node,
            "too-complex",
            "this expression repeats its parts too often, as nested conditions and divisions do",
            "use fewer copies of the same column in one expression",
        )
    return expr


def depth(expr: Expr) -> int:
    """Calls within calls; AND and OR are not counted, which every parser reads as flat lists.

    Not recursive, since it guards against what is too deep for that.
    """
    stack, found = [(expr, 0)], 0
    while stack:
        part, above = stack.pop()
        if isinstance(part, Call):
            here = above + (part.fn not in ("and", "or"))
            found = max(found, here)
            stack += [(arg, here) for arg in part.args]
    return found


def leaves(expr: Expr) -> int:
    """Columns and constants in what the engine's planner makes of the expression."""
    if not isinstance(expr, Call):
        return 1
    weights = [leaves(arg) for arg in expr.args]
    return max(1, sum(w * n for w, n in zip(weights, _copies(expr), strict=True)))


def joined_texts(expr: Expr) -> int:
    """How many texts are joined into one, at most: a bound on how one row's text can grow."""
    if not isinstance(expr, Call) or not expr.args:
        return 1
    parts = [joined_texts(arg) for arg in expr.args]
    return sum(parts) if expr.fn in ("concat", "text_join", "concat_ws") else max(parts)


def written_text(expr: Expr) -> int:
    """Characters that the query's own constants add to one row's text, at most.

    With `joined_texts` the bound on what a row's text becomes: at most that many texts of the row,
    and these. A padding adds its length, a format what its parts stand for.
    """
    if isinstance(expr, Lit):
        return len(expr.value) if isinstance(expr.value, str) else 0
    if not isinstance(expr, Call) or not expr.args:
        return 0
    parts = [written_text(arg) for arg in expr.args]
    if expr.fn in ("concat", "text_join"):
        return sum(parts)
    if expr.fn == "concat_ws":
        return sum(parts) + parts[0] * (len(parts) - 1)
    if expr.fn in ("lpad", "rpad"):
        return max(parts[0], MAX_PADDED)
    return max(parts)


def _copies(call: Call) -> list[int]:
    count = len(call.args)
    if call.fn in _DIVISIONS:
        if not may_overflow(call):
            return [1, 2]
        return [2, 3] if call.fn == "int_div" else [1, 3]
    if call.fn == "switch":
        return [count // 2, *[1] * (count - 1)]
    if call.fn in ("in", "in_rounded"):
        return [3 if count <= _SHORT_LIST else 1, *[0] * (count - 1)]
    if call.fn == "date_diff":
        return [3, 3]
    if call.fn == "cast" and call.options[0] in ("DATE", "TIMESTAMP"):
        return [2]
    return [_FIRST_COPIES.get(call.fn, 1), *[1] * (count - 1)]
