"""From text to tree: one plain SELECT, read afresh from the very text that will be sent."""

from __future__ import annotations

import re

from sqlglot import Token, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from dpsql.certify.claim import refuse, require
from dpsql.certify.grammar import check_grammar

EXACT_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
"""Digits that the engine reads exactly, as they stand in a text."""

_DIALECT = Dialect.get_or_raise("duckdb")

# Where parsers are known to differ: comments, positional columns, dollar quotes, parameters.
_STRANGE = frozenset("#$?@;{}[]\\`")
_COMMENTS = ("--", "/*")


def read_statement(sql: str) -> exp.Select:
    """The one SELECT of the text, made of listed constructs only."""
    try:
        tokens = _DIALECT.tokenize(sql)
        if not _plain(sql):
            _check_tokens(tokens)
        trees = _DIALECT.parser().parse(tokens, sql)
    except SqlglotError:
        refuse("the text can be read")
    root = trees[0] if len(trees) == 1 else None
    if type(root) is not exp.Select:
        refuse("the text is one SELECT")
    check_grammar(root)
    return root


def _plain(sql: str) -> bool:
    """Has the text neither a strange character nor what begins a comment, be it in a literal?"""
    return _STRANGE.isdisjoint(sql) and not any(mark in sql for mark in _COMMENTS)


def _check_tokens(tokens: list[Token]) -> None:
    for token in tokens:
        require(not token.comments, "no comments")
        kind = token.token_type.name
        harmless = kind in ("STRING", "IDENTIFIER") or (kind == "PARAMETER" and token.text == "$")
        brackets = kind in ("L_BRACKET", "R_BRACKET")  # of a list's type: `_check_type`
        require(harmless or brackets or _STRANGE.isdisjoint(token.text), "no strange characters")


def whole(node: exp.Expr | None) -> int | None:
    """The value of an integer constant as written: digits, a sign, a cast to a wide integer."""
    if isinstance(node, exp.Paren):
        return whole(node.this)
    if isinstance(node, exp.Neg):
        value = whole(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Cast) and node.to.this in (exp.DType.BIGINT, exp.DType.INT128):
        return whole(node.this)
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    text = str(node.this)
    # Beyond 2^127 the engine would read the digits as a DOUBLE.
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**126 else None


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """A condition taken apart at its ANDs, parentheses dropped."""
    found: list[exp.Expr] = []
    stack = [] if node is None else [node]
    while stack:
        part = bare(stack.pop())
        if isinstance(part, exp.And):
            stack += [part.args["expression"], part.this]
        else:
            found.append(part)
    return found


def results(node: exp.Case) -> list[exp.Expr]:
    """What a CASE may give: after each THEN, and after ELSE."""
    default = node.args.get("default")
    given = [branch.args["true"] for branch in node.args["ifs"]]
    return given if default is None else [*given, default]


def bare(node: exp.Expr) -> exp.Expr:
    """Without parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def not_null(node: exp.Expr) -> exp.Expr | None:
    """x of `NOT x IS NULL`, else None."""
    if isinstance(node, exp.Not):
        inner = bare(node.this)
        if isinstance(inner, exp.Is) and isinstance(inner.args["expression"], exp.Null):
            return bare(inner.this)
    return None


def fold(name: str) -> str:
    """Names as the engine compares them: without case."""
    return name.casefold()


def name_of(item: exp.Expr) -> str:
    """The folded name of a column of a SELECT list."""
    if isinstance(item, exp.Alias) and isinstance(item.args["alias"], exp.Identifier):
        return fold(str(item.args["alias"].this))
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier):
        return fold(str(item.this.this))
    refuse("every column has a name")
