"""The 95 % intervals of a result set: half-widths row by row, and both ends as columns."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 2_048
_DAY = dt.timedelta(days=1)


class HalfWidths(Sequence[float | None]):
    """Half of high - low (of dates in days) as it is read, None where an end is missing."""

    def __init__(self, low: pa.ChunkedArray, high: pa.ChunkedArray) -> None:
        self._low, self._high = low, high

    def __len__(self) -> int:
        return len(self._low)

    @overload
    def __getitem__(self, index: int) -> float | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float | None]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return list(self)[index]
            size = max(0, stop - start)
            return HalfWidths(self._low.slice(start, size), self._high.slice(start, size))
        low, high = self._low[index].as_py(), self._high[index].as_py()
        return _half(low, high)

    def __iter__(self) -> Iterator[float | None]:
        for start in range(0, len(self), BATCH):
            lows = self._low.slice(start, BATCH).to_pylist()
            highs = self._high.slice(start, BATCH).to_pylist()
            for low, high in zip(lows, highs, strict=True):
                yield _half(low, high)


def _half(low: Any, high: Any) -> float | None:
    """Of moments in days."""
    if low is None or high is None:
        return None
    width = high - low
    days = width / _DAY if isinstance(width, dt.timedelta) else width
    return float(days) / 2


@dataclass(frozen=True)
class ColumnReport:
    """The 95 % intervals of one result column, row by row; None where there are no error bars.

    `low`, `high`: their ends as Arrow columns, NULL where an interval has none.
    `computed`: worked out from noisy values above the noise, so that no bar is known.
    """

    name: str
    low: pa.ChunkedArray | None = field(default=None, repr=False)
    high: pa.ChunkedArray | None = field(default=None, repr=False)
    computed: bool = False

    @functools.cached_property
    def half_widths(self) -> tuple[float | None, ...] | None:
        """Half of high - low for each row; None without error bars."""
        return None if self.bars is None else tuple(self.bars)

    @property
    def bars(self) -> HalfWidths | None:
        """The half-widths as they are read, for answers too large to hold them all."""
        if self.low is None or self.high is None:
            return None
        return HalfWidths(self.low, self.high)


def with_ends(
    table: pa.Table, types: Sequence[str], columns: Sequence[ColumnReport], *, start: int = 0
) -> tuple[pa.Table, tuple[str, ...]]:
    """The table with `name_low` and `name_high` beside every column that has error bars.

    `start`: the row of the result set that is the table's first. A name that is taken already is
    numbered. Also the engine types of all columns.
    """
    import pyarrow as pa

    taken = set(table.column_names)
    fields: list[tuple[str, Any, str]] = []
    for index, (column, kind) in enumerate(zip(columns, types, strict=True)):
        fields.append((table.column_names[index], table.column(index), kind))
        for suffix, end in (("_low", column.low), ("_high", column.high)):
            if end is not None:
                name = _free(table.column_names[index] + suffix, taken)
                fields.append((name, end.slice(start, table.num_rows), _engine_type(end.type)))
    whole = pa.table([array for _, array, _ in fields], names=[name for name, _, _ in fields])
    return whole, tuple(kind for _, _, kind in fields)


def _engine_type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_date(kind):
        return "DATE"
    return "TIMESTAMP" if pa.types.is_timestamp(kind) else "DOUBLE"


def _free(name: str, taken: set[str]) -> str:
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
