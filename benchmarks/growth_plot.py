"""The plot of growth.py as hand-written SVG: four small panels, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

LINES = {  # colour and dashes of each, told apart without colour too
    "bounded": ("#1b6ca8", ""),
    "floor": ("#4b7f2f", "6 3"),
    "plain": ("#c1440e", "2 3"),
}
WIDTH, HEIGHT, LEFT, TOP = 210, 200, 60, 46
GAP = 12


def plot(found: Mapping[str, Sequence[tuple[int, Any]]]) -> str:
    """Of each panel's values the CPU seconds; all panels share one scale of seconds."""
    seconds = [getattr(c, name) for line in found.values() for _, c in line for name in LINES]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    width = LEFT + len(found) * (WIDTH + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 48}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{TOP + HEIGHT + 48}" fill="white"/>',
    ]
    for index, (name, (colour, dashes)) in enumerate(LINES.items()):
        at = LEFT + index * 110
        out.append(_path([(at, 16), (at + 26, 16)], colour, dashes))
        out.append(f'<text x="{at + 32}" y="20" fill="#222">{name}</text>')

    def y(value: float) -> float:
        return TOP + HEIGHT * (1 - (math.log10(value) - low) / (high - low))

    for tick in range(low, high + 1):
        at = f"{y(10.0**tick):.1f}"
        out.append(f'<line x1="{LEFT}" x2="{width - GAP}" y1="{at}" y2="{at}" stroke="#ddd"/>')
        out.append(
            f'<text x="{LEFT - 6}" y="{float(at) + 4:.1f}" text-anchor="end" fill="#333">'
            f"{10.0**tick:g} s</text>"
        )
    for index, (title, line) in enumerate(found.items()):
        left = LEFT + index * (WIDTH + GAP)
        out += _panel(title, line, left, y)
    out.append("</svg>\n")
    return "\n".join(out)


def _panel(title: str, line: Sequence[tuple[int, Any]], left: float, y: Any) -> list[str]:
    first, last = math.log10(line[0][0]), math.log10(line[-1][0])

    def x(value: int) -> float:
        return left + 18 + (WIDTH - 36) * (math.log10(value) - first) / (last - first)

    out = [
        f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle" fill="#222">'
        f"{title}</text>",
    ]
    for value, _ in line:
        out.append(
            f'<text x="{x(value):.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle" fill="#333">'
            f"{_short(value)}</text>"
        )
    for name, (colour, dashes) in LINES.items():
        points = [(x(value), y(getattr(cost, name))) for value, cost in line]
        out.append(_path(points, colour, dashes))
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
    return out


def _path(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> str:
    told = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>'


def _short(value: int) -> str:
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value // size} {letter}"
    return str(value)
