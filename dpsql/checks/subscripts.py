"""x[1] is of a column, or of a subquery: of anything else the place may be read otherwise.

sqlglot counts from 0 where it takes what is before the brackets for a list or does not know its
type, and leaves the number as it is where it knows another type. It looks when it reads, and again
when it writes, where a key or an alias may stand for another expression: the place is off by one.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.context import Context

_PLAIN = (exp.Column, exp.Query)


def check_subscripts(root: exp.Expr, context: Context) -> None:
    """Of the text as it is read, and of what is written. RefusedQuery `unsupported-function`."""
    for node in root.find_all(exp.Bracket):
        if not isinstance(node.this.unnest(), _PLAIN):
            context.refuse(
                node,
                "unsupported-function",
                "[...] is available behind a column's name alone",
                "SUBSTRING(x, 2, 1) of a text, QUANTILE_CONT(x, 0.9) for one quantile, or name x in"
                " a subquery: SELECT x[2] FROM (SELECT ... AS x ...)",
            )
