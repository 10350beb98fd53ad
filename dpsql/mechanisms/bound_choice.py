"""A contribution bound chosen privately: which of many public candidates, by whom each cuts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.exponential import choose_index

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent


STEP = Fraction(3, 4)
"""What a step up the candidates costs, in nats: a public prior for small bounds.

A candidate j steps beyond the last unit's is e^(-3j/4) times as likely as the one there, so a
bound far above all data is never drawn (benchmarks/joins.py).
"""


@dataclass(frozen=True, slots=True)
class BoundChoice:
    """Choose i with probability proportional to exp(-(epsilon · c_i + STEP · i)).

    Guarantee:  Precondition: the input counts units by place 0..candidates-1, each unit in at most
                one place, once; so adding a unit moves every c_i = #{units in a place > i} by 0 or
                by +1, all the same way.
                Postcondition: one place, marked by 1 among zeros. Its log-probabilities on
                neighbours differ by a value of [t - epsilon, t] for one t: epsilon-bounded range,
                hence epsilon-DP, by the scores' moving one way (no factor 2).
    Source:     McSherry and Talwar 2007; Dong, Durfee, Rogers 2020 (arXiv 1909.13830) for monotone
                scores and bounded range; docs/proofs/automatic_bounds.md.
    Parameters: epsilon     a rational > 0
                candidates  how many there are, an integer >= 1
    Shape:      `release` takes an integer array (1, candidates) and gives one of that shape.
    Errors:     ValueError at construction only.
    Numerics:   exact: integer scores over one denominator, lazily extended uniforms.
    Cost:       about 0.1 ms.
    """

    epsilon: Fraction
    candidates: int

    def __post_init__(self) -> None:
        if not isinstance(self.epsilon, Fraction) or self.epsilon <= 0:
            raise ValueError("the price of a choice is a rational above 0")
        if not isinstance(self.candidates, int) or self.candidates < 1:
            raise ValueError("there is at least one candidate to choose from")

    @property
    def scale(self) -> Fraction:
        """Units that a step to the next candidate must spare to be worth it, a public number."""
        return STEP / self.epsilon

    @property
    def beyond(self) -> int:
        """About how many units may lie beyond the bound that is chosen, at the most: public.

        So many are worth all steps from the first candidate to the last; a few times scale more by
        chance.
        """
        return ceil(self.scale * (self.candidates - 1))

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The event of one choice."""
        from dpsql.accountant.events import Exponential

        return [(Exponential(self.epsilon), 1)]

    def release(self, exact: Exact[Any]) -> NDArray[np.int64]:
        """The chosen place, marked."""
        counts = np.asarray(exact.open_for_noise()).reshape(-1)
        whole = lcm(self.epsilon.denominator, STEP.denominator)  # of all scores
        steps = np.arange(self.candidates, dtype=object)
        scores = int(self.epsilon * whole) * _above(counts) + int(STEP * whole) * steps
        ones = np.ones(self.candidates, dtype=np.int64)
        chosen = np.zeros((1, self.candidates), dtype=np.int64)
        chosen[0, choose_index(scores, ones, Fraction(1, whole))] = 1
        return chosen


def _above(counts: NDArray[Any]) -> NDArray[Any]:
    """c_i: the units in a place beyond i, as Python integers."""
    upto = np.cumsum(counts.astype(object))
    above: NDArray[Any] = upto[-1] - upto
    return above
