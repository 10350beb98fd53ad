"""`?::date` as the two tokens it means; sqlglot reads `?::` as one, an operator of Databricks'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import Token, TokenType

_OPERANDS = frozenset(
    {
        *(TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER),
        *(TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.PLACEHOLDER),
    }
)
"""After these `x ?:: int` is that operator, a TRY_CAST."""


def split_casts(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, `?::` split into `?` and `::` wherever a value is due."""
    return list(_split(tokens))


def _split(tokens: Sequence[Token]) -> Iterator[Token]:
    before: Token | None = None
    for token in tokens:
        if token.token_type == TokenType.QDCOLON and (
            before is None or before.token_type not in _OPERANDS
        ):
            line, column, start = token.line, token.col, token.start
            yield Token(TokenType.PLACEHOLDER, "?", line, column - 2, start, start)
            yield Token(TokenType.DCOLON, "::", line, column, start + 1, token.end)
        else:
            yield token
        before = token
