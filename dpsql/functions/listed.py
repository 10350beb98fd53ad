"""Finitely many moments, and what a function makes of them: no more than the list can give.

Where the values of an argument are listed, those of the result are their images. That is tighter
than what lies between the least and the greatest: MAKE_DATE(y, m, 1) of two years has 24 months.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from dpsql.core.domain import Domain, Scalar

_DAY = re.compile(r"([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})")

T = TypeVar("T", bound=Scalar)


def moments(domain: Domain) -> tuple[dt.datetime, ...] | None:
    """The listed moments, dates at midnight; None where none are listed."""
    if domain.values is None:
        return None
    found = [_moment(value) for value in domain.values]
    return None if None in found else tuple(found)  # type: ignore[arg-type]


def images(domain: Domain, f: Callable[[dt.datetime], T]) -> tuple[T, ...] | None:
    """f of each listed moment, each once, least first; None where none are listed.

    `f` has to be what the engine computes.
    """
    found = moments(domain)
    return None if found is None else tuple(sorted({f(x) for x in found}))


def days_in(texts: Sequence[Scalar]) -> tuple[dt.date, ...] | None:
    """The days that TRY_CAST(text AS DATE) gives within the years 1 to 9999.

    Read are `2024-1-31` and its like; of those, what is no day is NULL for the engine, too. Other
    texts it may read in ways of its own: then None.
    """
    found: set[dt.date] = set()
    for text in texts:
        match = _DAY.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            return None
        try:
            found.add(dt.date(int(match[1]), int(match[2]), int(match[3])))
        except ValueError:
            continue
    return tuple(sorted(found))


def _moment(value: Scalar) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    return None
