"""Looking up what the policy declares in the engine's catalog."""

from __future__ import annotations

from collections.abc import Mapping

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.policy.identifiers import same_name
from dpsql.policy.schema import Policy, Table, UnitPath


def find_table(catalog: Catalog, table: Table) -> CatalogTable | None:
    """The catalog's table for a declared one, found as the binder finds it."""
    return catalog.find(".".join(table.parts))


def table_keys(policy: Policy, catalog: Catalog) -> dict[str, str]:
    """Policy table name → its key in the catalog; '' for a table that the database lacks."""
    return {
        name: catalog.key_of(".".join(table.parts)) or "" for name, table in policy.tables.items()
    }


def find_column(table: CatalogTable, column: str) -> CatalogColumn | None:
    """A column by name; case decides only between two that differ in nothing else."""
    name = same_name(column, table.columns)
    return None if name is None else table.columns[name]


def one_row_per_unit(
    tables: Mapping[str, Table], catalog: Catalog, name: str, path: UnitPath
) -> bool:
    """Whether the engine's keys allow a unit at most one row in the table `name`.

    Each step from row to unit must be one-to-one: the hop's own column a key of the table it
    leaves, the last column a key of the table it stands in. A promised key never counts.
    """
    at = name
    steps = [*((hop.column, hop.target_table) for hop in path.hops), (path.column, "")]
    for column, target in steps:
        entry = find_table(catalog, tables[at])
        if entry is None or not entry.unique(column):
            return False
        at = target
    return True
