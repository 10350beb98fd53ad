"""A bound that was found privately, and about whom it cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dpsql.wording import number


@dataclass(frozen=True)
class FoundBound:
    """A bound that was found privately, in words, and the units that lie in it and beyond it.

    Both numbers are noisy: off by `margin` at the most on each side, with 97.5 %. They are of units
    that have anything to be bounded: a row, or a value that is not 0.
    """

    name: str
    value: float
    within: int
    beyond: int
    margin: float
    enough: int
    """About how many units it takes until it is shown to cut few at this price."""
    last: bool = False
    """Is it the last candidate, as far as policy or type go? Nothing is counted beyond that."""

    @property
    def text(self) -> str:
        """`high end of x 5,243 (beyond it about 12 of 5,880, ± 120)`."""
        if self.last:
            return (
                f"{self.name} {number(self.value)} (the most that is allowed: more is cut, unseen)"
            )
        beyond, most = max(self.beyond, 0), max(self.within, 0) + max(self.beyond, 0)
        told = f"beyond it about {beyond:,} of {most:,}, ± {number(self.margin)}"
        return f"{self.name} {number(self.value)} ({told})"

    def to_json(self) -> dict[str, Any]:
        return {
            "within": self.within,
            "beyond": self.beyond,
            "margin": self.margin,
            "enough": self.enough,
            "last": self.last,
        }
