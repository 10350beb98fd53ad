"""A table of files as a temporary view of dpsql's own session.

Columns and types are those that DuckDB finds in the same files (`files_views`): who moves from one
to the other changes nothing else. What Spark reads otherwise is converted in the view.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dpsql.core.catalog import CatalogColumn, CatalogTable
from dpsql.core.files import FileSource
from dpsql.dialects import spark_csv
from dpsql.dialects.duckdb_types import read_type
from dpsql.dialects.files_csv import first_line
from dpsql.dialects.files_find import Found, partition_values, told
from dpsql.dialects.spark_text import identifier
from dpsql.errors import EngineFailed

_AS_READ = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",  # of either kind, and INT96; in UTC they are one
    "BLOB": "BINARY",
}
"""DuckDB's types of Parquet columns, as Spark is told to read them."""
_SHOWN = {
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "FLOAT": "DOUBLE",
    "UUID": "VARCHAR",
}
"""What a column is, where Spark has no type like DuckDB's."""
_CONVERTED = {"FLOAT": "DOUBLE", "TIMESTAMP": "TIMESTAMP_NTZ"}
_MAGIC = "{}[]*?\\"


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as Spark has it: its view's name in it, and (table, column) that are left out."""

    table: CatalogTable
    left_out: tuple[str, ...]


def names(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A view's name for each table: its own where that is one, with the schema before it."""
    found: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for schema, name in sorted(places):
        wanted = name if schema == "main" else f"{schema}_{name}"
        view, number = wanted, 1
        while view.casefold() in taken:
            view, number = f"{wanted}_{number}", number + 1
        taken.add(view.casefold())
        found[schema, name] = view
    return found


def shown(table: CatalogTable, source: FileSource, view: str, schema: str) -> Shown:
    """The table in Spark, which DuckDB has as `table`."""
    columns, left_out = {}, []
    for column in table.columns.values():
        if _reads(column, source):
            columns[column.name] = _column(column)
        else:
            left_out.append(column.name)
    found = replace(
        table, schema=schema, columns=columns, keys=(), foreign_keys=(), view=view, unqualified=True
    )
    return Shown(found, tuple(left_out))


def create(
    session: Any, table: CatalogTable, view: str, source: FileSource, found: Sequence[Found]
) -> None:
    """Make the view in the session, in the place of one before. Files are listed, not read.

    `table`: as DuckDB has it in `found`. EngineFailed where Spark would not read each of them.
    """
    paths = [one.path for one in found]
    for path in paths:
        _require_plain(table.name, source, path)
    partitions = ", ".join(f"{identifier(name)} STRING" for name, _ in source.partitions)
    reader = session.read
    if source.format == "csv":
        frame = _lines(reader, table, source, paths)
    else:
        parts = [_told(column) for column in _own(table, source)]
        parts += [partitions] if partitions else []
        reader = reader.schema(", ".join(parts))
        frame = _over(paths, bool(partitions), lambda r, some: r.parquet(*some), reader)
    columns = [
        f"{spark_csv.typed(identifier(name), type_)} AS {identifier(name)}"
        for name, type_ in source.partitions
    ]
    own = (
        spark_csv.named(source.types or (), source.csv)
        if source.format == "csv"
        else [_read(column) for column in _own(table, source)]
    )
    if len(frame.inputFiles()) != len(paths):
        raise _unlike(table.name, "Spark leaves some of its files out")
    frame.selectExpr(*own, *columns).createOrReplaceTempView(identifier(view))


def _lines(reader: Any, table: CatalogTable, source: FileSource, paths: Sequence[str]) -> Any:
    """The lines that are rows, cut into the fields `f`, with the partitions' columns."""
    assert source.types is not None
    headers = [first_line(path) for path in paths] if source.csv.header else []
    partitions = [identifier(name) for name, _ in source.partitions]
    schema = ", ".join(["`value` STRING", *(f"{name} STRING" for name in partitions)])
    reader = reader.schema(schema).option("lineSep", "\n")
    frame = _over(paths, bool(partitions), lambda r, some: r.text(list(some)), reader)
    rows = frame.where(spark_csv.row_filter(source.csv, len(source.types), headers))
    return rows.selectExpr(f"{spark_csv.fields(source.csv)} AS f", *partitions)


def _over(paths: Sequence[str], partitioned: bool, read: Any, reader: Any) -> Any:
    """What `read` makes of the files, one base folder at a time: Spark takes one."""
    bases: dict[str, list[str]] = {}
    for path in paths:
        bases.setdefault(_base(path) if partitioned else "", []).append(_literal(path))
    frames = []
    for base, some in bases.items():
        with_base = reader.option("basePath", _plain(base)) if partitioned else reader
        frames.append(read(with_base, some))
    frame = frames[0]
    for other in frames[1:]:
        frame = frame.unionByName(other)
    return frame


def _base(path: str) -> str:
    """The folder from which on all folders are `key=value`."""
    folder = os.path.dirname(path)
    while "=" in os.path.basename(folder):
        folder = os.path.dirname(folder)
    return folder


def _literal(path: str) -> str:
    """The path as a pattern of Hadoop's that matches it alone."""
    return "file://" + "".join(f"\\{c}" if c in _MAGIC else c for c in path)


def _plain(path: str) -> str:
    return f"file://{path}"


def _require_plain(table: str, source: FileSource, path: str) -> None:
    """EngineFailed for a file that Spark leaves out, or cannot open, whatever is in it."""
    name = os.path.basename(path)
    there = partition_values(path[len(_base(path)) :])
    if not {one.casefold() for one, _ in source.partitions} <= set(there):
        raise told(
            _unlike(table, "Spark reads partitions of folders right above the file alone"),
            f"table {table}, {path}",
        )
    if name.startswith(("_", ".")) or ":" in path:
        raise told(
            _unlike(table, "Spark reads no file whose name begins with `_` or `.` or has a colon"),
            f"table {table}, {path}",
        )


def _unlike(table: str, reason: str) -> EngineFailed:
    return EngineFailed(
        f"a file of the table {table} cannot be read by Spark",
        code="files-unreadable",
        hint=f"{reason}: rename them",
    )


# ---- columns ---------------------------------------------------------------------------------


def _own(table: CatalogTable, source: FileSource) -> list[CatalogColumn]:
    """Columns that the files themselves hold and Spark reads, as DuckDB has them."""
    folders = {name.casefold() for name, _ in source.partitions}
    return [
        column
        for column in table.columns.values()
        if column.name.casefold() not in folders and _reads(column, source)
    ]


def _reads(column: CatalogColumn, source: FileSource) -> bool:
    """CSV's types are all read, or refused by name; so are partitions'."""
    text = column.type_text
    spelled = source.format == "csv" or any(
        name.casefold() == column.name.casefold() for name, _ in source.partitions
    )
    return spelled or text in _AS_READ or text.startswith("DECIMAL(")


def _column(column: CatalogColumn) -> CatalogColumn:
    text = _SHOWN.get(column.type_text, column.type_text)
    type_, certain = read_type(text)
    return replace(column, type_text=text, type=type_, certain=certain, nullable=True)


def _told(column: CatalogColumn) -> str:
    """As Spark is told to read it."""
    return f"{identifier(column.name)} {_AS_READ.get(column.type_text, column.type_text)}"


def _read(column: CatalogColumn) -> str:
    name = identifier(column.name)
    wanted = _CONVERTED.get(column.type_text)
    return name if wanted is None else f"CAST({name} AS {wanted}) AS {name}"
