"""Calendar windows of budgets that refresh: days, weeks, months and years, in UTC.

A window is an interval of whole days, so that it is known from a time alone, needs no state, and
is the same for every process. `never` is one window without end.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Refresh = Literal["never", "daily", "weekly", "monthly", "yearly"]
REFRESH: tuple[Refresh, ...] = ("never", "daily", "weekly", "monthly", "yearly")

DAY = 86_400
LAST = (dt.date(9998, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()) * DAY
"""Times before this one have windows whose end the calendar still knows."""

_EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to before `end`, in seconds since 1970; `end` None: for ever."""

    refresh: Refresh
    start: int
    end: int | None

    def __str__(self) -> str:
        """`monthly 2026-11-01`: the calendar and the first day."""
        return self.refresh if self.end is None else f"{self.refresh} {_day(self.start)}"

    @property
    def shown(self) -> str:
        """As people say it: `2026-11-28`, `the week of 2026-11-23`, `2026-11`, `2026`."""
        first = _day(self.start).isoformat()
        match self.refresh:
            case "weekly":
                return f"the week of {first}"
            case "monthly":
                return first[:7]
            case "yearly":
                return first[:4]
        return first

    @property
    def next_start(self) -> str:
        """When the next one begins, `2026-12-01 00:00 UTC`; '' if none does."""
        return "" if self.end is None else f"{_day(self.end)} 00:00 UTC"


def windows_between(refresh: Refresh, first: int, last: int) -> int:
    """How many windows of that calendar hold a time from `first` to `last`, both included."""
    found, count = window(refresh, first), 1
    while found.end is not None and found.end <= last:
        found, count = window(refresh, found.end), count + 1
    return count


def window(refresh: Refresh, time: int) -> Window:
    """The window of that calendar in which `time` (seconds since 1970) lies.

    Weeks begin on Monday (ISO 8601). ValueError unless 0 <= time < LAST, or for another word.
    """
    if not 0 <= time < LAST:
        raise ValueError("a time outside the calendar")
    day = _day(time)
    match refresh:
        case "never":
            return Window("never", 0, None)
        case "daily":
            first, following = day, day + dt.timedelta(1)
        case "weekly":
            first = day - dt.timedelta(day.weekday())
            following = first + dt.timedelta(7)
        case "monthly":
            first = day.replace(day=1)
            following = (first + dt.timedelta(31)).replace(day=1)
        case "yearly":
            first = day.replace(month=1, day=1)
            following = first.replace(year=first.year + 1)
        case _:
            raise ValueError(refresh)
    return Window(refresh, _seconds(first), _seconds(following))


def _day(time: int) -> dt.date:
    return dt.date.fromordinal(_EPOCH + time // DAY)


def _seconds(day: dt.date) -> int:
    return (day.toordinal() - _EPOCH) * DAY
