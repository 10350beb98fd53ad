"""A horizontal bar chart with error bars, drawn in characters.

    excellent  3,277 ± 30  ██████████████████████████│

`█` reaches to the low end of the error bar, `▒` covers the error bar itself, `│` is a reference
value (in the demo: the truth).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from dpsql.render.terminal import Style

_COLOURS = {"█": "cyan", "▒": "cyan", "│": "yellow"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its value, the half-width of its error bar, and a reference value."""

    value: float
    half: float | None = None
    mark: float | None = None


def draw(bars: Sequence[Bar], width: int, style: Style) -> list[str]:
    """One line a bar, at most `width` columns, all on one scale that starts at 0."""
    ends = [end for bar in bars for end in _ends(bar) if math.isfinite(end)]
    most = max(ends, default=0.0)
    if width < 2 or most <= 0:
        return ["" for _ in bars]
    return [_line(bar, (width - 1) / most, width, style) for bar in bars]


def _ends(bar: Bar) -> tuple[float, ...]:
    top = bar.value + (bar.half or 0.0)
    return (top,) if bar.mark is None else (top, bar.mark)


def _line(bar: Bar, scale: float, width: int, style: Style) -> str:
    half = bar.half or 0.0
    solid = _cell((bar.value - half) * scale, width)
    cells = ["█"] * solid + ["▒"] * (_cell((bar.value + half) * scale, width) - solid)
    if bar.mark is not None and bar.mark >= 0:
        at = min(_cell(bar.mark * scale, width), width - 1)
        cells += [" "] * (at + 1 - len(cells))
        cells[at] = "│"
    runs = ("".join(run) for _, run in groupby(cells))
    return "".join(_painted(run, style) for run in runs)


def _cell(length: float, width: int) -> int:
    """A length in columns, within the chart; an endless one fills it."""
    return round(min(float(width), max(0.0, length)))


def _painted(run: str, style: Style) -> str:
    how = _COLOURS.get(run[0])
    shown = style.symbols(run)
    return shown if how is None else style.paint(shown, how)
