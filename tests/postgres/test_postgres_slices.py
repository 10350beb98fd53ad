"""Rows of PostgreSQL come to Arrow slice by slice: the same table, whatever the slices."""

from __future__ import annotations

import datetime as dt
from collections import namedtuple
from decimal import Decimal

import pyarrow as pa
import pytest

from dpsql.dialects import postgres_rows

Column = namedtuple("Column", "name type_code precision scale")
COLUMNS = [
    Column("k", 25, None, None),
    Column("n", 20, None, None),
    Column("whole", 1700, None, None),
    Column("mixed", 1700, None, None),
    Column("price", 1700, 12, 2),
    Column("day", 1082, None, None),
]
ROWS = [
    (
        None if at == 3 else f"k{at}",
        at,
        Decimal(at) ** 9,
        Decimal("1.5") if at == 5 else Decimal(at),
        Decimal(at) / 4,
        dt.date(2020, 1, 1 + at),
    )
    for at in range(8)
]


def fetching(rows):
    left = list(rows)

    def fetch(count):
        now, left[:] = left[:count], left[count:]
        return now

    return fetch


@pytest.mark.parametrize("count", [0, 1, 6, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 100])
def test_slices_change_nothing(monkeypatch, size, count):
    whole = postgres_rows.table(COLUMNS, fetching(ROWS[:count]))
    monkeypatch.setattr(postgres_rows, "_SLICE", size)
    sliced = postgres_rows.table(COLUMNS, fetching(ROWS[:count]))
    assert sliced.equals(whole)
    assert sliced.num_rows == count
    assert sliced.column("n").to_pylist() == list(range(count))
    if count == 8:
        assert pa.types.is_decimal(sliced.schema.field("mixed").type)
        assert sliced.column("mixed").to_pylist() == [row[3] for row in ROWS]
        assert sliced.schema.field("whole").type == pa.decimal128(38, 0)
