"""Columns as both foreign engines name them: in quotes, of a source in sight, as their type is."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.postgres_shapes import Read, put
from dpsql.core.catalog import CatalogColumn, CatalogTable


class NamedColumns:
    def __init__(self, tables: Mapping[str, CatalogTable | None], outer: Read) -> None:
        """`tables`: what an alias stands for, None for what we made. `outer` reads all there is."""
        self._tables, self._outer = tables, outer
        self.direct = False
        """Is a table read at this level? Then every column says which source it is of."""

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
