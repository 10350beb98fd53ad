"""Is a table of cells that of this policy, this data, this engine? What differs retires it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping

from dpsql.core.catalog import Catalog
from dpsql.core.ir import Scan
from dpsql.dialects.cells_file import Stored, columns_in
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.pipeline.rewrite import cells_text
from dpsql.planning.kept import KeptCells
from dpsql.rules import names
from dpsql.rules.kept import bounded_columns

ENGINE = "it was made by another version of DuckDB, or another machine, whose hashes may differ"
POLICY = "policy, schema or dpsql bound these cells in another way by now"
VERSION = "it was made for another data_version, or another database"
ALTERED = "its table in the cells file is gone, or its columns were changed since it was built"
CHANGED = "the data files have been written to since"


def retired(
    stored: Stored,
    cells: KeptCells,
    *,
    catalog: Catalog,
    tables: Mapping[str, str],
    data_version: str,
) -> str:
    """Why the table does not stand for what the cells would be now; '' if it does.

    All of it is public, or the owner's word: policy, schema, versions. Whether the files were
    written to is another question (`CHANGED`), whose answer no analyst may see.
    """
    if stored.engine != engine_version():
        return ENGINE
    if stored.schema != schema_digest(cells, catalog, tables):
        return POLICY
    if stored.definition != cells_text(cells, catalog, tables, int(stored.salt)):
        return POLICY
    return "" if stored.data_version == data_version else VERSION


def altered(stored: Stored, cells: KeptCells, engine: DuckDBEngine, file: DuckDBEngine) -> str:
    """Why the table is no longer as it was built: another column, another type; '' if it is.

    Policy, schema and the owner's file decide it, no row: that which `build` writes depends on
    nothing else. Call where nothing else is `retired`, within a snapshot of the data.
    """
    wanted = column_types(cells, engine.described(stored.definition))
    return "" if columns_in(file, stored.name) == wanted else ALTERED


def column_types(cells: KeptCells, columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A table's columns, of those of its definition: the engine's types, but for bounded numbers:
    the least that holds their bound."""
    least = {names.RANK: "INTEGER"}
    for index, part in enumerate(cells.blocks):
        most = cells.weight * cells.bounds.max_rows_per_group * part.block.row_total
        type_ = "INTEGER" if most < 2**31 else "BIGINT" if most < 2**63 else "HUGEINT"
        least.update(dict.fromkeys(bounded_columns(index, part), type_))
    return [(name, least.get(name, type_)) for name, type_ in columns]


def engine_version() -> str:
    """The DuckDB that hashes, and the kind of machine that it does so on."""
    import duckdb

    return f"duckdb {duckdb.__version__} {platform.machine()}"


def schema_digest(cells: KeptCells, catalog: Catalog, tables: Mapping[str, str]) -> str:
    """Of all that the catalog says of the tables that the cells are made of."""
    scans = [source for source in cells.aggregate.block.sources if isinstance(source, Scan)]
    said = repr([_table(catalog, tables[scan.table]) for scan in scans])
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _table(catalog: Catalog, key: str) -> object:
    table = catalog.tables[key]
    columns = [
        (one.name, one.type_text, one.stored, one.nullable) for one in table.columns.values()
    ]
    return (table.database, table.schema, table.name, table.is_view, columns, table.keys)
