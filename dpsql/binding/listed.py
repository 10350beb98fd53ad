"""Rows written in the statement, about nobody: VALUES, unnest of constants, number and date series.

Below the noise line they are public tables whose every value is known: their columns are public
keys, and a column without doubles is a key that joins cannot multiply by. Above it they stay as
they are, for the sealed DuckDB.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.binding.defaults import constant
from dpsql.binding.scope import Exposed, Scope
from dpsql.binding.series import MAX_ROWS, array, no_list, series
from dpsql.binding.units import SourceFacts
from dpsql.core.catalog import CatalogColumn, CatalogTable
from dpsql.core.domain import (
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    TEXT,
    TIMESTAMP,
    Domain,
    Interval,
    Kind,
    Scalar,
    SqlType,
    decimal,
    literal_type,
    point,
)
from dpsql.core.ir import Col, Expr, Listed
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.functions.literals import convert

MAX_DIGITS = 38

Row = tuple[Scalar | None, ...]
Known = Callable[[exp.Table], "ListedRelation | None"]
"""The list that a name in FROM stands for, if it is a CTE of one."""


@dataclass(frozen=True)
class ListedRelation:
    """A list and the columns a query sees of it, which may be computed from the list's own."""

    source: Listed
    outputs: Mapping[str, Expr]

    def facts(self) -> SourceFacts:
        """What is known of the list as a table: the keys that its rows make."""
        source = self.source
        columns = {
            f"c{i}": CatalogColumn(f"c{i}", str(type_), type_, Interval(), nullable=True)
            for i, type_ in enumerate(source.types)
        }
        table = CatalogTable("", "", columns, _keys(source), ())
        return SourceFacts(source, table, None, tuple(columns))

    def renamed(self, names: Sequence[str]) -> ListedRelation:
        """`AS t(a, b)` on a CTE: the first columns get new names."""
        old = list(self.outputs)
        new = [*names, *old[len(names) :]]
        pairs = zip(new, self.outputs.values(), strict=False)
        return replace(self, outputs=dict(pairs))


def _keys(source: Listed) -> tuple[tuple[str, ...], ...]:
    """Columns, and first columns together, that no two rows share and that are never NULL."""
    found: list[tuple[str, ...]] = []
    width = len(source.types)
    candidates = [(i,) for i in range(width)] + [tuple(range(n)) for n in range(2, width + 1)]
    for places in candidates:
        if any(source.types[i].kind is Kind.FLOAT for i in places):
            continue
        rows = [tuple(row[i] for i in places) for row in source.rows]
        if all(None not in row for row in rows) and len(set(rows)) == len(rows):
            found.append(tuple(f"c{i}" for i in places))
    return tuple(found)


# ---- reading ---------------------------------------------------------------------------------


def read_item(node: exp.Expr, context: Context, known: Known) -> ListedRelation | None:
    """A FROM item that is a list; None where it is something else.

    Raises RefusedQuery `unsupported-from` for a series that is too long or not of constants.
    """
    if isinstance(node, exp.Values):
        rows = [_row(part, context) for part in node.expressions]
        return None if None in rows else _made([r for r in rows if r], (), context)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.GenerateSeries):
        name = node.alias or ("range" if node.this.args.get("is_end_exclusive") else "")
        return _column(series(node.this, context), name or "generate_series", context)
    if isinstance(node, exp.Unnest):
        return _column(_elements(node, context), node.alias or "unnest", context)
    if isinstance(node, exp.Table):
        return known(node)
    if isinstance(node, exp.Subquery):
        return read_query(node.this, context, known)
    return None


def read_query(node: exp.Expr, context: Context, known: Known) -> ListedRelation | None:
    """A subquery or CTE that is a list: constants alone, or a plain SELECT from a list."""
    if isinstance(node, exp.Values):
        return read_item(node, context, known)
    if isinstance(node, exp.Subquery) and not _others(node, "this", "alias"):
        return read_query(node.this, context, known)
    if isinstance(node, exp.Union):
        return _united(node, context)
    if not isinstance(node, exp.Select) or _others(node, "expressions", "from_"):
        return None
    if node.args.get("from_") is None:
        return _constants(node, context)
    item = node.args["from_"].this
    found = read_item(item, context, known)
    if found is None or _others(item, "this", "alias", "expressions", "offset"):
        return None
    scope = Scope(context, [Exposed(item.alias_or_name, _aliased(item, found).outputs)])
    outputs: dict[str, Expr] = {}
    for projection in node.expressions:
        if isinstance(projection, exp.Star):
            outputs |= scope.exposed[0].columns
            continue
        if projection.find(exp.AggFunc, exp.Window, exp.Query):
            return None
        expr = _expr(projection.unalias(), scope)
        if expr is None:
            return None
        outputs[projection.alias_or_name or projection.sql("duckdb").lower()] = expr
    return ListedRelation(found.source, outputs) if len(outputs) else None


def _expr(node: exp.Expr, scope: Scope) -> Expr | None:
    """None where it is not available below the noise line: above it, it may be."""
    try:
        return scope.expr(node)
    except (RefusedQuery, InvalidQuery):
        return None


def _aliased(item: exp.Expr, found: ListedRelation) -> ListedRelation:
    alias = item.args.get("alias")
    return found.renamed([c.name for c in alias.columns]) if alias is not None else found


def _others(node: exp.Expr, *known: str) -> bool:
    return any(value for name, value in node.args.items() if name not in known)


def _row(node: exp.Expr, context: Context) -> Row | None:
    """A row of VALUES; None where it holds anything but constants."""
    parts = node.expressions if isinstance(node, exp.Tuple) else [node]
    found = []
    for one in parts:
        expr = _expr(one, Scope(context)) if _plain(one) else None
        known = None if expr is None else constant(expr)
        if known is None:
            return None
        found.append(known.value)
    return tuple(found)


def _plain(node: exp.Expr) -> bool:
    return not node.find(exp.Column, exp.Query, exp.AggFunc, exp.Window, exp.Subquery)


def _constants(node: exp.Select, context: Context) -> ListedRelation | None:
    """SELECT 1 AS x, 'a' AS y; SELECT unnest([1, 2]) AS x."""
    first = node.expressions[0].unalias()
    if isinstance(first, exp.Explode) and len(node.expressions) == 1:
        if not isinstance(first.this, exp.Array):
            return None
        name = node.expressions[0].alias or first.sql("duckdb").lower()
        return _column(array(first.this, context), name, context)
    row = _row(exp.Tuple(expressions=[p.unalias() for p in node.expressions]), context)
    names = [p.alias_or_name or p.sql("duckdb").lower() for p in node.expressions]
    return None if row is None else _made([row], names, context)


def _united(node: exp.Union, context: Context) -> ListedRelation | None:
    """SELECT 'a' AS k UNION ALL SELECT 'b'."""
    branches: list[exp.Expr] = []
    here: exp.Expr = node
    while isinstance(here, exp.Union):
        if here.args.get("distinct") or _others(here, "this", "expression", "distinct"):
            return None
        branches.append(here.expression)
        here = here.this
    rows: list[Row | None] = []
    names: list[str] = []
    for branch in [here, *reversed(branches)]:
        if not isinstance(branch, exp.Select) or _others(branch, "expressions"):
            return None
        rows.append(
            _row(exp.Tuple(expressions=[p.unalias().copy() for p in branch.expressions]), context)
        )
        names = names or [p.alias_or_name or p.sql("duckdb").lower() for p in branch.expressions]
    return None if None in rows else _made([r for r in rows if r], names, context)


def _elements(node: exp.Unnest, context: Context) -> list[Scalar | None]:
    if len(node.expressions) == 1 and not node.args.get("offset"):
        (one,) = node.expressions
        if isinstance(one, exp.GenerateSeries):
            return series(one, context)
        if isinstance(one, exp.Array):
            return array(one, context)
    no_list(node, context, "unnest takes one list of them")


def _column(values: Sequence[Scalar | None], name: str, context: Context) -> ListedRelation | None:
    return _made([(value,) for value in values], [name], context)


def _made(rows: Sequence[Row], names: Sequence[str], context: Context) -> ListedRelation | None:
    """None where the rows are not rows of one table."""
    width = len(rows[0])
    if any(len(row) != width for row in rows) or len(rows) > MAX_ROWS:
        return None
    columns = [[row[i] for row in rows] for i in range(width)]
    types = [_type(column) for column in columns]
    if any(type_ is None for type_ in types):
        return None
    fitted = [
        [_fit(value, type_) for value in column]
        for column, type_ in zip(columns, types, strict=True)
        if type_ is not None
    ]
    known = tuple(type_ for type_ in types if type_ is not None)
    source = Listed(next(context.ids), known, tuple(zip(*fitted, strict=True)))
    found = names or [f"col{i}" for i in range(width)]
    outputs: dict[str, Expr] = {
        name: Col(source.id, f"c{i}", _domain(fitted[i], known[i])) for i, name in enumerate(found)
    }
    return ListedRelation(source, outputs) if len(outputs) == width else None


# ---- types -----------------------------------------------------------------------------------


def _type(values: Sequence[Scalar | None]) -> SqlType | None:
    """The one type of a column, as DuckDB finds it; None where it has none that is sure."""
    types = [literal_type(value) for value in values if value is not None]
    kinds = {type_.kind for type_ in types}
    if kinds == {Kind.INTEGER}:
        fits = all(-(2**63) <= int(v) < 2**63 for v in values if v is not None)  # type: ignore[arg-type]
        return INTEGER if fits else None
    if kinds and kinds <= {Kind.INTEGER, Kind.DECIMAL}:
        scale = max(type_.scale for type_ in types)
        whole = max(_whole_digits(value) for value in values if value is not None)
        return decimal(whole + scale, scale) if whole + scale <= MAX_DIGITS else None
    if kinds and kinds <= {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT}:
        return FLOAT
    if kinds == {Kind.DATE, Kind.TIMESTAMP}:
        return TIMESTAMP
    alone = {Kind.TEXT: TEXT, Kind.BOOLEAN: BOOLEAN, Kind.DATE: DATE, Kind.TIMESTAMP: TIMESTAMP}
    return alone.get(next(iter(kinds))) if len(kinds) == 1 else None


def _whole_digits(value: Scalar) -> int:
    assert isinstance(value, (int, Decimal))
    return max(1, len(str(abs(int(value)))))


def _fit(value: Scalar | None, type_: SqlType) -> Scalar | None:
    if value is None:
        return None
    found = convert(value, type_)
    assert found is not None, "the type was made for the value"
    if isinstance(found, float):
        return found + 0.0 if math.isfinite(found) else None  # no -0.0
    return found


def _domain(values: Sequence[Scalar | None], type_: SqlType) -> Domain:
    present = tuple(dict.fromkeys(value for value in values if value is not None))
    ends = [end for value in present if (end := point(value)) is not None]
    span = Interval(min(ends), max(ends)) if ends else Interval()
    return Domain(type_, span, span, None in values, present)
