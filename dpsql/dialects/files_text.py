"""Texts and names as DuckDB's SQL writes them."""

from __future__ import annotations


def text(value: str) -> str:
    """A string literal. Without backslashes of its own: DuckDB reads none in '...'."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
