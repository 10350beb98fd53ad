"""Constants above the noise line are computed before the charge: what fails, fails for nothing.

The engine raises where it computes `CAST('x' AS INT)` or `DATE '2024-02-31'`, and that is when the
release is paid for. A constant reads no table, so whether it fails depends on the text alone. Only
those are looked at that the engine computes whatever the releases hold: not an arm of a CASE, an
operand of AND and OR, a part of a subquery, or what only rows that a WHERE passes would meet.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlglot import exp

from dpsql.dialects.sealed import Sealed
from dpsql.dialects.trial import CONSTANT_SECONDS
from dpsql.errors import InvalidQuery
from dpsql.sql.caret import build

_STRICT = (
    *(exp.Alias, exp.Paren, exp.Neg, exp.Not, exp.Cast, exp.Between),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
)
"""What is computed from all its operands, in every row."""
_PLAIN = (exp.Literal, exp.Boolean, exp.Null, exp.Var, exp.Identifier, exp.DataType)
_READING = (
    *(exp.Column, exp.Star, exp.From, exp.Table, exp.AggFunc, exp.Window),
    *(exp.Placeholder, exp.Parameter, exp.Unnest, exp.Explode, exp.GenerateSeries),
)
_FILTERS = ("where", "having", "qualify")


def check_constants(query: exp.Expr, sealed: Sealed, text: str) -> None:
    """InvalidQuery `bad-literal` where a constant that every run computes has no value.

    `text` is what the analyst wrote. What means nothing alone is left to the query.
    """
    began = time.monotonic()
    for part in _computed_anyway(query):
        for node in _constants(part):
            if time.monotonic() - began > CONSTANT_SECONDS:
                return  # whether the rest can be computed is found out when it runs
            alone = node.copy()
            if isinstance(alone, exp.Subquery):
                alone.set("alias", None)
            if not sealed.computes(exp.select(alone).sql("duckdb", comments=False)):
                raise build(
                    InvalidQuery,
                    text,
                    node,
                    "bad-literal",
                    f"{alone.sql('duckdb')[:60]} has no value: a cast that does not fit, a division"
                    " by 0, a number too large for its type, or several rows for one",
                    "nothing was charged; write the value out",
                )


def _computed_anyway(query: exp.Expr) -> Iterator[exp.Expr]:
    """Limits, conditions and, where no condition may keep all rows from them, what is shown."""
    for name in ("limit", "offset"):
        limit = query.args.get(name)
        value = None if limit is None else limit.args.get("expression")
        if value is not None:
            yield value
    if not isinstance(query, exp.Select):
        return
    filters = [found.this for name in _FILTERS if (found := query.args.get(name)) is not None]
    yield from filters
    if not filters:
        yield from query.expressions


def _constants(node: exp.Expr) -> Iterator[exp.Expr]:
    """The largest constants among a value and what it is certainly computed from."""
    if isinstance(node, _PLAIN):
        return
    if not isinstance(node, exp.Alias) and node.find(*_READING) is None:
        yield node
    elif isinstance(node, _STRICT):
        for part in node.iter_expressions():
            yield from _constants(part)
