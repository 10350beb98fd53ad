"""Spark's text to a tree: quotes and escapes as Spark has them, functions by their own names.

sqlglot knows many of Spark's functions, and builds of each what another engine would call so. Here
a function is nothing but its name and its arguments: the names that are known (`spark_words`) are
marked before the text is parsed; a name that is not is some construct that the reader refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_shapes import Found, fits, the_statement
from dpsql.certify.spark_words import KNOWN

_DIALECT = Dialect.get_or_raise("spark")
MARK = "known_"
_PIECE = re.compile(
    r"(?P<text>'(?:[^'\\]|\\[\\'])*')|(?P<name>`(?:[^`]|``)*`)|(?P<plain>[^'`]+)", re.DOTALL
)
_STRANGE = frozenset('#$?@;{}[]\\"\0:')
_COMMENTS = ("--", "/*")
_GIVEN = (TokenType.MOD, TokenType.L_PAREN, TokenType.VAR, TokenType.R_PAREN, TokenType.VAR)


def parsed(sql: str) -> exp.Expr:
    """The one statement of the text. InternalError `certify` for what Spark may read otherwise."""
    texts = list(_texts(sql))
    try:
        tokens = _DIALECT.tokenize(sql)
        found = [token.text for token in tokens if token.token_type is TokenType.STRING]
        require(found == texts, "texts are plain")
        require(not any(token.comments for token in tokens), "no comments")
        trees = _DIALECT.parser().parse(list(_marked(tokens)), sql)
    except SqlglotError:
        refuse("the text can be read")
    root = the_statement(trees)
    for node in reversed(list(root.walk())):
        _set_cast(node)
    return root


def _texts(sql: str) -> Iterator[str]:
    """Each text of the statement, its backslashes undone; what stands between must be plain."""
    end, before = 0, ""
    for piece in _PIECE.finditer(sql):
        require(piece.start() == end, "quotes are closed")
        end = piece.end()
        if (text := piece["text"]) is not None:
            alone = not before or not (before[-1].isalnum() or before[-1] in "_'")
            require(alone, "a text stands alone")
            yield re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        elif (plain := piece["plain"]) is not None:
            require(plain.isascii() and _STRANGE.isdisjoint(plain), "no strange characters")
            require(not any(mark in plain for mark in _COMMENTS), "no comments")
        require("${" not in piece[0] and "\0" not in piece[0], "nothing is put in by Spark")
        before = piece[0]
    require(end == len(sql), "quotes are closed")


def _marked(tokens: list[Token]) -> Iterator[Token]:
    """Known functions marked; %(name)s, a given value, as sqlglot's Spark has it."""
    kinds = [token.token_type for token in tokens]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if tuple(kinds[at : at + 5]) == _GIVEN and tokens[at + 4].text == "s":
            yield Token(TokenType.COLON, ":")
            yield tokens[at + 2]
            at += 5
            continue
        called = kinds[at + 1 : at + 2] == [TokenType.L_PAREN]
        quoted = token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)
        if called and not quoted and token.text in KNOWN:
            token = Token(TokenType.VAR, MARK + token.text)
        else:
            require(not token.text.startswith(MARK) or quoted, "no name is marked already")
        yield token
        at += 1


def _set_cast(node: exp.Expr) -> None:
    """sqlglot has Spark's CAST as a TRY_CAST that is not `safe`."""
    if type(node) is exp.TryCast and not node.args.get("safe"):
        node.replace(exp.Cast(this=node.this, to=node.to))


def word_of(node: object) -> str:
    """The name of a known function that is called, else ''."""
    if type(node) is not exp.Anonymous or not isinstance(node.this, str):
        return ""
    return node.this.removeprefix(MARK) if node.this.startswith(MARK) else ""


def match(shape: str, node: exp.Expr) -> Found | None:
    """What the names in the shape stand for; None if the node has another shape."""
    found: Found = {}
    return found if fits(_shape(shape), node, found) else None


@cache
def _shape(text: str) -> exp.Expr:
    root = parsed(f"SELECT {text}")
    return root.expressions[0]  # type: ignore[no-any-return]
