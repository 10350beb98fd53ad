"""What an engine's catalog says of a table: schema only, never statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpsql.core.domain import Interval, SqlType


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column as the engine declares it. `type_text` is the engine's own spelling."""

    name: str
    type_text: str
    type: SqlType
    certain: Interval
    nullable: bool
    stored: str = ""
    """How the engine stores values that are read through a conversion; `type_text` is as read."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A base table or view. `keys`: enforced, validated, total (NOT NULL) unique keys only.

    `primary_key` is the one of them that the engine calls so, empty where it has none; it is shown
    to those who ask what a table looks like, and no guarantee rests on the word.
    """

    schema: str
    name: str
    columns: Mapping[str, CatalogColumn]
    keys: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    is_view: bool = False
    primary_key: tuple[str, ...] = ()
    database: str = ""
    """The engine's name of the database, where `schema.name` alone could be read otherwise."""
    view: str = ""
    """The one name by which an engine reads it that has no schema for it: Spark, of files."""
    unqualified: bool = False
    """Is it in the default schema of an engine where that is not called `main`?"""

    def unique(self, *columns: str) -> bool:
        """Do these columns contain an enforced key, so that they name at most one row?"""
        have = {column.casefold() for column in columns}
        return any(have >= {column.casefold() for column in key} for key in self.keys)

    def references(self, column: str, target: CatalogTable, target_column: str) -> bool:
        """Is `column` an enforced single-column foreign key onto `target.target_column`?

        A foreign key says no schema: it is onto a table of its own (DuckDB knows no other, of
        PostgreSQL no other is read), and a table of the same name elsewhere is not that one.
        """
        if (self.schema, self.database) != (target.schema, target.database):
            return False
        want = (column.casefold(), target.name.casefold(), target_column.casefold())
        return any(
            len(fk.columns) == 1
            and (fk.columns[0].casefold(), fk.target.casefold(), fk.target_columns[0].casefold())
            == want
            for fk in self.foreign_keys
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables of the owner's database, by `name` for the default schema, else `schema.name`."""

    tables: Mapping[str, CatalogTable]

    def find(self, name: str) -> CatalogTable | None:
        """Case-insensitive look-up, as DuckDB resolves names."""
        key = self.key_of(name)
        return None if key is None else self.tables[key]

    def key_of(self, name: str) -> str | None:
        """The key in `tables` of what `find` finds."""
        wanted = name.casefold()
        for key, table in self.tables.items():
            if wanted in (key.casefold(), f"{table.schema}.{table.name}".casefold()):
                return key
        return None
