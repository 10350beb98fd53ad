"""A result set as Python rows, converted a batch at a time from Arrow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

BATCH = 2_048

Row = tuple[Any, ...]


class RowReader:
    """Hands out the rows of an Arrow table once, in order; `position` rows are gone.

    `types`: the engine's type names, which say what Arrow cannot: a HUGEINT travels as a decimal
    and is an int here.
    """

    def __init__(self, table: Any, types: Sequence[str]) -> None:
        self._table = table
        self._readers = [_reader(kind) for kind in types]
        self._batch: list[Row] = []
        self._batch_start = 0
        self.position = 0

    @property
    def total(self) -> int:
        return int(self._table.num_rows)

    def take(self, count: int | None) -> list[Row]:
        """The next `count` rows, fewer at the end; all that are left for None."""
        end = self.total if count is None else min(self.total, self.position + count)
        taken: list[Row] = []
        while self.position < end:
            at = self.position - self._batch_start
            if not 0 <= at < len(self._batch):
                self._load()
                at = 0
            piece = self._batch[at : at + end - self.position]
            taken += piece
            self.position += len(piece)
        return taken

    def take_table(self) -> Any:
        """What is left, as Arrow."""
        rest = self._table.slice(self.position)
        self.position = self.total
        return rest

    def _load(self) -> None:
        self._batch_start = self.position
        part = self._table.slice(self.position, BATCH)
        self._batch = list(
            zip(
                *(
                    read(column.to_pylist())
                    for read, column in zip(self._readers, part.columns, strict=True)
                ),
                strict=True,
            )
        )


class AllRows:
    """Every row of an Arrow table, as often as one asks, a batch at a time in memory."""

    def __init__(self, table: Any, types: Sequence[str]) -> None:
        self._table, self._types = table, types

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[Row]:
        reader = RowReader(self._table, self._types)
        while batch := reader.take(BATCH):
            yield from batch


def _reader(kind: str) -> Callable[[list[Any]], list[Any]]:
    if kind in ("HUGEINT", "UHUGEINT"):
        return lambda values: [None if v is None else int(v) for v in values]
    if "HUGEINT" in kind:
        return lambda values: [_whole(v) for v in values]
    if kind == "INTERVAL":
        return lambda values: [None if v is None else _timedelta(v) for v in values]
    if kind == "TIMESTAMP_NS":
        return lambda values: [_plain_timestamp(v) for v in values]
    return lambda values: values


def _whole(value: Any) -> Any:
    """Integers within lists and structs."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_whole(item) for item in value)
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    whole = isinstance(value, Decimal) and value.as_tuple().exponent == 0
    return int(value) if whole else value


def _timedelta(value: Any) -> dt.timedelta:
    """Months count 30 days, as in DuckDB's own client; Python's timedelta knows no months."""
    return dt.timedelta(
        days=value.months * 30 + value.days, microseconds=value.nanoseconds // 1_000
    )


def _plain_timestamp(value: Any) -> Any:
    return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value


def narrow_schema(table: Any, types: Sequence[str]) -> Any:
    """The table's schema with HUGEINT columns as int64 where every value fits.

    Data frames know no decimals for integers. A column that does not fit stays as it is.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = table.schema
    for index, kind in enumerate(types):
        if kind in ("HUGEINT", "UHUGEINT"):
            ends = pc.min_max(table.column(index)).as_py()
            if all(end is None or -(2**63) <= end < 2**63 for end in ends.values()):
                schema = schema.set(index, schema.field(index).with_type(pa.int64()))
    return schema


def narrow_integers(table: Any, types: Sequence[str]) -> Any:
    """The table with `narrow_schema`."""
    return table.cast(narrow_schema(table, types))


def unique_names(names: Sequence[str]) -> list[str]:
    """`a, a, b` becomes `a, a_1, b`."""
    taken: list[str] = []
    for name in names:
        count, new = 0, name
        while new in taken or (count and new in names):
            count += 1
            new = f"{name}_{count}"
        taken.append(new)
    return taken
