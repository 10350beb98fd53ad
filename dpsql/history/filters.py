"""Which entries somebody wants to see."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from dpsql.history.tables import same_table, tables_of
from dpsql.ledger.entries import OUTCOMES

OPEN = "open"
WORDS = (*OUTCOMES, OPEN)
"""What may have become of a charge; `open`: nothing yet."""

_DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Days:
    """Days of UTC from `first` to `last`, both included; None: open at that end."""

    first: dt.date | None
    last: dt.date | None

    @classmethod
    def read(cls, text: str) -> Days:
        """`2026-11-22`, `2026-11` (a month), `A..B`, `A..` or `..B`. ValueError for other text."""
        start, dots, end = text.strip().partition("..")
        if not dots:
            return cls(*_ends(start))
        first = _ends(start)[0] if start else None
        last = _ends(end)[1] if end else None
        if (first is None and last is None) or (first and last and last < first):
            raise ValueError(text)
        return cls(first, last)

    def holds(self, time: int) -> bool:
        day = moment(time).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is named must hold; what is None does not matter.

    An opened or changed budget has no table and no outcome: it is left out where one is named.
    """

    analyst: str | None = None
    table: str | None = None
    days: Days | None = None
    outcome: str | None = None

    def charge(self, analyst: str, sql: str, time: int, outcome: str | None) -> bool:
        """Is a charge wanted?"""
        return (
            self.analyst in (None, analyst)
            and (self.days is None or self.days.holds(time))
            and self.outcome in (None, outcome or OPEN)
            and (self.table is None or any(same_table(self.table, t) for t in tables_of(sql)))
        )

    def terms(self, budget: str, time: int) -> bool:
        """Is an opened or changed budget wanted?"""
        return (
            self.table is None
            and self.outcome is None
            and self.analyst in (None, budget.partition(":")[2])
            and (self.days is None or self.days.holds(time))
        )

    @property
    def everything(self) -> bool:
        return self == Filter()


def moment(time: int) -> dt.datetime:
    """An entry's time, UTC."""
    return dt.datetime.fromtimestamp(time, dt.UTC)


def _ends(text: str) -> tuple[dt.date, dt.date]:
    """First and last day of a day or a month."""
    if not _DAY.match(text):
        raise ValueError(text)
    if len(text) == 10:
        day = dt.date.fromisoformat(text)
        return day, day
    first = dt.date.fromisoformat(f"{text}-01")
    after = (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return first, after - dt.timedelta(days=1)
