"""What `dpsql check` says of kept cells: how they stand, and which could be kept."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from dpsql.core.domain import Kind

if TYPE_CHECKING:
    from dpsql.cells.build import State
    from dpsql.core.catalog import CatalogColumn, CatalogTable
    from dpsql.dialects.engine import Engine
    from dpsql.policy import Finding
    from dpsql.policy.schema import ColumnRule, Policy, Table

MOST_KEYS = 3
MOST_VALUES = 4
MANY = 100
"""Whole numbers of a range by which one would group."""


def check_kept(policy: Policy, engine: Engine) -> list[Finding]:
    """Warnings about entries that are not used, and why; a note where none are declared."""
    from dpsql.cells.build import states
    from dpsql.errors import EngineFailed
    from dpsql.policy import Finding

    if not any(table.kept for table in policy.tables.values()):
        return proposals(policy, engine) if engine.marks else []
    try:
        found = states(policy, engine)
    except EngineFailed as problem:
        return [Finding("warning", "cells", problem.message, problem.hint)]
    return [
        Finding("warning", one.where, f"{_of(one)}kept cells are not used: {one.why}", one.hint)
        for one in found
        if one.why
    ]


def _of(state: State) -> str:
    """Of which cells; those that cannot be made have no name but their place."""
    return "" if state.name == state.where else f"{state.name}: "


def proposals(policy: Policy, engine: Engine) -> list[Finding]:
    """Cells worth keeping: by keys with public domains, of values with ranges. From the policy and
    the schema alone."""
    from dpsql.policy import Finding
    from dpsql.policy.catalog import find_column, find_table

    found = []
    catalog = engine.catalog()
    for name, table in policy.tables.items():
        entry = find_table(catalog, table)
        if entry is None or not _worth(policy, table, entry):
            continue
        keys = [
            column
            for column, rule in table.columns.items()
            if _is_key(rule, find_column(entry, column))
        ][:MOST_KEYS]
        values = [c for c, rule in table.columns.items() if _is_value(rule, c, keys)][:MOST_VALUES]
        if keys:
            summed = f", values: [{', '.join(values)}]" if values else ""
            entries = ", ".join(f"{{by: [{key}]{summed}}}" for key in keys)
            found.append(
                Finding(
                    "note",
                    f"tables.{name}.kept",
                    "where a dashboard asks this table all day, its cells could be kept: queries by"
                    " these keys then take about as long as plain ones",
                    f"`kept: [{entries}]`, then `dpsql cells build` after each load",
                )
            )
    return found


def _worth(policy: Policy, table: Table, entry: CatalogTable) -> bool:
    """Private, with several rows of a unit, and bounded beforehand."""
    if table.unit is None:
        return False
    own = table.unit.own_column
    if own is not None and entry.unique(own):
        return False
    return isinstance(policy.bounds.max_rows_per_group, int) or table.max_rows_per_unit is not None


def _is_key(rule: ColumnRule, column: CatalogColumn | None) -> bool:
    """Listed values, or a few whole numbers."""
    if rule.hidden or column is None:
        return False
    if rule.values is not None:
        return True
    low, high = rule.min, rule.max
    if not isinstance(low, Fraction) or not isinstance(high, Fraction):
        return False
    return column.type.kind is Kind.INTEGER and high - low < MANY


def _is_value(rule: ColumnRule, column: str, keys: list[str]) -> bool:
    return not rule.hidden and isinstance(rule.min, Fraction) and column not in keys
