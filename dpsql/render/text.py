"""Text that cannot harm a terminal, and columns that line up."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence


def printable(text: str) -> str:
    """Control and other invisible characters as escapes: a key may hold what moves a cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def columns_of(text: str) -> int:
    """Terminal columns a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def left(text: str, width: int) -> str:
    return text + " " * (width - columns_of(text))


def right(text: str, width: int) -> str:
    return " " * (width - columns_of(text)) + text


def shortened(text: str, width: int, ellipsis: str = "…") -> str:
    """At most `width` columns, on one line; what is cut is marked."""
    line = printable(" ".join(text.split()))
    if columns_of(line) <= width:
        return line
    while line and columns_of(line) > width - len(ellipsis):
        line = line[:-1]
    return line.rstrip() + ellipsis


def wrapped(text: str, width: int, *, indent: str = "") -> str:
    """A paragraph broken into lines of at most `width` columns."""
    return textwrap.fill(
        " ".join(text.split()),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def pairs(rows: Sequence[tuple[str, str]], *, gap: int = 2) -> list[str]:
    """Names and values in two columns."""
    widest = max((columns_of(name) for name, _ in rows), default=0)
    return [left(name, widest + gap) + value for name, value in rows]
