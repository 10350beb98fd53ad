"""Windows over the rows of a unit: functions of these rows as a multiset.

Partitions lie within a unit. What depends on how ties fall orders by every column of the relation,
of exact values, so that rows which tie are alike and their order gives the same rows. That holds
for one such window in a SELECT: a second one could order the alike rows another way, and tell them
apart together with the first. Where there are more, they order by a number that no two rows share.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column, Numbered, Unit
from dpsql.certify.kinds import kind_of
from dpsql.certify.reader import bare, whole
from dpsql.certify.scope import Scope
from dpsql.certify.spans import COUNTED, Span, span
from dpsql.core.domain import Kind

_PEERS = (exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)
_SHIFTS = (exp.Lag, exp.Lead)
_PICKS = (*_SHIFTS, exp.FirstValue, exp.LastValue, exp.NthValue)
_AGGREGATES = (exp.Count, exp.Sum, exp.Min, exp.Max)
_FAR = Fraction(10) ** 30
"""REAL holds it."""


def over_rows(node: exp.Expr, scope: Scope) -> bool:
    """Is it a window over rows, not over cells, which `cells` reads?"""
    return isinstance(node, exp.Window) and scope.single is not None and scope.single.keys is None


def check_ties(nodes: list[exp.Expr], scope: Scope) -> None:
    """Of the windows of one SELECT, at most one tells alike rows apart."""
    windows = [n for n in nodes if isinstance(n, exp.Window) and over_rows(n, scope)]
    loose = [n for n in windows if _by_place(n) and not _told_apart(n, scope)]
    require(len(loose) <= 1, "several windows do not break ties each by itself")


def check_window(node: exp.Window, scope: Scope) -> Column | None:
    """The column it gives, whatever its serial; None for an aggregate, which is read apart."""
    relation = scope.single
    if relation is None:
        refuse("windows run over one relation")
    require(node.args.get("over") == "OVER", "windows are written OVER (...)")
    partition = [_plain(part, scope) for part in node.args.get("partition_by") or []]
    require(any(isinstance(c.fact, Unit) for c in partition), "windows are within a unit")
    terms = _terms(node, scope)
    require(all(column.exact for column in (*partition, *terms)), "windows order by exact values")
    function = node.this
    if _by_place(node):
        require(bool(terms), "a window that numbers rows has an order")
        told = {column.serial for column in terms}
        left = [c for c in relation.columns.values() if not isinstance(c.fact, Unit)]
        require(
            _told_apart(node, scope) or all(column.serial in told for column in left),
            "what depends on ties orders by all columns",
        )
    _check_frame(node)
    if isinstance(function, _AGGREGATES):
        require(not isinstance(function.this, exp.Distinct), "a window aggregates all rows")
        return None
    require(bool(terms), "a window that numbers rows has an order")
    if isinstance(function, (exp.PercentRank, exp.CumeDist)):
        return Column(0, None, Kind.FLOAT, by_unit=False, normal=True)
    if isinstance(function, (exp.Rank, exp.DenseRank)):
        return _number(COUNTED)
    if isinstance(function, exp.RowNumber):
        alone = len(partition) == 1
        return replace(_number(COUNTED), fact=Numbered() if alone else None)
    if isinstance(function, exp.Ntile):
        parts = whole(function.this) or 0
        require(parts >= 1, "rows are picked by a constant")
        return _number((Fraction(1), Fraction(parts)))
    if not isinstance(function, _PICKS):
        refuse("a window is of a listed function")
    return _picked(function, scope)


def _picked(function: exp.Expr, scope: Scope) -> Column:
    offset = function.args.get("offset")
    require(offset is None or (whole(offset) or 0) >= 1, "rows are picked by a constant")
    column = _plain(function.this, scope)
    default = function.args.get("default")
    zero = default is None or _default(default, column, scope)
    return replace(column, fact=None, by_unit=False, present=False, normal=column.normal and zero)


def _default(node: exp.Expr, column: Column, scope: Scope) -> bool:
    """A constant that the column's type holds as it is. Is it no -0.0?"""
    literal = node.this if isinstance(node, (exp.Neg, exp.Cast)) else node
    require(
        isinstance(literal, (exp.Literal, exp.Boolean)) and kind_of(node, scope) is column.kind,
        "a default is a constant of the column's own type",
    )
    if column.kind in (Kind.INTEGER, Kind.DECIMAL):
        value = span(node, scope)
        require(
            value is not None
            and column.span is not None
            and column.span[0] <= value[0]
            and value[1] <= column.span[1],
            "a default lies within the column's own type",
        )
    if column.kind is Kind.FLOAT:
        require(not isinstance(node, exp.Cast), "a default is a constant of the column's own type")
        size = Fraction(str(literal.this))
        require(size <= _FAR, "a default lies within the column's own type")
        return size > 0 or not isinstance(node, exp.Neg)
    return True


def _number(lies: Span) -> Column:
    return Column(0, None, Kind.INTEGER, by_unit=False, span=lies)


def _by_place(node: exp.Window) -> bool:
    """Does it depend on where a row stands among its peers?"""
    if isinstance(node.this, (exp.RowNumber, exp.Ntile, *_PICKS)):
        return True
    spec = node.args.get("spec")
    return spec is not None and str(spec.args.get("kind")).upper() != "RANGE"


def _told_apart(node: exp.Window, scope: Scope) -> bool:
    """Does its order end all ties by a number that no two rows share?"""
    return any(isinstance(column.fact, Numbered) for column in _terms(node, scope))


def _terms(node: exp.Window, scope: Scope) -> list[Column]:
    order = node.args.get("order")
    return [_plain(term.this, scope) for term in (order.expressions if order else [])]


def _check_frame(node: exp.Window) -> None:
    """ROWS between constants, or RANGE between the row's peers and the ends of the partition."""
    spec = node.args.get("spec")
    if spec is None:
        return
    require(
        not isinstance(node.this, (*_PEERS, *_SHIFTS, exp.RowNumber, exp.Ntile)), "no frame here"
    )
    rows = str(spec.args.get("kind")).upper() == "ROWS"
    require(rows or str(spec.args.get("kind")).upper() == "RANGE", "frames are of ROWS or RANGE")
    for name in ("start", "end"):
        end, side = spec.args.get(name), spec.args.get(f"{name}_side")
        if isinstance(end, exp.Expr):
            require(
                rows and (whole(end) or 0) >= 1 and side in ("PRECEDING", "FOLLOWING"),
                "frames end at constants",
            )
        else:
            require(
                (end, side) in (("CURRENT ROW", None), ("UNBOUNDED", _OUTWARD[name])),
                "frames end at constants",
            )


_OUTWARD = {"start": "PRECEDING", "end": "FOLLOWING"}


def _plain(node: exp.Expr, scope: Scope) -> Column:
    column = scope.column(bare(node))
    if column is None:
        refuse("windows read plain columns")
    require(not column.barred, column.barred)
    return column
