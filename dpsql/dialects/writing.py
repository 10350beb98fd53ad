"""The normal form of a statement in the words of an engine, as it will be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.errors import RefusedQuery

Writer = Callable[[exp.Query, Catalog], str]


class NotThere(RefusedQuery):
    """What an engine has no total form of: `node`, of the normal form, where it is known."""

    node: exp.Expr | None = None


def _duckdb(query: exp.Query, catalog: Catalog) -> str:
    return query.sql("duckdb", comments=False, copy=False)


def _postgres(query: exp.Query, catalog: Catalog) -> str:
    from dpsql.dialects.postgres_forms import written as in_postgres

    return in_postgres(query, catalog)


def _spark(query: exp.Query, catalog: Catalog) -> str:
    from dpsql.dialects.spark_forms import written as in_spark

    return in_spark(query, catalog)


WRITERS: Mapping[str, Writer] = {"duckdb": _duckdb, "postgresql": _postgres, "spark": _spark}

SHORT_DECIMALS = frozenset({"duckdb"})
"""Engines whose decimals of up to 18 digits are integers of 64 bits."""


def written(query: exp.Query, dialect: str, catalog: Catalog) -> str:
    """The text to send. NotThere (`not-on-this-engine`) for what has no total form there."""
    return WRITERS[dialect](query, catalog)
