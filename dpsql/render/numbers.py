"""Numbers for people: no more digits than the noise leaves, and error bars never rounded down."""

from __future__ import annotations

import datetime as dt
import functools
import math
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction

from dpsql.render.text import printable

MAX_DECIMALS = 12
WIDE = Context(prec=400)  # every float has fewer digits before the point


def with_error(value: object, half: float | None, *, group: str = "") -> tuple[str, str]:
    """(value, half-width) as text: the half-width to two digits, rounded up, the value to match.

    Nothing left of the decimal point is rounded away, so that whole numbers stay as released.
    Of dates the half-width is in days. `group` is `,` for thousands separators. Without a
    half-width the second text is empty.
    """
    if half is None or value is None or isinstance(value, (bool, str)):
        return plain(value, group=group), ""
    if not math.isfinite(half):
        return plain(value, group=group), "inf"
    places, error = two_digits(half, group)
    if isinstance(value, dt.date):  # and timestamps
        return plain(value), f"{_trimmed(error)} days"
    if isinstance(value, int):
        return format(value, group), _trimmed(error)
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    return format(number, f"{group}.{places}f"), error


@functools.lru_cache(maxsize=256)  # most columns have one half-width
def two_digits(half: float, group: str) -> tuple[int, str]:
    """Decimal places, and the half-width rounded up to them."""
    exact = Decimal(f"{half:.12g}")  # 6.000000000000001 is 6, and not 6.1
    places = 0 if exact <= 0 else min(MAX_DECIMALS, max(0, 1 - exact.adjusted()))
    step = Decimal(1).scaleb(-places)
    return places, format(exact.quantize(step, ROUND_CEILING, WIDE), f"{group}f")


def plain(value: object, *, group: str = "") -> str:
    """A value on its own: floats to ten digits, NULL by name, text made safe for a terminal."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return format(value, group)
        case float():
            return format(value, f"{group}.10g")
        case Decimal():
            return format(value, f"{group}f")
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case list():
            return f"[{', '.join(plain(one, group=group) for one in value)}]"
        case _:
            return printable(str(value))


def amount(value: Fraction | float) -> str:
    """An ε or δ as people write it: 0.5, 1e-07."""
    return f"{float(value):.6g}"


def percent(share: float) -> str:
    """A share in whole percent; neither 0 nor 100 unless it is."""
    whole = math.floor(100 * share + 0.5)
    if 0 < share < 1:
        whole = min(99, max(1, whole))
    return f"{whole} %"


def count(number: int, word: str) -> str:
    """`1 row`, `2 rows`, `1,024 rows`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
