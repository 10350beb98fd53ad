"""Number of distinct values: the cap on values of one unit drawn privately, then a noisy count."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.exponential import choose_index
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.matching import Pairs, matched

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent

Noise = LaplaceMechanism | GaussianMechanism


@dataclass(frozen=True, slots=True)
class CapChoice:
    """Draw one of several caps for all groups, by the generalised exponential mechanism.

    Guarantee:  Precondition: adding or removing one unit changes the count at cap l of at most
                `cells` groups, each by at most l.
                Postcondition: with q(l) = Σ counts at l - `cost`·groups·l, D(l) = `cells`·l and
                a(l) = q(l) - `reserve`·D(l), cap l is drawn with probability proportional to
                w(l)·exp(-epsilon · p(l) / 2), w(l) the highest cap over l, rounded down (public),
                p(l) = max over j of (a(j) - a(l)) / (D(j) + D(l)).
                One unit moves every p by at most 1: epsilon-bounded range, the event Exponential.
    Source:     Raskhodnikova and Smith 2016 (scores of different sensitivities); Knop and Steinke
                2023 (for this very choice); docs/proofs/count_distinct.md.
    Parameters: epsilon   price of the choice, a rational > 0
                caps      ascending integers >= 1, two or more
                cells     groups one unit can touch, integer >= 1
                cost      what a cap of 1 costs in noise: mean |noise| of a group, rational >= 0
                reserve   how much more of its own sensitivity a higher cap must gain, >= 0
    Shape:      `draw` takes counts by cap and group, and gives the place of a cap.
    Errors:     ValueError at construction only.
    Numerics:   exact: integers and rationals, real weights sampled by lazily extended bits.
    """

    epsilon: Fraction
    caps: tuple[int, ...]
    cells: int
    cost: Fraction
    reserve: Fraction

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, Fraction) or self.epsilon <= 0:
            raise ValueError("the price of a choice is a rational above 0")
        if len(self.caps) < 2:
            raise ValueError("a choice is among two caps or more")
        _check_caps(self.caps)
        if self.cells < 1 or self.cost < 0 or self.reserve < 0:
            raise ValueError("cells is at least 1; cost and reserve are not negative")

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.epsilon), 1)]

    def penalties(self, counts: NDArray[np.int64]) -> list[Fraction]:
        """p of each cap."""
        groups = counts.shape[1]
        sizes = [self.cells * cap for cap in self.caps]
        scores = [
            int(row.sum()) - self.cost * groups * cap - self.reserve * size
            for row, cap, size in zip(counts, self.caps, sizes, strict=True)
        ]
        pairs = list(zip(scores, sizes, strict=True))
        return [max((b - a) / (size + other) for b, other in pairs) for a, size in pairs]

    @property
    def weights(self) -> list[int]:
        """What a cap weighs beforehand: a high one by mistake costs as much as it is high."""
        return [self.caps[-1] // cap for cap in self.caps]

    def draw(self, counts: NDArray[np.int64]) -> int:
        found = self.penalties(counts)
        unit = lcm(*(p.denominator for p in found))
        whole = np.array([int(p * unit) for p in found], dtype=object)
        return choose_index(whole, np.array(self.weights), self.epsilon / (2 * unit))


@dataclass(frozen=True, slots=True)
class DistinctMechanism:
    """Count distinct values per group with at most l of one unit, l fixed or drawn by `choice`.

    Guarantee:  Precondition: pairs are made unit by unit (one unit's pairs do not depend on
                others), and one unit has pairs in at most `cells` groups.
                Postcondition: the cap is drawn as `CapChoice` says (nothing is paid for a single
                one), then the counts at this cap, which one unit moves by at most cap in at most
                `cells` groups, get the noise of `noise` scaled by the cap: the same noise
                multiplier, hence the same events, whichever cap came. The two compose adaptively.
    Source:     Knop and Steinke 2023; docs/proofs/count_distinct.md (greedy matching).
    Parameters: caps      ascending integers >= 1
                noise     what a cap of 1 gets, for `cells` groups
                choice    of the caps; None where there is one
    Shape:      `release` takes the pairs of all groups: a cap, and one integer a group.
    Errors:     ValueError at construction only.
    Numerics:   integers and rationals throughout.
    Cost:       about 1 us a pair, and 0.3 us a pair and cap.
    """

    caps: tuple[int, ...]
    noise: Noise
    choice: CapChoice | None = None

    def __post_init__(self) -> None:
        _check_caps(self.caps)
        if (self.choice is None) != (len(self.caps) == 1):
            raise ValueError("a cap is drawn where there is more than one")
        if self.choice is not None and self.choice.caps != self.caps:
            raise ValueError("the cap is drawn from the caps of the mechanism")
        if self.choice is not None and self.choice.cells < self.cells:
            raise ValueError("the choice is made for as many groups as the noise")
        if isinstance(self.noise, LaplaceMechanism) and self.noise.cell_sensitivity != 1:
            raise ValueError("the noise is that of a cap of 1")

    @property
    def cells(self) -> int:
        """Groups one unit can touch."""
        noise = self.noise
        return noise.cells if isinstance(noise, LaplaceMechanism) else noise.l2_squared

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release, whatever the cap."""
        return [*(() if self.choice is None else self.choice.items), *self.noise.items]

    @property
    def scale(self) -> Fraction:
        """b or σ of a group's count, for each value of the cap."""
        noise = self.noise
        return Fraction(noise.scale if isinstance(noise, LaplaceMechanism) else noise.sigma)

    def at(self, cap: int) -> Noise:
        """The noise of the counts at a cap."""
        if isinstance(self.noise, LaplaceMechanism):
            return LaplaceMechanism(self.scale * cap, cap, self.noise.cells)
        return GaussianMechanism(self.scale * cap, self.noise.l2_squared * cap**2)

    def release(self, pairs: Pairs) -> tuple[int, NDArray[Any]]:
        """The cap, and the noisy count of each group."""
        counts = matched(pairs, self.caps)
        place = 0 if self.choice is None else self.choice.draw(counts)
        cap = self.caps[place]
        return cap, self.at(cap).release(Exact(counts[place]))


def _check_caps(caps: tuple[int, ...]) -> None:
    if not caps or caps[0] < 1 or any(a >= b for a, b in pairwise(caps)):
        raise ValueError("caps are ascending integers of at least 1")
