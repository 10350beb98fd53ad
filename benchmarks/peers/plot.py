"""The plot as hand-written SVG: every peer's median error over dpsql's, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

LEFT, RIGHT, TOP, STEP, WIDTH = 320, 30, 64, 26, 900
LEAST = 0.1  # what is smaller (a median of 0, by chance) is drawn here
MARKS = {  # shape and colour of each series, told apart without colour too
    0: ("circle", "#1b6ca8"),
    1: ("square", "#c1440e"),
    2: ("diamond", "#4b7f2f"),
    3: ("triangle", "#7a3e9d"),
}


def ratios(
    labels: Mapping[str, str], figures: Mapping[str, Mapping[str, Any]], *, base: str
) -> str:
    """One line per question that `base` and somebody else answered; dots at error / base's."""
    shown = [
        name
        for name in labels
        if name in figures.get(base, {})
        and figures[base][name].median > 0
        and any(name in figures[peer] for peer in figures if peer != base)
    ]
    dots = {
        (peer, name): max(figures[peer][name].median / figures[base][name].median, LEAST)
        for peer in figures
        for name in shown
        if name in figures[peer]
    }
    low = math.floor(math.log10(min([*dots.values(), 0.5])) * 2) / 2
    high = math.ceil(math.log10(max([*dots.values(), 10])) * 2) / 2
    height = TOP + STEP * len(shown) + 50

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for value in _ticks(low, high):
        weight = 'stroke="#555" stroke-width="1.5"' if value == 1 else 'stroke="#ddd"'
        bottom = TOP + STEP * len(shown)
        at = f"{x(value):.1f}"
        out.append(f'<line x1="{at}" x2="{at}" y1="{TOP - 8}" y2="{bottom}" {weight}/>')
        out.append(
            f'<text x="{at}" y="{bottom + 18}" text-anchor="middle" fill="#333">{value:g}×</text>'
        )
    for index, peer in enumerate(figures):
        at = LEFT + index * 140
        out.append(_mark(index, at, 24))
        out.append(f'<text x="{at + 12}" y="28" fill="#222">{escape(peer)}</text>')
    for line, name in enumerate(shown):
        y = TOP + STEP * line + STEP / 2
        out.append(
            f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end" fill="#222">'
            f"{escape(labels[name])}</text>"
        )
        for index, peer in enumerate(figures):
            if (peer, name) in dots:
                out.append(_mark(index, x(dots[peer, name]), y, figures[peer][name].few))
    out.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{height - 10}" text-anchor="middle"'
        f' fill="#333">median absolute error, in units of {escape(base)}\'s'
        " (hollow: few draws)</text>"
    )
    out.append("</svg>\n")
    return "\n".join(out)


def _ticks(low: float, high: float) -> list[float]:
    found = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in (1, 3)]
    return [v for v in found if low - 1e-9 <= math.log10(v) <= high + 1e-9]


def _mark(index: int, x: float, y: float, hollow: bool = False) -> str:
    shape, colour = MARKS[index % len(MARKS)]
    paint = f'fill="white" stroke="{colour}" stroke-width="1.5"' if hollow else f'fill="{colour}"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" {paint}/>'
    points = {
        "square": [(-5, -5), (5, -5), (5, 5), (-5, 5)],
        "diamond": [(0, -6), (6, 0), (0, 6), (-6, 0)],
        "triangle": [(0, -6), (6, 5), (-6, 5)],
    }[shape]
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points)
    return f'<polygon points="{path}" {paint}/>'
