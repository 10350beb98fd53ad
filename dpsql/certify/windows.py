"""Windows over the rows of a unit: functions of these rows as a multiset.

Partitions lie within a unit. What depends on how ties fall orders by every column of the relation,
of exact values, so that rows which tie are alike and their order gives the same rows.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column, Unit
from dpsql.certify.reader import bare, whole
from dpsql.certify.scope import Scope
from dpsql.certify.spans import COUNTED, Span

_PEERS = (exp.Rank, exp.DenseRank)
_PICKS = (exp.Lag, exp.Lead, exp.FirstValue)
_AGGREGATES = (exp.Count, exp.Sum, exp.Min, exp.Max)


def over_rows(node: exp.Window, scope: Scope) -> bool:
    """Is it a window over rows, not over cells, which `cells` reads?"""
    return scope.single is not None and scope.single.keys is None


def check_window(node: exp.Window, scope: Scope) -> Column | Span | None:
    """The column that LAG and the like pick from, the span of a number, None for an aggregate."""
    relation = scope.single
    if relation is None:
        refuse("windows run over one relation")
    require(node.args.get("over") == "OVER", "windows are written OVER (...)")
    partition = [_plain(part, scope) for part in node.args.get("partition_by") or []]
    require(any(isinstance(c.fact, Unit) for c in partition), "windows are within a unit")
    order = node.args.get("order")
    terms = [_plain(term.this, scope) for term in (order.expressions if order else [])]
    require(all(column.exact for column in (*partition, *terms)), "windows order by exact values")
    function = node.this
    if isinstance(function, _AGGREGATES):
        require(not isinstance(function.this, exp.Distinct), "a window aggregates all rows")
        return None
    require(bool(terms), "a window that numbers rows has an order")
    if isinstance(function, _PEERS):
        return COUNTED
    told = {column.serial for column in terms}
    left = [c for c in relation.columns.values() if not isinstance(c.fact, Unit)]
    require(
        all(column.serial in told for column in left),
        "what depends on ties orders by all columns",
    )
    if isinstance(function, exp.RowNumber):
        return COUNTED
    if not isinstance(function, _PICKS):
        refuse("a window is of a listed function")
    offset = function.args.get("offset")
    require(offset is None or (whole(offset) or 0) >= 1, "rows are picked by a constant")
    return _plain(function.this, scope)


def _plain(node: exp.Expr, scope: Scope) -> Column:
    column = scope.column(bare(node))
    if column is None:
        refuse("windows read plain columns")
    require(not column.barred, column.barred)
    return column
