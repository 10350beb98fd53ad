"""The type of each answer's column, decided before any data is read so that its noise fits.

An integer or a decimal of the engine ends somewhere (BIGINT at 2^63, DECIMAL(38, s) and HUGEINT as
Arrow carries it at 38 digits). How far a noisy answer can reach follows from public numbers: what
2^48 units may add, and noise of 1,024 scales, which it exceeds with a chance below e^-1000. Where
that fits, the answer has the engine's own type; else it is a DOUBLE.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.basis import Block, MomentsBlock, PairBlock, ResultType, SumBlock
from dpsql.aggregates.noisy import Law, NoisyBlock
from dpsql.core.domain import FLOAT, Kind
from dpsql.core.ir import Aggregate
from dpsql.errors import RefusedQuery
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.planning.types import BlockPlan

UNITS = 2**48
ROWS = 2**62
"""More units and rows than any database holds."""
TAIL = 1_024
"""In noise scales: no draw in the life of the universe is further out."""
LARGEST_EXACT = 10**38 - 1
LARGEST_COUNT = 2**63 - 1
_LARGEST_DOUBLE = Fraction(2) ** 900  # room for quotients, half-widths and variances

DOUBLE = ResultType("DOUBLE", FLOAT)


def answer_type(aggregate: Aggregate, part: BlockPlan | None, weight: int, law: Law) -> ResultType:
    """`part` is None for the threshold's own count, which is an int64 by itself."""
    family = aggregates.for_name(aggregate.fn)
    wanted = family.result_type(aggregate)
    if part is None or wanted.type.kind is Kind.FLOAT:
        return wanted
    linear = family.linear(aggregate, noisy_part(part, weight, law, np.zeros((0, 0))))
    assert linear is not None, "exact answers are linear"
    weights, divisor = linear
    reach = _reach(part, weight, weights) / divisor
    return wanted if reach <= largest(wanted) else DOUBLE


def largest(type_: ResultType) -> int:
    """The largest number of the column's own last digits."""
    return LARGEST_COUNT if type_.text == "BIGINT" else LARGEST_EXACT


def noisy_part(part: BlockPlan, weight: int, law: Law, coords: np.ndarray) -> NoisyBlock:
    """A block's coordinates with what `combine` must know of their noise."""
    scale, turned = noise_scale(part), turned_by(part.mechanism)
    return NoisyBlock(part.block, coords, weight, law, scale, turned=turned)


def check_size(part: BlockPlan, weight: int) -> None:
    """RefusedQuery `range-too-wide` where noise and sums could leave the doubles."""
    whole = _exact(part, weight) + TAIL * noise_scale(part)
    if max(whole, whole * _unit(part.block)) > _LARGEST_DOUBLE:
        raise RefusedQuery(
            "with these bounds on groups and rows the noise would fit no number",
            code="range-too-wide",
            hint="lower max_groups, max_rows_per_group or the range, or ask with a larger epsilon",
        )


def _reach(part: BlockPlan, weight: int, weights: Sequence[int]) -> Fraction:
    """Upper bound on |weights · coords|; the exact coordinates are of one sign each, or one."""
    exact = max(map(abs, weights)) * _exact(part, weight)
    return exact + sum(map(abs, weights)) * TAIL * noise_scale(part)


def _exact(part: BlockPlan, weight: int) -> int:
    """Upper bound on the L1 norm of one group's exact coordinates."""
    times = sum(turned_by(part.mechanism) or (1,))
    return times * min(UNITS * part.sensitivity.linf, ROWS * weight * part.block.row_total)


def turned_by(mechanism: object) -> tuple[int, int] | None:
    """How a pair of coordinates is turned before it is noised."""
    if isinstance(mechanism, CentredGaussian):
        return mechanism.total, mechanism.difference
    return None


def noise_scale(part: BlockPlan) -> Fraction:
    """b or σ of one coordinate, in grid units."""
    law = part.mechanism
    return Fraction(law.sigma if isinstance(law, GaussianMechanism) else law.scale)


def _unit(block: Block) -> Fraction:
    """Size of one step of a coordinate in the answer's own unit."""
    if isinstance(block, SumBlock):
        return block.grid.unit
    if isinstance(block, PairBlock):
        (x, y), (dx, dy) = block.grids, block.degrees
        return Fraction(x.unit**dx * y.unit**dy)
    return block.grid.unit**block.degree if isinstance(block, MomentsBlock) else Fraction(1)
