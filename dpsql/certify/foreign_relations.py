"""Relations of a foreign engine's text in the normal form: what both engines say alike.

Known words alone, default deny. What an engine says otherwise is read by its own reader
(`postgres`, `spark`), and expressions over a row by its own `Rows`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_rows import ForeignRows, Sources
from dpsql.certify.foreign_shapes import Read, only
from dpsql.core.catalog import Catalog, CatalogTable

R = TypeVar("R", bound=ForeignRows)
ALIAS = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")

_COPIED: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.From: ("this",),
    exp.Where: ("this",),
    exp.Having: ("this",),
    exp.Tuple: ("expressions",),
    exp.Filter: ("this", "expression"),
    exp.Order: ("expressions",),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
    **dict.fromkeys((exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist), ()),
    **dict.fromkeys((exp.FirstValue, exp.LastValue, exp.Ntile), ("this",)),
    exp.NthValue: ("this", "offset"),
    exp.Distinct: ("expressions",),
}
"""Read as they stand: what they hold is read in turn."""


class ForeignRelations(ABC, Generic[R]):
    """`_own`: what is read of each node; an engine adds its own words. Depth is the statement's."""

    def __init__(self, catalog: Catalog, rows: Callable[[Sources, Read], R]) -> None:
        self._catalog = catalog
        self._tables: dict[str, CatalogTable | None] = {}
        self._counting = False
        self._rows = rows(self._tables, self.read)
        self._own: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
            exp.Select: self._select,
            exp.Table: self._table,
            exp.Subquery: self._subquery,
            exp.Values: self._values,
            exp.Union: self._union,
            exp.Join: self._join,
            exp.Star: self._star,
            exp.Alias: self._alias,
            exp.Window: self._window,
            exp.Ordered: self._ordered,
        }

    def read(self, node: exp.Expr) -> exp.Expr:
        """Relations and aggregates; all else is of a row."""
        own = self._own.get(type(node))
        if own is not None:
            return own(node)
        if type(node) in _COPIED:
            return self._parts(node, _COPIED[type(node)])
        return self._rows.read(node)

    def _parts(self, node: exp.Expr, allowed: tuple[str, ...]) -> exp.Expr:
        found: dict[str, object] = {}
        for name, value in node.args.items():
            if value is None or value is False or (type(value) is list and not value):
                continue
            require(name in allowed, "a clause is not on the list")
            if isinstance(value, exp.Expr):
                found[name] = self.read(value)
            elif isinstance(value, list):
                found[name] = [self.read(one) for one in value]
            else:
                found[name] = value
        return type(node)(**found)

    @abstractmethod
    def _select(self, node: exp.Expr) -> exp.Expr:
        """FROM is read first: it says which columns are a table's own."""

    # ---- sources -------------------------------------------------------------------------

    @abstractmethod
    def _entry(self, node: exp.Table) -> CatalogTable:
        """The table of the catalog that is named."""

    @abstractmethod
    def _table(self, node: exp.Expr) -> exp.Expr:
        """A table under its alias, in the catalog's spelling."""

    @abstractmethod
    def _union(self, node: exp.Expr) -> exp.Expr:
        """UNION ALL: one without ALL drops rows that others have too."""

    def _name_source(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Table):
            self._known(named(node.args.get("alias")), self._entry(node))

    def _known(self, alias: str, table: CatalogTable | None) -> None:
        """An alias stands for one thing wherever it is used, if that is a table."""
        before = self._tables.setdefault(alias, table)
        require(before is table, "an alias stands for one source")

    def _subquery(self, node: exp.Expr) -> exp.Expr:
        alias = node.args.get("alias")
        only(node, "this", "alias")
        if alias is not None:
            require(not alias.args.get("columns"), "a clause is not on the list")
            self._known(named(alias), None)
        before, self._rows.direct = self._rows.direct, False
        inner = self.read(node.this)
        self._rows.direct = before
        return exp.Subquery(this=inner, alias=None if alias is None else table_alias(alias))

    def _values(self, node: exp.Expr) -> exp.Expr:
        alias = node.args.get("alias")
        only(node, "expressions", "alias")
        self._known(named(alias), None)
        require(all(isinstance(row, exp.Tuple) for row in node.expressions), "rows are listed")
        rows = [
            exp.Tuple(expressions=[self._rows.listed(value) for value in row.expressions])
            for row in node.expressions
        ]
        return exp.Values(expressions=rows, alias=table_alias(alias))

    def _join(self, node: exp.Expr) -> exp.Expr:
        side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
        require(side in ("", "LEFT", "FULL") and kind in ("", "CROSS"), "a join is a known one")
        only(node, "this", "side", "kind", "on")
        on = node.args.get("on")
        join = exp.Join(this=self.read(node.this), on=None if on is None else self.read(on))
        if side:
            join.set("side", side)
        if kind:
            join.set("kind", kind)
        return join

    def _star(self, node: exp.Expr) -> exp.Expr:
        """All columns of what we made: a table may have others than the catalog shows."""
        only(node)
        require(not self._rows.direct or self._counting, "columns of a table are named")
        return exp.Star()

    # ---- columns and windows -------------------------------------------------------------

    def _alias(self, node: exp.Expr) -> exp.Expr:
        name = node.args.get("alias")
        require(isinstance(name, exp.Identifier) and bool(name.quoted), "names are quoted")
        require(ALIAS.match(node.alias) is not None, "our names are plain")
        return exp.Alias(this=self.read(node.this), alias=exp.to_identifier(node.alias))

    def _counted(self, node: exp.Expr) -> exp.Expr:
        """What COUNT counts: rows, of a table too, or the values of an expression."""
        self._counting = isinstance(node, exp.Star)
        counted = self.read(node)
        self._counting = False
        return counted

    def _window(self, node: exp.Expr) -> exp.Expr:
        return self._parts(node, ("this", "partition_by", "order", "over", "spec"))

    def _ordered(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "desc", "nulls_first")
        return exp.Ordered(
            this=self.read(node.this),
            desc=bool(node.args.get("desc")),
            nulls_first=bool(node.args.get("nulls_first")),
        )


def named(alias: exp.Expr | None) -> str:
    name = None if alias is None else alias.this
    if not isinstance(name, exp.Identifier) or not name.quoted:
        refuse("every source has its quoted alias")
    require(ALIAS.match(str(name.this)) is not None, "our names are plain")
    return str(name.this)


def table_alias(alias: exp.Expr | None) -> exp.TableAlias:
    columns = [] if alias is None else alias.args.get("columns") or []
    for column in columns:
        require(
            isinstance(column, exp.Identifier) and ALIAS.match(str(column.this)) is not None,
            "our names are plain",
        )
    return exp.TableAlias(
        this=exp.to_identifier(named(alias)),
        columns=[exp.to_identifier(str(column.this)) for column in columns] or None,
    )
