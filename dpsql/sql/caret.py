"""Name, and point at, the place in the analyst's text that an error speaks of."""

from __future__ import annotations

import re

from sqlglot import exp

from dpsql.errors import Error

_NAME = re.compile(r"([A-Za-z_][A-Za-z_0-9]*)\s*\Z")
_LONGEST = 100  # characters of a name that are looked for
_NO_NAMES = frozenset("AND OR NOT IN WHEN THEN ELSE CASE DISTINCT BETWEEN LIKE SELECT BY".split())
"""What may stand before a parenthesis and calls nothing."""


def title(node: exp.Expr) -> str:
    """How an analyst names the function or operator of a node."""
    if isinstance(node, exp.Anonymous):
        return node.name.upper()
    return str(node.key).upper()


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
    if isinstance(node, exp.AggFunc) and "start" not in node.meta and place is not None:
        place = _name_before(text, place[0], _unplaced(node)) or place
    if place is not None and place[1] < len(text):
        message = f"{message}\n{show(text, *place)}"
    return cls(message, code=code, hint=hint)


def _unplaced(node: exp.Expr) -> int:
    """How many calls around the leftmost positioned token have no position themselves."""
    spans = [part for part in node.walk() if part.meta and "start" in part.meta]
    part: exp.Expr | None = min(spans, key=lambda one: int(one.meta["start"]))
    calls = 0
    while part is not None:
        calls += isinstance(part, exp.AggFunc) and "start" not in part.meta
        part = None if part is node else part.parent
    return calls


def _name_before(text: str, start: int, calls: int) -> tuple[int, int] | None:
    """The name of the `calls`-th function whose parentheses are open at `start`.

    The parser keeps the places of some functions' arguments alone. None where no name is found.
    """
    closed = 0
    for at in range(start - 1, -1, -1):
        if text[at] == ")":
            closed += 1
        elif text[at] == "(" and closed:
            closed -= 1
        elif text[at] == "(":
            name = _NAME.search(text, max(0, at - _LONGEST), at)
            if name is None or name[1].upper() in _NO_NAMES:
                continue
            calls -= 1
            if not calls:
                return name.start(1), name.end(1) - 1
    return None
