"""What is known of columns and relations: the abstract values of the derivation.

A relation is private: each of its rows belongs to exactly one unit. Rows of one unit never
influence rows of another, because every construct admitted works within a unit's rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dpsql.certify.polys import ONE, Poly
from dpsql.certify.steps import Function, Steps
from dpsql.core.domain import Kind

EXACT = frozenset(
    {
        *(Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.DECIMAL, Kind.BOOLEAN),
        *(Kind.NULL, Kind.OPAQUE),
    }
)
"""Kinds whose equality is identity. Not floats (-0.0 = 0.0), nor types without a kind here
(one month = 30 days). OPAQUE is UUID alone (`tables.kind_of`)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A row's value: NULL, or an integer in lo..hi whatever the data holds. Told by `serial`.

    `present`: it is never NULL.
    """

    serial: int
    lo: int
    hi: int
    present: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values of a row, the one of the lesser serial first; the rows that have both."""

    first: Number
    second: Number


Value = Number | Pair


def value_range(of: Value | None, poly: Function) -> tuple[Fraction, Fraction]:
    """Bounds of the function over all that a row may hold; `of` None: it is a constant."""
    if isinstance(poly, Steps):
        return Fraction(min(poly.values)), Fraction(max(poly.values))
    if isinstance(of, Pair):
        return poly.range_of_pair((of.first.lo, of.first.hi), (of.second.lo, of.second.hi))
    return poly.range(*((0, 0) if of is None else (of.lo, of.hi)))


# ---- facts about a column --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unit:
    """The row's unit itself: a bare unit column, never NULL."""


@dataclass(frozen=True, slots=True)
class Const:
    """An integer constant."""

    value: int


@dataclass(frozen=True, slots=True)
class RowPoly:
    """poly(of), NULL where `of` is (a pair: where either is)."""

    of: Value
    poly: Function


@dataclass(frozen=True, slots=True)
class CellSum:
    """Σ poly(of) over the rows of the cell where `of` is not NULL (`of` None: over all rows).

    `level` names the GROUP BY that made the cells. `nullable`: NULL where there is no such row.
    """

    level: int
    of: Value | None
    poly: Function
    nullable: bool


@dataclass(frozen=True, slots=True)
class UnitTotal:
    """Number of rows in all cells of the row's unit."""

    level: int


@dataclass(frozen=True, slots=True)
class Size:
    """|Σ poly(of)| of the cell; `unit`: summed over all cells of the row's unit.

    `positive`: at least 1, where the sum is 0.
    """

    cell: CellSum
    unit: bool = False
    positive: bool = False


@dataclass(frozen=True, slots=True)
class SizeShare:
    """An integer weight 0 ≤ w ≤ weight of the cell: w · (sizes in all cells of the unit) ≤ total
    and w · (size of this cell) ≤ most, size being |`cell`|."""

    weight: int
    cell: CellSum
    total: int
    most: int


@dataclass(frozen=True, slots=True)
class Share:
    """A row weight w ≥ 0 of the cell: w · (rows in all cells of the unit) ≤ total and
    w · (rows of this cell) ≤ cell."""

    level: int
    total: int
    cell: int


@dataclass(frozen=True, slots=True)
class Capped:
    """⌊S · min(n, most) / n⌋, S = Σ poly(of) ≥ 0 over the n rows of the cell with a value.

    0, or NULL in its place, where there is no such row.
    """

    level: int
    of: Value | None
    poly: Function
    most: int


@dataclass(frozen=True, slots=True)
class Weighted:
    """w · Σ poly(of) over the cell; 0, or NULL in its place, where no row has a value."""

    share: Share
    of: Value | None
    poly: Function


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """w · S, S the very sum by whose size w weighs."""

    share: SizeShare


@dataclass(frozen=True, slots=True)
class Clamped:
    """An integer in lo..hi, one a cell, never NULL."""

    serial: int
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class Rank:
    """row_number within the unit: no two rows of a unit share one."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """row_number over all rows of the unit, below the cells: no two of them share one."""


Fact = (
    Unit | Const | Number | RowPoly | CellSum | UnitTotal | Size | Share | SizeShare | Capped
    | Numbered | Weighted | WeightedSum | Clamped | Rank | None
)  # fmt: skip
"""None: nothing is known but that the value is computed within the unit."""


# ---- columns and relations -------------------------------------------------------------------


HIDDEN = "hidden columns are not read"
VAGUE = "a key whose equal values differ in bytes is not read"


@dataclass(frozen=True, slots=True)
class Column:
    """A column or an expression. `serial` tells it from all others and survives renaming.

    `kind` is its SQL type where known. `by_unit`: it has one value for all rows of a unit.
    `barred`: the rule by which it is not read (it may still serve a unit path, or make groups).
    `normal`: a float without -0.0. `span`: the numbers it lies between whatever the rows, NULL
    apart; None if not known. `present`: it is never NULL.
    """

    serial: int
    fact: Fact
    kind: Kind | None
    by_unit: bool
    barred: str = ""
    normal: bool = False
    span: tuple[Fraction, Fraction] | None = None
    present: bool = False

    @property
    def exact(self) -> bool:
        """Are equal values the same bytes? Else which of them GROUP BY keeps is up to row order."""
        return self.normal or self.kind in EXACT


@dataclass(frozen=True, slots=True)
class Relation:
    """A derived private relation.

    `columns`: by folded name, in order. `rows`: at most so many rows of one unit, None unknown.
    `keys`: serials of columns that, with the unit, name at most one row; None: no such promise.
    """

    columns: Mapping[str, Column]
    rows: int | None
    keys: frozenset[int] | None

    @property
    def unit(self) -> bool:
        return any(isinstance(column.fact, Unit) for column in self.columns.values())


__all__ = ["ONE", "Poly"]
