"""CSV and Parquet files loaded into a DuckDB file that enforces the keys the owner confirmed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from dpsql.errors import EngineFailed, InterfaceError
from dpsql.owner_log import OWNER_LOG
from dpsql.setup.decimals import COMMA, writes_commas
from dpsql.setup.header import check_header
from dpsql.setup.names import sql_name
from dpsql.setup.unreadable import why

if TYPE_CHECKING:
    import duckdb

Columns = Mapping[str, Mapping[str, str]]
"""Type by column, by table."""

_WIDTHS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


@dataclass(frozen=True, slots=True)
class Reference:
    """`column` of `table` names a row of `target` by its key `target_column`."""

    table: str
    column: str
    target: str
    target_column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} -> {self.target}.{self.target_column}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Primary keys by table, and references between tables, as the owner confirmed them."""

    primary: Mapping[str, tuple[str, ...]]
    references: Sequence[Reference] = ()


def read_columns(files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Names and types of each file's columns. A CSV's types are those that fit all of its rows.

    EngineFailed `init-file` for a file DuckDB cannot read; its own words go to the owner's log.
    InterfaceError `init-header` for a CSV whose first line cannot be its columns' names.
    """
    import duckdb

    found: dict[str, dict[str, str]] = {}
    with duckdb.connect(":memory:") as connection:
        _quiet(connection)
        for table, file in files.items():
            try:
                reader = _reader(connection, file)
                rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
                if is_csv(file):
                    names = [str(row[0]) for row in rows]
                    lines = _csv(file, "header = false, all_varchar = true")
                    check_header(connection, file.name, names, lines=lines, rows=reader)
            except duckdb.Error as problem:
                raise _unread(file, problem) from None
            found[table] = {str(row[0]): str(row[1]) for row in rows}
    return found


def load(files: Mapping[str, Path], columns: Columns, keys: Keys, path: Path) -> None:
    """Write the DuckDB file `path` (replaced if it is there: the caller asked), all or nothing.

    InterfaceError `init-key` names the key that does not hold on a file, never a value of it;
    EngineFailed `init-file` where a file cannot be read or the database cannot be written.
    """
    import duckdb

    order = _order(files, keys)
    types = _aligned(columns, keys.references)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        with duckdb.connect(str(part)) as connection:
            _quiet(connection)
            for table in order:
                _create(connection, table, types[table], keys)
                _fill(connection, table, files[table], keys)
        part.replace(path)
    except (OSError, duckdb.Error) as problem:
        OWNER_LOG.error("DuckDB: %s", problem)
        raise EngineFailed(
            f"the database {path} cannot be written", code="init-file", hint="see --database"
        ) from None
    finally:
        part.unlink(missing_ok=True)
        part.with_name(f"{part.name}.wal").unlink(missing_ok=True)


def _order(files: Mapping[str, Path], keys: Keys) -> list[str]:
    """Tables after those they refer to."""
    graph: dict[str, set[str]] = {table: set() for table in files}
    for one in keys.references:
        if one.table != one.target:
            graph[one.table].add(one.target)
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        raise InterfaceError(
            "the foreign keys run in a circle",
            code="init-key",
            hint="leave one of them out (--foreign-key)",
        ) from None


def _create(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], keys: Keys
) -> None:
    import duckdb

    lines = [f"{sql_name(name)} {type_}" for name, type_ in columns.items()]
    own = keys.primary.get(table, ())
    if own:
        lines.append(f"PRIMARY KEY ({', '.join(map(sql_name, own))})")
    for one in keys.references:
        if one.table == table:
            there = f"{sql_name(one.target)} ({sql_name(one.target_column)})"
            lines.append(f"FOREIGN KEY ({sql_name(one.column)}) REFERENCES {there}")
    try:
        connection.execute(f"CREATE TABLE {sql_name(table)} ({', '.join(lines)})")
    except duckdb.Error as problem:
        OWNER_LOG.error("DuckDB: %s", problem)
        raise InterfaceError(
            f"DuckDB takes no such keys on {table}: {_keys_of(table, keys)}",
            code="init-key",
            hint="a foreign key must name the other table's primary key, of the same type",
        ) from None


def _fill(connection: duckdb.DuckDBPyConnection, table: str, file: Path, keys: Keys) -> None:
    import duckdb

    try:
        rows = f"SELECT * FROM {_reader(connection, file)}"
        connection.execute(f"INSERT INTO {sql_name(table)} BY NAME {rows}")
    except duckdb.ConstraintException as problem:
        OWNER_LOG.error("DuckDB: %s", problem)
        raise InterfaceError(
            f"{file.name} does not keep its keys ({_keys_of(table, keys)}): a key twice or "
            "missing, or a row that refers to none",
            code="init-key",
            hint="mend the file, or confirm other keys (--key, --foreign-key)",
        ) from None
    except duckdb.Error as problem:
        raise _unread(file, problem) from None


def _keys_of(table: str, keys: Keys) -> str:
    own = keys.primary.get(table)
    said = [f"key {', '.join(own)}"] if own else []
    return "; ".join([*said, *(str(one) for one in keys.references if one.table == table)])


def _aligned(columns: Columns, references: Sequence[Reference]) -> dict[str, dict[str, str]]:
    """Types with both ends of every foreign key alike: a CSV's whole numbers are all BIGINT."""
    types = {table: dict(names) for table, names in columns.items()}
    for _ in references:  # a key may pass its type on along a chain of references
        for one in references:
            ends = (one.table, one.column), (one.target, one.target_column)
            common = common_type(*(types[table][column] for table, column in ends))
            for table, column in ends if common is not None else ():
                types[table][column] = str(common)
    return types


def common_type(one: str, other: str) -> str | None:
    """The type both columns of a foreign key can have; None if they cannot be compared exactly."""
    if one == other:
        return one
    if one in _WIDTHS and other in _WIDTHS:
        return max(one, other, key=_WIDTHS.index)
    return None


def is_csv(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def _reader(connection: duckdb.DuckDBPyConnection, file: Path) -> str:
    if not is_csv(file):
        return f"read_parquet({_text(file)})"
    plain = _csv(file, "header = true")  # told, not guessed: a guess makes a row's texts names
    comma = _csv(file, f"header = true, {COMMA}")
    return comma if writes_commas(connection, file, plain, comma) else plain


def _csv(file: Path, header: str) -> str:
    return f"read_csv({_text(file)}, {header}, sample_size = -1)"


def _text(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _quiet(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET autoinstall_known_extensions = false")


def _unread(file: Path, problem: BaseException) -> EngineFailed:
    OWNER_LOG.error("DuckDB: %s", problem)
    with contextlib.suppress(OSError):
        if (told := why(file, csv=is_csv(file))) is not None:
            return EngineFailed(f"{file} {told[0]}", code="init-file", hint=told[1])
    return EngineFailed(
        f"{file} cannot be read",
        code="init-file",
        hint="is it a CSV with a header, or a Parquet file? Or load it into DuckDB yourself",
    )
