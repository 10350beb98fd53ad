"""The engine over files and attached databases: looks before each query whether they are the same.

Files are no database: they change while we are looking. So every snapshot begins with the names,
sizes and times of the files. Where one differs, all that was verified of them is verified anew,
before anything is charged; what changes after that fails with the one text of every failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dpsql.core.catalog import Catalog
from dpsql.core.files import Layout
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.duckdb_catalog import read_catalog
from dpsql.dialects.duckdb_open import last_change
from dpsql.dialects.engine import FAILED, FAILED_HINT
from dpsql.dialects.files_open import State, acquire, look, marks, release
from dpsql.errors import EngineFailed, Error
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import pyarrow as pa


class FilesEngine(DuckDBEngine):
    """A DuckDB in memory with a view for every table of files, and attached databases beside."""

    def __init__(self, layout: Layout, *, memory: str | None = None) -> None:
        """EngineFailed where files are missing, unreadable or unlike what the policy says."""
        self._layout = layout
        self._memory = memory
        self._state = look(layout)
        self._opened = acquire(layout, self._state, memory)
        self._shut = False
        super().__init__(
            self._opened.owner.cursor(), path=None, frozen=False, identity=identity(layout)
        )
        self.marks = True
        try:
            self._columns = self._shape(self.catalog())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        with self._lock:
            super().close()
            if not self._shut:
                self._shut = True
                release(self._opened)

    @property
    def mark(self) -> str:
        """The files as this snapshot found them, and the databases as they were opened."""
        with self._lock:
            return _mark(self._opened.mark, self._state)

    def mark_now(self) -> str:
        """The same of the files as they lie there at this moment."""
        state = self.looked()
        return "" if state is None else _mark(marks(self._layout), state)

    def last_change(self) -> float:
        found = [one.path for files in self._state.values() for one in files]
        layout = self._layout
        databases = [path for path in (layout.database, *layout.attached.values()) if path]
        return last_change([*found, *databases])

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of what the files hold and no query may read: see docs/files.md."""
        return self._opened.left_out

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """As the database's own, of the files as they are now. EngineFailed where they do not fit.

        That comes before the charge and depends on names, sizes, times and schemas, on no row.
        """
        with self._lock:
            self._follow()
            with super().snapshot():
                yield

    def catalog(self) -> Catalog:
        """Tables of files and of the database, and those of each attached one as `name.table`."""
        with self._lock:
            tables = dict(read_catalog(self._rows, self.default_schema).tables)
            for name in self._layout.attached:
                there = read_catalog(self._rows, self.default_schema, database=name)
                for table in there.tables.values():
                    if table.schema == self.default_schema:
                        tables[f"{name}.{table.name}"] = replace(table, schema=name, database="")
            return Catalog(tables)

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """As the database's own, of one SELECT: nothing that could write over a file gets here."""
        import duckdb

        try:
            statements = self._connection.extract_statements(sql)
            harmless = [one.type for one in statements] == [duckdb.StatementType.SELECT]
        except duckdb.Error as problem:
            raise self._failed(problem) from None
        if not harmless:
            raise self._failed(EngineFailed("only one SELECT is sent over files"))
        return super().fetch(sql, timeout=timeout, given=given)

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """As the database's own; what fails to bind because a file went is the engine's failure."""
        if super().binds(sql, timeout=timeout):
            return True
        if self.looked() != self._state:
            raise EngineFailed(FAILED, hint=FAILED_HINT)
        return False

    # ---- what changes --------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The files that are read."""
        return self._state

    def looked(self) -> State | None:
        """The files as they lie there now; None where they cannot be looked at."""
        try:
            return look(self._layout)
        except Error:
            return None

    def _follow(self) -> None:
        """Open the files anew if any of them is another one than it was."""
        state = look(self._layout)
        if state == self._state:
            return
        opened = acquire(self._layout, state, self._memory)
        before, cursor = (self._opened, self._connection), opened.owner.cursor()
        self._opened, self._connection = opened, cursor
        try:
            if self._shape(self.catalog()) != self._columns:
                OWNER_LOG.error("files have other columns than when they were opened")
                raise EngineFailed(
                    "the columns of a table are no longer those that this connection knows",
                    code="files-columns",
                    hint="open a new connection; `dpsql check` compares the policy with the files",
                )
        except BaseException:
            self._opened, self._connection = before
            cursor.close()
            release(opened)
            raise
        before[1].close()
        release(before[0])
        self._state = state

    def _shape(self, catalog: Catalog) -> Mapping[str, object]:
        """Names and types of all columns of tables of files."""
        return {
            key: tuple((column.name, column.type_text) for column in table.columns.values())
            for key, table in catalog.tables.items()
            if (table.schema, table.name) in self._layout.files
        }


def _mark(databases: str, state: State) -> str:
    if not databases:
        return ""
    said = repr((databases, sorted(state.items())))
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def identity(layout: Layout) -> str:
    """Which data this is, by the policy's words alone.

    Neither a file's size, its time nor its content is in it, nor which files a pattern matches:
    analysts see a digest of this, and whether a stored answer is still there for nothing. Both
    would tell of the data. That new data is new is for the owner to say (`data_version`).
    """
    paths = {name: os.path.realpath(path) for name, path in layout.attached.items()}
    main = None if layout.database is None else os.path.realpath(layout.database)
    said = repr((main, sorted(paths.items()), sorted(layout.files.items())))
    return f"files:{hashlib.sha256(said.encode('utf-8', 'surrogateescape')).hexdigest()}"
