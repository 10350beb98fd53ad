"""The file of kept cells: a DuckDB of its own, written whole by its owner, then only read.

It holds tables of cells and one table, `meta`, that says of each how and of what it was made.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.files_text import identifier, text
from dpsql.dialects.interrupts import heeding_interrupts
from dpsql.errors import EngineFailed, Error
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "1"
SCHEMA = "dpsql_cells"
_META = f"{SCHEMA}.meta"


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of cells as `meta` has it; all of it text.

    `entry` names what of the policy it was made for. `definition`: the statement whose rows it
    holds. `data_version`, `schema`, `mark` and `engine`: of what data, and by which DuckDB.
    """

    format: str
    name: str
    entry: str
    salt: str
    definition: str
    data_version: str
    schema: str
    mark: str
    engine: str
    cells: str
    made: str


def open_cells(path: str, memory: str | None) -> DuckDBEngine | None:
    """The file, read only; None if there is none. EngineFailed where it cannot be opened."""
    if not os.path.lexists(path):
        return None
    try:
        return DuckDBEngine.open(path, memory=memory)
    except EngineFailed as problem:
        if problem.code != "engine-open":
            raise
        raise EngineFailed(
            f"the file that `cells` names, {path}, cannot be read as a file of kept cells:"
            f" {problem.message.partition(' cannot be opened: ')[2]}",
            code="cells-file",
            hint="queries read rows meanwhile; move it away, then run `dpsql cells build`",
        ) from None


def stored_in(cells: DuckDBEngine) -> tuple[Stored, ...]:
    """What the file holds. EngineFailed `cells-file` where it is no file of cells."""
    names = [field.name for field in fields(Stored)]
    try:
        rows = cells.fetch(f"SELECT {', '.join(map(identifier, names))} FROM {_META}").to_pylist()
    except EngineFailed:
        raise not_cells() from None
    found = [Stored(**{name: str(row[name]) for name in names}) for row in rows]
    if any(one.format != FORMAT for one in found):
        return ()
    if not all(one.salt.isdecimal() and one.cells.isdecimal() for one in found):
        raise not_cells()
    return tuple(found)


def columns_in(cells: DuckDBEngine, name: str) -> list[tuple[str, str]]:
    """(name, type) of the columns that a table of cells has; none where there is no such table."""
    sql = (
        "SELECT column_name, data_type FROM duckdb_columns() WHERE NOT internal"
        f" AND schema_name = {text(SCHEMA)} AND table_name = {text(name)} ORDER BY column_index"
    )
    try:
        found = cells.fetch(sql)
    except EngineFailed:  # a table of which nothing is known is not read
        return []
    names, types = (found.column(at).to_pylist() for at in range(2))
    return list(zip(names, types, strict=True))


def not_cells() -> EngineFailed:
    return EngineFailed(
        "the file that `cells` names holds something else than kept cells",
        code="cells-file",
        hint="name another file under `cells`; this one is left as it is",
    )


def remove(path: str, memory: str | None) -> bool:
    """Delete the file if it is one of cells; False if there is none."""
    cells = open_cells(path, memory)
    if cells is None:
        return False
    try:
        stored_in(cells)
    finally:
        cells.close()
    with _written(path):
        os.remove(path)
    return True


# ---- writing ---------------------------------------------------------------------------------


class CellsWriter:
    """Writes a new file beside the old one; `commit` puts it in its place, all at once."""

    def __init__(self, path: str, folder: str, memory: str | None) -> None:
        import duckdb

        self._path, self._new = path, str(Path(folder) / "cells.duckdb")
        config: dict[str, Any] = {"temp_directory": folder}
        if memory is not None:
            config["memory_limit"] = memory
        self._connection = duckdb.connect(self._new, config=config)
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute(f"CREATE SCHEMA {SCHEMA}")
        columns = ", ".join(f"{identifier(field.name)} VARCHAR" for field in fields(Stored))
        self._connection.execute(f"CREATE TABLE {_META} ({columns})")

    def add(
        self,
        name: str,
        rows: pa.RecordBatchReader,
        types: Sequence[tuple[str, str]],
        order: Sequence[str],
    ) -> int:
        """A table of these rows, its columns in these types, sorted; how many there are.

        A value that a type does not hold fails all of it: none is ever changed.
        """
        self._connection.register("dpsql_rows", rows)
        columns = ", ".join(
            f"CAST({identifier(column)} AS {type_}) AS {identifier(column)}"
            for column, type_ in types
        )
        sql = (
            f"CREATE TABLE {SCHEMA}.{identifier(name)} AS SELECT {columns} FROM dpsql_rows"
            f" ORDER BY {', '.join(map(identifier, order))}"
        )
        heeding_interrupts(self._connection, lambda: self._connection.execute(sql))
        self._connection.unregister("dpsql_rows")
        found = self._connection.execute(f"SELECT count(*) FROM {SCHEMA}.{identifier(name)}")
        (count,) = found.fetchone() or (0,)
        return int(count)

    def note(self, stored: Stored) -> None:
        """Say of a table that was added how it was made."""
        values = ", ".join(text(value) for value in astuple(stored))
        self._connection.execute(f"INSERT INTO {_META} VALUES ({values})")

    def commit(self, mode: int) -> None:
        """Put the file in its place, with these rights."""
        self._connection.close()
        with _written(self._path):
            os.chmod(self._new, mode)
            with open(self._new, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(self._new, self._path)

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def writer(path: str, memory: str | None) -> Iterator[CellsWriter]:
    """A writer; what is not committed leaves nothing behind. EngineFailed `cells-file`.

    Until it is in its place the file lies in a folder that nobody else may enter.
    """
    old = open_cells(path, memory)
    if old is not None:
        try:
            stored_in(old)  # never over a file that is something else
        finally:
            old.close()
    with _written(path):
        folder = tempfile.mkdtemp(prefix=".dpsql-cells-", dir=os.path.dirname(path))
    try:
        made = CellsWriter(path, folder, memory)
        try:
            yield made
        finally:
            made.close()
    except Error:
        raise
    except Exception as problem:  # of the engine, in whatever class
        OWNER_LOG.error("kept cells: %s", problem)
        raise EngineFailed(
            "the cells could not be written",
            code="cells-file",
            hint="see the disk's space and rights; the owner's log has the reason",
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rights_like(path: str | None) -> int:
    """The rights of a file of data, for what is as secret; the user's alone where there is none."""
    try:
        mode = 0o600 if path is None else stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mode = 0
    return (mode & 0o666) | 0o600


@contextlib.contextmanager
def _written(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        OWNER_LOG.error("kept cells: %s", problem)
        raise EngineFailed(
            f"{os.path.basename(path)} cannot be written: {problem.strerror}",
            code="cells-file",
            hint="this user needs the right to write in its folder; `cells` in the policy names"
            " another place",
        ) from None


Counted = Callable[[int], None]
"""Told how many rows have passed so far."""


def counting(rows: pa.RecordBatchReader, counted: Counted) -> pa.RecordBatchReader:
    """The same rows, counted as they pass."""
    import pyarrow as pa

    def pieces() -> Iterator[pa.RecordBatch]:
        passed = 0
        for piece in rows:
            passed += piece.num_rows
            counted(passed)
            yield piece

    return pa.RecordBatchReader.from_batches(rows.schema, pieces())
