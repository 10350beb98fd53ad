"""A database's schema as `init` needs it: the catalog, and what its CHECK constraints say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.dialects.duckdb_files import FilesEngine
from dpsql.dialects.engine import Engine
from dpsql.policy.identifiers import same_name
from dpsql.setup.constraints import Checked, read_check
from dpsql.setup.names import unknown


@dataclass(frozen=True, slots=True)
class Shape:
    """`checked`: by catalog key and column, what enforced CHECKs allow. All of it is schema."""

    catalog: Catalog
    checked: Mapping[tuple[str, str], Checked] = field(default_factory=dict)
    files: bool = False
    """Are what the engine calls views files that lie beside it?"""

    @property
    def tables(self) -> Mapping[str, CatalogTable]:
        return self.catalog.tables

    def table(self, name: str, *, flag: str) -> str:
        """The catalog's key of a table as somebody typed it; InterfaceError `init-name`."""
        key = same_name(name, self.tables)
        if key is None:
            raise unknown("table", name, list(self.tables), flag=flag)
        return key

    def column(self, table: str, name: str, *, flag: str) -> CatalogColumn:
        """A column of the table with this key; InterfaceError `init-name`."""
        columns = self.tables[table].columns
        found = same_name(name, columns)
        if found is None:
            raise unknown("column", f"{table}.{name}", [f"{table}.{c}" for c in columns], flag=flag)
        return columns[found]

    def place(self, text: str, *, flag: str) -> tuple[str, str]:
        """`table.column` or `schema.table.column`, of one table alone `column`: (key, column)."""
        table, dot, column = text.rpartition(".")
        if not dot and len(self.tables) == 1 and same_name(text, self.tables) is None:
            (key,) = self.tables
            return key, self.column(key, column, flag=flag).name
        if not dot:
            raise unknown("column", text, self.places(), flag=flag)
        key = self.table(table, flag=flag)
        return key, self.column(key, column, flag=flag).name

    def places(self) -> list[str]:
        return [f"{key}.{column}" for key, table in self.tables.items() for column in table.columns]


def read_shape(engine: Engine) -> Shape:
    """Names, types, keys and CHECKs of the open database; no row is read."""
    catalog = engine.catalog()
    checked: dict[tuple[str, str], Checked] = {}
    for schema, name_, condition in engine.checks():
        key = next(
            key
            for key, table in catalog.tables.items()
            if (table.schema, table.name) == (schema, name_)
        )
        for name, found in read_check(condition).items():
            column = same_name(name, catalog.tables[key].columns)
            if column is not None:
                place = (key, column)
                checked[place] = checked[place].meet(found) if place in checked else found
    return Shape(catalog, checked, isinstance(engine, FilesEngine))
