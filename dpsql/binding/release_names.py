"""What releases and their columns are called above the noise line."""

from __future__ import annotations

from sqlglot import exp

RELEASE = "dpsql_release_"
UNNAMED = "dpsql_unnamed_"


def release_table(index: int) -> str:
    return f"{RELEASE}{index}"


def releases_of(query: exp.Expr) -> list[int]:
    """The private aggregates whose releases a query above the noise line reads."""
    names = [table.name for table in query.find_all(exp.Table) if table.name.startswith(RELEASE)]
    return [int(name.removeprefix(RELEASE)) for name in dict.fromkeys(names)]


def key_column(index: int) -> str:
    return f"k{index}"


def aggregate_column(index: int) -> str:
    return f"a{index}"
