"""The plan of an answer with the bounds that were found for it, at the price of the widest.

Precondition: a plan with awaited bounds, planned with the widest of each (`automatic.widest_plan`),
and for each a place among its public candidates. Postcondition: narrower ranges and fewer rows;
every block's sensitivity and noise scale shrunk by one factor, so that its events are those that
were charged, whatever the places (docs/proofs/automatic_bounds.md, 3; where that could not be so,
InternalError).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from dpsql.aggregates.basis import Block, MomentsBlock, SumBlock, UnitsBlock
from dpsql.core.bounds import ContributionBounds, Sensitivity, cap_sensitivity
from dpsql.core.domain import Interval
from dpsql.core.ir import Aggregate, Expr
from dpsql.errors import InternalError
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.planning.grids import make_grid
from dpsql.planning.types import WEIGHT, BlockPlan, Plan


def resolved(plan: Plan, chosen: Sequence[int]) -> Plan:
    """The plan with the bounds that were found: the place that each choice chose, in order.

    Guarantee: the mechanism of every block has the noise multiplier of `plan`'s, exactly (scale and
    sensitivity are multiplied by one rational), and all that `plan.items` charges covers it.
    """
    if not plan.awaited:
        return plan
    bounds = plan.bounds
    ends: dict[Expr, tuple[Fraction | None, Fraction | None]] = {}
    for awaited, place in zip(plan.awaited, chosen, strict=True):
        choice, value = awaited.choice, awaited.choice.value
        end = choice.end(place)
        if choice.kind == "rows":
            bounds = replace(bounds, max_rows_per_group=int(end))
            continue
        if value is None:
            raise _not_covered("a range is found of no value")
        low, high = ends.get(value, (None, None))
        if choice.kind == "total":
            rows, low, high = _total(value, end, bounds)
            bounds = replace(bounds, max_rows_per_group=rows)
        elif choice.kind == "high":
            high = end
        else:
            low = -end
        ends[value] = low, high
    narrow = {value: _narrowed(value, *pair) for value, pair in ends.items()}
    parts = tuple(_shrunk(part, narrow, bounds, plan.epsilon) for part in plan.blocks)
    return replace(
        plan,
        bounds=bounds,
        blocks=parts,
        columns=tuple(
            replace(column, aggregate=with_arguments(column.aggregate, narrow))
            for column in plan.columns
        ),
    )


def _total(
    value: Expr, end: Fraction, bounds: ContributionBounds
) -> tuple[int, Fraction, Fraction]:
    """How many rows of a value's range make up the total, and the range, no wider than it."""
    lo, hi = value.domain.bounds.numbers()
    largest = max(abs(lo), abs(hi))
    if end <= largest or not largest:
        return 1, max(lo, -end), min(hi, end)
    return min(ceil(end / largest), bounds.max_rows_per_group), lo, hi


def _narrowed(value: Expr, low: Fraction | None, high: Fraction | None) -> Expr:
    """The value with the range that was found; never empty."""
    lo, hi = value.domain.bounds.numbers()
    lo, hi = lo if low is None else max(lo, low), hi if high is None else min(hi, high)
    if lo >= hi:
        hi = lo + 1
    return replace(value, domain=value.domain.with_(declared=Interval(lo, hi)))


def _shrunk(
    part: BlockPlan, narrow: Mapping[Expr, Expr], bounds: ContributionBounds, epsilon: Fraction
) -> BlockPlan:
    block = _with_value(part.block, narrow)
    if isinstance(block, (SumBlock, MomentsBlock)):
        degree = block.degree if isinstance(block, MomentsBlock) else 1
        grid = make_grid(
            block.value.domain.type,
            block.value.domain.bounds,
            degree=degree,
            alone=isinstance(block, SumBlock),
            rows=bounds.max_rows_per_group,
            weight=WEIGHT,
            epsilon=epsilon,
        )
        block = replace(block, grid=grid)
    if isinstance(block, UnitsBlock):
        return replace(part, block=block)
    sensitivity = cap_sensitivity(bounds, block.row_total)
    factor = Fraction(sensitivity.linf, part.sensitivity.linf)
    return BlockPlan(block, sensitivity, _scaled(part, sensitivity, factor))


def _scaled(
    part: BlockPlan, sensitivity: Sensitivity, factor: Fraction
) -> LaplaceMechanism | GaussianMechanism:
    law = part.mechanism
    if isinstance(law, CentredGaussian):
        moved = law.steps * sensitivity.l2_squared
        _require(moved == factor**2 * law.l2_squared, "the turned noise is another")
        return CentredGaussian(law.sigma * factor, moved, law.total, law.difference)
    if isinstance(law, GaussianMechanism):
        wide = part.sensitivity.l2_squared
        _require(sensitivity.l2_squared == factor**2 * wide, "the Gaussian noise is another")
        return GaussianMechanism(law.sigma * factor, sensitivity.l2_squared)
    if not isinstance(law, LaplaceMechanism):
        raise _not_covered("the noise is of no law that scales")
    _require(sensitivity.l1 == factor * part.sensitivity.l1, "the Laplace noise is another")
    cell = law.cell_sensitivity * factor
    _require(cell.denominator == 1, "a cell's sensitivity is no whole number")
    return LaplaceMechanism(law.scale * factor, int(cell), law.cells)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _not_covered(otherwise)


def _not_covered(why: str) -> InternalError:
    message = f"a bound that was found is not covered by what was charged: {why}"
    return InternalError(message, code="certify")


def _with_value(block: Block, new: Mapping[Expr, Expr]) -> Block:
    present, also = (
        None if value is None else new.get(value, value)
        for value in (block.rows.present, block.rows.also)
    )
    block = replace(block, rows=replace(block.rows, present=present, also=also))
    if isinstance(block, (SumBlock, MomentsBlock)):
        return replace(block, value=new.get(block.value, block.value))
    return block


def with_arguments(call: Aggregate, new: Mapping[Expr, Expr]) -> Aggregate:
    """The call over other arguments; conditions, which may read the same columns, stay."""
    return call if call.arg is None else replace(call, arg=new.get(call.arg, call.arg))
