"""Releases as bytes: Arrow IPC with the engine types in the schema's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dpsql import aggregates
from dpsql.core.domain import Kind, SqlType
from dpsql.dialects.sealed import Given
from dpsql.pipeline.release_table import HIGH, LOW
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

    names: list[str] = []
    types: list[str] = []
    for key in plan.keys:
        names.append(key.name)
        types.append(_engine_type(key.expr.domain.type))
    for column in plan.columns:
        name = column.aggregate.name
        names += [name, name + LOW, name + HIGH]
        result = aggregates.for_name(column.aggregate.fn).result_type(column.aggregate)
        types += [result.text, "DOUBLE", "DOUBLE"]
    return Given(pa.table({name: pa.nulls(0) for name in names}), types)


def _engine_type(kind: SqlType) -> str:
    if kind.kind is Kind.DECIMAL:
        return f"DECIMAL({kind.precision},{kind.scale})"
    return {
        Kind.BOOLEAN: "BOOLEAN",
        Kind.INTEGER: "BIGINT",
        Kind.FLOAT: "DOUBLE",
        Kind.TEXT: "VARCHAR",
        Kind.DATE: "DATE",
        Kind.TIMESTAMP: "TIMESTAMP",
    }.get(kind.kind, "VARCHAR")
