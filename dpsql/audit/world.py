"""The owner's tables built again in memory, with invented people, one of them in each block.

A *block* is a few groups of its own, listed in the policy as public; in each there are two people
whatever happens (none where private selection is tried), and the block's canary may have rows
there. So one answer holds thousands of independent experiments: noise is drawn for each group, and
no canary touches two blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dpsql.audit.canaries import Canary
from dpsql.audit.made_up import CannotInvent, different, quoted, some, value_at
from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.policy.catalog import find_column, find_table
from dpsql.policy.schema import Hop, Policy, Table, UnitPath

if TYPE_CHECKING:
    import duckdb

KEY = "dpsql_audit_key"
_BYSTANDER, _CANARY = 1_000_000, 2_000_000  # people's numbers: 10^6 of each kind at most


@dataclass(frozen=True, slots=True)
class Range:
    """What a canary's value may do: the end that moves a sum most, the middle, far outside."""

    end: Fraction
    middle: Fraction
    outside: Fraction


def range_of(table: Table, column: str) -> Range | None:
    """The declared range of a number; None where there is none."""
    rule = table.rule(column)
    if not isinstance(rule.min, Fraction) or not isinstance(rule.max, Fraction):
        return None
    low, high = rule.min, rule.max
    end = high if abs(high) >= abs(low) else low
    away = 10 * max(high - low, Fraction(1))
    return Range(end, (low + high) / 2, end + (away if end == high else -away))


@dataclass(frozen=True)
class World:
    """One private table of the policy, `blocks` blocks, and a column whose values matter."""

    policy: Policy
    catalog: Catalog
    table: str
    column: str | None
    blocks: int
    groups: int  # of each block
    bystanders: int = 2  # people in every group, one row each
    listed: bool = True  # are the groups' names public, or have they to pass private selection?

    @property
    def keys(self) -> int:
        return self.blocks * self.groups

    def fill(
        self, connection: duckdb.DuckDBPyConnection, present: NDArray[np.bool_], canary: Canary
    ) -> None:
        """Make the tables, with the canaries of the blocks that are `present`. CannotInvent."""
        connection.register("dpsql_audit_rows", self._rows(present, canary))
        parents = list(self._parents())
        for name in reversed([name for name, _ in parents]):
            connection.execute(self._create(name))
        for name, person in reversed(parents):
            if name != self.table:
                connection.execute(self._insert_parent(name, person))
        connection.execute(self._insert_rows(canary))
        connection.unregister("dpsql_audit_rows")

    def _rows(self, present: NDArray[np.bool_], canary: Canary) -> pa.Table:
        """(row, person, key, is_canary) of every row of the audited table."""
        keys = np.repeat(np.arange(self.keys), self.bystanders)
        people = _BYSTANDER + np.arange(len(keys))
        blocks = np.flatnonzero(present)
        theirs = np.repeat(blocks, canary.groups * canary.rows)
        offset = np.tile(np.repeat(np.arange(canary.groups), canary.rows), len(blocks))
        person = np.concatenate([people, _CANARY + theirs])
        return pa.table(
            {
                "row": np.arange(1, len(person) + 1),
                "person": person,
                "key": np.concatenate([keys, theirs * self.groups + offset]),
                "is_canary": np.arange(len(person)) >= len(keys),
            }
        )

    # ---- tables --------------------------------------------------------------------------------

    def _parents(self) -> Iterator[tuple[str, bool]]:
        """The audited table and those on its path, each with whether it has one row a person.

        A step from a column that is a key of its own table leads every row to a row of its own.
        """
        by_person, at = False, self.table
        yield at, by_person
        for hop in self._path.hops:
            by_person = by_person or not self._entry(at).unique(hop.column)
            at = hop.target_table
            yield at, by_person

    @property
    def _path(self) -> UnitPath:
        path = self.policy.tables[self.table].unit
        if path is None:
            raise CannotInvent("public tables are about no one")
        return path

    def _entry(self, name: str) -> CatalogTable:
        entry = find_table(self.catalog, self.policy.tables[name])
        if entry is None:
            raise CannotInvent(f"table {name} is not in the database")
        return entry

    def _create(self, name: str) -> str:
        entry = self._entry(name)
        parts = [
            f"{quoted(c.name)} {c.type_text}{'' if c.nullable else ' NOT NULL'}"
            for c in entry.columns.values()
        ]
        parts += [f"{quoted(KEY)} INTEGER"] if name == self.table else []
        for key in entry.keys:
            word = "PRIMARY KEY" if key == entry.primary_key else "UNIQUE"
            parts.append(f"{word} ({', '.join(map(quoted, key))})")
        path = dict(zip((at for at, _ in self._parents()), self._path.hops, strict=False))
        if name in path and entry.references(path[name].column, *self._target(path[name])):
            target = self._entry(path[name].target_table)
            parts.append(
                f"FOREIGN KEY ({quoted(path[name].column)}) REFERENCES"
                f" {self._name(target)} ({quoted(path[name].target_column)})"
            )
        schema = f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema(entry))};"
        return f"{schema} CREATE TABLE {self._name(entry)} ({', '.join(parts)})"

    def _target(self, hop: Hop) -> tuple[CatalogTable, str]:
        return self._entry(hop.target_table), hop.target_column

    def _name(self, entry: CatalogTable) -> str:
        return quoted(self._schema(entry), entry.name)

    def _schema(self, entry: CatalogTable) -> str:
        """DuckDB's own for a table that the policy names plainly, of another engine's default."""
        plain = {t.parts[0].casefold() for t in self.policy.tables.values() if len(t.parts) == 1}
        return "main" if entry.unqualified and entry.name.casefold() in plain else entry.schema

    # ---- rows ----------------------------------------------------------------------------------

    def _insert_parent(self, name: str, by_person: bool) -> str:
        number = "person" if by_person else "row"
        values = self._values(name, number, {})
        rows = f"SELECT DISTINCT {number}, person FROM dpsql_audit_rows"
        return f"INSERT INTO {self._name(self._entry(name))} SELECT {values} FROM ({rows})"

    def _insert_rows(self, canary: Canary) -> str:
        told: dict[str, str] = {}
        table, entry = self.policy.tables[self.table], self._entry(self.table)
        if self.column is not None:
            column, known = find_column(entry, self.column), range_of(table, self.column)
            if column is None or known is None:
                raise CannotInvent(f"column {self.column} has no declared range")
            theirs = value_at(column, known.outside if canary.beyond else known.end)
            told[column.name] = (
                f"CASE WHEN is_canary THEN {theirs} ELSE {value_at(column, known.middle)} END"
            )
        values = self._values(self.table, "row", told)
        return f"INSERT INTO {self._name(entry)} SELECT {values}, key FROM dpsql_audit_rows"

    def _values(self, name: str, number: str, told: Mapping[str, str]) -> str:
        """Columns in order: steps and units by person, keys by row, the rest as `some`."""
        entry = self._entry(name)
        steps = self._steps(name)
        keys = {column.casefold() for key in entry.keys for column in key}
        found = []
        for column in entry.columns.values():
            fixed = {k.casefold(): v for k, v in told.items()}.get(column.name.casefold())
            if column.name.casefold() in steps:
                found.append(different(column, steps[column.name.casefold()]))
            elif fixed is not None:
                found.append(fixed)
            elif column.name.casefold() in keys:
                found.append(different(column, number))
            else:
                found.append(some(column))
        return ", ".join(found)

    def _steps(self, name: str) -> dict[str, str]:
        """The columns that lead on to the unit, or that are led to: `row` or `person` by name."""
        found: dict[str, str] = {}
        tables = list(self._parents())
        for (at, _), (target, by_person), hop in zip(
            tables, tables[1:], self._path.hops, strict=False
        ):
            number = "person" if by_person else "row"
            if at == name:
                found[hop.column.casefold()] = number
            if target == name:
                found[hop.target_column.casefold()] = number
        if tables[-1][0] == name:
            found.setdefault(self._path.column.casefold(), "person")
        return found

    # ---- policy --------------------------------------------------------------------------------

    def audited(self) -> Policy:
        """The owner's policy, with the blocks' groups as a key of the audited table."""
        table = self.policy.tables[self.table]
        values = tuple(range(self.keys)) if self.listed else None
        rule = replace(table.rule(KEY), values=values, nullable=False)
        with_key = replace(table, columns={**table.columns, KEY: rule})
        on_the_path = {name: self.policy.tables[name] for name, _ in self._parents()}
        return replace(self.policy, tables={**on_the_path, self.table: with_key})
