"""Values that every client can hold: what none can becomes NULL, wherever it stands.

NaN and infinities, dates and times outside the years 1 to 9999 (infinity among them), intervals
longer than Python's timedelta. Only released and public values pass here; private keys are made
presentable by the database itself (`rules/keys.py`), to the same effect.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_EPOCH = dt.date(1970, 1, 1)
_FIRST = (dt.date.min - _EPOCH).days
_LAST = (dt.date.max - _EPOCH).days
_PER_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_INFINITE = 2**63 - 1  # the engine's ±infinity, of TIMESTAMP_NS within its years
_INTERVAL = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
_MOST_DAYS = dt.timedelta.max.days - 1


def presentable(table: pa.Table) -> pa.Table:
    """The table with NULL for what no client can hold."""
    import pyarrow as pa

    for index, column in enumerate(table.columns):
        if _may_hold_strange(column.type):
            chunks = [_clean(chunk) for chunk in column.chunks]
            cleaned = pa.chunked_array(chunks, type=column.type)
            table = table.set_column(index, table.schema.field(index), cleaned)
    return table


def _may_hold_strange(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_nested(kind):
        return any(_may_hold_strange(field.type) for field in _fields(kind))
    temporal = pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_interval(kind)
    return bool(pa.types.is_floating(kind) or temporal)


def _fields(kind: pa.DataType) -> list[pa.Field]:
    return [kind.field(index) for index in range(kind.num_fields)]


def _clean(array: pa.Array) -> pa.Array:
    import pyarrow as pa

    kind = array.type
    if not _may_hold_strange(kind):
        return array
    if pa.types.is_struct(kind):
        parts = [_clean(array.field(index)) for index in range(kind.num_fields)]
        return pa.StructArray.from_arrays(parts, fields=_fields(kind), mask=array.is_null())
    if pa.types.is_union(kind):
        parts = [_clean(array.field(index)) for index in range(kind.num_fields)]
        names = [field.name for field in _fields(kind)]
        return pa.UnionArray.from_sparse(array.type_codes, parts, names, kind.type_codes)
    if pa.types.is_map(kind):
        return _clean_map(array)
    if pa.types.is_nested(kind):  # a list of whichever sort: its own buffers, other values
        own = array.buffers()[: 1 if pa.types.is_fixed_size_list(kind) else 2]
        return _rebuilt(array, own, _clean(array.values))
    if pa.types.is_floating(kind):
        import pyarrow.compute as pc

        return pc.if_else(pc.is_finite(array), array, pa.scalar(None, type=kind))
    return _without(array, _outside(array))


def _clean_map(array: pa.Array) -> pa.Array:
    """Values of a map; a key cannot be NULL, so a strange one makes its whole map NULL."""
    import pyarrow as pa

    keys = _clean(array.keys)
    fields = [array.type.key_field, array.type.item_field]
    if keys.null_count:
        starts = np.asarray(array.offsets)
        strange = np.concatenate([[0], np.cumsum(np.asarray(keys.is_null()))])
        array = _without(array, strange[starts[1:]] > strange[starts[:-1]])
    entries = pa.StructArray.from_arrays([array.keys, _clean(array.items)], fields=fields)
    return _rebuilt(array, array.buffers()[:2], entries)


def _rebuilt(array: pa.Array, buffers: list[Any], child: pa.Array) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(
        array.type, len(array), buffers, array.null_count, array.offset, [child]
    )


def _without(array: pa.Array, strange: NDArray[Any]) -> pa.Array:
    """The array with NULL where told."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not strange.any():
        return array
    return pc.take(array, pa.array(np.arange(len(array)), mask=strange))


def _outside(array: pa.Array) -> NDArray[Any]:
    """Which dates, timestamps and intervals no client can hold."""
    import pyarrow as pa

    kind = array.type
    if pa.types.is_interval(kind):
        raw = np.frombuffer(array.buffers()[1], dtype=_INTERVAL)
        part = raw[array.offset : array.offset + len(array)]
        days = part["months"].astype(np.int64) * 30 + part["days"]
        days += part["nanoseconds"] // _PER_DAY["ns"]
        return _beyond(days, -_MOST_DAYS, _MOST_DAYS)  # a NULL stays one
    if pa.types.is_date32(kind):
        return _beyond(_whole(array.cast(pa.int32())), _FIRST, _LAST)
    unit = "ms" if pa.types.is_date64(kind) else kind.unit
    numbers = _whole(array.cast(pa.int64()))
    spare = 1 if pa.types.is_timestamp(kind) and kind.tz else 0  # any zone's offset fits in a day
    far = _beyond(numbers // _PER_DAY[unit], _FIRST + spare, _LAST - spare)
    far |= _beyond(numbers, -_INFINITE + 1, _INFINITE - 1)
    return far


def _beyond(numbers: NDArray[Any], least: int, most: int) -> NDArray[Any]:
    outside: NDArray[Any] = (numbers < least) | (numbers > most)
    return outside


def _whole(array: pa.Array) -> NDArray[np.int64]:
    return np.asarray(array.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)
