"""What an audit asks of a private table: each aggregate alone, then several that share a price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dpsql.audit.made_up import quoted
from dpsql.audit.world import KEY, range_of
from dpsql.core.catalog import CatalogTable
from dpsql.planning.distinct import FEW
from dpsql.policy.catalog import find_column
from dpsql.policy.schema import Table


@dataclass(frozen=True, slots=True)
class Question:
    """Aggregates of one SELECT. `column`: whose values canaries choose; `slow`: fewer blocks."""

    shown: str
    aggregates: str
    column: str | None
    slow: bool = False
    found: bool = False
    """Is its bound on a unit found first, whatever the policy declares?"""

    def sql(self, table: Table) -> str:
        key = quoted(KEY)
        name = quoted(*table.parts)
        how = "WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto') " if self.found else ""
        return f"SELECT {how}{key}, {self.aggregates} FROM {name} GROUP BY {key} ORDER BY {key}"


def questions(table: Table, entry: CatalogTable, *, rows: int = 1) -> Iterator[Question]:
    """COUNT of rows, of units and of a key's values; SUM, AVG, VAR and MEDIAN of ranged numbers.

    `rows`: those of a unit that count in a group. Values are counted where they are so few that
    no cap is drawn: one drawn for all groups would make blocks depend on each other.
    """
    yield Question("COUNT(*)", "COUNT(*) AS a0", None)
    own = None if table.unit is None else table.unit.own_column
    if own is not None and not table.rule(own).hidden:
        yield Question(f"COUNT(DISTINCT {own})", f"COUNT(DISTINCT {quoted(own)}) AS a0", None)
    for name in _keys(table, entry) if rows <= FEW else ():
        yield Question(f"COUNT(DISTINCT {name})", f"COUNT(DISTINCT {quoted(name)}) AS a0", None)
    for column in table.columns:
        found = find_column(entry, column)
        ranged = range_of(table, column) is not None
        if found is None or not ranged or not found.type.numeric or table.rule(column).hidden:
            continue
        if column == own:
            continue
        x = quoted(found.name)
        yield Question(f"SUM({column})", f"SUM({x}) AS a0", column)
        yield Question(f"AVG({column})", f"AVG({x}) AS a0", column)
        several = f"COUNT(*) AS a0, SUM({x}) AS a1, AVG({x}) AS a2"
        yield Question(f"COUNT(*), SUM({column}), AVG({column})", several, column)
        yield Question(f"VAR_POP({column})", f"VAR_POP({x}) AS a0", column, slow=True)
        yield Question(f"MEDIAN({column})", f"MEDIAN({x}) AS a0", column, slow=True)


def of_found_bounds(table: Table, entry: CatalogTable) -> Iterator[Question]:
    """COUNT and SUM alone, each within a bound on a unit's rows or total that is found first."""
    yield Question("COUNT(*), rows found", "COUNT(*) AS a0", None, found=True)
    for question in questions(table, entry):
        if question.shown == f"SUM({question.column})":
            yield replace(question, shown=f"{question.shown}, total found", found=True)


def _keys(table: Table, entry: CatalogTable) -> list[str]:
    """A key column that is no unit's and leads to none: each invented row has its own value."""
    path = table.unit
    steps = {hop.column.casefold() for hop in path.hops} if path is not None else set()
    steps |= set() if path is None else {path.column.casefold(), (path.own_column or "").casefold()}
    alone = [key[0] for key in entry.keys if len(key) == 1]
    return [n for n in alone if n.casefold() not in steps and not table.rule(n).hidden][:1]
