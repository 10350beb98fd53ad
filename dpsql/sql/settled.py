"""Is a text that was written from a tree read as that very text again?"""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


@lru_cache(maxsize=1_000)
def settled(text: str) -> bool:
    """One query, which parses and writes back to itself: what was analysed is what is sent."""
    try:
        roots = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError):
        return False
    if len(roots) != 1 or not isinstance(roots[0], exp.Query):
        return False
    return roots[0].sql("duckdb", comments=False) == text
