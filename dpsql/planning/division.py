"""How a release's blocks divide what it is paid: for the least error of what is shown of it.

Everything here is a function of text and policy: the ranges of values, filters, and how much each
column of the release matters to what the statement shows (`importance`, from
`binding/figures.py`). It may choose any division, since each spends the same (ε, δ);
docs/proofs/division.md.

With σ_b the noise of one coordinate of block b, the figures' squared relative error is
Σ_b (r_b·σ_b)², where r_b² = Σ over the columns read from b of importance · (the relative variance
of the column at σ_b = 1), for a group of ROWS rows whose values lie in the middle of what their
ranges allow. It is least, D_b being L1 under Laplace and L2 under Gaussian noise, where

    Laplace   ε_b ∝ (D_b·r_b)^(2/3)      (Σ ε_b = ε,         σ_b = √2·D_b/ε_b)
    Gaussian  x_b ∝ D_b·r_b              (Σ x_b = 1,         σ_b = s·D_b/√x_b)

Where it is not known what is made of the columns, all blocks get the same relative error: no
figure made of them is then much worse than it could be. That is ε_b ∝ D_b·r_b and x_b ∝ (D_b·r_b)².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, isfinite, log, sqrt

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.basis import Block, Grid, MomentsBlock
from dpsql.aggregates.conditions import tested
from dpsql.aggregates.noisy import Law, NoisyBlock
from dpsql.core.ir import Aggregate

ROWS = 1_000
"""Rows of the group for which relative errors are told; they cancel but beside constants."""
FILTERED = 0.5
"""The part of all rows that a filter leaves, not being known."""
_STEPS = 2**12  # shares are whole numbers of 1/STEPS or so: no float is in a price
_LEAST = 2.0**-10  # of the largest value: a mean that could be 0 is taken to be at least this

_POWERS: Mapping[tuple[Law, bool], float] = {
    ("laplace", True): 2 / 3,
    ("laplace", False): 1.0,
    ("gaussian", True): 1.0,
    ("gaussian", False): 2.0,
}

Turn = tuple[int, int]
"""(t, d): of coordinates u and v, t·(u + v) and d·(v - u) are noised."""
CENTRED: Turn = (3, 4)
"""For a mean, whose variance is that of the difference and, times the square of its distance from
the middle of the range, of the number of rows: R²/3 on average, R half the range. The best ratio is
then 3^(-1/4); see docs/proofs/division.md."""

Importance = Mapping[str, float]
"""Column of the release → its squared elasticities in what is shown, summed."""


DECIDES = 1 / 4
"""Importance of what only decides which rows are shown, or in what order: an error of it moves a
row that is near the line anyway, where an error of a figure is read off every row."""
UNSEEN = 2.0**-8
"""Importance of a column that nothing shown is made of: it is in the release all the same."""


@dataclass(frozen=True, slots=True)
class Division:
    """How much the noise of each block matters: `roots` are the r_b of the module.

    `known`: the figures are known; else all blocks get the same relative error. `whole`: what all
    blocks together weigh against the choice of groups and quantiles (a block asked alone is 1).
    `even`: every block gets the same, whatever it holds. `turns`: of each block how its pair of
    coordinates is turned before it is noised; None: none is.
    """

    roots: tuple[float, ...]
    known: bool
    whole: Fraction
    even: bool = False
    turns: tuple[Turn | None, ...] | None = None

    def shares(self, reaches: Sequence[float], law: Law) -> list[Fraction]:
        """The part of each block, of `reaches` L1 or L2; they add up to 1.

        Laplace: of ε. Gaussian: of 1/s², s the noise multiplier of the release.
        """
        power = _POWERS[law, self.known]
        sizes = [reach * root for reach, root in zip(reaches, self.roots, strict=True)]
        largest = max(sizes, default=0.0)
        if self.even or not 0 < largest < inf:
            return [Fraction(1, len(reaches)) for _ in reaches]
        raised = [(size / largest) ** power for size in sizes]
        parts = [max(1, round(_STEPS * part / sum(raised))) for part in raised]
        return [Fraction(part, sum(parts)) for part in parts]

    def cost(self, spreads: Sequence[float]) -> float:
        """What is minimised: log of the figures' relative error, counted `whole` times.

        `spreads`: the standard deviation of one coordinate of each block, where a row weighs 1.
        """
        if not spreads:
            return 0.0
        return float(self.whole) * log(self.error(spreads) or 1.0)

    def error(self, spreads: Sequence[float]) -> float:
        """Root of the figures' summed squared relative errors, in groups of ROWS rows."""
        return sqrt(sum((r * s) ** 2 for r, s in zip(self.roots, spreads, strict=True)))


@dataclass(frozen=True, slots=True)
class Reading:
    """Blocks, and of each call the block it is read from (None: it costs nothing).

    `turns`: as of `Division`. `variances`: of each call the relative variance of its answer where
    each coordinate of its block, as it is noised, has variance 1.
    """

    calls: tuple[Aggregate, ...]
    blocks: tuple[Block, ...]
    places: tuple[int | None, ...]
    turns: tuple[Turn | None, ...]
    variances: tuple[float, ...]

    @classmethod
    def of(
        cls, calls: Sequence[Aggregate], blocks: Sequence[Block], places: Sequence[int | None]
    ) -> Reading:
        found = tuple(
            0.0 if place is None else relative(call, blocks[place])
            for call, place in zip(calls, places, strict=True)
        )
        turns = (None,) * len(blocks)
        return cls(tuple(calls), tuple(blocks), tuple(places), turns, found)

    def division(self, importance: Importance | None, whole: int, *, even: bool) -> Division:
        """How the blocks share. `importance` None: it is not known what is shown."""
        squares = [0.0] * len(self.blocks)
        for call, place, variance in zip(self.calls, self.places, self.variances, strict=True):
            if place is not None:
                matters = 1.0 if importance is None else importance.get(call.name, UNSEEN)
                squares[place] += matters * variance
        known, roots = importance is not None, tuple(map(sqrt, squares))
        return Division(roots, known, Fraction(whole), even, self.turns)

    def turned(self) -> Reading | None:
        """With those pairs turned that are told better so; None where none is."""
        size = CENTRED[0] ** 2 + CENTRED[1] ** 2
        turns, variances = [*self.turns], [*self.variances]
        for at, block in enumerate(self.blocks):
            if not isinstance(block, MomentsBlock) or block.degree != 1:
                continue
            mine = [place for place, where in enumerate(self.places) if where == at]
            found = {place: relative(self.calls[place], block, CENTRED) for place in mine}
            if size * sum(found.values()) < sum(variances[place] for place in mine):
                turns[at] = CENTRED
                for place, variance in found.items():
                    variances[place] = variance
        if not any(turns):
            return None
        return replace(self, turns=tuple(turns), variances=tuple(variances))


def relative(call: Aggregate, block: Block, turn: Turn | None = None) -> float:
    """Relative variance of the answer where each coordinate, as it is noised, has variance 1."""
    rows = ROWS * _part(call)
    noisy = NoisyBlock(block, np.zeros((0, 0)), 1, "laplace", Fraction(1), turned=turn)
    kind = aggregates.for_name(call.fn).need(call)
    if kind.kind in ("count", "units"):
        return _squares(*noisy.count_weights(tested(call))) / rows**2
    if kind.kind == "moments" and kind.degree == 1:
        grid = noisy.grid_of(kind.value)  # of REGR_AVGX the second argument
        if not kind.counted:
            return _squares(*noisy.sum_weights(kind.value)) / (rows * _middle(grid)) ** 2
        # y/M = v/(u + v), both noised: (1 - p)² + p², 2/3 on average over p in 0..1.
        step = grid.span / (rows * block.row_total) / min(_middle(grid), grid.span / 2)
        if turn is not None:  # the same with (v - u)/2 and (u + v): (1/4)/d² and (1/12)/t²
            return (0.25 / turn[1] ** 2 + 1 / 12 / turn[0] ** 2) * step**2
        return (2 / 3) * (block.coordinates / 2) * step**2
    # Variances: the gradient at values spread evenly has squared length 1/6, a variance of 1/12.
    halved = 4 if call.fn.startswith("stddev") else 1
    return 24 / halved / (rows * block.row_total) ** 2


def typical(call: Aggregate) -> float:
    """The size of an answer over ROWS rows: where it lies in the middle of what it may be."""
    rows = ROWS * _part(call)
    need = aggregates.for_name(call.fn).need(call)
    value = need.value if need.kind == "moments" else call.arg  # of REGR_AVGX the second argument
    if need.kind in ("count", "units", "distinct") or value is None:
        return rows
    lo, hi = (float(end) for end in value.domain.bounds.numbers())
    if need.kind == "moments" and need.degree > 1:
        width = max(hi - lo, abs(hi) * _LEAST, _LEAST)
        return width / sqrt(12) if call.fn.startswith("stddev") else width / 12 * width
    middle = max(_mean_size(lo, hi), max(abs(lo), abs(hi)) * _LEAST, 2.0**-900)
    return rows * middle if need.kind == "moments" and not need.counted else middle


def finite(importance: Importance) -> bool:
    """Did no size overflow on the way?"""
    return all(isfinite(part) for part in importance.values())


def _part(call: Aggregate) -> float:
    return 1.0 if call.where is None else FILTERED


def _middle(grid: Grid) -> float:
    return max(_mean_size(grid.lo, grid.lo + grid.span), grid.largest * _LEAST)


def _mean_size(lo: float, hi: float) -> float:
    """The mean of |x|, x anywhere in lo..hi."""
    if lo >= 0 or hi <= 0:
        return abs(lo / 2 + hi / 2)
    return (lo / (hi - lo)) * (lo / 2) + (hi / (hi - lo)) * (hi / 2)


def _squares(weights: Sequence[int], divisor: Fraction) -> float:
    return float(sum((Fraction(weight) / divisor) ** 2 for weight in weights))
