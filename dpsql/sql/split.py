"""A file of SQL cut into its statements."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import TokenType
from sqlglot.errors import SqlglotError

from dpsql.errors import InvalidQuery
from dpsql.sql.parser import read_dialect


def split(text: str, dialect: str) -> list[tuple[int, str]]:
    """(line it begins on, text without its `;`) of each statement, comments within it kept.

    Cut where the dialect's tokens say `;`: not in quotes, nor in comments. InvalidQuery `syntax`
    where a quote or comment is never closed.
    """
    try:
        tokens = list(read_dialect(dialect).tokenize(text))
    except SqlglotError:
        raise InvalidQuery("the file cannot be read: is a quote never closed?", code="syntax")
    return list(_cut(text, [(t.start, t.end, t.token_type) for t in tokens]))


def _cut(text: str, tokens: list[tuple[int, int, TokenType]]) -> Iterator[tuple[int, str]]:
    first: int | None = None
    last = 0
    for start, end, kind in tokens:
        if kind is TokenType.SEMICOLON:
            if first is not None:
                yield text.count("\n", 0, first) + 1, text[first:last]
            first = None
        else:
            first = start if first is None else first
            last = end + 1
    if first is not None:
        yield text.count("\n", 0, first) + 1, text[first:last]
