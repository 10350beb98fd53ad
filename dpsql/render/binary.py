"""A result set as Parquet or Arrow IPC, a group of rows at a time, the report in the metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from dpsql.render.records import json_text, unique
from dpsql.rows import narrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

PRIVACY = b"dpsql.privacy"
"""Key of the schema's metadata that holds the privacy report as JSON."""

BY_ROW = ("half_widths_95", "intervals_95")
"""Members of the report that are as long as the answer."""

ROWS = 122_880
"""Rows of a Parquet row group (as DuckDB writes them) and of an Arrow batch."""


def write_table(
    table: pa.Table,
    types: Sequence[str],
    privacy: Mapping[str, object],
    kind: str,
    target: BinaryIO,
) -> None:
    """Write a file of the `kind` parquet, arrow (IPC file) or arrows (IPC stream).

    Integers are int64 wherever all of a column fit. Parquet has each name once: repeats are
    numbered as in jsonl. Metadata are for short things: the report there has no half-widths.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = narrow_schema(table, types)
    if kind == "parquet":
        names = unique(table.column_names)
        schema = pa.schema([f.with_name(n) for f, n in zip(schema, names, strict=True)])
        table = table.rename_columns(names)
    short = {name: part for name, part in privacy.items() if name not in BY_ROW}
    schema = schema.with_metadata({PRIVACY: json_text(short).encode()})
    sink = pa.PythonFile(Counted(target), mode="w")
    writer: pq.ParquetWriter | pa.RecordBatchStreamWriter | pa.RecordBatchFileWriter
    if kind == "parquet":
        writer = pq.ParquetWriter(sink, schema)
    elif kind == "arrow":
        writer = pa.ipc.new_file(sink, schema)
    else:
        writer = pa.ipc.new_stream(sink, schema)
    with writer:
        for part in _parts(table, schema):
            writer.write_table(part)


def _parts(table: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """At least one, so that an empty answer has its columns."""
    for start in range(0, max(1, table.num_rows), ROWS):
        yield table.slice(start, ROWS).cast(schema)


class Counted:
    """A stream that knows how much it was given: a pipe cannot say where it is."""

    closed = False

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._written = target, 0

    def write(self, content: bytes) -> int:
        self._written += self._target.write(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._target.flush()
