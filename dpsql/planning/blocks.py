"""From the needs of a SELECT list to the fewest shared blocks that answer them.

Under one budget each block pays its own share, so a count is read from a joint basis that is
there anyway, and a thresholded key's noisy unit count serves COUNT(DISTINCT unit) for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dpsql import aggregates
from dpsql.aggregates.basis import (
    Block,
    CountBlock,
    Grid,
    MomentsBlock,
    Need,
    PairBlock,
    Rows,
    SumBlock,
)
from dpsql.aggregates.basis import UnitsBlock as Units
from dpsql.core.ir import Aggregate, Expr

ALL_ROWS = Rows(None, None)

GridOf = Callable[[Expr, int, bool], Grid]
"""(value, degree, is it a sum asked alone) → its grid."""

PairGridsOf = Callable[[tuple[Expr, Expr], tuple[int, int]], tuple[Grid, Grid]]
"""(two values, their degrees) → their grids."""


def plan_blocks(
    calls: Sequence[Aggregate],
    *,
    one_row_per_cell: bool,
    thresholded: bool,
    grid: GridOf,
    pair_grids: PairGridsOf,
    joint: bool = True,
) -> tuple[tuple[Block, ...], tuple[int | None, ...]]:
    """Blocks, and for each call the block it is read from (None: the threshold's unit count).

    `joint`: a sum and the count of its rows as one basis; else each is a coordinate of its own
    (means and moments are joint all the same: their parts are bounded together).
    """
    asked = [aggregates.for_name(call.fn).need(call) for call in calls]
    paired = {need.rows for need in asked if need.kind == "pair"}
    if thresholded:
        paired.discard(ALL_ROWS)
    needs = [_normal(need, one_row_per_cell and need.rows not in paired) for need in asked]
    free = Need("units", ALL_ROWS)
    paid = [need for need in needs if not (thresholded and need == free)]
    reader = _Reader(one_row_per_cell)
    blocks = _blocks(paid, grid, _pairs(paid, pair_grids), reader, joint)
    places = (
        None if thresholded and need == free else reader.place(need, blocks) for need in needs
    )
    return tuple(blocks), tuple(places)


def _normal(need: Need, one_row_per_cell: bool) -> Need:
    """With at most one row of a unit in a group, counting rows is counting units.

    Not where a pair counts those rows anyway, unless the threshold counts them for nothing.
    """
    if one_row_per_cell and need.kind == "count":
        return replace(need, kind="units")
    return need


def _blocks(
    needs: Sequence[Need],
    grid: GridOf,
    pairs: Sequence[PairBlock],
    reader: _Reader,
    joint: bool,
) -> list[Block]:
    moments: dict[tuple[Rows, Expr], Need] = {}
    counts: list[Need] = []
    for need in needs:
        if need.kind == "pair" or any(reader.serves(need, block) for block in pairs):
            continue
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
    blocks: list[Block] = list(pairs)
    for need in moments.values():
        assert need.value is not None
        # A sum asked together with the count of its rows: the pair costs less than the two.
        counted = need.counted or (joint and any(reader.counts(c, need.rows) for c in counts))
        together = counted or need.degree > 1
        unit = grid(need.value, need.degree, not together)
        if together:
            blocks.append(MomentsBlock(need.rows, need.value, unit, need.degree))
        else:
            blocks.append(SumBlock(need.rows, need.value, unit))
    for need in counts:
        if not any(reader.serves(need, block) for block in blocks):
            blocks.append(Units(need.rows) if need.kind == "units" else CountBlock(need.rows))
    return blocks


def _pairs(needs: Sequence[Need], grids: PairGridsOf) -> list[PairBlock]:
    """One tensor basis for each pair of values over the same rows, of the highest degrees."""
    degrees: dict[tuple[Rows, Expr, Expr], tuple[int, int]] = {}
    for need in needs:
        if need.kind == "pair":
            assert need.value is not None
            assert need.other is not None
            key = (need.rows, need.value, need.other)
            dx, dy = degrees.get(key, (0, 0))
            degrees[key] = max(dx, need.degree), max(dy, need.other_degree)
    return [
        PairBlock(rows, (x, y), grids((x, y), reached), reached)
        for (rows, x, y), reached in degrees.items()
    ]


@dataclass(frozen=True, slots=True)
class _Reader:
    """What can be read off a block. `lone`: one row of a unit counts in a group, at the most.

    Then the rows that a basis counts, of each unit and group 1 where there are any, are its units.
    """

    lone: bool

    def place(self, need: Need, blocks: Sequence[Block]) -> int:
        return next(index for index, block in enumerate(blocks) if self.serves(need, block))

    def counts(self, need: Need, rows: Rows) -> bool:
        """Is it the number of these rows?"""
        return need.rows == rows and (need.kind == "count" or (self.lone and need.kind == "units"))

    def serves(self, need: Need, block: Block) -> bool:
        if block.rows != need.rows:
            return False
        match need.kind, block:
            case ("units", Units()) | ("count", CountBlock() | MomentsBlock() | PairBlock()):
                return True
            case "units", MomentsBlock():
                return self.lone
            case "moments", MomentsBlock(value=value, degree=degree):
                return value == need.value and need.degree <= degree
            case "moments", SumBlock(value=value):
                return value == need.value and not need.counted
            case "moments", PairBlock(values=values):
                return need.value in values and need.degree <= 1
            case "pair", PairBlock(values=values):
                return (need.value, need.other) == values
        return False
