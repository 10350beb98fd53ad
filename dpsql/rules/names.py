"""Column names of the bounded statement, the same at every level."""

from __future__ import annotations

UNIT = "u"
ROWS = "n"
RANK = "rn"
WEIGHT = "w"
UNITS = "units"
PLACE = "v"
BIN = "bin"
COUNT = "c"
TOTAL = "weight"
"""Of a histogram: a value's place on its grid, its bin, rows in it, and all weight in it."""
OWNER = "unit"
ITEM = "item"
"""Of distinct values: the pseudonyms of a unit and of a value."""


def value(block: int) -> str:
    """The clamped grid value of a row (or 1 where the block only counts); NULL if not read."""
    return f"v{block}"


def other(block: int) -> str:
    """The second value of a row, of a pair."""
    return f"y{block}"


def part(block: int, index: int) -> str:
    """Coordinate `index` of a pair over a cell, then its bounded form."""
    return f"p{block}_{index}"


def count(block: int) -> str:
    return f"n{block}"


def weight(block: int) -> str:
    """The weight of a lone sum, which is weighed by its own size."""
    return f"w{block}"


def total(block: int, power: int = 1) -> str:
    """Σ v (power 1) or Σ v² (power 2) over a cell, then its bounded form."""
    return f"s{block}" if power == 1 else f"q{block}"


def coordinate(block: int, index: int) -> str:
    return f"b{block}_{index}"
