"""A result set as csv, json or jsonl: every digit as released, a row at a time.

Numbers are JSON numbers with all their digits (a DECIMAL is no float), dates ISO text, NULL is
null; in csv NULL is an empty field and the empty text `""`. A JSON column is JSON in json and
jsonl, its text in csv.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dpsql.render.table import Grid

PIECES = 1_000
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def csv(grid: Grid) -> Iterator[str]:
    """Header and one line a row (RFC 4180's quoting; lines end in LF)."""
    return csv_lines(grid.names, grid.rows)


def csv_lines(names: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The same of rows that are read once."""
    yield ",".join(_csv(name) for name in names)
    for row in rows:
        yield ",".join(_csv(value) for value in row)


def json_table(grid: Grid, more: Mapping[str, object]) -> Iterator[str]:
    """{"columns": [names], "rows": [[values]], ...more}, a row a line."""
    yield f'{{"columns": {json_text(list(grid.names))}, "rows": ['
    last = len(grid.rows) - 1
    for index, row in enumerate(grid.rows):
        yield json_text(list(row)) + ("" if index == last else ",")
    yield from _lines(_rest(more))


def _rest(more: Mapping[str, object]) -> Iterator[str]:
    yield "]"
    for key, value in more.items():
        yield f", {json_text(key)}: "
        yield from json_pieces(value)
    yield "}"


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Pieces joined to lines that are not too long: between two of them JSON may be broken."""
    line: list[str] = []
    for piece in pieces:
        line.append(piece)
        if len(line) == PIECES:
            yield "".join(line)
            line.clear()
    yield "".join(line)


def jsonl(grid: Grid) -> Iterator[str]:
    """One object a row. A name that comes twice gets `_1`, `_2`: an object has each key once."""
    names = unique(grid.names)
    for row in grid.rows:
        yield json_text(dict(zip(names, row, strict=True)))


def unique(names: Sequence[str]) -> list[str]:
    """The names, later ones numbered where they repeat an earlier one."""
    taken: list[str] = []
    for name in names:
        number, found = 0, name
        while found in taken:
            number += 1
            found = f"{name}_{number}"
        taken.append(found)
    return taken


def json_pieces(value: Any) -> Iterator[str]:
    """The JSON of a value, long sequences bit by bit."""
    if isinstance(value, Mapping):
        yield "{"
        for index, (key, part) in enumerate(value.items()):
            yield f"{', ' if index else ''}{json.dumps(str(key))}: "
            yield from json_pieces(part)
        yield "}"
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        yield "["
        for index, part in enumerate(value):
            yield ", " if index else ""
            yield from json_pieces(part)
        yield "]"
    else:
        yield json_text(value)


class JsonText(str):
    """Text that is JSON already."""

    __slots__ = ()

    def on_a_line(self) -> str:
        """The same JSON in ASCII without line ends, which can stand between its tokens alone."""
        text = self.replace("\r", " ").replace("\n", " ")
        return text if text.isascii() else _NOT_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def json_text(value: Any) -> str:
    """JSON of plain values, in ASCII. What is no finite number is null: JSON has no Infinity."""
    match value:
        case JsonText():
            return value.on_a_line()
        case None | bool() | int() | str():
            return json.dumps(value)
        case float():
            return repr(value) if math.isfinite(value) else "null"
        case Decimal():
            return format(value, "f") if value.is_finite() else "null"
        case Fraction():
            return json_text(float(value))
        case Mapping():
            inner = (f"{json.dumps(str(k))}: {json_text(v)}" for k, v in value.items())
            return "{" + ", ".join(inner) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(json_text, value)) + "]"
        case _:
            return json.dumps(_text(value))


def _csv(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _text(value)
    if text == "" or any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list() | tuple() | Mapping():
            return json_text(value)
        case _:
            return str(value)
