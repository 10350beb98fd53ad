"""Strategy, law and scales by least expected error at the asked (ε, δ), from public numbers.

Every candidate spends exactly (ε, δ) taken alone: under Laplace the blocks' pure prices sum to ε,
under Gaussian the joint vector over blocks is one release with Σ L2²/σ² = 1/s², s the analytic
multiplier (Balle and Wang 2018). Quantiles pay pure prices under Laplace; under Gaussian all parts
together are then 1/(2s²)-zCDP, s from the Rényi curve (`renyi_multiplier`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, log, sqrt

from dpsql.accountant.calibrate import gaussian_multiplier, renyi_multiplier
from dpsql.accountant.events import PrivacyEvent
from dpsql.aggregates.basis import Block, DistinctBlock, UnitsBlock
from dpsql.aggregates.noisy import Law
from dpsql.core.bounds import (
    ContributionBounds,
    Sensitivity,
    cap_sensitivity,
    weights_sensitivity,
)
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism, root_down, root_up
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold
from dpsql.planning.bounds import Limits
from dpsql.planning.distinct import Distincts
from dpsql.planning.division import Division, Turn
from dpsql.planning.histograms import (
    CONCENTRATED_SHARE,
    END_SHARE,
    INTERVAL_SHARE,
    Histogram,
    histogram_plan,
)
from dpsql.planning.types import WEIGHT, BlockPlan, DistinctPlan, HistogramPlan, Strategy

# δ of a Gaussian release with private keys: this share calibrates the noise, the rest is the
# chance that a lone unit's key passes the threshold (the sum of both is least near 0.55 to 0.65).
_NOISE_DELTA = Fraction(3, 5)

Laws = Sequence[Law]
LAWS: Laws = ("laplace", "gaussian")
Strategies = Sequence[Strategy]
STRATEGIES: Strategies = ("row", "cap", "weights")

SELECTION = Fraction(2, 3)
"""What the choice of groups weighs where a block weighs 1: what is minimised is the sum of the logs
of the errors of blocks and of the threshold, with these weights, and such a sum is least where the
parts of ε go as the weights. Less than a block: its cost is groups lost, not error shown."""

Threshold = TruncatedGeometricThreshold | GaussianThreshold


@dataclass(frozen=True, slots=True)
class Noise:
    """A candidate: how contributions are bounded, what noise is drawn, how good it is."""

    strategy: Strategy
    weight: int
    bounds: ContributionBounds
    law: Law
    blocks: tuple[BlockPlan, ...]
    threshold: Threshold | None
    score: float
    histograms: tuple[HistogramPlan, ...] = ()
    distincts: tuple[DistinctPlan, ...] = ()
    gaussian: float = inf
    """The best score under Gaussian noise."""

    @property
    def items(self) -> tuple[tuple[PrivacyEvent, int], ...]:
        parts = [item for block in self.blocks for item in block.mechanism.items]
        parts += [item for histogram in self.histograms for item in histogram.items]
        parts += [item for distinct in self.distincts for item in distinct.items]
        return (*parts, *(self.threshold.items if self.threshold is not None else ()))


def choose(
    blocks: Sequence[Block],
    found: Limits,
    *,
    one_row: bool,
    cells: int | None,
    min_units: int,
    epsilon: Fraction,
    delta: Fraction,
    laws: Laws = LAWS,
    histograms: Sequence[Histogram] = (),
    distincts: Sequence[DistinctBlock] = (),
    division: Division | None = None,
    strategies: Strategies = STRATEGIES,
    units_counted: bool = False,
) -> Noise | None:
    """The candidate of least expected error (ties: the cheaper plan); None if none is possible.

    `cells`: size of the public key domain (1 without keys), None for private keys. `laws` and
    `strategies`: those to choose from. `division`: how the blocks share, None: evenly.
    `units_counted`: a joint basis stands for a number of units.
    """
    best: Noise | None = None
    gaussian = inf
    division = division or Division((1.0,) * len(blocks), False, Fraction(len(blocks)), even=True)
    drawn = _Quantiles(tuple(histograms), found, one_row)
    counted = Distincts(tuple(distincts), found)
    for strategy, weight, bounds, sensitivities in _strategies(
        blocks, found, one_row, cells, units_counted
    ):
        for law in laws if strategy in strategies else ():
            try:
                noise = _noise(
                    law,
                    [*zip(blocks, sensitivities, strict=True)],
                    bounds.touched if cells is None else None,
                    min_units,
                    division,
                    weight,
                    epsilon,
                    delta,
                    drawn,
                    counted,
                )
            except ValueError:
                continue  # a threshold beyond what can be counted: not a candidate
            noise = replace(noise, strategy=strategy, weight=weight, bounds=bounds)
            if law == "gaussian":
                gaussian = min(gaussian, noise.score)
            if best is None or noise.score < best.score - 1e-9:
                best = noise
    return best and replace(best, gaussian=gaussian)


_Candidate = tuple[Strategy, int, ContributionBounds, list[Sensitivity]]


def _strategies(
    blocks: Sequence[Block],
    found: Limits,
    one_row: bool,
    cells: int | None,
    units_counted: bool,
) -> Iterator[_Candidate]:
    m, cap = found.rows_per_group, found.rows_per_unit
    bounds = ContributionBounds(
        touched=found.touched,
        max_groups=found.touched if found.cap_needed else None,
        max_rows_per_group=m,
    )
    plain = [
        cap_sensitivity(_one_each(bounds) if isinstance(b, UnitsBlock) else bounds, b.row_total)
        for b in blocks
    ]
    yield "row" if one_row else "cap", 1, bounds, plain
    if cap is None or one_row or found.touched * m <= cap or not blocks:
        return
    if units_counted or any(isinstance(b, UnitsBlock) for b in blocks):
        return  # counting units needs the cap: each touched group counts whole
    uncapped = cells is not None
    weighted = ContributionBounds(
        touched=max(cells, 1) if cells is not None else found.touched,
        max_groups=None if uncapped or not found.cap_needed else found.touched,
        max_rows_per_group=m,
        max_rows_per_unit=cap,
    )
    sensitivities = [weights_sensitivity(weighted, b.row_total, WEIGHT) for b in blocks]
    yield "weights", WEIGHT, weighted, sensitivities


def _one_each(bounds: ContributionBounds) -> ContributionBounds:
    return replace(bounds, max_rows_per_group=1, max_rows_per_unit=None)


# ---- laws ------------------------------------------------------------------------------------


def _noise(
    law: Law,
    blocks: Sequence[tuple[Block, Sensitivity]],
    thresholded: int | None,
    min_units: int,
    division: Division,
    weight: int,
    epsilon: Fraction,
    delta: Fraction,
    drawn: _Quantiles,
    counted: Distincts,
) -> Noise:
    """`thresholded`: groups one unit can touch where keys are selected privately, else None.

    `weight`: of a row, under the strategy of the blocks.
    """
    selects = SELECTION if thresholded is not None else Fraction(0)
    pool = division.whole if blocks else Fraction(0)
    whole = pool + selects + drawn.weight + counted.weight
    each = 1 / whole if whole else Fraction(1)
    selection = selects * each
    turns = division.turns or (None,) * len(blocks)
    if law == "laplace" and any(turns):
        raise ValueError("a pair is turned under Gaussian noise alone")
    reaches = [_reach(s, law, turn) for (_, s), turn in zip(blocks, turns, strict=True)]
    parts = [pool * each * part for part in division.shares(reaches, law)]
    if law == "laplace":
        plans = tuple(
            _laplace(b, s, epsilon * part) for (b, s), part in zip(blocks, parts, strict=True)
        )
        threshold: Threshold | None = None
        if thresholded is not None:
            threshold = TruncatedGeometricThreshold(
                epsilon * selection, delta, thresholded, min_units
            )
        histograms = drawn.pure(epsilon * each)
        distincts = counted.pure(epsilon * each)
    else:
        noise_delta = delta if thresholded is None else delta * _NOISE_DELTA
        chosen = drawn.weight or counted.chosen
        calibrated = renyi_multiplier if chosen else gaussian_multiplier
        multiplier = Fraction(calibrated(epsilon, noise_delta))
        histograms = drawn.concentrated(multiplier, each)
        distincts = counted.concentrated(multiplier, each)
        plans = tuple(
            _gaussian(b, s, multiplier, part)
            if turn is None
            else _centred(b, s, multiplier, part, turn)
            for (b, s), part, turn in zip(blocks, parts, turns, strict=True)
        )
        threshold = None
        if thresholded is not None:
            sigma = root_up(multiplier**2 * thresholded / selection)
            threshold = GaussianThreshold(sigma, delta - noise_delta, thresholded, min_units)
    score = division.cost([spread(plan) / weight for plan in plans])
    if threshold is not None:
        score += float(SELECTION) * log(threshold.threshold)
    score += sum(_log_rank(part) for part in histograms) + counted.score(distincts)
    bounds = ContributionBounds(touched=1, max_groups=None, max_rows_per_group=1)
    return Noise("cap", 1, bounds, law, plans, threshold, score, histograms, distincts)


def _reach(s: Sensitivity, law: Law, turn: Turn | None) -> float:
    steps = 1 if turn is None else turn[0] ** 2 + turn[1] ** 2
    return float(s.l1) if law == "laplace" else sqrt(steps * s.l2_squared)


def reach(part: BlockPlan) -> float:
    """L1 under Laplace noise, L2 under Gaussian, of what is noised."""
    law = part.mechanism
    if isinstance(law, GaussianMechanism):
        return sqrt(law.l2_squared)
    return float(part.sensitivity.l1)


def _laplace(block: Block, s: Sensitivity, epsilon: Fraction) -> BlockPlan:
    # Cells of equal size price tighter than one cell of the whole L1; the pure price is the same.
    whole = s.l1 % s.linf == 0
    cell, cells = (s.linf, s.l1 // s.linf) if whole else (s.l1, 1)
    return BlockPlan(block, s, LaplaceMechanism(Fraction(s.l1) / epsilon, cell, cells))


def _gaussian(block: Block, s: Sensitivity, multiplier: Fraction, share: Fraction) -> BlockPlan:
    sigma = root_up(multiplier**2 * s.l2_squared / share)
    return BlockPlan(block, s, GaussianMechanism(sigma, s.l2_squared))


def _centred(
    block: Block, s: Sensitivity, multiplier: Fraction, share: Fraction, turn: Turn
) -> BlockPlan:
    square = (turn[0] ** 2 + turn[1] ** 2) * s.l2_squared
    sigma = root_up(multiplier**2 * square / share)
    return BlockPlan(block, s, CentredGaussian(sigma, square, *turn))


def spread(part: BlockPlan) -> float:
    """The standard deviation of one coordinate, in grid units (before rounding)."""
    law = part.mechanism
    if isinstance(law, GaussianMechanism):
        return float(law.sigma)
    return float(law.scale) * sqrt(2)


def _log(value: Fraction) -> float:
    return log(value.numerator) - log(value.denominator)


# ---- quantiles -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Quantiles:
    """Histograms to be priced; their bounds are their own, whatever the strategy of the sums."""

    histograms: tuple[Histogram, ...]
    found: Limits
    one_row: bool

    @property
    def weight(self) -> Fraction:
        """Their share, a block's being 1."""
        alone = sum((w for part in self.histograms for w in part.weights()), Fraction(0))
        return alone + sum((part.tree_weight for part in self.histograms), Fraction(0))

    def pure(self, each: Fraction) -> tuple[HistogramPlan, ...]:
        """`each`: the ε of a part of weight 1. A quantile and its interval pay k times each."""
        k = self.found.touched
        return tuple(
            self._plan(
                part,
                [each * _own(q, w) / k for q, w in _pairs(part)],
                each * part.tree_weight / (k * _rounds(part)),
                END_SHARE,
            )
            for part in self.histograms
        )

    def concentrated(self, multiplier: Fraction, each: Fraction) -> tuple[HistogramPlan, ...]:
        """The parts of a release that is 1/(2s²)-zCDP, s = `multiplier`; `each` as in `pure`.

        Bounded range ε is ε²/8-zCDP (Cesar and Rogers 2021), so k quantiles of
        k·(1 + 2·share²)·ε²/8 = weight·each/(2s²).
        """
        k, square = self.found.touched, 4 / multiplier**2
        made = []
        for part in self.histograms:
            prices = []
            for q, weight in _pairs(part):
                both = 1 + (2 * CONCENTRATED_SHARE**2 if q not in (0, 1) else 0)
                prices.append(root_down(square * weight * each / (k * both)))
            whole = square * part.tree_weight * each
            round_ = root_down(whole / (k * _rounds(part))) if part.together else whole
            made.append(self._plan(part, prices, round_, CONCENTRATED_SHARE))
        return tuple(made)

    def _plan(
        self, part: Histogram, prices: Sequence[Fraction], round_: Fraction, end_share: Fraction
    ) -> HistogramPlan:
        price = round_ if part.together else None
        return histogram_plan(part, self.found, self.one_row, prices, price, end_share)


def _rounds(part: Histogram) -> int:
    return max(len(part.together).bit_length(), 1)


def _pairs(part: Histogram) -> list[tuple[Fraction, Fraction]]:
    return [*zip(part.alone, part.weights(), strict=True)]


def _own(q: Fraction, weight: Fraction) -> Fraction:
    """The quantile's part of what is for it and its interval."""
    return weight / (1 + (INTERVAL_SHARE if q not in (0, 1) else 0))


def _log_rank(part: HistogramPlan) -> float:
    """Σ log of the expected error in rows of the quantiles."""
    found = 0.0
    for point in part.points:
        law = point.quantile
        found += _log(law.sensitivity * max(law.quantile, 1 - law.quantile) / law.epsilon)
    if (tree := part.tree) is not None:
        found += len(tree.quantiles) * _log(tree.sensitivity / (2 * tree.epsilon))
    return found - len(part.quantiles) * log(part.weight)
