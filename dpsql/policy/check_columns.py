"""Columns: do the rules fit the types, what can be summed, which group keys are public."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from math import ceil, floor

from dpsql.core.catalog import CatalogColumn, CatalogTable
from dpsql.core.domain import NUMERIC, TEMPORAL, Kind
from dpsql.policy.catalog import find_column
from dpsql.policy.findings import Finding
from dpsql.policy.identifiers import same_name
from dpsql.policy.kinds import holds, range_fits
from dpsql.policy.literals import in_range
from dpsql.policy.nodes import describe_value
from dpsql.policy.schema import ColumnRule, Table
from dpsql.policy.suggest import suggest

MOST_INTEGER_KEYS = 1000
"""An integer range of at most so many values is a public domain."""

WIDE = 2**16
"""A range of a type's whole width is worth a word from here on."""


def check_columns(table: Table, entry: CatalogTable) -> list[Finding]:
    """Errors for rules that cannot hold, then notes: what lacks a range, what is public."""
    found: list[Finding] = []
    for name, rule in table.columns.items():
        where = f"tables.{table.name}.columns.{name}"
        column = find_column(entry, name)
        if column is None:
            message = f"{table.name} has no column {name}"
            hint = suggest(name, entry.columns, what="column")
            found.append(Finding("error", where, message, hint))
            continue
        found += _fits(where, rule, column)
        found += _nulls(where, rule, column.nullable)
    found += _unbounded(table, entry)
    found += _as_wide_as_types(table, entry)
    if not table.public:
        found += _public_keys(table, entry)
    return found


def _fits(where: str, rule: ColumnRule, column: CatalogColumn) -> Iterator[Finding]:
    kind, type_text = column.type.kind, column.type_text
    if rule.min is not None and not range_fits(rule.min, kind):
        yield Finding(
            "error",
            where,
            f"`min` and `max` ({_shown(rule.min)} to {_shown(rule.max)}) cannot clamp {type_text}",
            _range_hint(kind),
        )
    for value in rule.values or ():
        if not holds(column, value):
            yield Finding(
                "error",
                where,
                f"{describe_value(value)} in `values` cannot be in a column of type {type_text}",
                "put text in quotes" if kind is Kind.TEXT else f"the column is {kind.value}",
            )
            return
    for value in rule.values or ():
        low, high = rule.min, rule.max
        if low is not None and high is not None and not in_range(value, (low, high)):
            yield Finding("error", where, f"{describe_value(value)} lies outside the range")
            return


def _range_hint(kind: Kind) -> str:
    if kind in NUMERIC:
        return "write two numbers"
    if kind in TEMPORAL:
        return "write two dates such as 2020-01-01"
    return "list `values` instead, or leave the range out"


def _nulls(where: str, rule: ColumnRule, nullable: bool) -> Iterator[Finding]:
    if rule.nullable is False and nullable:
        yield Finding(
            "note",
            where,
            "the schema allows NULL and the policy does not: as a group key its NULL rows are "
            "in no group",
        )


def without_range(table: Table, entry: CatalogTable) -> list[str]:
    """Numbers that analysts see, of which the policy says neither range nor values."""
    return [
        column
        for column, found in entry.columns.items()
        if found.type.kind in NUMERIC
        and not _identifies(table, entry, column)
        and not table.rule(column).hidden
        and table.rule(column).min is None
        and table.rule(column).values is None
    ]


def _unbounded(table: Table, entry: CatalogTable) -> Iterator[Finding]:
    names = without_range(table, entry)
    if names:
        summed = "Filtered and grouped freely, but summed"
        if table.public:
            summed = "Beside people's rows summed"
        yield Finding(
            "note",
            f"tables.{table.name}.columns",
            f"no range: {', '.join(names)}. {summed} and averaged within bounds in the"
            " query, or such as are found from its ε: the limits of a type are none",
            f"give {names[0]}: {{min: .., max: ..}} where the range is known without the data",
        )


def _as_wide_as_types(table: Table, entry: CatalogTable) -> Iterator[Finding]:
    """Declared ranges that leave nothing out of what a wide type can hold."""
    names = []
    for name, found in entry.columns.items():
        low, high = table.rule(name).min, table.rule(name).max
        if isinstance(low, Fraction) and isinstance(high, Fraction) and found.certain.bounded:
            least, most = found.certain.numbers()
            if low <= least and most <= high and most - least >= WIDE - 1:
                names.append(f"{name} ({found.type_text})")
    if names:
        yield Finding(
            "note",
            f"tables.{table.name}.columns",
            f"ranges as wide as their types: {', '.join(names)}. Noise of a sum or a mean is as "
            "wide, too",
            "narrow them to what is known without the data",
        )


def _public_keys(table: Table, entry: CatalogTable) -> Iterator[Finding]:
    keys = []
    for column, found in entry.columns.items():
        rule = table.rule(column)
        domain = None if rule.hidden else public_domain(rule, found.type.kind)
        if domain is not None:
            null = found.nullable and rule.nullable is not False
            keys.append(f"{column} ({domain}{', and NULL' if null else ''})")
    where = f"tables.{table.name}.columns"
    if keys:
        message = f"public group keys: {', '.join(keys)}. Other keys pass a noisy threshold"
        yield Finding("note", where, message)
    else:
        message = "no public group key: every group passes a noisy threshold, rare ones are lost"
        yield Finding("note", where, message, "list `values` of the columns people group by")


def public_domain(rule: ColumnRule, kind: Kind) -> str | None:
    """A column's public group keys in words (`6 values`); None: its keys are private."""
    if rule.values is not None:
        return f"{len(rule.values)} value{'s' if len(rule.values) > 1 else ''}"
    if kind is Kind.BOOLEAN:
        return "true, false"
    low, high = rule.min, rule.max
    if isinstance(low, Fraction) and isinstance(high, Fraction) and kind is Kind.INTEGER:
        size = floor(high) - ceil(low) + 1
        return f"{size} values" if 1 <= size <= MOST_INTEGER_KEYS else None
    if isinstance(low, date) and range_fits(low, kind):
        return "by date_trunc or EXTRACT"
    return None


def _identifies(table: Table, entry: CatalogTable, column: str) -> bool:
    """Whether the column is an identifier: a key, or the table's own step to the unit."""
    if entry.unique(column):
        return True
    steps = [table.key] if table.key else []
    if table.unit is not None:
        steps.append(table.unit.hops[0].column if table.unit.hops else table.unit.column)
    return same_name(column, steps) is not None


def _shown(end: object) -> str:
    return describe_value(end).removeprefix("the number ").removeprefix("the date ")
