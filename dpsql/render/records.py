"""A result set as csv, json or jsonl: every digit as released, no error bars among the data.

Numbers are JSON numbers with all their digits (a DECIMAL is no float), dates ISO text, NULL is
null; in csv NULL is an empty field and the empty text `""`.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dpsql.render.table import Grid


def csv(grid: Grid) -> Iterator[str]:
    """Header and one line a row (RFC 4180's quoting; lines end in LF)."""
    yield ",".join(_csv(name) for name in grid.names)
    for row in grid.rows:
        yield ",".join(_csv(value) for value in row)


def json_table(grid: Grid, more: Mapping[str, object]) -> Iterator[str]:
    """{"columns": [names], "rows": [[values]], ...more}, a row a line."""
    yield f'{{"columns": {json_text(list(grid.names))}, "rows": ['
    last = len(grid.rows) - 1
    for index, row in enumerate(grid.rows):
        yield json_text(list(row)) + ("" if index == last else ",")
    rest = "".join(f", {json_text(key)}: {json_text(value)}" for key, value in more.items())
    yield f"]{rest}}}"


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


def json_text(value: Any) -> str:
    """JSON of plain values, in ASCII. What is no finite number is null: JSON has no Infinity."""
    match value:
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
        case _:
            return str(value)
