"""What one scan computes for a private aggregate: blocks of integer coordinates per group.

Every coordinate is a sum of integers on a public grid. A block is what one mechanism noises; one
row moves a whole block by at most `row_total` in L1 (and so in L2), exactly (arXiv 2509.04919
for the joint bases).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dpsql.core.domain import Kind, SqlType
from dpsql.core.ir import Expr


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a block reads: those passing `where` whose `present` is neither NULL nor NaN.

    `present` is None where every row has a value, so that equal row sets share one count; `also`
    is the second value of a pair, None where it is always there.
    """

    where: Expr | None
    present: Expr | None
    also: Expr | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """The public integer grid of a value: v = round(x / unit), clamped to lo..hi."""

    unit: Fraction
    lo: int
    hi: int

    @property
    def span(self) -> int:
        """M: the shifted value y = v - lo runs over 0..M (M ≥ 1)."""
        return max(self.hi - self.lo, 1)

    @property
    def largest(self) -> int:
        return max(abs(self.lo), abs(self.hi), 1)


@dataclass(frozen=True, slots=True)
class CountBlock:
    """n = number of rows."""

    rows: Rows

    coordinates = 1
    row_total = 1


@dataclass(frozen=True, slots=True)
class UnitsBlock:
    """Number of units with at least one row: each cell counts 0 or 1."""

    rows: Rows

    coordinates = 1
    row_total = 1


@dataclass(frozen=True, slots=True)
class SumBlock:
    """Σ v, for a SUM asked alone."""

    rows: Rows
    value: Expr
    grid: Grid

    coordinates = 1

    @property
    def row_total(self) -> int:
        return self.grid.largest


@dataclass(frozen=True, slots=True)
class MomentsBlock:
    """The Bernstein basis of y over 0..M: degree 1 (M-y, y), degree 2 ((M-y)², 2y(M-y), y²).

    Each row's coordinates are ≥ 0 and sum to M^degree, which is therefore L1 and largest L2.
    """

    rows: Rows
    value: Expr
    grid: Grid
    degree: int

    @property
    def coordinates(self) -> int:
        return self.degree + 1

    @property
    def row_total(self) -> int:
        return int(self.grid.span**self.degree)


@dataclass(frozen=True, slots=True)
class PairBlock:
    """The tensor product of two Bernstein bases: B_i(x)·B_j(y), x over 0..Mx and y over 0..My.

    B_i(x) = C(dx, i)·x^i·(Mx-x)^(dx-i). Each row's coordinates are ≥ 0 and sum to Mx^dx·My^dy,
    which is therefore L1 and largest L2. From them follow all moments up to x^dx·y^dy, linearly.
    """

    rows: Rows
    values: tuple[Expr, Expr]
    grids: tuple[Grid, Grid]
    degrees: tuple[int, int]

    @property
    def coordinates(self) -> int:
        return (self.degrees[0] + 1) * (self.degrees[1] + 1)

    @property
    def row_total(self) -> int:
        (x, y), (dx, dy) = self.grids, self.degrees
        return int(x.span**dx * y.span**dy)

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """(i, j) of each coordinate, in order; the first is (0, 0)."""
        dx, dy = self.degrees
        return tuple((i, j) for i in range(dx + 1) for j in range(dy + 1))

    def parts(self) -> tuple[MomentsBlock, MomentsBlock]:
        """x and y as values of rows: both read where the filter passes and they are there."""
        first = MomentsBlock(
            Rows(self.rows.where, _present(self.values[0], self.rows)),
            self.values[0],
            self.grids[0],
            1,
        )
        second = MomentsBlock(
            Rows(None, _present(self.values[1], self.rows)), self.values[1], self.grids[1], 1
        )
        return first, second


@dataclass(frozen=True, slots=True)
class TallyBlock:
    """Rows by class: those passing none of `tests`, the first of them, the second but not the
    first, and so on. A row is in one class, so it moves the block by `steps`, whatever the tests.

    `steps`: what a row counts, 1 where a unit has one row; else W, so that little is rounded away
    where the rows of a cell are scaled.
    """

    rows: Rows
    tests: tuple[Expr, ...]
    steps: int

    @property
    def coordinates(self) -> int:
        return len(self.tests) + 1

    @property
    def row_total(self) -> int:
        return self.steps


@dataclass(frozen=True, slots=True)
class HistogramBlock:
    """Weight by bin: bin j holds the values nearest to (lo + j·step) grid units.

    It has a statement of its own, one row for each group and bin that is not empty.
    """

    rows: Rows
    value: Expr
    grid: Grid
    step: int

    @property
    def bins(self) -> int:
        return (self.grid.span + self.step // 2) // self.step + 1

    def at(self, bin_: int) -> Fraction:
        """The value that stands for a bin, within the range."""
        return min(self.grid.lo + bin_ * self.step, self.grid.hi) * self.grid.unit

    def ends(self, bin_: int) -> tuple[Fraction, Fraction]:
        """The least and the largest value of the range that fall into a bin.

        Whole grid units from step // 2 below its own; values between the units half a unit more.
        """
        grid, kind = self.grid, self.value.domain.type
        own = {Kind.INTEGER: Fraction(1), Kind.DECIMAL: Fraction(1, 10**kind.scale)}.get(kind.kind)
        between = Fraction(0) if grid.unit == own else Fraction(1, 2)
        first = grid.lo + bin_ * self.step - self.step // 2 - between
        last = first + self.step - 1 + 2 * between
        least = max(first, Fraction(grid.lo))
        return least * grid.unit, min(last, Fraction(grid.hi)) * grid.unit


@dataclass(frozen=True, slots=True)
class DistinctBlock:
    """The distinct values of an expression, who has which; NULL is no value.

    It has a statement of its own, one row for each (group, unit, value).
    """

    rows: Rows
    value: Expr


def _present(value: Expr, rows: Rows) -> Expr | None:
    return value if value in (rows.present, rows.also) else None


Block = CountBlock | UnitsBlock | SumBlock | MomentsBlock | PairBlock | TallyBlock


@dataclass(frozen=True, slots=True)
class Need:
    """What an aggregate asks of the plan: `kind` is count, units, moments up to `degree`, pair,
    histogram, distinct values, or tally: rows of all that pass the condition `value`.

    A need of degree 1 without `counted` is a sum alone, which one coordinate can serve. A pair
    is of `value` up to `degree` and `other` up to `other_degree`.
    """

    kind: str
    rows: Rows
    value: Expr | None = None
    degree: int = 0
    counted: bool = False
    other: Expr | None = None
    other_degree: int = 0


@dataclass(frozen=True, slots=True)
class ResultType:
    """Type of an answer's column: the engine's spelling, and the dpsql type."""

    text: str
    type: SqlType
