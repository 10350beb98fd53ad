"""What one scan computes for a private aggregate: blocks of integer coordinates per group.

Every coordinate is a sum of integers on a public grid. A block is what one mechanism noises; one
row moves a whole block by at most `row_total` in L1 (and so in L2), exactly (arXiv 2509.04919
for the joint bases).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dpsql.core.domain import SqlType
from dpsql.core.ir import Expr


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a block reads: those passing `where` whose `present` is neither NULL nor NaN.

    `present` is None where every row has a value, so that equal row sets share one count.
    """

    where: Expr | None
    present: Expr | None


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


Block = CountBlock | UnitsBlock | SumBlock | MomentsBlock


@dataclass(frozen=True, slots=True)
class Need:
    """What an aggregate asks of the plan: `kind` is count, units, or moments up to `degree`.

    A need of degree 1 without `counted` is a sum alone, which one coordinate can serve.
    """

    kind: str
    rows: Rows
    value: Expr | None = None
    degree: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True)
class ResultType:
    """Type of an answer's column: the engine's spelling, and the dpsql type."""

    text: str
    type: SqlType
