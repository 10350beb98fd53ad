"""How large a remainder may become once the engine's planner has written it out.

DuckDB copies the subject of NULLIF, BETWEEN, simple CASE and short IN lists, and copies an alias
wherever the same SELECT reads it: nested a dozen deep, planning takes minutes that no interrupt
ends. So every leaf is counted as often as it will be written.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.binding.context import Context

MAX_WRITTEN = 10_000
"""Leaves of the written-out statement; a plain one has 5,000 at most (the parser's limit)."""
MAX_DEPTH = 200

# BETWEEN counts 3 in dpsql.functions.weight, under a limit of 2,000 leaves: six of them nest. The
# limit is wider here, so each counts for more (nested ones took the planner up to 5.5 times as long
# a level): four nest.
_FIRST_COPIES: dict[type[exp.Expr], int] = {exp.Nullif: 3, exp.Between: 6, exp.In: 3}
_SELECTED = ("expressions", "from_", "joins", "with_")


def check_size(root: exp.Expr, context: Context) -> None:
    """Raises RefusedQuery `too-deep` or `too-complex`."""
    if _depth(root) > MAX_DEPTH:
        context.refuse(
            root, "too-deep", f"more than {MAX_DEPTH} parts are nested here", "simplify it"
        )
    if _written(root, {}) > MAX_WRITTEN:
        context.refuse(
            root,
            "too-complex",
            "what is computed from the aggregates repeats its parts too often",
            "use fewer copies of the same expression, or compute it in a subquery first",
        )


def _depth(root: exp.Expr) -> int:
    """Nodes within nodes; AND and OR, which are read as flat lists, are not counted."""
    stack, found = [(root, 0)], 0
    while stack:
        node, above = stack.pop()
        here = above + (not isinstance(node, exp.Connector))
        found = max(found, here)
        stack += [(child, here) for child in node.iter_expressions()]
    return found


def _written(node: exp.Expr, aliases: Mapping[str, int]) -> int:
    """Leaves of the expression as the planner writes it, `aliases` standing for their meaning."""
    if isinstance(node, exp.Select):
        return _select(node)
    if isinstance(node, exp.Column):
        return 1 if node.table else aliases.get(node.name.casefold(), 1)
    total = 0
    for child in node.iter_expressions():
        copies = _copies(node) if child is node.this else 1
        total += copies * _written(child, aliases)
    return max(1, total)


def _select(node: exp.Select) -> int:
    total, aliases = 0, dict[str, int]()
    for name in ("with_", "from_"):
        if (part := node.args.get(name)) is not None:
            total += _written(part, {})
    total += sum(_written(join, {}) for join in node.args.get("joins") or [])
    for projection in node.expressions:
        size = _written(projection, aliases)
        total += size
        if isinstance(projection, exp.Alias):
            aliases[projection.alias.casefold()] = size
    for child in node.iter_expressions():
        if child.arg_key not in _SELECTED:
            total += _written(child, aliases)
    return total


def _copies(node: exp.Expr) -> int:
    """How often the planner writes the first operand."""
    if isinstance(node, exp.Case):
        return len(node.args["ifs"]) + 1
    return _FIRST_COPIES.get(type(node), 1)
