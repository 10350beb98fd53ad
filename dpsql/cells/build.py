"""The owner's side of kept cells: makes them, says how they stand."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dpsql.cells.entries import Entry, Unfit, entries
from dpsql.cells.state import (
    CHANGED,
    altered,
    column_types,
    engine_version,
    retired,
    schema_digest,
)
from dpsql.certify import certify_cells
from dpsql.core.catalog import Catalog
from dpsql.core.ir import Scan
from dpsql.dialects.cells_file import (
    FORMAT,
    CellsWriter,
    Stored,
    counting,
    open_cells,
    rights_like,
    stored_in,
    writer,
)
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.engine import Engine
from dpsql.errors import EngineFailed, PolicyError
from dpsql.mechanisms import entropy
from dpsql.pipeline.rewrite import cells_text
from dpsql.policy.catalog import table_keys
from dpsql.policy.data_identity import stored_version
from dpsql.policy.schema import Policy
from dpsql.rules import names

SETTLED = 2.0
"""Seconds: two writes that lie further apart never bear one time, on any file system."""

Told = Callable[[str, int], None]
"""Told of which cells are being made, and how many there are so far."""


@dataclass(frozen=True, slots=True)
class Made:
    """A table of cells that was written."""

    name: str
    cells: int


@dataclass(frozen=True, slots=True)
class State:
    """How the cells of an entry stand: `why` not used, '' where they are."""

    where: str
    name: str
    why: str
    hint: str = ""
    cells: int | None = None
    made: str = ""


def build(policy: Policy, engine: Engine, told: Told) -> list[Made]:
    """Write all cells that the policy asks for, under fresh salts, in place of those before.

    All of them each time: whether a table was up to date is nothing that a salt may depend on.
    PolicyError `kept-unfit` for what cannot be kept; EngineFailed `cells-file`, `cells-changed`.
    """
    if policy.cells is None or not any(table.kept for table in policy.tables.values()):
        return []
    if not isinstance(engine, DuckDBEngine) or not engine.mark:
        raise unseen()
    _settle(engine)
    with engine.snapshot():
        catalog, mark = engine.catalog(), engine.mark
        wanted = list(_wanted(policy, engine, catalog))
        for one in wanted:
            if isinstance(one, Unfit):
                raise _unfit(policy, one)
        found = []
        with writer(policy.cells, policy.limits.memory) as file:
            for number, entry in enumerate(wanted):
                if isinstance(entry, Entry):
                    made = _add(file, f"c{number}", entry, policy, engine, catalog, mark, told)
                    found.append(made)
            if engine.mark_now() != mark:
                raise EngineFailed(
                    "the data files were written to while the cells were made",
                    code="cells-changed",
                    hint="build them again when nobody writes; those before are as they were",
                )
            file.commit(rights_like(_data(policy)))
    return found


def _wanted(policy: Policy, engine: Engine, catalog: Catalog) -> Iterator[Entry | Unfit]:
    """The policy's entries; none of a view whose rows change though its files do not."""
    tables = table_keys(policy, catalog)
    for one in entries(policy, catalog, engine.default_schema):
        word = "" if isinstance(one, Unfit) else _moving(one, engine, catalog, tables)
        yield Unfit(one.where, _moves(word)) if word else one


def _moving(entry: Entry, engine: Engine, catalog: Catalog, tables: Mapping[str, str]) -> str:
    if not isinstance(engine, DuckDBEngine):
        return ""
    scans = [source for source in entry.cells.aggregate.block.sources if isinstance(source, Scan)]
    read = [catalog.tables[tables[scan.table]] for scan in scans]
    return next((word for one in read if one.is_view and (word := engine.moving(one.name))), "")


def _moves(word: str) -> PolicyError:
    return PolicyError(
        f"the table is a view that reads {word}: its rows change though no file does, and cells"
        " would answer otherwise than rows",
        code="kept-unfit",
        hint="keep cells of a table that is written anew, or leave `kept` out",
    )


def _settle(engine: DuckDBEngine) -> None:
    """Wait until the last write is old enough that a later one cannot pass for it."""
    age = time.time() - engine.last_change()
    if age < SETTLED:
        time.sleep(min(SETTLED, SETTLED - age))


def _add(
    file: CellsWriter,
    name: str,
    entry: Entry,
    policy: Policy,
    engine: DuckDBEngine,
    catalog: Catalog,
    mark: str,
    told: Told,
) -> Made:
    tables, salt = table_keys(policy, catalog), int(entropy.words(1)[0])
    definition = cells_text(entry.cells, catalog, tables, salt)
    certify_cells(definition, policy=policy, catalog=catalog)
    columns, rows = engine.stream(definition)
    order = [names.RANK, *(key.name for key in entry.cells.keys)]
    types = column_types(entry.cells, columns)
    counted = counting(rows, lambda passed: told(entry.name, passed))
    cells = file.add(name, counted, types, order)
    stored = Stored(
        format=FORMAT,
        name=name,
        entry=entry.id,
        salt=str(salt),
        definition=definition,
        data_version=stored_version(policy, engine.identity),
        schema=schema_digest(entry.cells, catalog, tables),
        mark=mark,
        engine=engine_version(),
        cells=str(cells),
        made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )
    file.note(stored)
    return Made(entry.name, cells)


def _data(policy: Policy) -> str | None:
    """A file of the data, whose rights the cells are to have."""
    if policy.database is not None and policy.database.path is not None:
        return str(policy.database.path)
    return None


# ---- how they stand --------------------------------------------------------------------------


def states(policy: Policy, engine: Engine) -> list[State]:
    """How the cells of each entry stand, for the owner. EngineFailed `cells-file`."""
    if policy.cells is None:
        return []
    cells = None
    if os.path.lexists(policy.cells):
        cells = open_cells(policy.cells, policy.limits.memory)
    try:
        stored = {one.entry: one for one in (() if cells is None else stored_in(cells))}
        with engine.snapshot():
            catalog = engine.catalog()
            wanted = list(_wanted(policy, engine, catalog))
            return [_state(policy, engine, catalog, one, cells, stored) for one in wanted]
    finally:
        if cells is not None:
            cells.close()


def _state(
    policy: Policy,
    engine: Engine,
    catalog: Catalog,
    entry: Entry | Unfit,
    cells: DuckDBEngine | None,
    known: dict[str, Stored],
) -> State:
    if isinstance(entry, Unfit):
        return State(entry.where, entry.where, entry.problem.message, entry.problem.hint)
    stored = known.get(entry.id)
    if stored is None or cells is None or not isinstance(engine, DuckDBEngine):
        return State(entry.where, entry.name, "not built yet", "`dpsql cells build`")
    why = retired(
        stored,
        entry.cells,
        catalog=catalog,
        tables=table_keys(policy, catalog),
        data_version=stored_version(policy, engine.identity),
    )
    if not why:
        why = altered(stored, entry.cells, engine, cells)
    if not why and stored.mark != engine.mark:
        why = CHANGED
    hint = "`dpsql cells build` makes them anew" if why else ""
    return State(entry.where, entry.name, why, hint, int(stored.cells), stored.made)


def unseen() -> PolicyError:
    return PolicyError(
        "cells are kept of DuckDB files, Parquet and CSV alone: of no other data can dpsql see that"
        " it was changed, and cells of what is gone must not answer",
        code="kept-unfit",
        hint="leave `kept` out; in PostgreSQL an index on the unit helps, and queries repeated are"
        " free where releases are kept",
    )


def _unfit(policy: Policy, one: Unfit) -> PolicyError:
    prefix = f"{policy.source}, " if policy.source else ""
    return PolicyError(
        f"{prefix}{one.where}: {one.problem.message}", code="kept-unfit", hint=one.problem.hint
    )
