"""Spark over the files that a policy names: the same words as for DuckDB, and the same rows.

Which files there are, what their columns are and whether they are those of a moment ago is found as
for DuckDB, by the very same code on this machine (`FilesEngine`), which reads no row for it. Spark
reads the rows, by the same absolute paths; a cluster must see them there. After each statement the
files are looked at again: one that was written meanwhile fails it, as a mixture could be anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.core.files import Layout
from dpsql.dialects import spark_views as views
from dpsql.dialects.duckdb_files import FilesEngine
from dpsql.dialects.duckdb_files import identity as identity_of
from dpsql.dialects.engine import FAILED, FAILED_HINT
from dpsql.dialects.files_open import State
from dpsql.dialects.spark import SparkEngine
from dpsql.dialects.spark_open import Opened, log, quiet
from dpsql.errors import EngineFailed, Error
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    import pyarrow as pa


class SparkFilesEngine(SparkEngine):
    """A Spark session with a temporary view for every table of files, and its catalog beside."""

    def __init__(
        self,
        opened: Opened,
        layout: Layout,
        *,
        catalog: str = "",
        schema: str = "",
        watched: Sequence[str] = (),
    ) -> None:
        """`watched`: tables that are not of files. EngineFailed as `FilesEngine`."""
        self._layout = layout
        self._files: FilesEngine | None = None
        self._views: dict[tuple[str, str], CatalogTable] = {}
        self._state: State = {}
        super().__init__(opened, catalog=catalog, schema=schema, watched=watched)
        try:
            self._files = FilesEngine(layout)
            self._make()
        except BaseException:
            self.close()
            raise
        self.identity = self._identity(opened, bool(watched))

    def _identity(self, opened: Opened, beside: bool) -> str:
        """The files are the same ones whoever reads them on this machine; a server has its own."""
        own = identity_of(self._layout)
        return f"{own}+{self.identity}" if beside or opened.remote else own

    def close(self) -> None:
        with self._lock:
            super().close()
            if self._files is not None:
                self._files.close()

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of what no query may read on DuckDB either: see docs/files.md."""
        return self._found().left_out

    @property
    def unread(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of what Spark does not read from files: see docs/spark.md."""
        return tuple(
            (self._word(place), column)
            for place, source in self._layout.files.items()
            for column in views.shown(self._like(place), source, "", "").left_out
        )

    # ---- reading -------------------------------------------------------------------------

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """The files as they are now. EngineFailed, before the charge, where they do not fit."""
        with self._lock, self._found().snapshot():
            self._make()
            with super().snapshot():
                yield

    def _read_catalog(self) -> Catalog:
        tables = dict(super()._read_catalog().tables) if self._watched else {}
        return Catalog(tables | {self._word(place): one for place, one in self._views.items()})

    def fetch(
        self,
        sql: str,
        *,
        timeout: float | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """As `SparkEngine.fetch`; EngineFailed too where a file was written meanwhile."""
        with self._lock:
            found = super().fetch(sql, timeout=timeout, given=given)
            if not self._unchanged():
                OWNER_LOG.error("Spark: files were written while they were read")
                raise EngineFailed(FAILED, hint=FAILED_HINT)
            return found

    def binds(self, sql: str, *, timeout: float | None = None) -> bool:
        """As `SparkEngine.binds`; a file that went meanwhile is the engine's failure."""
        if super().binds(sql, timeout=timeout):
            return True
        if not self._unchanged():
            raise EngineFailed(FAILED, hint=FAILED_HINT)
        return False

    # ---- views ---------------------------------------------------------------------------

    def _found(self) -> FilesEngine:
        assert self._files is not None
        return self._files

    def _unchanged(self) -> bool:
        try:
            return self._found().looked() == self._state
        except Error:
            return False

    def _like(self, place: tuple[str, str]) -> CatalogTable:
        """The table as DuckDB has it."""
        schema, name = place
        tables = self._found().catalog().tables.values()
        return next(one for one in tables if (one.schema, one.name) == (schema, name))

    def _word(self, place: tuple[str, str]) -> str:
        schema, name = place
        return name if schema == "main" else f"{schema}.{name}"

    def _make(self) -> None:
        """The views, over the files as they lie there now."""
        state = self._found().state
        if state == self._state:
            return
        names = views.names(self._layout.files)
        made = {}
        for place, source in self._layout.files.items():
            schema = self.default_schema if place[0] == "main" else place[0]
            like = self._like(place)
            table = views.shown(like, source, names[place], schema).table
            try:
                with quiet():
                    views.create(self._session, like, names[place], source, state[place])
            except EngineFailed:
                raise
            except Exception as problem:
                log(problem)
                raise unseen(place[1]) from None
            made[place] = table
        self._views, self._state = made, state


def unseen(table: str) -> EngineFailed:
    return EngineFailed(
        f"Spark does not read the files of the table {table}",
        code="files-unreadable",
        hint="a cluster must see them under the same absolute path as this machine does",
    )
