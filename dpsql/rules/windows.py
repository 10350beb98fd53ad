"""Window functions within a unit's rows: partitioned by the unit, without ties that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.ir import Col, Window, Windowed
from dpsql.rules.build import col, integer, named, select
from dpsql.rules.inner import argument, over
from dpsql.rules.keys import presentable
from dpsql.rules.names import UNIT

if TYPE_CHECKING:
    from dpsql.rules.source import Sources

_NUMBERED: dict[str, type[exp.Expr]] = {
    "row_number": exp.RowNumber,
    "rank": exp.Rank,
    "dense_rank": exp.DenseRank,
}
_PEERS = ("rank", "dense_rank")  # they number ties alike: breaking ties would change them


def windowed(source: Windowed, sources: Sources) -> exp.Select:
    """u, c0, ..., w0, ... of the block's rows.

    Guarantee: each unit's result is a function of its rows as a multiset. What depends on how
    ties fall is ordered by all columns that are read, so rows that still tie are alike.
    """
    inner = sources.block(source.block)
    columns: list[exp.Expr] = [named(sources.column(source.block.unit), UNIT)]
    columns += [named(presentable(e, sources.expr(e)), name) for name, e in source.columns]
    read = [name for name, _ in source.columns]
    for window in source.windows:
        if window.call.arg is not None and not _picks(window):
            columns.append(named(argument(window.call, sources), f"x{window.name}"))
            read.append(f"x{window.name}")
    inner.set("expressions", columns)
    outer: list[exp.Expr] = [col(UNIT), *(col(name) for name, _ in source.columns)]
    outer += [named(_over(window, read), window.name) for window in source.windows]
    return select(outer, inner, "s")


def _picks(window: Window) -> bool:
    return window.call.fn in ("lag", "lead", "first_value")


def _over(window: Window, read: list[str]) -> exp.Expr:
    fn = window.call.fn
    terms = [
        exp.Ordered(this=col(name), desc=desc, nulls_first=first)
        for name, desc, first in window.order
    ]
    if fn == "row_number" or _picks(window):
        known = {name for name, _, _ in window.order}
        terms += [exp.Ordered(this=col(name)) for name in read if name not in known]
    node = exp.Window(
        this=_function(window),
        partition_by=[col(UNIT), *map(col, window.partition)],
        over="OVER",
    )
    if terms:
        node.set("order", exp.Order(expressions=terms))
    return node


def _function(window: Window) -> exp.Expr:
    call = window.call
    if call.fn in _NUMBERED:
        return _NUMBERED[call.fn]()
    if _picks(window):
        assert isinstance(call.arg, Col)
        column = col(call.arg.name)
        if call.fn == "first_value":
            return exp.FirstValue(this=column)
        node = exp.Lag if call.fn == "lag" else exp.Lead
        return node(this=column, offset=integer(window.steps))
    return exp.Count(this=exp.Star()) if call.arg is None else over(call.fn, col(f"x{window.name}"))
