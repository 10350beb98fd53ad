"""Targets and curves in words, for explain and below an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from dpsql.core.targets import FirstLook, Met, Reached
from dpsql.explanation import ErrorCurve
from dpsql.wording import number

_BAR = 24
_LEAST_BAR = 10
_ROOM = 74  # of 98, less indent, mark and arrow
_NAME = 22
_MOST = 4


def confidence(sure: Fraction | float) -> str:
    return f"{float(100 * sure):.6g} %"


def asked(one: Met) -> str:
    """`± 100`, or `5 % (± 1,000)`."""
    if not one.asked.percent:
        return f"± {number(float(one.asked.value))}"
    limit = "" if one.limit is None else f" (± {number(one.limit)})"
    return f"{one.asked}{limit}"


def expected(one: Met) -> str:
    rows = "" if one.rows is None else f" for {one.rows:,} rows"
    return "no use" if one.expected is None else f"± {number(one.expected)}{rows}"


def target(reached: Reached) -> str:
    """`asked for COUNT(*) within ± 100 at 95 %, expected ± 98.7, at ε = 0.123`."""
    told = "; ".join(
        f"{one.name} within {asked(one)} at {confidence(reached.confidence)}, expected"
        f" {expected(one)}"
        for one in reached.columns[:_MOST]
    )
    if len(reached.columns) > _MOST:
        told += f"; {len(reached.columns) - _MOST} more columns likewise"
    text = f"asked for {told}, at ε = {float(reached.epsilon):.6g}"
    if reached.exempt:
        text += f" ({', '.join(reached.exempt)}: no error bar, held to nothing)"
    return text


def before_first(reached: Reached) -> str:
    """Of a percentage without a magnitude, before anything was asked."""
    told = "; ".join(
        f"{one.name} within {one.asked}" for one in reached.columns if one.limit is None
    )
    return (
        f"asked for {told} of a magnitude that is not stated: a first look at ε ="
        f" {float(reached.epsilon):.6g} (the price above) tells how large it is, then the answer"
        f" is asked at the price that follows from what was released; a stated magnitude"
        " (--magnitude 20000) saves the first look"
    )


def first(look: FirstLook) -> str:
    """Of a first look, when all is done."""
    cost = "a repeat, free" if look.epsilon == 0 else f"ε = {float(look.epsilon):.6g} of the cost"
    sizes = ", ".join(f"{name} at least {number(size)}" for name, size in look.magnitudes)
    text = f"first look ({cost})" + (f": {sizes}" if sizes else "")
    if look.refused is not None:
        text += f"; this is its answer, the target is not met: {look.refused}"
    return text


# ---- curve -----------------------------------------------------------------------------------


def curve_lines(curve: ErrorCurve, *, target: bool) -> Iterator[str]:
    """A table of expected half-widths by ε, with a bar as long as the log of the first.

    `target`: the marked price was found for one. As many columns as fit beside the bar.
    """
    table = [["ε", *(f"{float(point.epsilon):.6g}" for point in curve.points)]]
    if any(point.units is not None for point in curve.points):
        units = (None if point.units is None else f"{point.units:,}" for point in curve.points)
        table.append(["groups from", *(one or "" for one in units)])
    shown = 0
    for place, (name, rows) in enumerate(curve.columns):
        halves = (point.halves[place] for point in curve.points)
        told = ("no use" if half is None else f"± {number(half)}" for half in halves)
        column = [_titled(name, rows), *told]
        if place and _width([*table, column]) > _ROOM - _LEAST_BAR:
            break
        table.insert(1 + place, column)
        shown += 1
    longest = min(_BAR, max(1, _ROOM - _width(table)))
    bars = _bars([point.halves[0] for point in curve.points], longest)
    widths = [max(map(len, column)) for column in table]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in zip(*table, strict=True)
    ]
    yield f"  {lines[0]}"
    for point, line, bar in zip(curve.points, lines[1:], bars, strict=True):
        mark = "" if not point.own else " ← the target" if target else " ← as asked"
        yield f"{'> ' if point.own else '  '}{line}  {bar}{mark}"
    if shown < len(curve.columns):
        yield f"  {len(curve.columns) - shown} more columns: --format json"


def _width(table: Sequence[Sequence[str]]) -> int:
    return sum(2 + max(map(len, column)) for column in table)


def _titled(name: str, rows: int | None) -> str:
    short = name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
    return short if rows is None else f"{short} ({rows:,} rows)"


def _bars(halves: Sequence[float | None], longest: int) -> list[str]:
    """Lengths by the logarithm: a tenth of the error is as much shorter anywhere."""
    logs = [math.log(half) if half else None for half in halves]
    known = [one for one in logs if one is not None]
    if not known:
        return [""] * len(halves)
    low, span = min(known), max(max(known) - min(known), 1e-9)
    return [
        "" if one is None else "█" * (1 + round((longest - 1) * (one - low) / span)) for one in logs
    ]
