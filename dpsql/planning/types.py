"""The plan of one private aggregate: everything that decides its answer's distribution."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Literal

from dpsql.aggregates.basis import Block, DistinctBlock, HistogramBlock, ResultType
from dpsql.aggregates.noisy import EXPONENTIAL, LAW_NAMES, Law
from dpsql.core.bounds import ContributionBounds, Sensitivity
from dpsql.core.domain import Scalar
from dpsql.core.ir import Aggregate, Expr, PrivateAggregate
from dpsql.errors import InternalError
from dpsql.mechanisms.bound_choice import BoundChoice
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent
    from dpsql.mechanisms.distinct import DistinctMechanism
    from dpsql.mechanisms.quantile import QuantileMechanism
    from dpsql.mechanisms.quantile_interval import QuantileInterval
    from dpsql.mechanisms.quantile_tree import QuantileTree
    from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold
    from dpsql.planning.division import Division

Strategy = Literal["row", "cap", "weights"]
"""row: one row per unit, enforced. cap: bounded cells, at most k of them. weights: per-row
weights under a cap C on a unit's rows (docs/proofs/bounding.md)."""

WEIGHT = 2**16
"""W: the weight of a row of a unit within its caps."""


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A group key. `values` (None stands for NULL) is its public domain, or None: private.

    `coding`: `self` (the engine returns the value), `index` (the engine returns its position in
    `values`, matched by the engine's own equality).
    """

    name: str
    expr: Expr
    values: tuple[Scalar | None, ...] | None
    coding: Literal["self", "index"] = "self"


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A block, what one unit can do to it, and the mechanism that noises it.

    Raises InternalError for a mechanism that is not calibrated for so much.
    """

    block: Block
    sensitivity: Sensitivity
    mechanism: LaplaceMechanism | GaussianMechanism | BoundChoice

    def __post_init__(self) -> None:
        if not covers(self.mechanism, self.sensitivity):
            raise InternalError("the noise is for less than a unit can do", code="certify")


def covers(
    mechanism: LaplaceMechanism | GaussianMechanism | BoundChoice, moved: Sensitivity
) -> bool:
    """Does what the mechanism is priced for cover what one unit moves?"""
    match mechanism:
        case LaplaceMechanism(cell_sensitivity=cell, cells=cells):
            return cell * cells >= moved.l1 and (cells == 1 or cell >= moved.linf)
        case CentredGaussian(l2_squared=priced, steps=steps):
            return priced >= steps * moved.l2_squared
        case GaussianMechanism(l2_squared=priced):
            return priced >= moved.l2_squared
    return moved == Sensitivity(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class PointPlan:
    """One quantile of a histogram, and the interval around it; extremes have none."""

    quantile: QuantileMechanism
    interval: QuantileInterval | None


@dataclass(frozen=True, slots=True)
class HistogramPlan:
    """A histogram with the bounds that its own statement enforces, and the quantiles drawn of it.

    Strategy `row` or `cap`; a row weighs `weight`, less where a unit has more rows than count.
    `points` are drawn one by one, those of `tree` together.
    """

    block: HistogramBlock
    bounds: ContributionBounds
    strategy: Strategy
    weight: int
    points: tuple[PointPlan, ...]
    tree: QuantileTree | None = None

    @property
    def laws(self) -> list[QuantileMechanism | QuantileInterval | QuantileTree]:
        """All that is drawn."""
        pairs = [law for point in self.points for law in (point.quantile, point.interval)]
        return [law for law in (*pairs, self.tree) if law is not None]

    @property
    def quantiles(self) -> tuple[Fraction, ...]:
        """In the order in which they are drawn and columns refer to them."""
        alone = tuple(point.quantile.quantile for point in self.points)
        return alone if self.tree is None else (*alone, *self.tree.quantiles)

    @property
    def sensitivity(self) -> int:
        """What one unit weighs in one group at the most."""
        return self.weight * self.bounds.max_rows_per_group

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        return [item for law in self.laws for item in law.items]


@dataclass(frozen=True, slots=True)
class DistinctPlan:
    """Distinct values with the bounds that their own statement enforces, and how they are counted.

    `bounds.max_rows_per_group`: values of a unit in a group that leave the engine at the most.
    """

    block: DistinctBlock
    bounds: ContributionBounds
    mechanism: DistinctMechanism

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        return self.mechanism.items


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """An output column: its aggregate, and the block it is read from (None: the threshold's).

    `result` is the type its answers surely fit in (`answer_types`). `point`: the histogram and the
    place among its quantiles, of a column that is read from one. `distinct`: which of the plan's
    `distincts` it is.
    """

    aggregate: Aggregate
    block: int | None
    result: ResultType
    point: tuple[int, int] | None = None
    distinct: int | None = None


Found = Literal["rows", "total", "high", "low"]
"""rows: of a unit in a group. total: of a value in a group. high, low: ends of a value's range."""


@dataclass(frozen=True, slots=True)
class ChoicePlan:
    """The choice of a contribution bound: place i of the release stands for `candidates[i]`.

    They count `unit`s; of `value`, where the bound is of one.
    """

    kind: Found
    value: Expr | None
    unit: Fraction
    candidates: tuple[int, ...]
    nothing: bool = False
    """Are units at place 0 without anything to bound? The bound is then the least above it."""

    @property
    def first(self) -> int:
        """The first place of units that have something to bound: one value at least, or a row."""
        return 0 if self.kind == "rows" else 1

    def end(self, place: int) -> Fraction:
        """The bound that a place stands for, in the value's own unit; of low ends its size."""
        return self.candidates[max(place, 1) if self.nothing else place] * self.unit


@dataclass(frozen=True, slots=True)
class Awaited:
    """A bound that a choice of the statement finds: its place among the private aggregates."""

    choice: ChoicePlan
    place: int


@dataclass(frozen=True, slots=True)
class Plan:
    """See the module. `items` are the privacy events the release will be charged for."""

    aggregate: PrivateAggregate
    keys: tuple[KeyPlan, ...]
    bounds: ContributionBounds
    strategy: Strategy
    weight: int
    law: Law
    blocks: tuple[BlockPlan, ...]
    threshold: TruncatedGeometricThreshold | GaussianThreshold | None
    columns: tuple[ColumnPlan, ...]
    min_units: int
    units_column: int | None
    """Index in `columns` of a hidden unit count that filters public groups (min_units)."""
    epsilon: Fraction
    delta: Fraction
    items: tuple[tuple[PrivacyEvent, int], ...]
    histograms: tuple[HistogramPlan, ...] = ()
    division: Division | None = None
    """How the blocks share what is paid; for explain, the mechanisms say it all."""
    distincts: tuple[DistinctPlan, ...] = ()
    choice: ChoicePlan | None = None
    """The release is the choice of a bound."""
    awaited: tuple[Awaited, ...] = ()
    """Bounds that are found before this runs; until then the plan holds the widest of them."""
    barless: frozenset[int] = frozenset()
    """Columns whose found bounds may cut too much for a bar to be true (planning/held.py)."""

    def has_bar(self, column: ColumnPlan) -> bool:
        """Has a quantile an interval of its own? Extremes and those drawn together have none."""
        assert column.point is not None
        at, place = column.point
        points = self.histograms[at].points
        return place < len(points) and points[place].interval is not None

    @property
    def law_name(self) -> str:
        """What is drawn, for people."""
        if self.choice is not None:
            return EXPONENTIAL
        chosen = any(part.mechanism.choice is not None for part in self.distincts)
        if not self.histograms and not chosen:
            return LAW_NAMES[self.law]
        added = self.sums or bool(self.distincts)
        return f"{LAW_NAMES[self.law]}, {EXPONENTIAL}" if added else EXPONENTIAL

    @property
    def capped(self) -> bool:
        """Are distinct values counted of which a unit may have more than count?"""
        return bool(self.distincts) and not self.aggregate.block.one_row_per_unit

    @property
    def apart(self) -> bool:
        """Is anything read by a statement of its own?"""
        return bool(self.histograms) or bool(self.distincts)

    @property
    def sums(self) -> bool:
        """Is there a statement of sums over units? Not where all is read apart."""
        return bool(self.blocks) or self.threshold is not None

    @property
    def public_keys(self) -> bool:
        return all(key.values is not None for key in self.keys)

    @property
    def least_groups(self) -> int:
        """Groups that will be shown whatever the data: all public ones, no private one."""
        if self.threshold is not None or self.units_column is not None:
            return 0
        return prod(len(key.values or ()) for key in self.keys)
