"""A session's side of kept cells: which of them serve a plan, and whether they may be read.

Two questions, kept apart on purpose. *Which cells serve a plan* depends on policy, schema, versions
and on what the owner has built: public facts. It decides the salt of the plan's own statement, too.
*Whether they may be read* depends on whether the data files were written to since. That may tell of
people, so nothing that an analyst sees depends on it: both statements give the same exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpsql.cells.entries import Entry, entries
from dpsql.cells.state import altered, retired
from dpsql.core.catalog import Catalog
from dpsql.dialects.cells_file import Stored, open_cells, stored_in
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.engine import Engine
from dpsql.errors import Error
from dpsql.owner_log import OWNER_LOG
from dpsql.pipeline.stages import Certified
from dpsql.planning.kept import Offer, serving
from dpsql.planning.types import Plan
from dpsql.policy.catalog import table_keys
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class _Ready:
    """A table of cells that stands for what the policy asks for now."""

    stored: Stored
    entry: Entry


class CellsStore:
    """The policy's file of kept cells; empty where nothing is kept, or cannot be."""

    def __init__(self, policy: Policy, engine: Engine) -> None:
        self._policy, self._engine = policy, engine
        self._cells: DuckDBEngine | None = None
        self._stored: tuple[Stored, ...] = ()
        self._ready: tuple[_Ready, ...] = ()
        self._catalog: Catalog | None = None
        self._sound: dict[str, bool] = {}
        keeps = any(table.kept for table in policy.tables.values())
        if not keeps or policy.cells is None or not engine.marks:
            return
        try:
            self._cells = open_cells(policy.cells, policy.limits.memory)
            self._stored = () if self._cells is None else stored_in(self._cells)
        except Error as problem:
            self.close()
            OWNER_LOG.warning("kept cells are not used: %s", problem.message)

    def close(self) -> None:
        if self._cells is not None:
            self._cells.close()
            self._cells = None

    @property
    def engine(self) -> Engine | None:
        """Where the cells lie."""
        return self._cells

    def offer(self, plan: Plan) -> Offer | None:
        """The cells that serve the plan. Call within a snapshot of the data."""
        if not self._stored:
            return None
        for ready in self._current():
            found = serving(plan, ready.entry.cells)
            if found is not None and self._as_built(ready):
                stored, entry = ready.stored, ready.entry
                salt = int(stored.salt)
                return Offer(stored.name, entry.name, stored.definition, salt, entry.cells, found)
        return None

    def readable(self, certified: Certified) -> Engine | None:
        """The cells' engine, where its statement may be sent in place of the plan's own.

        Only in the state of the files of which they were made. Call within the same snapshot.
        """
        if certified.kept is None or self._cells is None:
            return None
        mark, table = self._engine.mark, certified.kept.offer.table
        fresh = mark and any(one.name == table and one.mark == mark for one in self._stored)
        return self._cells if fresh else None

    def _as_built(self, ready: _Ready) -> bool:
        """Has the table the columns that it was built with? Asked once: our file is open."""
        name, engine = ready.stored.name, self._engine
        if name not in self._sound:
            if self._cells is None or not isinstance(engine, DuckDBEngine):
                return False
            why = altered(ready.stored, ready.entry.cells, engine, self._cells)
            self._sound[name] = not why
            if why:
                OWNER_LOG.warning("kept cells are not used: %s: %s", ready.entry.name, why)
        return self._sound[name]

    def _current(self) -> tuple[_Ready, ...]:
        catalog = self._engine.catalog()
        if catalog != self._catalog:
            self._ready, self._catalog = tuple(self._found(catalog)), catalog
            self._sound.clear()
        return self._ready

    def _found(self, catalog: Catalog) -> list[_Ready]:
        tables = table_keys(self._policy, catalog)
        version = stored_version(self._policy, self._engine.identity)
        known = {one.entry: one for one in self._stored}
        found = []
        for entry in entries(self._policy, catalog, self._engine.default_schema):
            stored = known.get(entry.id) if isinstance(entry, Entry) else None
            if stored is None or not isinstance(entry, Entry):
                continue
            why = retired(stored, entry.cells, catalog=catalog, tables=tables, data_version=version)
            if not why:
                found.append(_Ready(stored, entry))
        return found
