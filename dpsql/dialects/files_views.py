"""A table of files as a view: its columns and types settled, and the text that reads them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dpsql.core.files import FileSource
from dpsql.dialects import files_csv
from dpsql.dialects.files_find import Found, literal, partition_values, told
from dpsql.dialects.files_text import identifier, text
from dpsql.errors import EngineFailed

if TYPE_CHECKING:
    import duckdb

Columns = tuple[tuple[str, str], ...]
"""Names and types in their order."""


@dataclass(frozen=True, slots=True)
class View:
    """A table's SELECT, and columns of its files that it does not show."""

    select: str
    left_out: tuple[str, ...] = ()


_SHAPES = """
SELECT min(file_name), types FROM (
    SELECT file_name, list({{name: name, type: type, length: type_length, inside: num_children,
        converted: converted_type, scale: scale, precision: precision, logical: logical_type}}
        ORDER BY place) AS types
    FROM (SELECT *, row_number() OVER () AS place FROM parquet_schema([{}]))
    GROUP BY file_name)
GROUP BY types ORDER BY 1
"""


def view(
    connection: duckdb.DuckDBPyConnection, table: str, source: FileSource, found: Sequence[Found]
) -> View:
    """The SELECT behind the table. `connection` may read the files; only their schema is read.

    EngineFailed `files-columns` where files differ from one another or from what the policy says
    of them, `files-unreadable` where one is damaged. No row decides what this gives or raises.
    """
    left_out: tuple[str, ...] = ()
    paths = [literal(one.path) for one in found]
    partitions = [name for name, _ in source.partitions]
    if source.format == "csv":
        assert source.types is not None
        _same_headers(table, source, found)
        columns = source.types
        read = files_csv.relation(paths, source.csv, len(columns), partitions=partitions)
        shown = [
            f"{files_csv.field(place, type_, source.csv)} AS {identifier(name)}"
            for place, (name, type_) in enumerate(columns, start=1)
        ]
    else:
        columns, left_out = _parquet_columns(connection, table, source, paths)
        hive = "true, hive_types_autocast = false" if partitions else "false"
        union = str(source.types is not None).lower()
        listed = ", ".join(map(text, paths))
        read = f"read_parquet([{listed}], hive_partitioning = {hive}, union_by_name = {union})"
        shown = [identifier(name) for name, _ in columns]
    _partitioned(table, source, found, columns)
    shown += [
        f"{files_csv.typed(identifier(name), type_)} AS {identifier(name)}"
        for name, type_ in source.partitions
    ]
    return View(f"SELECT {', '.join(shown)} FROM {read} AS dpsql_files", left_out)


def _parquet_columns(
    connection: duckdb.DuckDBPyConnection, table: str, source: FileSource, paths: Sequence[str]
) -> tuple[Columns, tuple[str, ...]]:
    """Those of all files, or those that the policy names; a file may lack some of the latter.

    And those left out: DuckDB raises on a time in milliseconds that its TIMESTAMP cannot hold, so
    one row could fail the queries of all. Who names such a column under `types` vouches for it.
    """
    shapes = _asked(connection, table, _SHAPES.format(", ".join(map(text, paths))))
    each = []
    for path, *_ in shapes:
        file = text(literal(str(path)))
        one = f"DESCRIBE SELECT * FROM read_parquet({file}, hive_partitioning = false)"
        rows = _asked(connection, table, one)
        each.append((path, {str(row[0]): str(row[1]) for row in rows}))
    if source.types is None:
        first_path, first = each[0]
        for path, columns in each[1:]:
            if columns != first:
                raise _differ(table, path, f"other columns than {first_path}")
        risky = set[str]().union(*(_in_milliseconds(types) for _, types in shapes))
        left_out = tuple(
            name for name, type_ in first.items() if name in risky and "TIMESTAMP" in type_
        )
        kept = tuple((name, type_) for name, type_ in first.items() if name not in left_out)
        return kept, left_out
    for path, columns in each:
        for name, type_ in source.types:
            if columns.get(name, type_) != type_:
                raise _differ(table, path, f"{name} is {columns[name]}, not {type_}")
    for name, _ in source.types:
        if not any(name in columns for _, columns in each):
            raise _differ(table, each[0][0], f"no file has {name}")
    return source.types, ()


def _in_milliseconds(types: object) -> set[str]:
    """Names of elements of a Parquet schema, as `_SHAPES` gives it, that are times in ms."""
    assert isinstance(types, list)
    return {
        str(one["name"])
        for one in types
        if one["converted"] == "TIMESTAMP_MILLIS" or "MilliSeconds" in str(one["logical"])
    }


def _asked(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> list[tuple[object, ...]]:
    import duckdb

    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as problem:
        raise unreadable(table, problem) from None


def _same_headers(table: str, source: FileSource, found: Sequence[Found]) -> None:
    if not source.csv.header:
        return
    names = [name for name, _ in source.types or ()]
    for one in found:
        try:
            there = files_csv.header(one.path, source.csv)
        except (OSError, UnicodeDecodeError) as problem:
            raise unreadable(table, f"{one.path}: {problem}") from None
        if there != names:
            raise _differ(table, one.path, f"its first line is not {names}")


def _partitioned(table: str, source: FileSource, found: Sequence[Found], columns: Columns) -> None:
    """Every file lies in the folders that the policy names, and no other folder hides a column.

    DuckDB takes every `key=value` on a file's path for a column once it looks at them at all.
    """
    if not source.partitions:
        return
    wanted = {name.casefold() for name, _ in source.partitions}
    own = {name.casefold() for name, _ in columns}
    if wanted & own:
        raise _differ(table, found[0].path, f"{sorted(wanted & own)} are in the files themselves")
    for one in found:
        there = set(partition_values(one.path))
        if not wanted <= there:
            raise _differ(table, one.path, f"no folder {sorted(wanted - there)}")
        if there & own:
            raise _differ(table, one.path, f"folders hide the columns {sorted(there & own)}")
    if len({frozenset(partition_values(one.path)) for one in found}) > 1:
        raise _differ(table, found[-1].path, "other folders than the other files")


def _differ(table: str, path: object, reason: str) -> EngineFailed:
    """What differs is for the owner: names of files and folders may tell of people."""
    return told(
        EngineFailed(
            f"the files of the table {table} do not have its columns",
            code="files-columns",
            hint="all files have the same columns and types, those of the policy where it names "
            "them; `dpsql check` names the file",
        ),
        f"table {table}, {path}: {reason}",
    )


def unreadable(table: str, reason: object) -> EngineFailed:
    return told(
        EngineFailed(
            f"a file of the table {table} cannot be read",
            code="files-unreadable",
            hint=("is it whole, and of the kind that its name says? `dpsql check` names the file"),
        ),
        f"table {table}: {reason}",
    )


def create(connection: duckdb.DuckDBPyConnection, place: tuple[str, str], select: str) -> None:
    """Make the view. EngineFailed `files-unreadable` where the engine does not bind it."""
    import duckdb

    schema, name = place
    with contextlib.suppress(duckdb.CatalogException):
        connection.execute(f"CREATE SCHEMA {identifier(schema)}")
    try:
        connection.execute(f"CREATE VIEW {identifier(schema)}.{identifier(name)} AS {select}")
    except duckdb.Error as problem:
        raise unreadable(name, problem) from None
