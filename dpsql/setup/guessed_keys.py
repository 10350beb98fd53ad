"""Keys that column names suggest. The owner confirms them; `load` enforces what is confirmed."""

from __future__ import annotations

from collections.abc import Mapping

from dpsql.setup.files import Columns, Reference, common_type
from dpsql.setup.names import singular


def propose_primary(columns: Columns) -> dict[str, tuple[str, ...]]:
    """Primary keys guessed from names alone: `id`, or `<table>_id`.

    Only the owner can know; what is confirmed and does not hold stops the load.
    """
    primary: dict[str, tuple[str, ...]] = {}
    for table, names in columns.items():
        by_fold = {name.casefold(): name for name in names}
        for guess in ("id", *(f"{word}_id" for word in _words(table))):
            if guess in by_fold:
                primary[table] = (by_fold[guess],)
                break
    return primary


def propose_references(
    columns: Columns, primary: Mapping[str, tuple[str, ...]]
) -> tuple[Reference, ...]:
    """Columns named and typed like the one-column primary key of one other table."""
    references = []
    for table, names in columns.items():
        for column, type_ in names.items():
            target = _target(column, type_, columns, primary)
            if target is not None and target != table and primary.get(table) != (column,):
                references.append(Reference(table, column, target, primary[target][0]))
    return tuple(references)


def _target(
    column: str, type_: str, columns: Columns, primary: Mapping[str, tuple[str, ...]]
) -> str | None:
    """The one table whose key a column so called would name."""
    found = []
    for table, (key, *more) in primary.items():
        if more:
            continue
        names = {f"{word}_id" for word in _words(table)}
        if key.casefold() != "id":
            names.add(key.casefold())
        if column.casefold() in names and common_type(columns[table][key], type_) is not None:
            found.append(table)
    return found[0] if len(found) == 1 else None


def _words(table: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((table.casefold(), singular(table))))
