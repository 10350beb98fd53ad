"""A stored release as a record, and its table as people see it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.error_bars import ColumnReport
from dpsql.ledger import StoredRelease
from dpsql.pipeline.presentable import presentable
from dpsql.pipeline.storage import About, unpack
from dpsql.render.records import unique
from dpsql.render.terminal import Style
from dpsql.render.text import shortened

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = (
    *("release", "time", "analyst", "budget", "data_version", "answers", "epsilon", "delta"),
    *("law", "columns", "paid_epsilon", "paid_delta", "entries", "bytes", "hash", "sql"),
)
BRIEF = ("release", "time", "budget", "data_version", "epsilon", "columns", "sql")
"""What a line has room for."""
SQL_COLUMNS = 60


def name(stored: StoredRelease) -> str:
    """`12`, or `12.2` for the second of several aggregates of one charge."""
    return str(stored.seq) if stored.parts == 1 else f"{stored.seq}.{stored.part}"


def record(stored: StoredRelease, data_version: str) -> dict[str, object]:
    """All fields as plain values. `answers`: it belongs to the policy's `data_version`.

    `epsilon`, `delta` are the precision of what it shows, `paid_epsilon`, `paid_delta` what was
    charged for it; `entries` the charges it rests on. Unknown of an older dpsql's: NULL.
    """
    told: About | None = stored.told
    return {
        "release": name(stored),
        "time": dt.datetime.fromtimestamp(stored.time, dt.UTC).isoformat(),
        "analyst": stored.analyst,
        "budget": stored.budget,
        "data_version": stored.data_version,
        "answers": told is not None and stored.data_version == data_version,
        "epsilon": None if told is None else float(told.epsilon),
        "delta": None if told is None else float(told.delta),
        "law": None if told is None else told.law,
        "columns": [] if told is None else list(told.labels),
        "paid_epsilon": float(stored.epsilon),
        "paid_delta": float(stored.delta),
        "entries": [] if told is None else [*told.entries, stored.seq],
        "bytes": stored.size,
        "hash": stored.hash,
        "sql": stored.sql,
    }


def brief(record: dict[str, Any], style: Style) -> dict[str, object]:
    """The record with its texts cut, for people."""
    columns = shortened(", ".join(record["columns"]), SQL_COLUMNS, style.symbols("…"))
    sql = shortened(record["sql"], SQL_COLUMNS, style.symbols("…"))
    time = str(record["time"])[:16].replace("T", " ")
    return {**record, "time": time, "columns": columns, "sql": sql}


def shown(
    payload: bytes, told: About | None
) -> tuple[pa.Table, tuple[str, ...], list[ColumnReport]]:
    """The released table under its labels, its engine types, and the error bars of its columns."""
    release = unpack(payload)
    table = release.table
    plain = [column for column in table.column_names if not column.endswith((LOW, HIGH))]
    labels = plain if told is None else list(told.labels)
    names = unique(labels)
    types = tuple(release.types[table.column_names.index(column)] for column in plain)
    reports = []
    for column, label in zip(plain, names, strict=True):
        low, high = column + LOW, column + HIGH
        ends = (table.column(low), table.column(high)) if low in table.column_names else ()
        reports.append(ColumnReport(label, *ends))
    return presentable(table.select(plain).rename_columns(names)), types, reports
