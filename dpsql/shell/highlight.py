"""SQL in colours while it is typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dpsql.shell.scan import scan
from dpsql.shell.vocabulary import KEYWORDS

STYLES = {
    "keyword": "bold ansiblue",
    "function": "ansicyan",
    "string": "ansigreen",
    "number": "ansimagenta",
    "comment": "italic ansibrightblack",
    "command": "bold ansiyellow",
}


def painted(line: str, functions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(class, text) of a text's pieces; the class is empty for plain text."""
    if line.lstrip().startswith("\\"):
        name, blank, rest = line.partition(" ")
        yield "class:command", name
        if rest or blank:
            yield from ((kind, text) for kind, text in painted(blank + rest, functions))
        return
    pieces = scan(line)
    for index, piece in enumerate(pieces):
        follows = next((p.text for p in pieces[index + 1 :] if p.kind != "space"), "")
        called = follows == "(" and piece.upper in functions
        match piece.kind:
            case "word" if called:
                kind = "class:function"
            case "word" if piece.upper in KEYWORDS:
                kind = "class:keyword"
            case "string" | "number" | "comment":
                kind = f"class:{piece.kind}"
            case _:
                kind = ""
        yield kind, piece.text
