"""Releases as bytes, in an order of their own: Arrow IPC with what is known of them as metadata.

A payload is one stream with the released table and, where one more draw may be averaged with it
(`pipeline/repeats.py`), a second one with the noisy coordinates. Both are laid out by the plan's
canonical form, so that every statement with that form finds its own columns in it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.basis import ResultType
from dpsql.aggregates.whole import largest
from dpsql.binding.context import Site
from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.canonical import Form
from dpsql.core.ir import Aggregate, Key, PrivateAggregate
from dpsql.dialects.sealed import TypedTable
from dpsql.pipeline.release_table import answer_type, cast_to, end_type, in_key_order, key_type
from dpsql.pipeline.stages import Drawn, Release
from dpsql.planning.answer_types import noise_scale
from dpsql.planning.types import KeyPlan, Plan
from dpsql.wording import spelled

if TYPE_CHECKING:
    import pyarrow as pa

_ABOUT = b"dpsql-release"
_NUMBERS = 2**62  # coordinates beyond are written as text


@dataclass(frozen=True)
class About:
    """What is known of a stored release beside its values, all of it from plan and ledger.

    (`epsilon`, `delta`) is the precision that was asked for and is shown; `scales` the noise of
    one coordinate of each block in grid units; `threshold` that of private keys; `entries` the
    earlier charges it rests on, too.
    `labels` are its columns, keys first, as the first statement that paid for it wrote them.
    """

    epsilon: Fraction
    delta: Fraction
    law: str
    scales: tuple[Fraction, ...]
    threshold: int | None
    entries: tuple[int, ...]
    labels: tuple[str, ...]
    types: tuple[str, ...]
    refined: int | None
    """The coordinates' unit; None where none are kept."""
    given: tuple[str, ...] = ()
    """The very releases that fed it, in a chain."""

    def to_json(self) -> dict[str, Any]:
        return {
            "epsilon": str(self.epsilon),
            "delta": str(self.delta),
            "law": self.law,
            "scales": [str(scale) for scale in self.scales],
            "threshold": self.threshold,
            "entries": list(self.entries),
            "labels": list(self.labels),
            "types": list(self.types),
            "refined": self.refined,
            "given": list(self.given),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> About:
        return cls(
            Fraction(told["epsilon"]),
            Fraction(told["delta"]),
            told["law"],
            tuple(Fraction(scale) for scale in told["scales"]),
            told["threshold"],
            tuple(told["entries"]),
            tuple(told["labels"]),
            tuple(told["types"]),
            told["refined"],
            tuple(told.get("given", ())),
        )


# ---- the release's own order -----------------------------------------------------------------


def laid(form: Form, plan: Plan, release: Release) -> Release:
    """A release of the plan in its form's order; columns are k0.., a0.. again."""
    keys = [plan.keys[place].name for place in form.keys]
    answers = [plan.columns[place].aggregate.name for place in form.columns]
    names = _names([f"k{place}" for place in range(len(keys))], _numbered(len(answers)))
    found = _picked(release, _names(keys, answers), names)
    table = _in_order(found.table, names[: len(keys)], form)
    drawn = _laid_coords(form, plan, release.drawn)
    scales = tuple(release.scales[place] for place in form.blocks) if release.scales else ()
    return replace(found, table=table, drawn=drawn, scales=scales)


def restored(form: Form, plan: Plan, release: Release) -> Release:
    """What `laid` made of any plan of this form, as a release of this one."""
    keys = [f"k{form.keys.index(place)}" for place in range(len(plan.keys))]
    answers = [f"a{form.columns.index(place)}" for place in range(len(plan.columns))]
    own = _names(
        [key.name for key in plan.keys], [column.aggregate.name for column in plan.columns]
    )
    found = _picked(release, _names(keys, answers), own)
    scales = release.scales and tuple(
        release.scales[form.blocks.index(place)] for place in range(len(form.blocks))
    )
    return replace(found, table=_in_order(found.table, own[: len(keys)], form), scales=scales)


def _in_order(table: pa.Table, keys: Sequence[str], form: Form) -> pa.Table:
    """Sorted by the keys where the other side lists them in another order."""
    same = list(form.keys) == sorted(form.keys)
    return table if same else in_key_order(keys, table)


def _numbered(count: int) -> list[str]:
    return [f"a{place}" for place in range(count)]


def _names(keys: Sequence[str], answers: Sequence[str]) -> list[str]:
    return [*keys, *(name + end for name in answers for end in ("", LOW, HIGH))]


def _picked(release: Release, names: Sequence[str], new: Sequence[str]) -> Release:
    here = release.table.column_names
    types = tuple(release.types[here.index(name)] for name in names)
    table = release.table.select(list(names)).rename_columns(list(new))
    return replace(release, table=table, types=types, drawn=None)


def _sizes(plan: Plan) -> tuple[int, ...]:
    return tuple(len(key.values or ()) for key in plan.keys)


def _laid_coords(form: Form, plan: Plan, drawn: Drawn | None) -> Drawn | None:
    if drawn is None:
        return None
    sizes = _sizes(plan)
    coords = []
    for block in (drawn.coords[place] for place in form.blocks):
        grid = block.reshape(block.shape[0], *sizes)
        for axis, order in enumerate(form.values):
            grid = np.take(grid, order, axis=axis + 1)
        grid = np.transpose(grid, (0, *(place + 1 for place in form.keys)))
        coords.append(grid.reshape(block.shape))
    scales = tuple(drawn.scales[place] for place in form.blocks)
    return Drawn(tuple(coords), drawn.refined, scales)


def restored_coords(form: Form, plan: Plan, drawn: Drawn) -> Drawn:
    """Coordinates in a form's order as those of this plan of it."""
    sizes = _sizes(plan)
    back = [form.keys.index(place) + 1 for place in range(len(sizes))]
    coords: list[Any] = [None] * len(form.blocks)
    scales = [Fraction(0)] * len(form.blocks)
    for here, place in enumerate(form.blocks):
        block = drawn.coords[here]
        grid = block.reshape(block.shape[0], *(sizes[key] for key in form.keys))
        grid = np.transpose(grid, (0, *back))
        for axis, order in enumerate(form.values):
            grid = np.take(grid, np.argsort(order), axis=axis + 1)
        coords[place], scales[place] = grid.reshape(block.shape), drawn.scales[here]
    return Drawn(tuple(coords), drawn.refined, tuple(scales))


# ---- bytes -----------------------------------------------------------------------------------


def describe(
    plan: Plan,
    form: Form,
    release: Release,
    site: Site,
    entries: tuple[int, ...],
    given: tuple[str, ...] = (),
) -> About:
    """What is to be kept of a release in its form's order; `plan` as it was asked."""
    drawn = release.drawn
    planned = tuple(noise_scale(plan.blocks[place]) for place in form.blocks)
    keys = [spelled(site.columns, plan.keys[k].name, plan.keys[k].expr) for k in form.keys]
    calls = [plan.columns[place].aggregate for place in form.columns]
    if plan.choice is not None:
        keys = ["place"]
    return About(
        plan.epsilon,
        plan.delta,
        plan.law,
        planned if drawn is None else drawn.scales,
        None if plan.threshold is None else plan.threshold.threshold,
        entries,
        (*keys, *(spelled(site.columns, call.name, call.fn) for call in calls)),
        release.types,
        None if drawn is None else drawn.refined,
        given,
    )


def pack(about: About, release: Release) -> bytes:
    """The bytes that a repeat is answered from; the release is in its form's order."""
    packed = io.BytesIO()
    _written(about, release, packed)
    return packed.getvalue()


def digest(about: About, release: Release) -> str:
    """SHA-256 of what `pack` would make, hexadecimal, without holding it."""
    found = _Hashed()
    _written(about, release, found)
    return found.sum.hexdigest()


class _Hashed(io.RawIOBase):
    """A file of which only its SHA-256 is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.sum.update(data)
        return len(data)


def _written(about: About, release: Release, file: Any) -> None:
    import pyarrow as pa

    told = json.dumps(about.to_json()).encode()
    sink = pa.PythonFile(file, mode="w")
    _write(sink, release.table.replace_schema_metadata({_ABOUT: told}))
    if release.drawn is not None:
        columns = [
            (f"{place}.{row}", _numbers(values))
            for place, block in enumerate(release.drawn.coords)
            for row, values in enumerate(block)
        ]
        _write(sink, pa.table(dict(columns)))
    sink.flush()


def _write(sink: Any, table: pa.Table) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _numbers(values: Any) -> Any:
    import pyarrow as pa

    if values.dtype == np.int64 and largest(values) < _NUMBERS:
        return pa.array(values)
    listed = values.tolist()
    if all(-_NUMBERS < value < _NUMBERS for value in listed):
        return pa.array(listed, pa.int64())
    return pa.array([str(value) for value in listed], pa.string())


def about(payload: bytes) -> About | None:
    """What is known of stored bytes; None for those of a dpsql that kept less."""
    import pyarrow as pa

    with pa.ipc.open_stream(payload) as reader:
        told = (reader.schema.metadata or {}).get(_ABOUT)
    return None if told is None else About.from_json(json.loads(told))


def unpack(payload: bytes) -> Release:
    """The release in its form's order."""
    import pyarrow as pa

    known = about(payload)
    source = pa.BufferReader(payload)
    with pa.ipc.open_stream(source) as reader:
        table = reader.read_all()
    if known is None:
        return Release(table.replace_schema_metadata(None), ("",) * table.num_columns)
    drawn = None
    if known.refined is not None:
        with pa.ipc.open_stream(source) as reader:
            numbers = reader.read_all()
        drawn = Drawn(_coords(numbers, len(known.scales)), known.refined, known.scales)
    averaged = known.refined is not None and known.refined > 1
    table = table.replace_schema_metadata(None)
    return Release(table, known.types, drawn, known.scales, averaged)


def _coords(table: pa.Table, blocks: int) -> tuple[Any, ...]:
    found: list[list[Any]] = [[] for _ in range(blocks)]
    for name in table.column_names:
        values = [int(value) for value in table.column(name).to_pylist()]
        found[int(name.partition(".")[0])].append(np.array(values, dtype=object))
    return tuple(np.stack(rows) for rows in found)


def empty(plan: Plan) -> TypedTable:
    """A release of no rows with this plan's columns, to bind the remainder against."""
    return _empty(plan.keys, [(column.aggregate, column.result) for column in plan.columns])


def unplanned(aggregate: PrivateAggregate) -> TypedTable:
    """The same before there is a plan: answers are of the types that their values have."""
    calls = aggregate.aggregates
    results = [(call, aggregates.for_name(call.fn).result_type(call)) for call in calls]
    return _empty(aggregate.keys, results)


def _empty(
    keys: Sequence[KeyPlan | Key], answers: Sequence[tuple[Aggregate, ResultType]]
) -> TypedTable:
    import pyarrow as pa

    fields: list[tuple[str, object]] = []
    types: list[str] = []
    for key in keys:
        fields.append((key.name, key_type(key.expr.domain.type)))
        types.append("")
    for aggregate, result in answers:
        name = aggregate.name
        fields.append((name, answer_type(result.type)))
        ends = end_type(result.type)
        fields += [(name + LOW, ends), (name + HIGH, ends)]
        types += [cast_to(result.text), "", ""]
    return TypedTable(pa.schema(fields).empty_table(), types)
