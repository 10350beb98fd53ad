"""Which tables a recorded statement names: from its text alone.

Names as the text writes them, lower case, a schema before a dot; names of CTEs are none. A
ledger holds one statement many times with other numbers and texts in it: literals are blanked
before parsing, so that each shape is parsed once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from dpsql.errors import Error
from dpsql.sql.parser import parse

_LITERALS = re.compile(
    r"""(?P<kept>--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|[^\W\d]\w*)
    |(?P<text>'(?:[^']|'')*')
    |(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)""",
    re.DOTALL | re.VERBOSE,
)
_DIALECTS = ("duckdb", "postgres", "bigquery")
"""Tried in turn: a ledger does not say which dialect a text was in."""


def tables_of(sql: str) -> tuple[str, ...]:
    """The tables' names, sorted; empty where the text cannot be read."""
    # `E'...'`, dollar quotes and backquotes have other rules: such a text is parsed as it is.
    plain = not any(mark in sql for mark in ("$", "`", "\\"))
    return _of_shape(_LITERALS.sub(_blank, sql) if plain else sql)


def same_table(one: str, other: str) -> bool:
    """Do two names mean one table? Without a schema, that of any schema."""
    left, right = one.casefold().split("."), other.casefold().split(".")
    shared = min(len(left), len(right))
    return left[-shared:] == right[-shared:]


def _blank(found: re.Match[str]) -> str:
    if found["text"] is not None:
        return "''"
    return "0" if found["number"] is not None else found[0]


@lru_cache(maxsize=4096)
def _of_shape(sql: str) -> tuple[str, ...]:
    for dialect in _DIALECTS:
        try:
            return tuple(sorted(_named(parse(sql, dialect))))
        except (Error, SqlglotError, RecursionError):
            continue
    return ()


def _named(root: exp.Expr) -> set[str]:
    found = set()
    for scope in traverse_scope(root):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and source.name:
                found.add(_name(source))
    return found


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).casefold()
