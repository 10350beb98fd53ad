"""Words of SQL that is still being typed: for colours and completion.

Unlike sqlglot's tokenizer it takes any text, an open quote or comment included. What is run is
never read by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>'(?:[^']|'')*(?:'|\Z))
    |(?P<name>"(?:[^"]|"")*(?:"|\Z))
    |(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d]\w*)
    |(?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text. `kind`: space, comment, string, name (quoted), number, word or mark."""

    kind: str
    text: str

    @property
    def upper(self) -> str:
        """A word in capitals, a mark as it is; empty for all that is neither."""
        return self.text.upper() if self.kind in ("word", "mark") else ""

    @property
    def open(self) -> bool:
        """A string, quoted name or comment that goes on after its end."""
        match self.kind:
            case "string" | "name":
                quote = self.text[0]
                return len(self.text) < 2 or self.text.count(quote) % 2 == 1
            case "comment":
                line = self.text.startswith("--")
                return line or len(self.text) < 4 or not self.text.endswith("*/")
        return False


def scan(text: str) -> list[Piece]:
    """All pieces, in order; together they are the text again."""
    return [Piece(str(match.lastgroup), match[0]) for match in _TOKEN.finditer(text)]


def unquoted(piece: Piece) -> str:
    """The name a word or quoted name stands for, in lower case: names ignore case."""
    text = piece.text
    if piece.kind == "name":
        text = text[1:].removesuffix('"').replace('""', '"')
    return text.casefold()
