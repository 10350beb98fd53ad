"""Point at the place in the analyst's text that an error speaks of."""

from __future__ import annotations

from sqlglot import exp

from dpsql.errors import Error


def position(node: exp.Expr) -> tuple[int, int] | None:
    """(start, end) character offsets of the leftmost positioned token under `node`."""
    spans = [
        (part.meta["start"], part.meta["end"])
        for part in node.walk()
        if part.meta and "start" in part.meta
    ]
    return min(spans) if spans else None


def show(text: str, start: int, end: int) -> str:
    """The line holding `start`, underlined: `at 2:14`, the line, and the caret."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : len(text) if line_end < 0 else line_end]
    column = start - line_start
    number = text.count("\n", 0, start) + 1
    width = max(1, min(end, line_start + len(line) - 1) - start + 1)
    if column > 60:  # keep the caret in sight on long lines
        cut = column - 30
        line, column = "…" + line[cut:], column - cut + 1
    line = line[:118]
    return f"  at {number}:{start - line_start + 1}\n  {line}\n  {' ' * column}{'^' * width}"


def build(
    cls: type[Error], text: str, node: exp.Expr | None, code: str, message: str, hint: str = ""
) -> Error:
    """An error of class `cls` whose message ends in the underlined place of `node`."""
    place = position(node) if node is not None else None
    if place is not None and place[1] < len(text):
        message = f"{message}\n{show(text, *place)}"
    return cls(message, code=code, hint=hint)
