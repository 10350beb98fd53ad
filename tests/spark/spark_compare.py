"""Statements of DuckDB's plans in Spark's words."""

from __future__ import annotations

from typing import Any

from sqlglot import parse_one

from dpsql.certify import normal_form
from dpsql.dialects.spark_forms import written


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
