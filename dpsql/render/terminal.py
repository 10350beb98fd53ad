"""What the stream at the other end can show: colour, block characters, columns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

PLAIN_WIDTH = 80
_PROBE = "±│█▒─·εδ└▄"
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

_ASCII = {
    "±": "+/-",
    "ε": "epsilon",
    "δ": "delta",
    "·": "-",
    "─": "-",
    "│": "|",
    "█": "#",
    "▄": "_",
    "└": "+",
    "▒": ":",
    "≤": "<=",
    "…": "...",
    "→": "->",
    "×": "x",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How to write to one stream. `unicode` False: plain ASCII stands in for our own symbols."""

    colour: bool = False
    unicode: bool = True
    width: int = PLAIN_WIDTH
    interactive: bool = False

    def paint(self, text: str, how: str) -> str:
        """The text in a colour or weight, where there is colour."""
        return f"\x1b[{_CODES[how]}m{text}\x1b[0m" if self.colour else text

    def symbols(self, text: str) -> str:
        """Our own words with symbols the stream can encode. Not for data."""
        if self.unicode:
            return text
        for symbol, plain in _ASCII.items():
            text = text.replace(symbol, plain)
        return text


def style_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Style:
    """Colour only on a terminal, and not with NO_COLOR set or TERM=dumb (no-color.org)."""
    terminal = bool(getattr(stream, "isatty", lambda: False)())
    colour = terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if terminal else PLAIN_WIDTH
    return Style(colour, _encodes(stream), max(width, 40), terminal)


def _encodes(stream: TextIO) -> bool:
    try:
        _PROBE.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
