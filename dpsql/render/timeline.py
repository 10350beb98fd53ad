"""A share over time as a filled curve of characters.

100 % │                    ▄▄▄▄
 50 % │       ▄▄▄▄▄▄▄▄▄▄▄▄▄████
  0 % └────────────────────────
       2026-11-01    2026-11-22
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from dpsql.render.numbers import percent
from dpsql.render.terminal import Style

HEIGHT = 4
LEAST = 12
MOST = 64
"""Columns of the curve itself."""

_TOPS = (0.1, 0.2, 0.5, 1.0)
_AXIS = 6


def draw_shares(
    points: Sequence[tuple[float, float]], ends: tuple[str, str], style: Style
) -> Iterator[str]:
    """Lines of at most the style's width. `points`: (time, share in [0, 1]), times not falling.

    `ends` are the words for the first and the last time. Nothing where there is no span of time.
    """
    width = min(MOST, style.width - _AXIS - 3)
    if len(points) < 2 or points[0][0] >= points[-1][0] or width < LEAST:
        return
    values = _columns(points, width)
    top = next(top for top in _TOPS if max(values) <= top or top == _TOPS[-1])
    for row in reversed(range(HEIGHT)):
        label = percent(top * (row + 1) / HEIGHT) if row in (HEIGHT - 1, HEIGHT // 2 - 1) else ""
        cells = "".join(_cell(value / top * HEIGHT - row, row, value) for value in values)
        curve = style.paint(style.symbols(cells), "cyan") if cells.strip() else ""
        yield f"{label:>{_AXIS}} {style.symbols('│')}{curve}".rstrip()
    yield f"{percent(0.0):>{_AXIS}} {style.symbols('└' + '─' * width)}"
    start, end = ends
    gap = width - len(start) - len(end)
    under = f"{start}{' ' * gap}{end}" if gap > 0 else f"{end:>{width}}"
    yield f"{'':>{_AXIS + 2}}{under}"


def _columns(points: Sequence[tuple[float, float]], width: int) -> list[float]:
    """The share at the end of each of `width` equal spans of time."""
    times = [time for time, _ in points]
    start, span = times[0], times[-1] - times[0]
    found = []
    for column in range(1, width + 1):
        end = times[-1] if column == width else start + span * column / width
        found.append(points[max(0, bisect_right(times, end) - 1)][1])
    return found


def _cell(level: float, row: int, value: float) -> str:
    """How full a cell is: what is there at all shows."""
    if level >= 0.75:
        return "█"
    return "▄" if level >= 0.25 or (row == 0 and value > 0) else " "
