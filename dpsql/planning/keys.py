"""Which group keys are public, and how the engine tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Literal

from dpsql.core.domain import Kind, Scalar
from dpsql.core.ir import Col, Expr, Key, Scan, Source
from dpsql.planning.types import KeyPlan

MAX_CELLS = 100_000

PublicValues = Callable[[str, str], tuple[Scalar | None, ...] | None]
"""(table, column) → all values of a public table's column, read in the query's snapshot."""


def plan_keys(
    keys: Sequence[Key], sources: Sequence[Source], public_values: PublicValues
) -> tuple[KeyPlan, ...]:
    """Public domains for all keys, or for none: a product is public only if every part is."""
    planned = [_key(key, sources, public_values) for key in keys]
    domains = [key.values for key in planned]
    if any(values is None for values in domains):
        return tuple(_private(key) for key in planned)
    if prod(len(values) for values in domains if values is not None) > MAX_CELLS:
        return tuple(_private(key) for key in planned)
    return tuple(planned)


def _private(key: KeyPlan) -> KeyPlan:
    return replace(key, values=None, coding="self")


def _key(key: Key, sources: Sequence[Source], public_values: PublicValues) -> KeyPlan:
    domain = key.expr.domain
    values: tuple[Scalar | None, ...] | None = domain.values
    if values is None:
        column = _public_column(key.expr, sources)
        values = public_values(*column) if column is not None else None
        if values is not None:
            values = tuple(value for value in values if value is not None)
    if values is None or len(values) > MAX_CELLS:
        return KeyPlan(key.name, key.expr, None)
    coded: Literal["self", "index"] = (
        "self" if _returned_exactly(domain.type.kind, values) else "index"
    )
    return KeyPlan(key.name, key.expr, (*values, None) if domain.nullable else values, coded)


def _public_column(expr: Expr, sources: Sequence[Source]) -> tuple[str, str] | None:
    if not isinstance(expr, Col):
        return None
    for source in sources:
        if source.id == expr.source and isinstance(source, Scan) and not source.private:
            return source.table, expr.name
    return None


def _returned_exactly(kind: Kind, values: Sequence[Scalar | None]) -> bool:
    """Kinds whose values come back from the engine exactly as the domain lists them.

    Others (text, floats, decimals) are told apart by the engine's own equality and returned as
    positions, so that released bytes come from the public list.
    """
    return kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP) and all(
        not isinstance(value, float) for value in values
    )
