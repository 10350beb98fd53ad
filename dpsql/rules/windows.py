"""Window functions within a unit's rows: partitioned by the unit, without ties that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.ir import PICKS, Col, Frame, Window, Windowed
from dpsql.functions.literals import emit_literal
from dpsql.rules.build import col, integer, is_not_null, named, select, when
from dpsql.rules.inner import argument, over
from dpsql.rules.keys import presentable
from dpsql.rules.names import UNIT

if TYPE_CHECKING:
    from dpsql.rules.source import Sources

_NUMBERED: dict[str, type[exp.Expr]] = {
    "row_number": exp.RowNumber,
    "rank": exp.Rank,
    "dense_rank": exp.DenseRank,
    "percent_rank": exp.PercentRank,
    "cume_dist": exp.CumeDist,
}
_ENDS: dict[str, type[exp.Expr]] = {"first_value": exp.FirstValue, "last_value": exp.LastValue}
_PLACE = "place"


def windowed(source: Windowed, sources: Sources) -> exp.Select:
    """u, c0, ..., w0, ... of the block's rows.

    Guarantee: each unit's result is a function of its rows as a multiset. What depends on how
    ties fall is ordered by all columns that are read, so rows that still tie are alike. Several
    such windows could tell two alike rows apart together, each by its own order: the rows are
    numbered first then, once, and this number breaks all ties.
    """
    inner = sources.block(source.block)
    columns: list[exp.Expr] = [named(sources.column(source.block.unit), UNIT)]
    columns += [named(presentable(e, sources.expr(e)), name) for name, e in source.columns]
    read = [name for name, _ in source.columns]
    for window in source.windows:
        if window.call.arg is not None and not _picks(window):
            columns.append(named(_read(window, sources), f"x{window.name}"))
            read.append(f"x{window.name}")
    inner.set("expressions", columns)
    if _several(source):
        inner = select([exp.Star(), named(_place(read), _PLACE)], inner, "p")
        read = [_PLACE]
    outer: list[exp.Expr] = [col(UNIT), *(col(name) for name, _ in source.columns)]
    outer += [named(_over(window, read), window.name) for window in source.windows]
    return select(outer, inner, "s")


def _read(window: Window, sources: Sources) -> exp.Expr:
    """What an aggregate reads of a row. It serves to order rows too, so it is of an exact type."""
    value = argument(window.call, sources)
    return when(is_not_null(value), integer(1)) if window.call.fn == "count" else value


def _several(source: Windowed) -> bool:
    """Are there several windows that depend on how ties fall?"""
    return sum(window.by_place for window in source.windows) > 1


def _place(read: list[str]) -> exp.Window:
    """The row's number among all of the unit's."""
    terms = [exp.Ordered(this=col(name)) for name in read]
    order = exp.Order(expressions=terms)
    return exp.Window(this=exp.RowNumber(), partition_by=[col(UNIT)], order=order, over="OVER")


def _picks(window: Window) -> bool:
    return window.call.fn in PICKS


def _over(window: Window, read: list[str]) -> exp.Expr:
    terms = [
        exp.Ordered(this=col(name), desc=desc, nulls_first=first)
        for name, desc, first in window.order
    ]
    if window.by_place:
        known = {name for name, _, _ in window.order}
        terms += [exp.Ordered(this=col(name)) for name in read if name not in known]
    node = exp.Window(
        this=_function(window),
        partition_by=[col(UNIT), *map(col, window.partition)],
        over="OVER",
    )
    if terms:
        node.set("order", exp.Order(expressions=terms))
    if window.frame is not None:
        node.set("spec", _spec(window.frame))
    return node


def _spec(frame: Frame) -> exp.WindowSpec:
    spec = exp.WindowSpec(kind="ROWS" if frame.rows else "RANGE")
    for name, end, side in (("start", frame.start, "PRECEDING"), ("end", frame.end, "FOLLOWING")):
        if end == 0:
            spec.set(name, "CURRENT ROW")
            continue
        spec.set(name, "UNBOUNDED" if end is None else exp.Literal.number(abs(end)))
        if end is not None:
            side = "PRECEDING" if end < 0 else "FOLLOWING"
        spec.set(f"{name}_side", side)
    return spec


def _function(window: Window) -> exp.Expr:
    call = window.call
    if call.fn in _NUMBERED:
        return _NUMBERED[call.fn]()
    if call.fn == "ntile":
        return exp.Ntile(this=integer(window.steps))
    if _picks(window):
        assert isinstance(call.arg, Col)
        column = col(call.arg.name)
        if call.fn in _ENDS:
            return _ENDS[call.fn](this=column)
        if call.fn == "nth_value":
            return exp.NthValue(this=column, offset=integer(window.steps))
        node = (exp.Lag if call.fn == "lag" else exp.Lead)(
            this=column, offset=integer(window.steps)
        )
        if window.default is not None:
            node.set("default", emit_literal(window.default.value))
        return node
    if call.arg is None:
        return exp.Count(this=exp.Star())
    value: exp.Expr = col(f"x{window.name}")
    if call.fn == "sum_decimal":  # its digits say that the sum fits
        kind = call.arg.domain.type
        value = exp.cast(value, f"DECIMAL({kind.precision},{kind.scale})")
    return over(call.fn, value)
