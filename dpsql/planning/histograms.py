"""From the quantiles of a SELECT list to histograms: public grids, and which quantiles of each.

A grid has at most 2^16 bins, fewer where many groups share the memory. Whole numbers and decimals
keep their own unit where that fits, else the least round multiple of it that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log

from dpsql import aggregates
from dpsql.aggregates.basis import Grid, HistogramBlock, Rows
from dpsql.core.bounds import ContributionBounds
from dpsql.core.domain import Interval, SqlType
from dpsql.core.ir import Aggregate, Expr
from dpsql.mechanisms.quantile import QuantileMechanism
from dpsql.mechanisms.quantile_interval import QuantileInterval
from dpsql.mechanisms.quantile_tree import QuantileTree
from dpsql.planning.bounds import Limits
from dpsql.planning.grids import coarse_grid, natural_grid
from dpsql.planning.types import WEIGHT, HistogramPlan, PointPlan

MOST_BINS, LEAST_BINS = 2**16, 2**12
MOST_CELLS = 2**24
"""Bins of all groups together, where every one is full and there are no more groups than that."""
PRIVATE_BINS = 2**14
INTERVAL_SHARE = Fraction(1, 2)
"""What both ends of a quantile's interval are given of pure ε, beside what the quantile is."""
END_SHARE, CONCENTRATED_SHARE = INTERVAL_SHARE / 2, Fraction(7, 20)
"""The ε of one end, as part of the quantile's: of pure prices, and under Gaussian noise, where
squares add up."""
MOST_ALONE = 9
_MISSED = 20  # an extreme lies beyond all people's values with a chance of 1/20 at the most
_FINE = 1_000


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram and its quantiles, each once: those drawn one by one, and those in rounds."""

    block: HistogramBlock
    alone: tuple[Fraction, ...]
    together: tuple[Fraction, ...]

    @classmethod
    def of(cls, block: HistogramBlock, quantiles: Iterable[Fraction]) -> Histogram:
        """Extremes are always drawn alone, others in rounds where they are more than nine."""
        listed = sorted(quantiles)
        inner = [q for q in listed if q not in (0, 1)]
        if len(inner) <= MOST_ALONE:
            return cls(block, tuple(listed), ())
        return cls(block, tuple(q for q in listed if q in (0, 1)), tuple(inner))

    @property
    def tree_weight(self) -> Fraction:
        """As `weights` for all that are drawn in rounds: N of them, each paying all rounds."""
        count = len(self.together)
        return _root(Fraction(1, 2)) * Fraction(
            round(_FINE * (count * count.bit_length()) ** 0.5), _FINE
        )

    def weights(self) -> list[Fraction]:
        """What each quantile and its interval should get, where a block of sums gets 1.

        Errors in rows: a quantile's is 2·max(q, 1 - q)·m·k over its share of epsilon (its rank is
        off by a two-sided exponential), that of a sum √2·m·k. The sum of all errors is least where
        shares go as the square roots of these numbers. Under Gaussian noise it would be their
        power of 2/3 of m·k·max(q, 1 - q) against 0.8·m·k, which is nearly the same.
        """
        return [_root(q) * (1 + _interval_share(q)) for q in self.alone]


def _root(q: Fraction) -> Fraction:
    return Fraction(round(_FINE * (2**0.5 * float(max(q, 1 - q))) ** 0.5), _FINE)


def _interval_share(q: Fraction) -> Fraction:
    return Fraction(0) if q in (0, 1) else INTERVAL_SHARE


def plan_histograms(
    calls: Sequence[Aggregate], cells: int | None
) -> tuple[tuple[Histogram, ...], tuple[tuple[int, int] | None, ...]]:
    """Histograms, and for each call its place: which histogram, which of its quantiles.

    `cells`: size of the public key domain, None for private keys.
    """
    wanted: dict[tuple[Rows, Expr], set[Fraction]] = {}
    keys = [None if call.quantile is None else _key(call) for call in calls]
    for call, key in zip(calls, keys, strict=True):
        if key is not None and call.quantile is not None:
            wanted.setdefault(key, set()).add(call.quantile)
    found = tuple(Histogram.of(_block(*key, cells), qs) for key, qs in wanted.items())
    order = {key: at for at, key in enumerate(wanted)}
    # As `HistogramPlan.quantiles` has them.
    inside = [{q: at for at, q in enumerate((*part.alone, *part.together))} for part in found]
    places = tuple(
        None
        if key is None or call.quantile is None
        else (at := order[key], inside[at][call.quantile])
        for call, key in zip(calls, keys, strict=True)
    )
    return found, places


def _key(call: Aggregate) -> tuple[Rows, Expr]:
    need = aggregates.for_name(call.fn).need(call)
    assert need.value is not None
    return need.rows, need.value


def _block(rows: Rows, value: Expr, cells: int | None) -> HistogramBlock:
    most = PRIVATE_BINS if cells is None else MOST_CELLS // max(cells, 1)
    most = min(MOST_BINS, max(LEAST_BINS, most))
    grid, step = histogram_grid(value.domain.type, value.domain.bounds, most)
    return HistogramBlock(rows, value, grid, step)


def histogram_grid(kind: SqlType, bounds: Interval, most: int) -> tuple[Grid, int]:
    """The grid of single values, and how many of its units go into a bin: about `most` bins."""
    natural = natural_grid(kind, bounds)
    if natural is not None:
        return natural, _round_step(ceil(Fraction(natural.span, most - 1)))
    return coarse_grid(bounds, most), 1


def _round_step(least: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, ... that is not below."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10


# ---- mechanisms --------------------------------------------------------------------------------


def histogram_plan(
    wanted: Histogram,
    found: Limits,
    one_row: bool,
    prices: Sequence[Fraction],
    round_price: Fraction | None,
    end_share: Fraction,
) -> HistogramPlan:
    """`prices`: ε of each quantile in each group, in the order of `wanted.alone`; each end of its
    interval pays `end_share` of it besides. `round_price`: of each round of those drawn together.
    """
    bounds = ContributionBounds(
        touched=found.touched,
        max_groups=found.touched if found.cap_needed else None,
        max_rows_per_group=found.rows_per_group,
    )
    plan = HistogramPlan(
        wanted.block, bounds, "row" if one_row else "cap", 1 if one_row else WEIGHT, ()
    )
    points = []
    for q, epsilon in zip(wanted.alone, prices, strict=True):
        fixed = (q, plan.sensitivity, wanted.block.bins, bounds.touched)
        if q in (0, 1):
            inward = _inward(plan, epsilon)
            points.append(PointPlan(QuantileMechanism(epsilon, *fixed, inward), None))
            continue
        interval = QuantileInterval(epsilon * end_share, *fixed)
        points.append(PointPlan(QuantileMechanism(epsilon, *fixed), interval))
    tree = None
    if round_price is not None:
        size = (plan.sensitivity, wanted.block.bins, bounds.touched)
        tree = QuantileTree(round_price, wanted.together, *size)
    return HistogramPlan(plan.block, bounds, plan.strategy, plan.weight, tuple(points), tree)


def _inward(plan: HistogramPlan, epsilon: Fraction) -> Fraction:
    """How much weight an extreme leaves outside, so that it hardly falls where nobody is.

    All bins beyond people's values together are then drawn with a chance of 1/20 at the most (of a
    group of twice that weight or more); never less than half a row, where it is exact.
    """
    cost = epsilon / (2 * plan.sensitivity)
    away = Fraction(round(_FINE * log(_MISSED * plan.block.bins)), _FINE) / cost
    return max(Fraction(plan.weight, 2), Fraction(ceil(away * 2), 2))
