"""A result set as Parquet or as an Arrow IPC stream, with the privacy report in the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dpsql.render.records import json_text, unique

if TYPE_CHECKING:
    import pyarrow as pa

PRIVACY = b"dpsql.privacy"
"""Key of the schema's metadata that holds the privacy report as JSON."""


def table_bytes(table: pa.Table, privacy: Mapping[str, object], kind: str) -> bytes:
    """The bytes of a file, `kind` parquet or arrow.

    Parquet has each name once: repeats are numbered as in jsonl.
    """
    import pyarrow as pa

    if kind == "parquet":
        table = table.rename_columns(unique(table.column_names))
    marked = table.replace_schema_metadata({PRIVACY: json_text(privacy).encode()})
    sink = pa.BufferOutputStream()
    if kind == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(marked, sink)
    else:
        with pa.ipc.new_stream(sink, marked.schema) as writer:
            writer.write_table(marked)
    return bytes(sink.getvalue())
