"""From the needs of a SELECT list to the fewest shared blocks that answer them.

Under one budget each block pays its own share, so a count is read from a joint basis that is
there anyway, and a thresholded key's noisy unit count serves COUNT(DISTINCT unit) for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

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
    TallyBlock,
)
from dpsql.aggregates.basis import UnitsBlock as Units
from dpsql.aggregates.conditions import exclusive, order, tested
from dpsql.core.ir import Aggregate, Expr

ALL_ROWS = Rows(None, None)
MOST_CLASSES = 100

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
    tally: int | None = None,
) -> tuple[tuple[Block, ...], tuple[int | None, ...]]:
    """Blocks, and for each call the block it is read from (None: the threshold's unit count).

    `joint`: a sum and the count of its rows as one basis; else each is a coordinate of its own
    (means and moments are joint all the same: their parts are bounded together). `tally`: what a
    row counts where rows of conditions that exclude each other may be counted as one block.
    """
    asked = [aggregates.for_name(call.fn).need(call) for call in calls]
    paired = {need.rows for need in asked if need.kind == "pair"}
    if thresholded:
        paired.discard(ALL_ROWS)
    needs = [_normal(need, one_row_per_cell and need.rows not in paired) for need in asked]
    free = Need("units", ALL_ROWS)
    tallied = None
    if joint and tally is not None:
        every = _Reader(one_row_per_cell)
        counted = any(
            every.counts(need, ALL_ROWS) and not (thresholded and need == free) for need in needs
        )
        tallied = _tally(calls, counted, tally)
    if tallied is not None:
        tests = [tested(call) for call in calls]
        needs = [
            Need("tally", ALL_ROWS, test) if test in tallied.tests else need
            for test, need in zip(tests, needs, strict=True)
        ]
    paid = [need for need in needs if not (thresholded and need == free)]
    reader = _Reader(one_row_per_cell)
    first: list[Block] = [*_pairs(paid, pair_grids), *([tallied] if tallied is not None else [])]
    blocks = _blocks(paid, grid, first, reader, joint)
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
    first: Sequence[Block],
    reader: _Reader,
    joint: bool,
) -> list[Block]:
    """`first`: those of several values or classes, which are there anyway."""
    moments: dict[tuple[Rows, Expr], Need] = {}
    counts: list[Need] = []
    for need in needs:
        if need.kind == "pair" or any(reader.serves(need, block) for block in first):
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
    blocks: list[Block] = list(first)
    beside = _beside(list(moments.values()), counts, reader) if joint else []
    for need in moments.values():
        assert need.value is not None
        # A sum asked together with the count of its rows: the pair costs less than the two.
        together = need.counted or need.degree > 1 or need in beside
        unit = grid(need.value, need.degree, not together)
        if together:
            blocks.append(MomentsBlock(need.rows, need.value, unit, need.degree))
        else:
            blocks.append(SumBlock(need.rows, need.value, unit))
    for need in counts:
        if not any(reader.serves(need, block) for block in blocks):
            blocks.append(Units(need.rows) if need.kind == "units" else CountBlock(need.rows))
    return blocks


def _tally(calls: Sequence[Aggregate], counted: bool, steps: int) -> TallyBlock | None:
    """Conditions of which no two are met by one row; None where counting them so gains nothing.

    `counted`: is the number of all rows asked for, too? A tally holds it.
    """
    tests = {test for call in calls if (test := tested(call)) is not None}
    chosen: list[Expr] = []
    for test in sorted(tests, key=order) if len(tests) > 1 else tests:
        if all(exclusive(test, other) for other in chosen):
            chosen.append(test)
    if len(chosen) + counted < 2 or not chosen:
        return None
    return TallyBlock(ALL_ROWS, tuple(chosen[:MOST_CLASSES]), steps)


def _beside(moments: Sequence[Need], counts: Sequence[Need], reader: _Reader) -> list[Need]:
    """The sums that are to hold a count of their rows: one for each count that nothing else holds.

    That which loses least by it: from (M - y, y) a sum is read with noise of lo² + hi² instead of
    max(lo², hi²).
    """
    found = []
    for rows in dict.fromkeys(count.rows for count in counts):
        over = [need for need in moments if need.rows == rows]
        if any(need.counted or need.degree > 1 for need in over):
            continue
        if over and any(reader.counts(count, rows) for count in counts):
            found.append(min(over, key=lambda need: (_loss(need), repr(need))))
    return found


def _loss(need: Need) -> Fraction:
    assert need.value is not None
    ends = [abs(end) for end in need.value.domain.bounds.numbers()]
    return (min(ends) / (max(ends) or 1)) ** 2


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
        """Of several the least, whatever the order in which the query lists them."""
        serving = [at for at, block in enumerate(blocks) if self.serves(need, block)]
        if len(serving) == 1:
            return serving[0]
        return min(serving, key=lambda at: (blocks[at].coordinates, repr(blocks[at])))

    def counts(self, need: Need, rows: Rows) -> bool:
        """Is it the number of these rows?"""
        return need.rows == rows and (need.kind == "count" or (self.lone and need.kind == "units"))

    def serves(self, need: Need, block: Block) -> bool:
        if block.rows != need.rows:
            return False
        match need.kind, block:
            case ("units", Units()) | ("count", CountBlock() | MomentsBlock() | PairBlock()):
                return True
            case "count", TallyBlock():
                return True
            case "units", MomentsBlock() | TallyBlock():
                return self.lone
            case "tally", TallyBlock(tests=tests):
                return need.value in tests
            case "moments", MomentsBlock(value=value, degree=degree):
                return value == need.value and need.degree <= degree
            case "moments", SumBlock(value=value):
                return value == need.value and not need.counted
            case "moments", PairBlock(values=values):
                return need.value in values and need.degree <= 1
            case "pair", PairBlock(values=values):
                return (need.value, need.other) == values
        return False
