"""A contribution bound chosen privately among many public candidates, and by whom it cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.bound_size import COUNTED, MOST_CUT, STEP, margin
from dpsql.mechanisms.exponential import choose_index
from dpsql.mechanisms.laplace import LaplaceMechanism

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent


@dataclass(frozen=True, slots=True)
class BoundChoice:
    """Choose i with probability proportional to exp(-(choosing · c_i + STEP · i)), then count.

    Guarantee:  Precondition: the input counts units by place 0..candidates-1, each unit in at most
                one place, once; so adding a unit moves every c_i = #{units in a place > i} by 0 or
                by +1, all the same way.
                Postcondition: one place i, of choosing-bounded range (log-probabilities on
                neighbours differ by a value of [t - choosing, t] for one t, by the scores' moving
                one way: no factor 2); then, given i, two noisy counts of disjoint sets of units:
                of places first..i and of places beyond i, which a unit moves by 1 in L1. The two
                compose adaptively: epsilon-DP together.
    Source:     McSherry and Talwar 2007; Dong, Durfee, Rogers 2020 (arXiv 1909.13830) for monotone
                scores and bounded range; docs/proofs/automatic_bounds.md.
    Parameters: epsilon     a rational > 0, of which COUNTED is for the counts
                candidates  how many there are, an integer >= 1
                first       units of places below it have nothing to be bounded: 0 or 1
    Shape:      `release` takes an integer array (1, candidates) and gives one of that shape:
                `read` says how.
    Errors:     ValueError at construction only.
    Numerics:   exact: integer scores over one denominator, lazily extended uniforms; rounded
                Laplace noise on the counts.
    Cost:       about 0.2 ms.
    """

    epsilon: Fraction
    candidates: int
    first: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, Fraction) or self.epsilon <= 0:
            raise ValueError("the price of a choice is a rational above 0")
        if not isinstance(self.candidates, int) or self.candidates < 1:
            raise ValueError("there is at least one candidate to choose from")
        if self.first not in (0, 1):
            raise ValueError("the first candidate that bounds anything is at place 0 or 1")

    @property
    def choosing(self) -> Fraction:
        """The part of the price that is for the choice."""
        return self.epsilon * (1 - COUNTED)

    @property
    def counting(self) -> LaplaceMechanism:
        """The noise of the two counts: a unit is in one of them."""
        return LaplaceMechanism(1 / (self.epsilon * COUNTED), 1, 1)

    @property
    def scale(self) -> Fraction:
        """Units that a step to the next candidate must spare to be worth it, a public number."""
        return STEP / self.choosing

    @property
    def beyond(self) -> int:
        """About how many units may lie beyond the bound that is chosen, at the most: public.

        So many are worth all steps from the first candidate to the last; a few times scale more by
        chance.
        """
        return ceil(self.scale * (self.candidates - 1))

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release."""
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.choosing), 1), *self.counting.items]

    def release(self, exact: Exact[Any]) -> NDArray[np.int64]:
        """Twice the units up to the chosen place, and 1, there; twice those beyond beside it."""
        counts = np.asarray(exact.open_for_noise()).reshape(-1)
        whole = lcm(self.choosing.denominator, STEP.denominator)  # of all scores
        steps = np.arange(self.candidates, dtype=object)
        scores = int(self.choosing * whole) * _above(counts) + int(STEP * whole) * steps
        ones = np.ones(self.candidates, dtype=np.int64)
        place = choose_index(scores, ones, Fraction(1, whole))
        within, beyond = counts[self.first : place + 1].sum(), counts[place + 1 :].sum()
        noisy = self.counting.release(Exact(np.array([within, beyond], dtype=np.int64)))
        told = np.zeros((1, self.candidates), dtype=np.int64)
        told[0, place] = 2 * int(noisy[0]) + 1
        if place + 1 < self.candidates:
            told[0, place + 1] = 2 * int(noisy[1])
        return told


def _above(counts: NDArray[Any]) -> NDArray[Any]:
    """c_i: the units in a place beyond i, as Python integers."""
    upto = np.cumsum(counts.astype(object))
    above: NDArray[Any] = upto[-1] - upto
    return above


@dataclass(frozen=True, slots=True)
class Cut:
    """A choice as it was released: its place, and the noisy counts of units in it and beyond."""

    place: int
    within: int
    beyond: int


def read(told: Sequence[int]) -> Cut:
    """A release of `BoundChoice`, place by place: the one odd number is at the chosen place."""
    place = next(at for at, units in enumerate(told) if units % 2)
    beyond = told[place + 1] // 2 if place + 1 < len(told) else 0
    return Cut(place, told[place] // 2, beyond)


def holds(laws: Sequence[BoundChoice], cuts: Sequence[Cut]) -> bool:
    """Do the ends of one range, or one other bound, cut a share of MOST_CUT at the most?

    Post-processing. Where a larger share is cut it says so with 95 %, whatever the data.
    """
    off = margin([law.epsilon for law in laws])
    least = sum(cut.within for cut in cuts) - off
    most = sum(cut.beyond for cut in cuts) + off
    return most * float(1 - MOST_CUT) <= least * float(MOST_CUT)
