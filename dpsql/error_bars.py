"""The 95 % intervals of a result set: row by row, and both ends as columns."""

from __future__ import annotations

import abc
import datetime as dt
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 2_048
_DAY = dt.timedelta(days=1)

CENTRED = 0.05
"""An interval whose sides differ by less than this part of the longer one is told as `±` that
one: it then covers a little more than the interval, never less."""

Interval = tuple[Any, Any]
"""(low, high) of a 95 % interval: two numbers, or two moments of a quantile of dates."""

T = TypeVar("T")


class _ByRow(Sequence[T | None], Generic[T], abc.ABC):
    """Worked out from both ends row by row as it is read; None where an end is missing."""

    def __init__(self, low: pa.ChunkedArray, high: pa.ChunkedArray) -> None:
        self._low, self._high = low, high

    @staticmethod
    @abc.abstractmethod
    def _told(low: float, high: float) -> T:
        """What is told of one interval."""

    def __len__(self) -> int:
        return len(self._low)

    @overload
    def __getitem__(self, index: int) -> T | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T | None]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return list(self)[index]
            size = max(0, stop - start)
            return type(self)(self._low.slice(start, size), self._high.slice(start, size))
        return self._row(self._low[index].as_py(), self._high[index].as_py())

    def __iter__(self) -> Iterator[T | None]:
        for start in range(0, len(self), BATCH):
            lows = self._low.slice(start, BATCH).to_pylist()
            highs = self._high.slice(start, BATCH).to_pylist()
            yield from map(self._row, lows, highs)

    def _row(self, low: Any, high: Any) -> T | None:
        return None if low is None or high is None else self._told(low, high)


class HalfWidths(_ByRow[float]):
    """Half of high - low (of dates in days), wherever the value stands in the interval."""

    @staticmethod
    def _told(low: Any, high: Any) -> float:
        width = high - low
        days = width / _DAY if isinstance(width, dt.timedelta) else width
        return float(days) / 2


class Intervals(_ByRow[Interval]):
    """(low, high)."""

    @staticmethod
    def _told(low: Any, high: Any) -> Interval:
        return low, high


@dataclass(frozen=True)
class ClippedShare:
    """A private estimate: of the rows read, what part `label` says; None without rows.

    `low`, `high`: its 95 % interval within 0..1.
    """

    label: str
    share: float | None
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.label, "share": self.share, "interval_95": [self.low, self.high]}


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
        """Half of high - low for each row; None without error bars.

        `±` it only where the value is the interval's middle: counts and sums over public keys.
        Of the others (means, variances, groups that passed a threshold) read `intervals`.
        """
        return None if self.bars is None else tuple(self.bars)

    @property
    def bars(self) -> HalfWidths | None:
        """The half-widths as they are read, for answers too large to hold them all."""
        if self.low is None or self.high is None:
            return None
        return HalfWidths(self.low, self.high)

    @property
    def intervals(self) -> Intervals | None:
        """(low, high) of each row, as they are read; None without error bars."""
        if self.low is None or self.high is None:
            return None
        return Intervals(self.low, self.high)


def centred(values: pa.ChunkedArray, report: ColumnReport, *, start: int = 0) -> bool:
    """Whether each interval lies evenly around its value, to `CENTRED`: then `±` is true.

    `start`: the row of the result set that is the first of `values`. A column without intervals,
    and one that is no number, is taken as centred: nothing is told of it. Intervals of moments are
    told by their ends.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if report.low is None or report.high is None:
        return True
    if pa.types.is_temporal(report.low.type):
        return False
    if not _numbers(values.type):
        return True
    size = len(values)
    told = pa.table(
        [
            pc.cast(values, pa.float64(), safe=False),
            report.low.slice(start, size),
            report.high.slice(start, size),
        ],
        names=["value", "low", "high"],
    ).drop_null()
    value, low, high = (told.column(name).to_numpy() for name in told.column_names)
    with np.errstate(invalid="ignore", over="ignore"):
        below, above = value - low, high - value
        rounding = 8 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
        apart = np.abs(above - below) > np.maximum(CENTRED * np.maximum(below, above), rounding)
    one_open = np.isinf(low) != np.isinf(high)
    return not bool(np.any(apart | one_open))


def without_bars(report: ColumnReport) -> bool:
    """Whether no row has an interval: there are none, or each lacks an end."""
    import pyarrow.compute as pc

    if report.low is None or report.high is None:
        return True
    both = pc.and_(pc.is_valid(report.low), pc.is_valid(report.high))
    return not pc.any(both).as_py()


def _numbers(kind: Any) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


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
