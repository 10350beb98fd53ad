"""The owner's decisions and the schema's proposals put together into a draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dpsql.core.catalog import CatalogTable
from dpsql.policy.identifiers import table_parts
from dpsql.setup.columns import Ranges, decide, identifiers, propose
from dpsql.setup.draft import BudgetDraft, ColumnDraft, Draft, TableDraft
from dpsql.setup.names import NOWHERE, first_step, path_name, table_name, unit_word
from dpsql.setup.paths import Way, ways
from dpsql.setup.shape import Shape

GROUPS, ROWS = 3, 5
"""Proposed bounds where a unit may have many rows and the owner says nothing."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the owner said. `tables`: `public`, `omit` or a `unit:` value, by catalog key."""

    unit: tuple[str, str]
    budgets: BudgetDraft
    unit_word: str | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], ColumnDraft] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    ranges: Ranges = "from-types"
    max_groups: int | None = None
    max_rows: int | None = None
    notes: tuple[str, ...] = ()


def assemble(shape: Shape, said: Decisions, *, database: str, ledger: str) -> Draft:
    """The draft: what was said, else what the schema proves, else left out with the reason."""
    found = ways(shape.catalog, *said.unit)
    word = said.unit_word or unit_word(shape.tables[said.unit[0]].name, said.unit[1])
    tables = {
        key: _table(key, shape, found[key], said, word)
        for key in (said.unit[0], *(key for key in shape.tables if key != said.unit[0]))
    }
    tables = _without_broken_ways(tables)
    for key, draft in tables.items():
        if draft.state == "private":
            tables[key] = replace(draft, columns=_columns(shape, key, draft.unit, said))
    most = [
        1 if _one_row(shape, key, draft.unit, said.unit) else said.rows.get(key, ROWS)
        for key, draft in tables.items()
        if draft.state == "private"
    ]
    return Draft(
        database=database,
        ledger=ledger,
        unit=word,
        budgets=said.budgets,
        tables=tables,
        max_groups=said.max_groups or min(GROUPS, max(most)),
        max_rows_per_group=said.max_rows or min(ROWS, max(most)),
        notes=said.notes,
    )


def open_tables(shape: Shape, said: Decisions) -> dict[str, Way]:
    """Tables about which neither the owner nor a single way of foreign keys has decided."""
    found = ways(shape.catalog, *said.unit)
    return {
        key: way
        for key, way in found.items()
        if key not in said.tables and way.sure is None and key != said.unit[0]
    }


def _table(key: str, shape: Shape, way: Way, said: Decisions, word: str) -> TableDraft:
    table = shape.tables[key]
    name = table_name(table)
    rows = said.rows.get(key)
    if key == said.unit[0]:
        column = said.unit[1]
        each = "one row each" if table.unique(column) else "its own column; many rows each"
        return TableDraft(key, name, "private", path_name(column), f"the {word}: {each}", (), rows)
    decided = said.tables.get(key)
    if decided == "public":
        return TableDraft(key, name, "public", comment="about no one, on the owner's word")
    if decided == "omit":
        return TableDraft(key, name, "omit", comment="as the owner decided")
    if decided is not None:
        enforced = decided in way.steps
        comment = "a foreign key" if enforced else f"names the {word} on the owner's word"
        return TableDraft(key, name, "private", decided, comment, (), rows)
    if way.sure is not None:
        return TableDraft(key, name, "private", way.sure, "a foreign key", (), rows)
    return TableDraft(key, name, "omit", comment=_why(table, way, word, files=shape.files))


def _why(table: CatalogTable, way: Way, word: str, *, files: bool) -> str:
    """Why a table is left out by default, and what would let it in."""
    if way.steps:
        ways = " or ".join(f"`unit: {step}`" for step in way.steps)
        return f"it leads to the {word} in {len(way.steps)} ways; decide: {ways}"
    if way.named:
        names = " or ".join(f"`unit: {path_name(name)}`" for name in way.named)
        return f"no foreign key leads to the {word}; if the column holds its id, write {names}"
    if table.is_view:
        what = "files have" if files else "a view has"
        return f"{what} no foreign keys; write `unit: COLUMN` if one holds the {word}'s id"
    return f"no foreign key leads to the {word}; write `public: true` if it is about no one"


def _without_broken_ways(tables: dict[str, TableDraft]) -> dict[str, TableDraft]:
    """A way over a table that is left out, or public, leads nowhere: that table is left out too."""
    done = dict(tables)
    while True:
        private = {
            table_parts(draft.name, NOWHERE) for draft in done.values() if draft.state == "private"
        }
        broken = [
            (key, target)
            for key, draft in done.items()
            if draft.state == "private"
            and (target := first_step(draft.unit)[1])
            and target not in private
        ]
        if not broken:
            return done
        for key, target in broken:
            over = ".".join(target)
            comment = f"its way to the unit leads over {over}, which is not private here"
            done[key] = replace(done[key], state="omit", comment=comment)


def _columns(shape: Shape, key: str, unit: str, said: Decisions) -> tuple[ColumnDraft, ...]:
    ids = identifiers(shape, key, unit)
    mine = {column: draft for (table, column), draft in said.columns.items() if table == key}
    proposed = propose(shape, key, ids, ranges=said.ranges)
    return decide(proposed, mine)


def _one_row(shape: Shape, key: str, unit: str, root: tuple[str, str]) -> bool:
    """Whether the schema allows a unit one row here at most: a key all the way up."""
    table = shape.tables[key]
    if key == root[0]:
        return table.unique(root[1])
    first, target = first_step(unit)
    if not table.unique(first):
        return False
    at_root = target == table_parts(table_name(shape.tables[root[0]]), NOWHERE)
    return not target or (at_root and shape.tables[root[0]].unique(root[1]))
