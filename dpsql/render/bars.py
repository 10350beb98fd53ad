"""A value with its 95 % interval: `221 ± 14`, or `0 [0, 30000]` where ± would be untrue."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from dpsql.error_bars import Interval
from dpsql.render.numbers import WIDE, plain, two_digits, with_error
from dpsql.render.text import printable, right


@dataclass(frozen=True, slots=True)
class Bars:
    """The intervals of a column, row by row. `centred`: each lies evenly around its value.

    `empty`: no row has one.
    """

    intervals: Sequence[Interval | None]
    centred: bool = True
    empty: bool = False


Told = tuple[str, ...]
"""(value), (value, half-width) or (value, low, high), as text."""


def told(value: object, interval: Interval | None, *, centred: bool) -> Told:
    """The value and its bar to two digits of the bar; ends and half-widths are rounded outward."""
    if interval is None or value is None or isinstance(value, (bool, str)):
        return (plain(value),)
    low, high = interval
    if isinstance(low, dt.date):  # and timestamps
        return plain(value), plain(low), plain(high)
    if centred:
        return with_error(value, half_of(value, interval))
    if not math.isfinite(low) or not math.isfinite(high):
        return plain(value), _end(low, 0, ROUND_FLOOR), _end(high, 0, ROUND_CEILING)
    half = (high - low) / 2
    places, _ = two_digits(half, "")
    text, _ = with_error(value, half)
    return text, _end(low, places, ROUND_FLOOR), _end(high, places, ROUND_CEILING)


def half_of(value: object, interval: Interval) -> float:
    """The longer side of an interval around its value, rounding of floats left aside."""
    low, high = interval
    half = float(high - low) / 2
    if not math.isfinite(half) or not isinstance(value, (int, float, Decimal)):
        return half
    side = float(max(float(value) - low, high - float(value)))
    dust = 8 * math.ulp(max(abs(low), abs(high)))
    return side if side > half + dust else half


def inline(parts: Told, sign: str) -> str:
    """The parts on one line; `sign` stands before a half-width."""
    match parts:
        case (text, low, high):
            return f"{text} [{low}, {high}]"
        case (text, error) if error:
            return f"{text}{sign}{error}"
        case _:
            return parts[0]


def widths_of(parts: Told) -> tuple[int, ...]:
    """Characters of each end that stands beside the value."""
    return tuple(len(part) for part in parts[1:] if part)


def aligned(parts: Told, sign: str, value: int, ends: Sequence[int]) -> str:
    """The parts as wide as the widest of their column: `value`, and `ends` beside it."""
    if not ends:
        return parts[0]
    given = [part for part in parts[1:] if part]
    if not given:
        return right(parts[0], value) + " " * room(sign, ends)
    padded = [right(part, width) for part, width in zip(given, ends, strict=True)]
    return right(parts[0], value) + (
        f"{sign}{padded[0]}" if len(padded) == 1 else f" [{padded[0]}, {padded[1]}]"
    )


def room(sign: str, ends: Sequence[int]) -> int:
    """Characters that the bars of a column take."""
    if not ends:
        return 0
    return sum(ends) + (len(sign) if len(ends) == 1 else len(" [, ]"))


def legend(bars: Sequence[Bars | None]) -> str:
    """What the signs in a table mean: `± is the 95 % half-width`; empty where there are none."""
    shown = [one for one in bars if one is not None and not one.empty]
    signs = [
        sign
        for sign, there in (
            ("± is the 95 % half-width", any(one.centred for one in shown)),
            ("[low, high] is the 95 % interval", any(not one.centred for one in shown)),
        )
        if there
    ]
    return ", ".join(signs)


def _end(end: float, places: int, rounding: str) -> str:
    if not math.isfinite(end):
        return printable(str(end))
    exact = Decimal(f"{end:.15g}")
    return format(exact.quantize(Decimal(1).scaleb(-places), rounding, WIDE), "f")
