"""What reconciling did to a column: told in `cursor.privacy` and by explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reconciled:
    """A column of a release that was made to add up with others of its statement.

    `release`: its place among the statement's. `before`, `after`: 95 % half-widths of one cell as
    drawn and as shown; None where they differ from group to group. `nonnegative`: held at 0 or
    above, which is biased. `resting`: keys whose list of values in the policy is taken at its word.
    """

    release: int
    column: str
    before: float | None
    after: float | None
    nonnegative: bool = False
    resting: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "column": self.column,
            "half_width_95_drawn": self.before,
            "half_width_95": self.after,
            "nonnegative": self.nonnegative,
            "resting_on": list(self.resting),
        }
