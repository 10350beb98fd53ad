"""How far a query is, for whoever waits for it: a stage, and what it was charged.

Nothing of it depends on anybody's rows. The last stage begins when the charge is booked, before
any row is read, and lasts until the answer is there: how long the database or the noise took by
itself is not told.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from dpsql.errors import Cancelled


class Stage(Enum):
    """What a query does: before, while and after it is charged."""

    PREPARING = "preparing"
    CHARGING = "charging"
    RUNNING = "running"


@dataclass
class Progress:
    """Written by `Session.query`, read from another thread."""

    stage: Stage = Stage.PREPARING
    epsilon: Fraction = Fraction(0)
    delta: Fraction = Fraction(0)
    started: float = field(default_factory=time.monotonic)

    def paid(self, epsilon: Fraction, delta: Fraction) -> None:
        """The charge is booked and will stand."""
        self.epsilon, self.delta = epsilon, delta
        self.stage = Stage.RUNNING

    @property
    def seconds(self) -> int:
        """Whole seconds since it began."""
        return int(time.monotonic() - self.started)

    def cancelled(self, budget: str) -> Cancelled:
        """What Ctrl-C is answered with, by how far it was. `budget`: whose was to pay."""
        if self.stage is Stage.CHARGING:
            known: bool | None = None
        else:
            known = self.epsilon > 0 or self.delta > 0
        return Cancelled(known, self.epsilon, self.delta, budget)
