"""One budget over time: what was spent of it when, and the newest query of an analyst."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fractions import Fraction

from dpsql.accountant.odometer import share
from dpsql.accountant.remaining import repeats
from dpsql.history.filters import moment
from dpsql.ledger import Account, Ledger
from dpsql.ledger.entries import Charged, Request
from dpsql.ledger.outcomes import CHARGE, OUTCOME
from dpsql.ledger.reading import read
from dpsql.ledger.state import State

POINTS = 200
"""Of a curve that are kept, at most: more than a terminal or a picture shows."""


@dataclass(slots=True)
class Curve:
    """An account over time, the newest state of each of at most `most` equal spans.

    When there are too many the spans double, so that a ledger of any length takes no more room.
    Times must not decrease.
    """

    most: int = POINTS
    width: int = 1
    points: list[tuple[int, Account]] = field(default_factory=list)

    def add(self, time: int, account: Account) -> None:
        self._put(self.points, time, account)
        while len(self.points) > self.most:
            self.width *= 2
            kept: list[tuple[int, Account]] = []
            for point in self.points:
                self._put(kept, *point)
            self.points = kept

    def _put(self, points: list[tuple[int, Account]], time: int, account: Account) -> None:
        if points and points[-1][0] // self.width == time // self.width:
            points.pop()
        points.append((time, account))

    def shares(self) -> list[tuple[int, float]]:
        """(time, share of the budget's ε that was used then)."""
        return [(time, share(account.terms, account.spent)) for time, account in self.points]


@dataclass(frozen=True, slots=True)
class LastQuery:
    """The newest charge of an analyst, and how many more of its price are admitted."""

    sql: str
    time: int
    epsilon: Fraction
    delta: Fraction
    more: int

    def to_json(self) -> dict[str, object]:
        return {
            "sql": self.sql,
            "time": moment(self.time).isoformat(),
            "epsilon": float(self.epsilon),
            "delta": float(self.delta),
            "more": self.more,
        }


@dataclass(frozen=True, slots=True)
class Spending:
    """`shares`: (time, share of ε used) from the opening on; `last`: None without a charge."""

    shares: tuple[tuple[int, float], ...]
    last: LastQuery | None

    def to_json(self) -> list[dict[str, object]]:
        """The shares as plain values."""
        return [{"time": moment(time).isoformat(), "share": share} for time, share in self.shares]


NONE = Spending((), None)


def spending(
    ledger: Ledger, now: Account, analyst: str, most: int, *, total: Account | None = None
) -> Spending:
    """The past of a budget, and what is still admitted of the analyst's newest query.

    `now`: the budget as the next query would find it; it must fit `total` as well, where there is
    one. `most`: where counting ends. LedgerError where an entry cannot be read.
    """
    state, curve = State(), Curve()
    newest: tuple[int, Request] | None = None
    mine = json.dumps(now.name).encode("ascii")

    def other(raw: bytes) -> bool:
        return OUTCOME in raw or (CHARGE in raw and mine not in raw)

    for entry in ledger.entries(skip=other):
        record = read(entry)
        state.apply(entry, record)
        if now.name in state.books:
            curve.add(entry.time, state.books[now.name].account(entry.time))
        if isinstance(record, Charged) and record.request.analyst == analyst:
            newest = entry.time, record.request
    last = None
    if newest is not None:
        time, request = newest
        more = min(
            repeats(one.terms, one.spent, request.items, most)
            for one in (now, total)
            if one is not None
        )
        last = LastQuery(request.sql, time, request.epsilon, request.delta, more)
    return Spending(tuple(curve.shares()), last)
