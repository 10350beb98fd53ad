"""What the schema alone says of columns, and what an owner may want to say of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Literal as OneOf

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import NUMERIC, TEMPORAL, Kind
from dpsql.policy.kinds import fit_value, range_fits
from dpsql.setup.draft import ColumnDraft
from dpsql.setup.names import first_step
from dpsql.setup.shape import Shape

Ranges = OneOf["ask", "from-types", "none"]

UNRANGED = "no range"
"""In the comment of a number of which neither owner nor schema says how large it is."""

WIDEST_TYPE = Fraction(2**32)
"""A type's range beyond this is no range: noise as wide would leave nothing of any sum."""

_PERSONAL = re.compile(
    r"(e_?mail|phone|mobile|ssn|passport|iban|address|street|"
    r"(first|last|full|given|family|sur)_?name|name|password|token|ip)\d*\Z",
    re.IGNORECASE,
)
"""Names of columns whose values point at a person by themselves."""


def identifiers(shape: Shape, table: str, unit: str) -> frozenset[str]:
    """Columns that name things: keys of one column, numbered foreign keys, the step to the unit.

    A foreign key of text (a plan, a ward) may well be what people group by.
    """
    entry = shape.tables[table]
    first, _ = first_step(unit)
    keys = {columns[0] for columns in entry.keys if len(columns) == 1}
    references = {
        column
        for fk in entry.foreign_keys
        for column in fk.columns
        if entry.columns[column].type.kind is not Kind.TEXT
    }
    return frozenset(keys | references | {name for name in entry.columns if name == first})


def propose(
    shape: Shape, table: str, ids: Collection[str], *, ranges: Ranges
) -> tuple[ColumnDraft, ...]:
    """A line for each column that the schema says something of, or that should be thought of."""
    return tuple(
        _propose(column, shape, table, ranges)
        for name, column in shape.tables[table].columns.items()
        if name not in ids
    )


def _propose(column: CatalogColumn, shape: Shape, table: str, ranges: Ranges) -> ColumnDraft:
    kind = column.type.kind
    plain = ColumnDraft(column.name, column.type_text)
    checked = shape.checked.get((table, column.name))
    listed = None if checked is None else checked.values
    if listed and all(fit_value(value, kind) is not None for value in listed):
        return replace(plain, values=listed, comment="CHECK in the schema")
    if checked is not None and checked.range is not None and range_fits(checked.range[0], kind):
        return replace(plain, range=checked.range, comment="CHECK in the schema")
    if kind is Kind.TEXT and _PERSONAL.match(column.name):
        return replace(plain, hidden=True, comment="by its name it points at a person")
    if ranges == "from-types" and (found := type_range(column)) is not None:
        comment = f"as wide as {column.type_text}: narrow it, noise is as wide"
        return replace(plain, range=found, comment=comment)
    return replace(plain, comment=_advice(column))


def type_range(column: CatalogColumn) -> tuple[Fraction, Fraction] | None:
    """The range of an exact type, if it is one that noise leaves something of."""
    if column.type.kind not in (Kind.INTEGER, Kind.DECIMAL) or not column.certain.bounded:
        return None
    low, high = column.certain.numbers()
    return (low, high) if high - low <= WIDEST_TYPE else None


def rangeable(column: CatalogColumn) -> bool:
    """Whether a range can clamp such a column."""
    return column.type.kind in NUMERIC | TEMPORAL


def _advice(column: CatalogColumn) -> str:
    """The comment of a column about which the policy says nothing."""
    if column.type.kind in NUMERIC:
        return f"{column.type_text}: {UNRANGED}: sums need bounds in the query, or find some"
    if column.type.kind in TEMPORAL:
        return f"{column.type_text}: with a range, months and years are public groups"
    if column.type.kind is Kind.TEXT:
        return "text: listed values are groups that always show"
    if column.type.kind is Kind.OPAQUE:
        return f"{column.type_text[:40]}: not a type that dpsql computes with"
    return ""


def decide(
    columns: tuple[ColumnDraft, ...], decided: Mapping[str, ColumnDraft]
) -> tuple[ColumnDraft, ...]:
    """The owner's word over the proposals', by column; what had no line gets one."""
    known = [decided.get(column.name, column) for column in columns]
    names = {column.name for column in columns}
    return (*known, *(draft for name, draft in decided.items() if name not in names))
