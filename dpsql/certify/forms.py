"""The final text, in the words of its engine, as the normal form that the rest of certify reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dpsql.core.catalog import Catalog

Reader = Callable[[str, Catalog], str]


def _duckdb(sql: str, catalog: Catalog) -> str:
    return sql


def _postgres(sql: str, catalog: Catalog) -> str:
    from dpsql.certify.postgres import normal_postgres

    return normal_postgres(sql, catalog)


def _spark(sql: str, catalog: Catalog) -> str:
    from dpsql.certify.spark import normal_spark

    return normal_spark(sql, catalog)


READERS: Mapping[str, Reader] = {"duckdb": _duckdb, "postgresql": _postgres, "spark": _spark}
"""A reader shares no code with its engine's writer: what it does not know it refuses."""


def normal_form(sql: str, dialect: str, catalog: Catalog) -> str:
    """What the text says. InternalError `certify` for a word or a form that is not known."""
    return READERS[dialect](sql, catalog)
