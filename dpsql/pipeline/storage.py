"""Releases as bytes: Arrow IPC with the engine types in the schema's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.dialects.sealed import Given
from dpsql.pipeline.release_table import answer_type, cast_to, key_type
from dpsql.pipeline.stages import Release
from dpsql.planning.types import Plan

if TYPE_CHECKING:
    from dpsql.ledger import Release as StoredRelease

_TYPES = b"dpsql-types"


def pack(fingerprint: str, release: Release) -> StoredRelease:
    """The bytes that a repeat is answered from."""
    import pyarrow as pa

    from dpsql.ledger import Release as StoredRelease

    table = release.table.replace_schema_metadata({_TYPES: json.dumps(release.types).encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return StoredRelease(fingerprint, sink.getvalue().to_pybytes())


def unpack(payload: bytes) -> Release:
    import pyarrow as pa

    with pa.ipc.open_stream(payload) as reader:
        table = reader.read_all()
    types = json.loads(table.schema.metadata[_TYPES])
    return Release(table.replace_schema_metadata(None), tuple(types))


def empty(plan: Plan) -> Given:
    """A release of no rows with this plan's columns, to bind the remainder against."""
    import pyarrow as pa

    fields: list[tuple[str, object]] = []
    types: list[str] = []
    for key in plan.keys:
        fields.append((key.name, key_type(key.expr.domain.type)))
        types.append("")
    for column in plan.columns:
        name = column.aggregate.name
        fields.append((name, answer_type(column.result.type)))
        fields += [(name + LOW, pa.float64()), (name + HIGH, pa.float64())]
        types += [cast_to(column.result.text), "", ""]
    return Given(pa.schema(fields).empty_table(), types)
