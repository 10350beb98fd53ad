"""What the owner declares of a column, in words: its public groups, its clamps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from dpsql.declared import DeclaredColumn, DeclaredTable
from dpsql.policy.check_columns import public_domain
from dpsql.policy.schema import ColumnRule
from dpsql.render.numbers import amount, plain

SHOWN_VALUES = 48


def groups(table: DeclaredTable, column: DeclaredColumn, unit: str = "privacy unit") -> str:
    """What a GROUP BY on the column shows. `unit`: the owner's word for a privacy unit."""
    if table.public:
        return "public table"
    if column.name == table.owner_column:
        return f"the {unit}"
    if column.rule.values is not None:
        values = ", ".join(plain(value) for value in column.rule.values)
        if len(values) <= SHOWN_VALUES:
            return values
    return public_domain(column.rule, column.type.kind) or "where enough share it"


def bounds(rule: ColumnRule) -> str:
    """`low to high` of what a SUM or AVG clamps to; empty without."""
    low, high = rule.min, rule.max
    if low is None or high is None:
        listed = [v for v in rule.values or () if not isinstance(v, bool)]
        numbers = [Fraction(value) for value in listed if isinstance(value, (int, Decimal))]
        if not numbers:
            return ""
        low, high = min(numbers), max(numbers)
    return f"{_end(low)} to {_end(high)}"


def summed(table: DeclaredTable, column: DeclaredColumn) -> str:
    """`bounds`, and `none` where a SUM or AVG needs bounds in the query."""
    number = column.type.numeric and column.name != table.owner_column
    return bounds(column.rule) or ("none" if number else "")


def _end(value: Fraction | date) -> str:
    return amount(value) if isinstance(value, Fraction) else plain(value)
