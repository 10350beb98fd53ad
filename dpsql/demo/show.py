"""A private answer beside the true one, with a bar chart: the pictures of the tour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dpsql.demo.owner import Truth
from dpsql.errors import InternalError
from dpsql.render.bars import half_of
from dpsql.render.chart import Bar, draw
from dpsql.render.numbers import plain, with_error
from dpsql.render.table import Grid
from dpsql.render.terminal import Style
from dpsql.render.text import columns_of, left, right

INDENT = "  "
GAP = "  "
MIN_CHART = 12
ABSURD = 20
"""An answer this many half-widths off happens once in e^60 tours: it is a defect."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One answer: key, private value with its half-width, and the true values."""

    key: str
    value: Any
    half: float
    truths: tuple[Any, ...]


def compare(grid: Grid, truth: Truth, label: str) -> list[Comparison]:
    """Each row of an answer (a key and a number, or one number) with what is true.

    InternalError `demo-wrong` if an answer is impossibly far off, or without an error bar.
    """
    bars = grid.column_bars(len(grid.names) - 1)
    found = []
    for index, row in enumerate(grid.rows):
        key = row[0] if len(row) > 1 else label
        interval = None if bars is None else bars.intervals[index]
        half = None if interval is None else half_of(row[-1], interval)
        truths = truth.get(key)
        value: Any = row[-1]
        if truths is None or half is None or abs(value - truths[0]) > ABSURD * half + 1:
            raise InternalError("the demo got an impossible answer", code="demo-wrong")
        found.append(Comparison(plain(key), value, half, truths))
    return found


def picture(
    found: Sequence[Comparison], heads: tuple[str, ...], style: Style, *, key: str = ""
) -> list[str]:
    """Aligned columns (key, private ± half-width, true values), then the bars."""
    shown = [with_error(one.value, one.half, group=",") for one in found]
    widest = [max(map(len, parts)) for parts in zip(*shown, strict=True)]
    sign = style.symbols(" ± ")
    private = [f"{v.rjust(widest[0])}{sign}{h.rjust(widest[1])}" for v, h in shown]
    columns = [["private", *private]]
    for index, head in enumerate(heads):
        values = (with_error(one.truths[index], one.half, group=",")[0] for one in found)
        columns.append([head, *values])
    keys = [key, *(one.key for one in found)]
    lines = _aligned(keys, columns)
    room = min(style.width, 100) - columns_of(lines[0]) - len(GAP)
    if room < MIN_CHART:
        return [lines[0], *lines[1:]]
    bars = [Bar(float(one.value), one.half, float(one.truths[0])) for one in found]
    charts = draw(bars, room, style)
    lines[0] = style.paint(lines[0], "dim")
    return [lines[0].rstrip(), *(line + GAP + c for line, c in zip(lines[1:], charts, strict=True))]


def legend(style: Style) -> str:
    """What the characters of a chart mean."""
    return style.symbols("█ up to the error bar   ▒ the error bar (95 %)   │ the truth")


def _aligned(keys: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    first = max(map(columns_of, keys))
    widths = [max(map(columns_of, column)) for column in columns]
    return [
        INDENT
        + left(keys[row], first)
        + "".join(
            GAP + right(column[row], width) for column, width in zip(columns, widths, strict=True)
        )
        for row in range(len(keys))
    ]
