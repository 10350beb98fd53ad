"""Constants above the noise line are computed before the charge: what fails, fails for nothing.

The engine raises where it computes `CAST('x' AS INT)` or `DATE '2024-02-31'`, and that is when the
release is paid for. A constant reads no table, so whether it fails depends on the text alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from dpsql.dialects.sealed import Sealed
from dpsql.errors import InvalidQuery
from dpsql.pipeline.row_count import one_value
from dpsql.sql.caret import build

_FAILING = (exp.Cast, exp.Binary, exp.Unary, exp.Func, exp.Case, exp.Subquery)
"""What may raise; none of these reads a row by itself."""
_READING = (
    *(exp.Column, exp.Star, exp.Table, exp.AggFunc, exp.Window, exp.Placeholder, exp.Parameter),
    *(exp.Unnest, exp.Explode, exp.GenerateSeries),
)
_SOURCES = ("from_", "joins", "laterals")


def check_constants(query: exp.Expr, sealed: Sealed, text: str) -> None:
    """InvalidQuery `bad-literal` where a constant of the query has no value.

    `text` is what the analyst wrote. What means nothing alone is left to the query.
    """
    for node in _constants(query):
        if not sealed.computes(exp.select(node.copy()).sql("duckdb", comments=False)):
            raise build(
                InvalidQuery,
                text,
                node,
                "bad-literal",
                f"{node.sql('duckdb')[:60]} has no value: a cast that does not fit, a division by"
                " 0, a number too large for its type, or several rows for one",
                "nothing was charged; write the value out",
            )


def _constants(query: exp.Expr) -> Iterator[exp.Expr]:
    """The largest constants of the query."""
    yield from (node for node in query.walk(prune=_constant) if _constant(node))


def _constant(node: exp.Expr) -> bool:
    if not isinstance(node, _FAILING) or isinstance(node, _READING) or node.arg_key in _SOURCES:
        return False
    if isinstance(node, exp.Subquery) and not one_value(node):
        return False
    return node.find(*_READING) is None
