"""Spark's schema, as its catalog shows it to this session.

No key is ever read: Spark's PRIMARY KEY and FOREIGN KEY are informational, and enforced on nothing.
Names that differ in case alone are left out: what an analyst writes could be read as either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.dialects.spark_text import identifier
from dpsql.dialects.spark_types import read_type

Rows = Callable[[str], list[tuple[Any, ...]]]
Place = tuple[str, str]
"""(schema, table)."""


def read_catalog(
    rows: Rows, catalog: str, default: str, *, watched: Sequence[str] | None = None
) -> Catalog:
    """Tables of one of Spark's catalogs. `watched`: the only names that matter; None: all."""
    places = list(
        _all(rows, catalog) if watched is None else _named(rows, catalog, default, watched)
    )
    folded = Counter(f"{schema}.{name}".casefold() for schema, name, _ in places)
    found = {}
    for schema, name, is_view in places:
        if folded[f"{schema}.{name}".casefold()] > 1:
            continue
        columns = _columns(rows, (catalog, schema, name))
        if columns:
            near = schema == default
            found[name if near else f"{schema}.{name}"] = CatalogTable(
                schema, name, columns, (), (), is_view, database=catalog, unqualified=near
            )
    return Catalog(found)


def _all(rows: Rows, catalog: str) -> Iterator[tuple[str, str, bool]]:
    for schema, *_ in rows(f"SHOW NAMESPACES IN {identifier(catalog)}"):
        yield from _inside(rows, catalog, str(schema))


def _named(
    rows: Rows, catalog: str, default: str, watched: Iterable[str]
) -> Iterator[tuple[str, str, bool]]:
    """Of the schemas that the policy names, the tables that it names."""
    wanted: dict[str, set[str]] = {}
    for name in watched:
        schema, _, table = name.rpartition(".")
        wanted.setdefault((schema or default).casefold(), set()).add(table.casefold())
    schemas = [str(row[0]) for row in rows(f"SHOW NAMESPACES IN {identifier(catalog)}")]
    for schema in schemas:
        for place in _inside(rows, catalog, schema) if schema.casefold() in wanted else ():
            if place[1].casefold() in wanted[schema.casefold()]:
                yield place


def _inside(rows: Rows, catalog: str, schema: str) -> Iterator[tuple[str, str, bool]]:
    where = f"{identifier(catalog)}.{identifier(schema)}"
    views = {str(row[1]) for row in _asked(rows, f"SHOW VIEWS IN {where}") if not row[2]}
    for _, name, temporary, *_ in rows(f"SHOW TABLES IN {where}"):
        if not temporary:
            yield schema, str(name), str(name) in views


def _asked(rows: Rows, sql: str) -> list[tuple[Any, ...]]:
    """Nothing where a catalog has no views: not all can be asked for them."""
    from dpsql.errors import EngineFailed

    try:
        return rows(sql)
    except EngineFailed:
        return []


def _columns(rows: Rows, place: tuple[str, str, str]) -> dict[str, CatalogColumn]:
    """Empty where this session may not read the table, or its view no longer fits."""
    found = {}
    where = ".".join(map(identifier, place))
    for name, shown, *_ in _asked(rows, f"DESCRIBE TABLE {where}"):
        if not name or str(name).startswith("#"):
            break  # partitions and details follow
        read = read_type(str(shown))
        found[str(name)] = CatalogColumn(
            str(name), read.text, read.type, read.certain, True, read.stored
        )
    folded = Counter(name.casefold() for name in found)
    return {name: column for name, column in found.items() if folded[name.casefold()] == 1}
