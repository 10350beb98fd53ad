"""From the needs of a SELECT list to the fewest shared blocks that answer them.

Under one budget each block pays its own share, so a count is read from a joint basis that is
there anyway, and a thresholded key's noisy unit count serves COUNT(DISTINCT unit) for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dpsql import aggregates
from dpsql.aggregates.basis import Block, CountBlock, Grid, MomentsBlock, Need, Rows, SumBlock
from dpsql.aggregates.basis import UnitsBlock as Units
from dpsql.core.ir import Aggregate, Expr

ALL_ROWS = Rows(None, None)

GridOf = Callable[[Expr, int, bool], Grid]
"""(value, degree, is it a sum asked alone) → its grid."""


def plan_blocks(
    calls: Sequence[Aggregate], *, one_row_per_cell: bool, thresholded: bool, grid: GridOf
) -> tuple[tuple[Block, ...], tuple[int | None, ...]]:
    """Blocks, and for each call the block it is read from (None: the threshold's unit count)."""
    needs = [_normal(aggregates.for_name(call.fn).need(call), one_row_per_cell) for call in calls]
    free = Need("units", ALL_ROWS)
    paid = [need for need in needs if not (thresholded and need == free)]
    blocks = _blocks(paid, grid)
    places = (None if thresholded and need == free else _serving(need, blocks) for need in needs)
    return tuple(blocks), tuple(places)


def _normal(need: Need, one_row_per_cell: bool) -> Need:
    """With at most one row of a unit in a group, counting rows is counting units."""
    if one_row_per_cell and need.kind == "count":
        return replace(need, kind="units")
    return need


def _blocks(needs: Sequence[Need], grid: GridOf) -> list[Block]:
    moments: dict[tuple[Rows, Expr], Need] = {}
    counts: list[Need] = []
    for need in needs:
        if need.kind != "moments":
            if need not in counts:
                counts.append(need)
            continue
        assert need.value is not None
        known = moments.get((need.rows, need.value), need)
        moments[need.rows, need.value] = replace(
            need,
            degree=max(need.degree, known.degree),
            counted=need.counted or known.counted,
        )
    blocks: list[Block] = []
    for need in moments.values():
        assert need.value is not None
        # A sum asked together with the count of its rows: the pair costs less than the two.
        counted = need.counted or any(c.kind == "count" and c.rows == need.rows for c in counts)
        joint = counted or need.degree > 1
        unit = grid(need.value, need.degree, not joint)
        if joint:
            blocks.append(MomentsBlock(need.rows, need.value, unit, need.degree))
        else:
            blocks.append(SumBlock(need.rows, need.value, unit))
    for need in counts:
        if need.kind == "units":
            blocks.append(Units(need.rows))
        elif not any(isinstance(b, MomentsBlock) and b.rows == need.rows for b in blocks):
            blocks.append(CountBlock(need.rows))
    return blocks


def _serving(need: Need, blocks: Sequence[Block]) -> int:
    for index, block in enumerate(blocks):
        if block.rows != need.rows:
            continue
        match need.kind, block:
            case ("units", Units()) | ("count", CountBlock() | MomentsBlock()):
                return index
            case "moments", MomentsBlock(value=value) if value == need.value:
                return index
            case "moments", SumBlock(value=value) if value == need.value and not need.counted:
                return index
    raise AssertionError("every need has a block")
