"""A name above the noise line that is no column, alias or table there: usually a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from dpsql.binding.release_names import UNNAMED
from dpsql.core import nearest
from dpsql.errors import InvalidQuery
from dpsql.sql.caret import build


def unbound(root: exp.Expr, name: str | None, columns: Iterable[str], text: str) -> InvalidQuery:
    """The error for a remainder that does not bind, pointing at the `name` that is the reason.

    `columns`: those of the public tables in it; the query's own aliases are added.
    """
    folded = (name or "").casefold()
    column = next((c for c in root.find_all(exp.Column) if c.name.casefold() == folded), None)
    if name and column is not None:
        known = [*_aliases(root), *columns]
        return _error(text, column, f"there is no column {column.name} here", column.name, known)
    column = next((c for c in root.find_all(exp.Column) if c.table.casefold() == folded), None)
    if name and column is not None:
        known = [t.this.name for t in root.find_all(exp.TableAlias) if t.this is not None]
        message = f"there is no table or alias {column.table} here"
        return _error(text, column, message, column.table, known)
    return InvalidQuery(
        "the query does not fit the types of its columns",
        code="does-not-bind",
        hint="check the functions applied to the aggregates and their arguments",
    )


def _aliases(root: exp.Expr) -> list[str]:
    named = [alias.alias for alias in root.find_all(exp.Alias)]
    renamed = [c.name for t in root.find_all(exp.TableAlias) for c in t.columns]
    given = [name for name in (*named, *renamed) if not name.startswith(UNNAMED)]
    return list(dict.fromkeys(given))


def _error(text: str, node: exp.Column, message: str, word: str, known: list[str]) -> InvalidQuery:
    names = ", ".join(dict.fromkeys(known[:20]))
    hint = nearest.hint(word, known, f"names here: {names}" if names else "")
    error = build(InvalidQuery, text, node, "unknown-column", message, hint)
    assert isinstance(error, InvalidQuery)
    return error
