"""Distinct values of a SELECT list: what is counted, up to which cap, with what noise.

How many values of one unit count in a group, l, decides both the noise (l times that of a single
value) and what is left out. It is drawn privately from powers of two up to the rows of a unit that
count in a group; where those are few, no choice could gain what it costs and l is their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

from dpsql import aggregates
from dpsql.aggregates.basis import DistinctBlock, ResultType
from dpsql.core.bounds import ContributionBounds
from dpsql.core.domain import INTEGER
from dpsql.core.ir import Aggregate
from dpsql.mechanisms.distinct import CapChoice, DistinctMechanism, Noise
from dpsql.mechanisms.gaussian import GaussianMechanism, root_down, root_up
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.planning.answer_types import DOUBLE, LARGEST_COUNT, TAIL, UNITS
from dpsql.planning.bounds import Limits
from dpsql.planning.types import DistinctPlan

MOST_VALUES = 1_024
"""Values of one unit in one group that are looked at, whatever the rows that count."""
FEW = 8
"""Up to so many, all count. The error is then at most FEW times that of the best cap, and mostly
less than that of a choice, which costs about three times (docs/proofs/count_distinct.md)."""
CHOICE = Fraction(2, 3)
"""What the choice of the cap is given, where the noise is given 1 (benchmarks/distinct.py)."""
RESERVE = 1
"""A higher cap must gain so many times 1/ε of its own sensitivity more than it costs in noise."""
_FINE = 1_024


def plan_distincts(
    calls: Sequence[Aggregate],
) -> tuple[tuple[DistinctBlock, ...], tuple[int | None, ...]]:
    """What is counted, each once, and for each call its place there; None for other calls."""
    found: dict[DistinctBlock, int] = {}
    places: list[int | None] = []
    for call in calls:
        need = aggregates.for_name(call.fn).need(call)
        if need.kind != "distinct":
            places.append(None)
            continue
        assert need.value is not None
        block = DistinctBlock(need.rows, need.value)
        places.append(found.setdefault(block, len(found)))
    return tuple(found), tuple(places)


def caps_up_to(most: int) -> tuple[int, ...]:
    """The caps to choose from: one where there are few, else powers of two and the highest."""
    if most <= FEW:
        return (most,)
    powers = {2**i for i in range(most.bit_length())}
    return tuple(sorted(powers | {most}))


def count_type(part: DistinctPlan) -> ResultType:
    """BIGINT where every noisy count surely fits."""
    reach = part.mechanism.caps[-1] * (UNITS + TAIL * part.mechanism.scale)
    return ResultType("BIGINT", INTEGER) if reach <= LARGEST_COUNT else DOUBLE


@dataclass(frozen=True, slots=True)
class Distincts:
    """Counts of distinct values to be priced; their bounds are their own."""

    blocks: tuple[DistinctBlock, ...]
    found: Limits

    @property
    def caps(self) -> tuple[int, ...]:
        return caps_up_to(min(self.found.rows_per_group, MOST_VALUES))

    @property
    def chosen(self) -> bool:
        """Is a cap drawn?"""
        return bool(self.blocks) and len(self.caps) > 1

    @property
    def weight(self) -> Fraction:
        """Their share, a block's being 1."""
        return len(self.blocks) * (1 + (CHOICE if self.chosen else Fraction(0)))

    def pure(self, each: Fraction) -> tuple[DistinctPlan, ...]:
        """`each`: the ε of a part of weight 1."""
        if not self.blocks:
            return ()
        k = self.found.touched
        return self._plans(LaplaceMechanism(k / each, 1, k), k / each, CHOICE * each)

    def concentrated(self, multiplier: Fraction, each: Fraction) -> tuple[DistinctPlan, ...]:
        """The parts of a release that is 1/(2s²)-zCDP, s = `multiplier`; `each` as in `pure`.

        Bounded range ε is ε²/8-zCDP (Cesar and Rogers 2021).
        """
        if not self.blocks:
            return ()
        k = self.found.touched
        sigma = root_up(multiplier**2 * k / each)
        epsilon = root_down(4 * CHOICE * each / multiplier**2)
        return self._plans(GaussianMechanism(sigma, k), sigma * Fraction(4, 5), epsilon)

    def _plans(self, noise: Noise, mean: Fraction, epsilon: Fraction) -> tuple[DistinctPlan, ...]:
        """`mean`: of the noise of a cap of 1, without its sign."""
        found, caps = self.found, self.caps
        bounds = ContributionBounds(
            touched=found.touched,
            max_groups=found.touched if found.cap_needed else None,
            max_rows_per_group=caps[-1],
        )
        choice = None
        if self.chosen:
            cost, reserve = _rounded(mean), _rounded(RESERVE / epsilon)
            choice = CapChoice(epsilon, caps, found.touched, cost, reserve)
        mechanism = DistinctMechanism(caps, noise, choice)
        return tuple(DistinctPlan(block, bounds, mechanism) for block in self.blocks)

    def score(self, plans: Sequence[DistinctPlan]) -> float:
        """Σ log of the error of a cap of 1: its noise, and what the choice is off by."""
        total = 0.0
        for part in plans:
            noise, choice = part.mechanism.noise, part.mechanism.choice
            spread = float(part.mechanism.scale)
            if isinstance(noise, LaplaceMechanism):
                spread *= 2**0.5
            if choice is not None:
                spread += float(choice.reserve * choice.cells)
            total += log(spread)
        return total


def _rounded(value: Fraction) -> Fraction:
    """What only steers the choice is kept short."""
    return Fraction(round(value * _FINE), _FINE)
