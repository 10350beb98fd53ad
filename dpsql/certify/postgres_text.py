"""PostgreSQL's text to a tree, and its shapes, written as text: `match` finds them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlglot import Token, exp, parse_one
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_shapes import Found, fits, the_statement

_DIALECT = Dialect.get_or_raise("postgres")
_STRANGE = frozenset("#$?@;{}\\`")
_COMMENTS = ("--", "/*")


def parsed(sql: str) -> exp.Expr:
    """The one statement of the text. InternalError `certify` for what cannot be read."""
    try:
        tokens = _DIALECT.tokenize(sql)
        _check_tokens(sql, tokens)
        trees = _DIALECT.parser().parse(tokens, sql)
    except SqlglotError:
        refuse("the text can be read")
    return the_statement(trees)


def _check_tokens(sql: str, tokens: Sequence[Token]) -> None:
    if _STRANGE.isdisjoint(sql) and not any(mark in sql for mark in _COMMENTS):
        return
    for token in tokens:
        require(not token.comments, "no comments")
        kind, text = token.token_type.name, token.text
        plain = kind in ("STRING", "IDENTIFIER") or _STRANGE.isdisjoint(text)
        require(plain, "no strange characters")


def match(shape: str, node: exp.Expr) -> Found | None:
    """What the names in the shape stand for; None if the node has another shape."""
    found: Found = {}
    return found if fits(_shape(shape), node, found) else None


@cache
def _shape(text: str) -> exp.Expr:
    return parse_one(text.replace("DP ", "DOUBLE PRECISION "), read="postgres")
