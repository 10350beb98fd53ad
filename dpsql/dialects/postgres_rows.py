"""What travels between PostgreSQL and Arrow: rows, exactly; given values, as constants."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg2.extensions
    import pyarrow as pa

_NUMERIC = 1700
_DATE, _TIMESTAMP = 1082, 1114
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?\Z", re.ASCII)
_PARTS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|%\((\w+)\)s""")
"""A text or a name in quotes, or a given value: standard_conforming_strings is on."""


def prepared(connection: psycopg2.extensions.connection) -> None:
    """Have the connection read moments outside the years 1 to 9999, which Python lacks, as None."""
    from psycopg2.extensions import new_type, register_type

    register_type(new_type((_DATE,), "DPSQL_DATE", _date), connection)
    register_type(new_type((_TIMESTAMP,), "DPSQL_TIMESTAMP", _timestamp), connection)


def _date(text: str | None, _: object) -> dt.date | None:
    moment = _timestamp(text, _)
    return None if moment is None else moment.date()


def _timestamp(text: str | None, _: object) -> dt.datetime | None:
    found = None if text is None else _DAY.match(text)
    if found is None:
        return None
    *parts, micros = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    return dt.datetime(year, month, day, hour, minute, second, int((micros or "0").ljust(6, "0")))


# ---- rows ------------------------------------------------------------------------------------


_SLICE = 1 << 10
"""Rows that are Python's objects at one time: few enough for its garbage collector to be quick."""


def table(description: Sequence[Any], fetch: Callable[[int], Sequence[Sequence[Any]]]) -> pa.Table:
    """The rows as Arrow, exactly. `fetch(n)`: the next rows, n at the most; none at the end."""
    import pyarrow as pa

    parts: list[list[Any]] = [[] for _ in description]
    while True:
        rows = fetch(_SLICE)
        columns = zip(*rows, strict=True) if rows else [() for _ in description]
        if rows or not parts[0]:
            for at, values in enumerate(columns):
                parts[at].append(_array(description[at], values))
        if len(rows) < _SLICE:
            break
    names = [column.name for column in description]
    return pa.Table.from_arrays([_joined(column) for column in parts], names=names)


def _joined(parts: list[Any]) -> Any:
    """One column. Numbers without digits are of one type, whatever those of each slice are."""
    import pyarrow as pa

    if len({part.type for part in parts}) > 1:
        return _undigited([value for part in parts for value in part.to_pylist()])
    return pa.concat_arrays(parts)


def _array(column: Any, values: Sequence[Any]) -> Any:
    import pyarrow as pa

    code = column.type_code
    if code == _NUMERIC:
        if column.scale is None or column.precision in (None, 65535) or column.scale > 38:
            return _undigited(values)
        return pa.array(values, type=pa.decimal128(38, column.scale))
    kinds: Mapping[int, Callable[[], Any]] = {
        16: pa.bool_,
        20: pa.int64,
        21: pa.int16,
        23: pa.int32,
        700: pa.float32,
        701: pa.float64,
        _DATE: pa.date32,
        _TIMESTAMP: lambda: pa.timestamp("us"),
    }
    if code in kinds:
        return pa.array(values, type=kinds[code]())
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())


def _undigited(values: Sequence[Any]) -> Any:
    """Numbers of a NUMERIC without digits: integers, as all sums of ours are (`execute` refuses
    others), or a key that was computed, whose places are then those of its values."""
    import pyarrow as pa

    try:
        return pa.array(values, type=pa.decimal128(38, 0))
    except pa.ArrowInvalid:
        return pa.array(values)


# ---- given values ----------------------------------------------------------------------------


def with_given(sql: str, given: Mapping[str, Any] | None) -> str:
    """The statement with each %(name)s as a constant: NULL where it is only to be bound."""

    def constant(part: re.Match[str]) -> str:
        name = part.group(2)
        return part.group(1) if name is None else _constant(None if given is None else given[name])

    return _PARTS.sub(constant, sql)


def _constant(value: Any) -> str:
    """Of a public value; the text casts it to its type."""
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return f"ARRAY[{', '.join(_constant(one) for one in value)}]" if value else "'{}'"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, Decimal)):
        return f"({value})" if not isinstance(value, Decimal) else f"({format(value, 'f')})"
    if isinstance(value, float):
        return f"'{_float(value)}'"
    if isinstance(value, (dt.date, dt.datetime)):
        return f"'{value.isoformat(' ') if isinstance(value, dt.datetime) else value.isoformat()}'"
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("no constant of PostgreSQL")
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
