"""Expressions over a row of a foreign engine's text: what both engines say alike.

A column is named in quotes, of a source in sight, and read as its type is. All else is read by the
engine's own `Rows` (`postgres_rows`, `spark_rows`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_shapes import Read, bare, put
from dpsql.core.catalog import CatalogColumn, CatalogTable

Sources = Mapping[str, CatalogTable | None]
"""What an alias stands for: a table, or None for what we made."""


class ForeignRows(ABC):
    def __init__(self, tables: Sources, outer: Read) -> None:
        """`outer` reads all there is."""
        self._tables, self._outer = tables, outer
        self.direct = False
        """Is a table read at this level? Then every column says which source it is of."""

    @abstractmethod
    def read(self, node: exp.Expr) -> exp.Expr:
        """What the node computes of a row; `refuse`s what is not known."""

    def _put(self, node: exp.Expr) -> exp.Expr:
        return put(self._outer, node)

    def column(self, node: exp.Expr) -> exp.Expr:
        found = self._base(node)
        require(found is None or not found.stored, "a column is read as its type is")
        return self._named(node)

    def _named(self, node: exp.Expr) -> exp.Expr:
        table = node.args.get("table")
        extra = {k for k, v in node.args.items() if v} - {"this", "table"}
        require(not extra and isinstance(node.this, exp.Identifier), "columns are plain")
        require(bool(node.this.quoted), "names are quoted")
        if table is None:
            require(not self.direct, "columns of a table say which it is")
            return exp.Column(this=exp.to_identifier(node.name))
        require(bool(table.quoted) and table.name in self._tables, "every source is in sight")
        quoted = self._tables[table.name] is not None
        return exp.Column(
            this=exp.to_identifier(node.name, quoted=quoted or None),
            table=exp.to_identifier(table.name),
        )

    def _base(self, node: exp.Expr) -> CatalogColumn | None:
        """The table's column that a reference names."""
        if not isinstance(node, exp.Column) or not node.args.get("table"):
            return None
        entry = self._tables.get(node.table)
        if entry is None:
            return None
        column = entry.columns.get(node.name)
        if column is None:
            refuse("every column exists, in its own spelling")
        return column

    # ---- constants -----------------------------------------------------------------------

    def plain(self, node: exp.Expr) -> exp.Expr:
        return node.copy()

    def listed(self, node: exp.Expr) -> exp.Expr:
        """A constant in a list of rows: a float is written with its exponent there."""
        found = self._outer(bare(node))
        minus = isinstance(found, exp.Neg)
        inner = bare(found.this) if minus else found
        if not isinstance(inner, exp.Cast) or inner.to.this is not exp.DType.DOUBLE:
            return found
        text = str(inner.this.name)
        if not text[:1].isdigit():
            return found
        number = exp.Literal.number(text if "e" in text else f"{text}e0")
        return exp.Neg(this=number) if minus else number
