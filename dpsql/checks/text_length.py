"""How long a text can become above the noise line.

DuckDB's memory limit counts what is kept, not the one text that REPLACE or CONCAT_WS is building:
one of 1.6 GB took three times the limit, and no interrupt ends it. So the longest text of each
relation is worked out from the query: literals as they are, columns as `COLUMN` characters, joined
texts added up, REPLACE multiplied by how much longer its new text is than its old.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.functions.forms import constant_text

COLUMN = 1_000
"""Characters that a column's text is taken to have. Longer ones make proportionally more."""
MAX_LENGTH = 10_000_000

Lengths = Mapping[str, int]
"""The longest text of each CTE in scope, by its name."""


def check_text_length(root: exp.Expr, context: Context) -> None:
    """Raises RefusedQuery `too-complex`."""
    if _relation(root, {}) > MAX_LENGTH:
        context.refuse(
            root,
            "too-complex",
            f"a text could grow beyond {MAX_LENGTH:,} characters",
            "join fewer texts, or REPLACE by a shorter one",
        )


def _relation(node: exp.Expr | None, known: Lengths) -> int:
    """The longest text in any column of a query, table or subquery."""
    if node is None:
        return COLUMN
    if isinstance(node, exp.Table):
        return known.get(node.name.casefold(), COLUMN)
    if isinstance(node, exp.Subquery):
        return _relation(node.this, _with(node, known))
    if isinstance(node, exp.SetOperation):
        inner = _with(node, known)
        return max(_relation(node.this, inner), _relation(node.expression, inner))
    if isinstance(node, exp.Select):
        return _select(node, _with(node, known))
    return _expression(node, COLUMN, {}, known)


def _with(node: exp.Expr, known: Lengths) -> Lengths:
    found = dict(known)
    with_ = node.args.get("with_")
    for cte in with_.expressions if with_ is not None else ():
        found[cte.alias.casefold()] = _relation(cte.this, found)
    return found


def _select(node: exp.Select, known: Lengths) -> int:
    sources = [node.args.get("from_"), *(node.args.get("joins") or [])]
    column = max([COLUMN, *(_relation(part.this, known) for part in sources if part is not None)])
    aliases: dict[str, int] = {}
    longest = column
    for projection in node.expressions:
        length = _expression(projection.unalias(), column, aliases, known)
        if isinstance(projection, exp.Alias):
            aliases[projection.alias.casefold()] = length
        longest = max(longest, length)
    rest = [part for part in node.iter_expressions() if part.arg_key not in _SELECTED]
    on = [join.args["on"] for join in node.args.get("joins") or [] if join.args.get("on")]
    return max([longest, *(_expression(part, column, aliases, known) for part in (*rest, *on))])


_SELECTED = ("expressions", "from_", "joins", "with_")


def _expression(node: exp.Expr, column: int, aliases: Lengths, known: Lengths) -> int:
    if isinstance(node, exp.Literal):
        return len(node.name)
    if isinstance(node, exp.Column):
        return max(column, aliases.get(node.name.casefold(), 0))
    if isinstance(node, exp.Query):
        return _relation(node, known)
    parts = [_expression(part, column, aliases, known) for part in node.iter_expressions()]
    if isinstance(node, exp.ConcatWs):  # a kind of Concat
        return sum(parts) + parts[0] * len(parts)
    if isinstance(node, (exp.Concat, exp.DPipe)):
        return sum(parts)
    if isinstance(node, exp.Replace):
        return parts[0] * _longer(node, parts)
    return max(parts, default=0)


def _longer(node: exp.Replace, parts: list[int]) -> int:
    """How many times longer REPLACE can make a text: nothing is known of an old text but 1."""
    old = constant_text(node.expression)
    return -(-parts[-1] // len(old)) if old else max(1, parts[-1])
