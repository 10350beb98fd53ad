"""Base tables: which policy table a name in the text is, its unit path, its keys and types."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import EXACT
from dpsql.certify.reader import fold
from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.core.domain import Kind
from dpsql.policy.schema import Policy, Table, UnitPath

_IDENTITIES = frozenset({Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.OPAQUE})
_COMPARABLE = EXACT | {Kind.FLOAT}  # as keys: the engine's index and its `=` agree on -0.0


def kind_of(column: CatalogColumn) -> Kind | None:
    """The column's kind; of the types unknown to dpsql only UUID has one (OPAQUE)."""
    if column.type.kind is Kind.OPAQUE:
        return Kind.OPAQUE if fold(column.type_text) == "uuid" else None
    return column.type.kind


def column_span(column: CatalogColumn) -> tuple[Fraction, Fraction] | None:
    """The range of the column's type, if it is one of exact numbers."""
    lo, hi = column.certain.lo, column.certain.hi
    if column.type.kind not in (Kind.INTEGER, Kind.DECIMAL):
        return None
    return (lo, hi) if isinstance(lo, Fraction) and isinstance(hi, Fraction) else None


def identifies(kind: Kind | None) -> bool:
    """May a unit be told by such a column: few types, all of whose equality is identity."""
    return kind in _IDENTITIES


def exact_equality(one: Kind | None, other: Kind | None) -> bool:
    """Does `=` between columns of these kinds compare without a lossy conversion?"""
    return one is other and one in _COMPARABLE


@dataclass(frozen=True, slots=True)
class BaseTable:
    """A declared table as the engine's catalog has it. `path` is None for a public table."""

    policy: Table
    catalog: CatalogTable
    path: UnitPath | None

    def column(self, name: str) -> CatalogColumn:
        """By its exact name, or by the only one that differs in case alone."""
        found = self.catalog.columns.get(name)
        if found is None:
            near = [c for real, c in self.catalog.columns.items() if fold(real) == fold(name)]
            if len(near) != 1:
                refuse("every column exists, once")
            found = near[0]
        return found

    def unique(self, name: str) -> bool:
        """Is the column alone an enforced key of a base table?"""
        return not self.catalog.is_view and self.catalog.unique(name)

    def promised(self, name: str) -> bool:
        """Does the owner promise that the column alone is a key? For unit paths, nothing else."""
        told = self.policy.key if self.policy.promised else None
        if told is None:
            return False
        column = self.column(told)
        return fold(column.name) == fold(name) and identifies(kind_of(column))


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables that may be read."""

    policy: Policy
    catalog: Catalog

    def of(self, node: exp.Table) -> BaseTable:
        """The declared table of a FROM item, written schema.table in the catalog's own spelling.

        With the database before it where a schema is called like one: `hr.t` is ambiguous then.
        """
        schema, name = node.args.get("db"), node.this
        if not isinstance(schema, exp.Identifier) or not isinstance(name, exp.Identifier):
            refuse("tables are named with their schema")
        for entry in self.catalog.tables.values():
            if (entry.schema, entry.name) == (schema.this, name.this):
                break
        else:
            refuse("every table is in the catalog")
        database = node.args.get("catalog")
        named = database.this if isinstance(database, exp.Identifier) else ""
        require(named == entry.database, "a database's name stands where it must, and only there")
        declared = [t for t in self.policy.tables.values() if self._entry(t) is entry]
        require(len(declared) == 1, "every table is declared, once")
        return self._base(declared[0], entry)

    def named(self, name: str) -> BaseTable:
        """The table a policy's unit path leads to."""
        table = self.policy.tables.get(name)
        entry = None if table is None else self._entry(table)
        if table is None or entry is None:
            refuse("unit paths lead to declared tables")
        return self._base(table, entry)

    def _base(self, table: Table, entry: CatalogTable) -> BaseTable:
        if table.public:
            require(table.unit is None, "a public table has no unit")
            return BaseTable(table, entry, None)
        require(table.unit is not None, "a private table has a unit")
        return BaseTable(table, entry, table.unit)

    def _entry(self, table: Table) -> CatalogTable | None:
        entry = self.catalog.find(".".join(table.parts))
        if entry is None or fold(entry.name) != fold(table.parts[-1]):
            return None
        if len(table.parts) == 2 and fold(entry.schema) != fold(table.parts[0]):
            return None
        return entry
