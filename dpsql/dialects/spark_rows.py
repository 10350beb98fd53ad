"""Rows that Spark gives, as Arrow with the types that the rest of dpsql reads."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_FIRST, _LAST = dt.date(1, 1, 1), dt.date(9999, 12, 31)
_FROM = dt.datetime(1, 1, 1)
_UNTIL = dt.datetime(9999, 12, 31, 23, 59, 59, 999999)


def readable(table: pa.Table) -> pa.Table:
    """The same rows: moments without a zone, NULL outside the years 1 to 9999; texts are texts.

    Spark's STRING may hold bytes that are no UTF-8: they are spelled `\\xff`.
    """
    import pyarrow as pa

    columns = [_column(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _column(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as of

    kind = column.type
    if pa.types.is_timestamp(kind):
        plain = column.cast(pa.timestamp("us"))
        return _within(of, plain, pa.scalar(_FROM, plain.type), pa.scalar(_UNTIL, plain.type))
    if pa.types.is_date(kind):
        return _within(of, column, pa.scalar(_FIRST, kind), pa.scalar(_LAST, kind))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _spelled(column)
    return column


def _spelled(column: Any) -> Any:
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        parts = column.cast(pa.large_binary()).to_pylist()
        texts = [None if one is None else one.decode("utf-8", "backslashreplace") for one in parts]
        return pa.chunked_array([pa.array(texts, column.type)])
    return column


def _within(of: Any, column: Any, low: Any, high: Any) -> Any:
    inside = of.and_(of.greater_equal(column, low), of.less_equal(column, high))
    if of.all(inside, skip_nulls=True).as_py() is not False:
        return column
    return of.if_else(inside, column, None)
