"""A release as a typed table: keys, answers, intervals; in key order, NULL last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.noisy import Answer
from dpsql.core.domain import Kind, SqlType
from dpsql.pipeline.stages import Release
from dpsql.planning.types import KeyPlan, Plan

if TYPE_CHECKING:
    import pyarrow as pa

LOW, HIGH = "_low", "_high"


def build(plan: Plan, keys: list[Any], answers: list[Answer]) -> Release:
    """`keys`: Arrow columns (private) or sequences of Python values (public), one a key."""
    import pyarrow as pa

    names: list[str] = []
    arrays: list[Any] = []
    types: list[str] = []
    for key, column in zip(plan.keys, keys, strict=True):
        array = column if hasattr(column, "type") else _key_array(key, column)
        names.append(key.name)
        arrays.append(array)
        types.append("")
    for column_plan, answer in zip(plan.columns, answers, strict=True):
        result = aggregates.for_name(column_plan.aggregate.fn).result_type(column_plan.aggregate)
        name = column_plan.aggregate.name
        names += [name, name + LOW, name + HIGH]
        arrays += [
            _answer_array(result.type, answer.values),
            pa.array(np.asarray(answer.low, dtype=float)),
            pa.array(np.asarray(answer.high, dtype=float)),
        ]
        types += [result.text, "DOUBLE", "DOUBLE"]
    table = pa.table(dict(zip(names, arrays, strict=True))) if names else pa.table({})
    if plan.units_column is not None:
        table = _frequent(plan, table)
    return Release(_in_key_order(plan, table), tuple(types))


def _frequent(plan: Plan, table: pa.Table) -> pa.Table:
    """min_privacy_units_per_group on public keys: a filter on a paid noisy count."""
    import pyarrow.compute as pc

    assert plan.units_column is not None
    hidden = plan.columns[plan.units_column].aggregate.name
    return table.filter(pc.greater_equal(table.column(hidden), plan.min_units))


def _in_key_order(plan: Plan, table: pa.Table) -> pa.Table:
    if not plan.keys:
        return table
    order = [(key.name, "ascending") for key in plan.keys]
    return table.sort_by(order)  # NULLs go last


def _key_array(key: KeyPlan, values: Any) -> Any:
    import pyarrow as pa

    return pa.array(list(values), type=_key_type(key.expr.domain.type, values))


def _key_type(kind: SqlType, values: Any) -> Any:
    import pyarrow as pa

    if kind.kind is Kind.INTEGER:
        wide = any(value is not None and abs(value) >= 2**63 for value in values)
        return pa.decimal128(38, 0) if wide else pa.int64()
    if kind.kind is Kind.DECIMAL:
        return pa.decimal128(kind.precision, kind.scale)
    fixed = {
        Kind.BOOLEAN: pa.bool_(),
        Kind.FLOAT: pa.float64(),
        Kind.TEXT: pa.string(),
        Kind.DATE: pa.date32(),
        Kind.TIMESTAMP: pa.timestamp("us"),
    }
    return fixed[kind.kind]


def _answer_array(kind: SqlType, values: list[Any]) -> Any:
    """Integers beyond 64 bits travel as decimal128; noise cannot leave 38 digits (grids.py)."""
    import pyarrow as pa

    if kind.kind is Kind.INTEGER:
        small = all(value is None or abs(value) < 2**63 for value in values)
        return pa.array(values, type=pa.int64() if small else pa.decimal128(38, 0))
    if kind.kind is Kind.DECIMAL:
        return pa.array(values, type=pa.decimal128(38, kind.scale))
    return pa.array(values, type=pa.float64())
