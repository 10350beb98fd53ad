"""A release as a typed table: keys, answers, intervals; in key order, NULL last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql.aggregates.basis import ResultType
from dpsql.aggregates.noisy import Answer
from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.core.domain import TEMPORAL, Kind, SqlType
from dpsql.pipeline.stages import Release
from dpsql.planning.answer_types import LARGEST_COUNT, largest
from dpsql.planning.types import KeyPlan, Plan

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Answered = Callable[[int, "NDArray[np.intp]"], Answer]

_EXACT = Context(prec=60)


SLICE = 1 << 16
"""Groups whose answers are Python objects at one time."""


def build(plan: Plan, keys: list[Any], groups: int, answered: Answered) -> Release:
    """`keys`: Arrow columns (private) or sequences of Python values (public), one a key.

    `answered(column, places)`: the answers of a column for some groups, by their places among
    `groups`. It is asked slice by slice, in the order of the keys, so that the objects an answer
    goes through on its way to Arrow never fill more than one slice.
    """
    import pyarrow as pa

    arrays = [
        column if hasattr(column, "type") else _key_array(key, column)
        for key, column in zip(plan.keys, keys, strict=True)
    ]
    names = [key.name for key in plan.keys]
    types = [
        "HUGEINT"
        if key.expr.domain.type.kind is Kind.INTEGER and pa.types.is_decimal(array.type)
        else ""
        for key, array in zip(plan.keys, arrays, strict=True)
    ]
    order = _key_order(names, arrays)
    if order is not None:
        arrays = [array.take(order) for array in arrays]
    places = np.arange(groups) if order is None else np.asarray(order)
    for at, column in enumerate(plan.columns):
        name = column.aggregate.name
        names += [name, name + LOW, name + HIGH]
        arrays += _in_slices(column.result, partial(answered, at), places)
        types += [cast_to(column.result.text), "", ""]
    table = pa.table(dict(zip(names, arrays, strict=True))) if names else pa.table({})
    if plan.units_column is not None:
        table = _frequent(plan, table)
    return Release(table, tuple(types))


def _key_order(names: Sequence[str], arrays: Sequence[Any]) -> Any:
    """The places of the groups in the order of their keys; None where they are in it."""
    import pyarrow as pa

    if not names:
        return None
    order = np.asarray(_sorted_places(names, pa.table(list(arrays), names=list(names))))
    return None if np.array_equal(order, np.arange(len(order))) else order


def _sorted_places(keys: Sequence[str], table: pa.Table) -> Any:
    import pyarrow.compute as pc

    return pc.sort_indices(table, [(key, "ascending") for key in keys])


def _in_slices(
    result: ResultType, answered: Callable[[NDArray[np.intp]], Answer], places: NDArray[np.intp]
) -> list[Any]:
    """The answers of a column and their two ends."""
    parts = [
        _answer_arrays(result, answered(places[start : start + SLICE]))
        for start in range(0, max(len(places), 1), SLICE)
    ]
    return parts[0] if len(parts) == 1 else [_joined(column) for column in zip(*parts, strict=True)]


def _joined(parts: Sequence[Any]) -> Any:
    """One column; of integers beyond 64 bits if those of any part are."""
    import pyarrow as pa

    wide = next((part.type for part in parts if pa.types.is_decimal(part.type)), parts[0].type)
    return pa.chunked_array([part if part.type == wide else part.cast(wide) for part in parts])


def with_answers(plan: Plan, release: Release, answers: Mapping[int, Answer]) -> Release:
    """A release over public keys with other answers in these columns, in the domain's own order."""
    import pyarrow as pa

    table = release.table
    domain = list(product(*(key.values or () for key in plan.keys)))
    columns = zip(*domain, strict=True) if plan.keys else ()
    listed = [_key_array(key, column) for key, column in zip(plan.keys, columns, strict=True)]
    names = [key.name for key in plan.keys]
    numbered = pa.table([*listed, pa.array(range(len(domain)))], names=[*names, "place"])
    order = in_key_order(names, numbered).column("place")
    for place, answer in answers.items():
        name = plan.columns[place].aggregate.name
        arrays = _answer_arrays(plan.columns[place].result, answer)
        for column, array in zip((name, name + LOW, name + HIGH), arrays, strict=True):
            table = table.set_column(table.column_names.index(column), column, array.take(order))
    return replace(release, table=table)


def _answer_arrays(result: ResultType, answer: Answer) -> list[Any]:
    low, high = _ends(result, answer.low), _ends(result, answer.high)
    return [_answer_array(result, answer.values), low, high]


def _frequent(plan: Plan, table: pa.Table) -> pa.Table:
    """min_privacy_units_per_group on public keys: a filter on a paid noisy count."""
    import pyarrow.compute as pc

    assert plan.units_column is not None
    hidden = plan.columns[plan.units_column].aggregate.name
    return table.filter(pc.greater_equal(table.column(hidden), plan.min_units))


def in_key_order(keys: Sequence[str], table: pa.Table) -> pa.Table:
    """Sorted by these columns, NULL last."""
    return table.take(_sorted_places(keys, table)) if keys else table


def cast_to(engine_type: str) -> str:
    """The cast a column needs on its way into the engine; '' where Arrow says it all."""
    return engine_type if engine_type in ("HUGEINT", "UHUGEINT") else ""


def _key_array(key: KeyPlan, values: Any) -> Any:
    import pyarrow as pa

    listed = list(values)
    kind = key.expr.domain.type
    wide = kind.kind is Kind.INTEGER and any(v is not None and abs(v) >= 2**63 for v in listed)
    return _wide(listed) if wide else pa.array(listed, type=key_type(kind))


def _wide(values: list[int | None]) -> Any:
    """HUGEINTs as decimal128: the 16 bytes are the integer, be it of 39 digits."""
    import pyarrow as pa

    raw = b"".join((v or 0).to_bytes(16, "little", signed=True) for v in values)
    present = pa.array([v is not None for v in values]).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(values), [present, pa.py_buffer(raw)])


def key_type(kind: SqlType) -> Any:
    """The Arrow type of a public key's list."""
    import pyarrow as pa

    if kind.kind is Kind.DECIMAL:
        return pa.decimal128(kind.precision, kind.scale)
    fixed = {
        Kind.BOOLEAN: pa.bool_(),
        Kind.INTEGER: pa.int64(),
        Kind.FLOAT: pa.float64(),
        Kind.DATE: pa.date32(),
        Kind.TIMESTAMP: pa.timestamp("us"),
    }
    return fixed.get(kind.kind, pa.string())


def _answer_array(result: ResultType, values: list[Any]) -> Any:
    """Answers as the planned type, which holds them (planning/answer_types.py).

    What is beyond it all the same, less likely than any hardware's fault, is shown as the type's
    own end: post-processing of a noisy value, and no error after the charge. Integers beyond 64
    bits travel as decimal128.
    """
    import pyarrow as pa

    kind = result.type
    if kind.kind in TEMPORAL:
        return pa.array(values, type=answer_type(kind))
    if kind.kind is Kind.FLOAT:
        numbers = np.array(values, dtype=np.float64)  # of None it makes NaN
        return pa.array(numbers, mask=np.isnan(numbers))
    if kind.kind is Kind.INTEGER:
        present = [v for v in values if v is not None]
        if max(max(present, default=0), -min(present, default=0)) <= LARGEST_COUNT:
            return pa.array(values, type=pa.int64())
    end = Decimal(largest(result)).scaleb(-kind.scale, _EXACT)
    held = [v if v is None or abs(v) <= end else _end(end, v, kind) for v in values]
    wide = kind.kind is Kind.INTEGER and any(v is not None and abs(v) >= 2**63 for v in held)
    return pa.array(held, type=pa.decimal128(38, 0) if wide else answer_type(kind))


def _end(end: Decimal, value: Any, kind: SqlType) -> Any:
    end = end if value > 0 else end.copy_negate()  # `-` would round it
    return int(end) if kind.kind is Kind.INTEGER else end


def _ends(result: ResultType, values: Any) -> Any:
    """Ends of intervals, of moments moments; NULL where there is no finite one."""
    import pyarrow as pa

    if result.type.kind in TEMPORAL:
        known = [None if isinstance(value, float) else value for value in values.tolist()]
        return pa.array(known, type=answer_type(result.type))
    numbers = np.asarray(values, dtype=float)
    return pa.array(numbers, mask=~np.isfinite(numbers))


def end_type(kind: SqlType) -> Any:
    """Of an interval's ends."""
    import pyarrow as pa

    return key_type(kind) if kind.kind in TEMPORAL else pa.float64()


def answer_type(kind: SqlType) -> Any:
    import pyarrow as pa

    if kind.kind is Kind.INTEGER:
        return pa.int64()
    if kind.kind in TEMPORAL:
        return key_type(kind)
    return pa.decimal128(38, kind.scale) if kind.kind is Kind.DECIMAL else pa.float64()
