"""Curves and bars as SVG without any text in it: that stands beside it, in the reader's own size.

An SVG is stretched to the width there is; lines keep their thickness.
"""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.page.html import Markup, tag

WIDTH, HEIGHT = 400, 100


def curve(points: Sequence[tuple[int, float]], start: int, end: int, told: str) -> Markup:
    """A share over time as steps under a dashed line at 100 %. `told`: the same in words.

    `points`: (time, share in [0, 1]), times not falling. All curves of a page share `start` and
    `end`; after its last point a curve goes on level.
    """
    span = max(end - start, 1)
    places = [
        (f"{WIDTH * (time - start) / span:.1f}", f"{_level(share):.1f}") for time, share in points
    ] or [("0", f"{HEIGHT}")]
    (left, low), later = places[0], places[1:]
    steps = "".join(f"H{x}V{y}" for x, y in later) + f"H{WIDTH}"
    limit = _level(1.0)
    return tag(
        "svg",
        tag("title", told),
        tag("path", class_="area", d=f"M{left} {HEIGHT}V{low}{steps}V{HEIGHT}Z"),
        tag("line", class_="limit", x1=0, y1=limit, x2=WIDTH, y2=limit),
        tag("path", class_="edge", d=f"M{left} {low}{steps}"),
        class_="curve",
        role="img",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
    )


def _level(share: float) -> float:
    """Where a share is drawn: some room is left above 100 %."""
    return HEIGHT - 0.92 * HEIGHT * min(max(share, 0.0), 1.0)


def bar(share: float) -> Markup:
    """A horizontal bar, `share` in [0, 1] of the width there is. The number stands beside it."""
    filled = f"{100 * min(max(share, 0.0), 1.0):.2f}"
    return tag(
        "svg",
        tag("rect", class_="track", x=0, y=0, width=100, height=10),
        tag("rect", class_="fill", x=0, y=0, width=filled, height=10),
        class_="bar",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
