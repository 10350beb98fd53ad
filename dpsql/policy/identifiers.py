"""Names of tables and columns as a policy writes them: `t`, `schema.t`, `"odd name".t`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dpsql.policy.nodes import Where, printable

_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|((?:[^\s.,"\->]|-(?!>))+))\s*')
_WHOLE = re.compile(r'"(?:[^"]|"")+"|[^".]+')
MAX_LENGTH = 256


def table_parts(name: str, where: Where) -> tuple[str, ...]:
    """A table's key, (table,) or (schema, table): case kept, SQL's double quotes taken off."""
    parts = _WHOLE.findall(name)
    if ".".join(parts) != name or not 1 <= len(parts) <= 2 or len(name) > MAX_LENGTH:
        raise where.error(
            f"{printable(name)!r} is not a table's name",
            code="bad-value",
            hint="write table or schema.table; a name with a dot in SQL quotes: '\"odd.name\"'",
        )
    for part in parts:
        if not part.isprintable() or part != part.strip():
            raise where.error(
                "a table's name may not hold blanks at its ends or characters that do not print",
                code="bad-value",
            )
    return tuple(_unquote(part) for part in parts)


def dotted(text: str) -> tuple[str, ...] | None:
    """The parts of a dotted name inside a path; None if the text is not one."""
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            return None
        parts.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        position = match.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            return None
        position += 1


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """`text` cut at `separator`, but not inside SQL's double quotes."""
    found, start, quoted, i = [], 0, False, 0
    while i < len(text):
        if text[i] == '"':
            quoted = not quoted
        elif not quoted and text.startswith(separator, i):
            found.append(text[start:i])
            i += len(separator)
            start = i
            continue
        i += 1
    found.append(text[start:])
    return found


def same_name(word: str, names: Iterable[str]) -> str | None:
    """The name equal to `word`; else the only one equal but for case; else None."""
    known = tuple(names)
    if word in known:
        return word
    folded = [name for name in known if name.casefold() == word.casefold()]
    return folded[0] if len(folded) == 1 else None


def _unquote(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
