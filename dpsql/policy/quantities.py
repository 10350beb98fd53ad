"""Durations and sizes with their units: `300s`, `2GB`. A bare number is refused: of what?"""

from __future__ import annotations

import re
from fractions import Fraction

from dpsql.policy.fields import given, wrong
from dpsql.policy.nodes import Node, Scalar, printable

_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]+)\Z", re.ASCII)
_SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_SIZES = ("KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
_LONGEST = Fraction(10**9)


def seconds(node: Node) -> Fraction:
    """A duration in seconds, at least 0 and at most 1e9."""
    amount, unit = _quantity(node, "a duration such as 300s", tuple(_SECONDS))
    found = amount * _SECONDS[unit]
    if found > _LONGEST:
        raise node.where.error("longer than 1e9 seconds", code="bad-number")
    return found


def size(node: Node) -> str:
    """A size as DuckDB reads it, `2GB`: nothing else can come into a SET statement by it."""
    amount, unit = _quantity(node, "a size such as 2GB", _SIZES)
    if amount <= 0:
        raise node.where.error("must be more than 0", code="bad-number")
    number = str(amount.numerator) if amount.denominator == 1 else f"{float(amount):.6f}"
    return number + unit


def _quantity(node: Node, expected: str, units: tuple[str, ...]) -> tuple[Fraction, str]:
    given(node)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise wrong(node, expected, f"write the unit too: {', '.join(units)}")
    match = _QUANTITY.match(node.value)
    by_name = {unit.casefold(): unit for unit in units}
    unit = by_name.get(match[2].casefold()) if match else None
    if match is None or unit is None:
        raise node.where.error(
            f"expected {expected}, found {printable(node.value)!r}",
            code="bad-value",
            hint=f"units: {', '.join(units)}",
        )
    return Fraction(match[1]), unit
