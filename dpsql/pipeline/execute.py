"""execute: run certified statements in one snapshot; what comes back is sealed in `Exact`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dpsql.core.exact import Exact
from dpsql.dialects.engine import TimedOut
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG
from dpsql.pipeline.stages import Certified, ExactCells
from dpsql.planning.types import Plan
from dpsql.rules import names

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dpsql.dialects.engine import Engine

_PARAMETER = re.compile(r"(?:\$|%\()(\w+)")
"""As DuckDB's statements have one, or PostgreSQL's: $given_0, %(given_0)s."""
_HALVES = np.dtype([("low", "<u8"), ("high", "<i8")])


def run(
    certified: Certified,
    engine: Engine,
    *,
    timeout: float | None,
    given: Mapping[str, Any] | None = None,
    cells: Engine | None = None,
) -> ExactCells:
    """Takes only what `certify` made. Raises EngineFailed with one constant text.

    `given`: what releases of the same statement give it (`chains.given`). `cells`: where kept cells
    lie that are up to date; they are read where they serve, and rows where they cannot be read: no
    error may tell that cells are up to date.
    """
    plan = certified.plan

    def fetched(sql: str) -> pa.Table:
        named = set(_PARAMETER.findall(sql))
        mine = {name: value for name, value in (given or {}).items() if name in named}
        return engine.fetch(sql, timeout=timeout, given=mine)

    histograms = tuple(_histogram(plan, fetched(sql)) for sql in certified.histograms)
    distincts = tuple(_pairs(plan, fetched(sql)) for sql in certified.distincts)
    if not certified.sql:  # statements apart, of public groups
        return ExactCells(nothing(plan).keys, None, (), histograms, distincts)
    table = None
    if cells is not None and certified.kept is not None:
        table = _from_cells(certified.kept.sql, cells, timeout)
    if table is None:
        table = fetched(certified.sql)
    keys = tuple(table.column(key.name) for key in plan.keys)
    units = None
    if plan.threshold is not None:
        units = Exact(integers(table.column(names.UNITS)))
    blocks = []
    for index, part in enumerate(plan.blocks):
        columns = [
            integers(table.column(names.coordinate(index, i)))
            for i in range(part.block.coordinates)
        ]
        blocks.append(Exact(_stacked(columns)))
    return ExactCells(Exact(keys), units, tuple(blocks), histograms, distincts)


def _from_cells(sql: str, cells: Engine, timeout: float | None) -> pa.Table | None:
    """The rows of a statement over kept cells; None where their file fails (a broken block)."""
    try:
        return cells.fetch(sql, timeout=timeout)
    except TimedOut:
        raise
    except EngineFailed:
        OWNER_LOG.warning(
            "kept cells could not be read, rows are: `dpsql cells build` remakes them"
        )
        return None


def _histogram(plan: Plan, table: pa.Table) -> Exact[tuple[tuple[Any, ...], Any, Any]]:
    keys = tuple(table.column(key.name) for key in plan.keys)
    bins, weights = (integers(table.column(name)) for name in (names.BIN, names.TOTAL))
    return Exact((keys, bins, weights))


def _pairs(plan: Plan, table: pa.Table) -> Exact[tuple[tuple[Any, ...], Any, Any]]:
    keys = tuple(table.column(key.name) for key in plan.keys)
    units, values = (
        table.column(name).to_numpy().astype(np.uint64, copy=False)
        for name in (names.OWNER, names.ITEM)
    )
    return Exact((keys, units, values))


def nothing(plan: Plan) -> ExactCells:
    """What a plan without noise reads (public keys, no aggregate): no row of anybody."""
    import pyarrow as pa

    return ExactCells(Exact(tuple(pa.array([], pa.int64()) for _ in plan.keys)), None, ())


def _stacked(columns: list[NDArray[Any]]) -> NDArray[Any]:
    if any(column.dtype == object for column in columns):
        columns = [column.astype(object) for column in columns]
    return np.stack(columns)


def integers(column: pa.ChunkedArray) -> NDArray[Any]:
    """Exact integers of an Arrow column: int64 where all fit, else Python ints.

    HUGEINT arrives as decimal128 with scale 0, whose 16 bytes are the integer itself.
    """
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_integer(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.int64)
    assert array.type.scale == 0, "the statement's sums are whole numbers"
    raw = np.frombuffer(array.buffers()[1], dtype=_HALVES)
    halves = raw[array.offset : array.offset + len(array)]
    low = halves["low"].astype(np.int64)  # two's complement: the low half as a signed number
    if np.array_equal(halves["high"], low >> np.int64(63)):
        return low
    whole: NDArray[Any] = (halves["high"].astype(object) << 64) + halves["low"].astype(object)
    return whole
