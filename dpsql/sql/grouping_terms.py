"""`CUBE (city, age >= 40)`: the parser reads columns and calls there, but not conditions.

Each term of CUBE, ROLLUP and GROUPING SETS that is longer than a name gets parentheses of its own,
within which any expression is read. They change nothing: (a) is a, as a term and as a set.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import Token, TokenType

_LISTS = frozenset({"CUBE", "ROLLUP", "GROUPING SETS"})


def parenthesised(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with parentheses around the terms that need them."""
    if not any(_opens(tokens, index) for index in range(len(tokens))):
        return list(tokens)
    kept: list[Token] = []
    index = 0
    while index < len(tokens):
        kept.append(tokens[index])
        if _opens(tokens, index):
            end = _closing(tokens, index + 1)
            kept.append(tokens[index + 1])
            kept += _terms(tokens[index + 2 : end])
            index = end
            continue
        index += 1
    return kept


def _opens(tokens: Sequence[Token], index: int) -> bool:
    if index + 1 >= len(tokens) or tokens[index + 1].token_type is not TokenType.L_PAREN:
        return False
    return " ".join(tokens[index].text.upper().split()) in _LISTS


def _terms(tokens: Sequence[Token]) -> list[Token]:
    found: list[Token] = []
    start = depth = 0
    for index, token in enumerate([*tokens, None]):
        kind = None if token is None else token.token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        if kind is None or (depth == 0 and kind is TokenType.COMMA):
            found += _term(tokens[start:index])
            start = index + 1
            if token is not None:
                found.append(token)
    return found


def _term(tokens: Sequence[Token]) -> list[Token]:
    if not tokens or _opens(tokens, 0):
        return parenthesised(tokens)
    closed = tokens[0].token_type is TokenType.L_PAREN and _closing(tokens, 0) == len(tokens) - 1
    if len(tokens) == 1 or closed:
        return list(tokens)
    first, last = tokens[0], tokens[-1]
    before = Token(TokenType.L_PAREN, "(", first.line, first.col, first.start, first.start)
    after = Token(TokenType.R_PAREN, ")", last.line, last.col, last.end, last.end)
    return [before, *tokens, after]


def _closing(tokens: Sequence[Token], index: int) -> int:
    """Index of the parenthesis that closes the one at `index` (len(tokens) if none)."""
    depth = 0
    while index < len(tokens):
        kind = tokens[index].token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        if depth == 0:
            return index
        index += 1
    return index
