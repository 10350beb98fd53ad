"""Rounded Laplace noise on integer vectors."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dpsql.core.exact import Exact
from dpsql.mechanisms.addition import add_noise, as_integers
from dpsql.mechanisms.samplers import rounded_laplace

if TYPE_CHECKING:
    from dpsql.accountant.events import PrivacyEvent


@dataclass(frozen=True, slots=True)
class LaplaceMechanism:
    """Add independent rounded Laplace noise (continuous Laplace, rounded) to an integer vector.

    Guarantee:  Precondition: adding or removing one unit changes the block of any one cell by at
                most `cell_sensitivity` in L1, and all blocks together by at most `cells` times
                that (at most `cells` cells change, or more of them by less).
                Postcondition: `release` is a randomised rounding S + round(L) = round(S + L) of
                the continuous Laplace mechanism, hence post-processing of it: eps-DP with
                eps = cells * cell_sensitivity / scale, and its Renyi curve is at most `cells`
                times the continuous curve at noise multiplier scale / cell_sensitivity.
    Source:     Dwork et al. 2006 (mechanism); Mironov 2017, Prop. 6 (continuous curve; valid here
                because what is sampled is the continuous law, rounded); docs/proofs/rounded_noise.
    Parameters: scale             noise scale b in grid units, a rational > 0
                cell_sensitivity  largest L1 change of one cell's block, grid units, integer >= 1
                cells             cells one unit can touch fully, integer >= 1
    Shape:      any array shape; noise is independent across all coordinates. Which coordinates
                form a cell is the caller's affair: the price depends on the promise alone.
    Errors:     ValueError at construction only. `release` fails only for lack of entropy or for
                a dtype that is not integer, never because of a value.
    Numerics:   integers and rationals throughout: no float touches the value, the scale or the
                price. Results are int64 where nothing can overflow, else Python ints.
    Cost:       about 0.2 us a coordinate and 0.1 ms a call (benchmarks/mechanisms.py).
    """

    scale: Fraction
    cell_sensitivity: int
    cells: int

    def __post_init__(self) -> None:
        if not isinstance(self.scale, (int, Fraction)) or self.scale <= 0:
            raise ValueError("the scale of Laplace noise is a rational above 0")
        for count in (self.cell_sensitivity, self.cells):
            if not isinstance(count, int) or count < 1:
                raise ValueError("cell_sensitivity and cells are integers of at least 1")

    @property
    def epsilon(self) -> Fraction:
        """The pure price of one release: cells * cell_sensitivity / scale, exactly."""
        return self.cells * self.cell_sensitivity / Fraction(self.scale)

    @property
    def items(self) -> list[tuple[PrivacyEvent, int]]:
        """The events of one release, with counts."""
        from dpsql.accountant.events import Laplace

        multiplier = Fraction(self.scale) / self.cell_sensitivity
        return [(Laplace(noise_multiplier=multiplier), self.cells)]

    def release(self, exact: Exact[Any]) -> NDArray[Any]:
        """The noised integers, in the shape that came in (int64, or Python ints as object)."""
        values = as_integers(exact.open_for_noise())
        noise = rounded_laplace(Fraction(self.scale), values.size)
        return add_noise(values, noise.reshape(values.shape))
