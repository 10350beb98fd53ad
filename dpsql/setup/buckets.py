"""The fixed grid on which a private scan looks for a range: decided by a column's type alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from dpsql.core.catalog import CatalogColumn
from dpsql.core.domain import TEMPORAL, Kind
from dpsql.setup.draft import End
from dpsql.setup.typed import end_text

YEARS = (1900, 2100)

FINEST = -10
"""Numbers other than whole ones: the smallest bucket ends at 2^-10."""

LARGEST = 40
"""And the largest at 2^40, unless the type ends before; whole numbers as their type allows."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The fixed grid of one column: its CASE, and the ends of each code (None: no such column)."""

    case: str
    ends: Mapping[int, tuple[End, End]]


def buckets_of(column: CatalogColumn) -> Buckets:
    """Signed powers of two for numbers, years for dates; decided by the type alone."""
    if column.type.kind in TEMPORAL:
        low, high = YEARS
        years = range(low, high + 1)
        whole = " ".join(f"WHEN x < DATE '{year + 1}-01-01' THEN {year}" for year in years)
        return Buckets(
            f"CASE {whole} ELSE {high} END",
            {year: (dt.date(year, 1, 1), dt.date(year, 12, 31)) for year in years},
        )
    powers = _powers(column)
    up = [f"WHEN x > {end_text(power)} THEN {i + 2}" for i, power in enumerate(powers)]
    down = [f"WHEN x < {end_text(-power)} THEN {-i - 2}" for i, power in enumerate(powers)]
    above, beneath = " ".join(reversed(up)), " ".join(reversed(down))
    case = f"CASE WHEN x = 0 THEN 0 {above} WHEN x > 0 THEN 1 {beneath} ELSE -1 END"
    ends: dict[int, tuple[End, End]] = {0: (Fraction(0), Fraction(0))}
    below = Fraction(0)
    for code, power in enumerate([*powers, powers[-1]], start=1):  # the last: beyond, cut there
        ends[code], ends[-code] = (below, power), (-power, -below)
        below = power
    return Buckets(case, ends)


def _powers(column: CatalogColumn) -> list[Fraction]:
    """2^a .. 2^b: from 1 for whole numbers, up to what the type holds or 2^40."""
    whole = column.type.kind is Kind.INTEGER or (
        column.type.kind is Kind.DECIMAL and column.type.scale == 0
    )
    top = LARGEST
    if column.certain.bounded:
        largest = floor(max(abs(end) for end in column.certain.numbers()))
        top = min(62, max(largest, 1).bit_length()) if whole else min(LARGEST, largest.bit_length())
    first = 0 if whole else FINEST
    return [Fraction(2) ** power for power in range(first, max(top, first) + 1)]
