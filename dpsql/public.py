"""Public tables: about no one, read by the owner's engine before any charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql import catalog_rows
from dpsql.binding.catalog_views import VIEWS
from dpsql.binding.context import table_missing
from dpsql.core.catalog import CatalogTable
from dpsql.core.domain import Kind, Scalar
from dpsql.declared import declared_tables
from dpsql.dialects.engine import Engine
from dpsql.dialects.sealed import TypedTable
from dpsql.dialects.writing import written
from dpsql.pipeline.presentable import presentable
from dpsql.pipeline.release_table import cast_to
from dpsql.policy.schema import Policy, Table

if TYPE_CHECKING:
    import pyarrow as pa


class PublicData:
    """Rows and values of public tables, in the query's snapshot; kept while nobody can change them.

    A hidden column of a public table does not exist for analysts and is never read.
    """

    def __init__(self, engine: Engine, policy: Policy) -> None:
        self._engine = engine
        self._policy = policy
        self._tables: dict[tuple[str, str], TypedTable] = {}
        self._rows: dict[str, int] = {}
        self._values: dict[tuple[str, str], tuple[Scalar | None, ...]] = {}

    def values(self, table: str, column: str) -> tuple[Scalar | None, ...] | None:
        """All values of a public table's column, in order, NULL last.

        A value that no client can hold (NaN, a date beyond the year 9999) counts as NULL, as it
        does in private keys.
        """
        if (table, column) not in self._values or not self._engine.frozen:
            entry = self._entry(self._policy.tables[table])
            query = _select(entry, [column]).distinct()
            rows = presentable(self._fetched(query))
            found = rows.column(0).to_pylist()
            if entry.columns[column].type.kind is Kind.INTEGER:  # a HUGEINT travels as a decimal
                found = [None if value is None else int(value) for value in found]
            present = sorted(value for value in found if value is not None)
            nulls = [None] if len(present) < len(found) else []
            self._values[table, column] = (*present, *nulls)
        return self._values[table, column]

    def rows(self, table: str) -> int:
        """How many rows a public table has: a public number."""
        if table not in self._rows or not self._engine.frozen:
            query = _select(self._entry(self._policy.tables[table]), [])
            query.set("expressions", [exp.Count(this=exp.Star())])
            self._rows[table] = int(self._fetched(query).column(0)[0].as_py())
        return self._rows[table]

    def tables(self, used: Mapping[str, Table]) -> Mapping[str, TypedTable]:
        """The public tables that a statement reads, whole, under the names it uses.

        Catalog views hold what is declared. A private table, which only a statement that is empty
        by its own text may name here (dpsql.binding.metadata), is given without a row.
        """
        given = {}
        for name, table in used.items():
            key = (name, self._role(table))
            if key not in self._tables or not self._engine.frozen:
                self._tables[key] = self._given(table)
            given[name] = self._tables[key]
        return given

    def _role(self, table: Table) -> str:
        """By this policy, whatever the statement was bound under: 'view', 'public', 'private'."""
        if table.parts in VIEWS and table.name not in self._policy.tables:
            return "view"
        return "public" if self._policy.tables[table.name].public else "private"

    def _given(self, table: Table) -> TypedTable:
        role = self._role(table)
        if role == "view":
            schema, name = table.parts
            declared = declared_tables(self._policy, self._engine.catalog())
            return TypedTable(
                catalog_rows.rows(schema, name, declared), [""] * len(VIEWS[schema, name])
            )
        entry = self._entry(table)
        columns = [column for column in entry.columns if not table.rule(column).hidden]
        if role == "private":
            return _empty({column: entry.columns[column].type_text for column in columns})
        rows = self._fetched(_select(entry, columns))
        return TypedTable(rows, [cast_to(entry.columns[column].type_text) for column in columns])

    def _fetched(self, query: exp.Select) -> pa.Table:
        sql = written(query, self._engine.dialect, self._engine.catalog())
        return self._engine.fetch(sql)

    def _entry(self, table: Table) -> CatalogTable:
        found = self._engine.catalog().find(".".join(table.parts))
        if found is None:
            raise table_missing(table)
        return found


def _select(entry: CatalogTable, columns: Sequence[str]) -> exp.Select:
    table = exp.Table(
        this=exp.to_identifier(entry.name, quoted=True),
        db=exp.to_identifier(entry.schema, quoted=True),
        catalog=exp.to_identifier(entry.database or None, quoted=True),
    )
    shown = [exp.column(exp.to_identifier(column, quoted=True)) for column in columns]
    return exp.Select(expressions=shown, from_=exp.From(this=table))


def _empty(types: Mapping[str, str]) -> TypedTable:
    """No row, and every column cast to its type."""
    import pyarrow as pa

    columns = {name: pa.array([], type=pa.string()) for name in types}
    return TypedTable(pa.table(columns), list(types.values()))
