"""Statements of DuckDB's plans in Spark's words, and rows that can be compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlglot import parse_one

from dpsql.certify import normal_form
from dpsql.dialects.spark_forms import written


def exact(table: Any) -> list[tuple[Any, ...]]:
    """The rows, integers as integers, in an order of their own."""
    rows = [tuple(map(_plain, row.values())) for row in table.to_pylist()]
    return sorted(rows, key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal) and value == int(value):
        return int(value)
    return float(f"{value:.12g}") if isinstance(value, float) else value


def in_spark(text: str, engine: Any, database: str = "memory") -> str:
    """A statement of DuckDB's, over the tables of the same names in Spark; read back as well."""
    catalog = engine.catalog()
    near = f'"spark_catalog"."{engine.default_schema}".'
    here = text.replace(f'"{database}"."main".', near).replace('"main".', near)
    sql = written(parse_one(here, read="duckdb"), catalog)
    normal_form(sql, "spark", catalog)
    return sql


def fewer_partitions(engine: Any) -> None:
    """As small as the tests' tables are: it changes no answer."""
    engine._session.conf.set("spark.sql.shuffle.partitions", "2")
