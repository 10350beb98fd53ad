"""`SELECT WITH ERROR 5 PERCENT CONFIDENCE 95 PERCENT ...`, as approximate engines write it.

It is read from the tokens and becomes the options that it stands for: `max_error`, `confidence`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType


def error_phrase(tokens: Sequence[Token], index: int) -> tuple[int, str] | None:
    """(where to read on, the options) of a phrase that begins at SELECT; None if none does."""
    if not (_is(tokens, index, "SELECT") and _words(tokens, index + 1, "WITH", "ERROR")):
        return None
    error, at = _amount(tokens, index + 3)
    if error is None:
        return None
    options = f"max_error = '{error}'"
    if _is(tokens, at, "CONFIDENCE"):
        sure, after = _amount(tokens, at + 1)
        if sure is None:
            return None
        options, at = f"{options}, confidence = '{sure}'", after
    return at, options


def _amount(tokens: Sequence[Token], at: int) -> tuple[str | None, int]:
    """A number, with PERCENT or % behind it."""
    if at >= len(tokens) or tokens[at].token_type != TokenType.NUMBER:
        return None, at
    number = tokens[at].text
    if _is(tokens, at + 1, "PERCENT") or _is(tokens, at + 1, "%"):
        return f"{number}%", at + 2
    return number, at + 1


def _words(tokens: Sequence[Token], at: int, *words: str) -> bool:
    return all(_is(tokens, at + place, word) for place, word in enumerate(words))


def _is(tokens: Sequence[Token], at: int, word: str) -> bool:
    return at < len(tokens) and tokens[at].text.upper() == word
