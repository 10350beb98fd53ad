"""The databases of other tests, in Spark."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from typing import Any

import equivalence_world
import pytest
from e2e_neighbours import DDL

URL = "spark://local[2]"
MEMORY = "1g"

_DDL = {**DDL, "items": f"pid BIGINT, {DDL['items']}"}
POLICY: dict[str, Any] = {
    **equivalence_world.POLICY,
    "tables": {
        **equivalence_world.POLICY["tables"],
        "visits": {**equivalence_world.POLICY["tables"]["visits"], "unit": "pid"},
        "items": {**equivalence_world.POLICY["tables"]["items"], "unit": "pid"},
    },
}
"""Without paths over keys: Spark enforces none, and `items` has the person's id."""


def require() -> None:
    """Skip where no Spark can run."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'dpsql[spark]'")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("there is no Java on this machine, which Spark runs in")


def root() -> Any:
    """The session that all of dpsql's are made beside, started if it is not there."""
    from dpsql.dialects import spark_open

    spark_open.open_local(URL, MEMORY)
    session = spark_open._Local.session
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def fill(
    session: Any, tables: Mapping[str, str], rows: Mapping[str, list[tuple[Any, ...]]]
) -> None:
    """Parquet tables of the schema `default`. `tables`: column lists as DuckDB has them."""
    for table, columns in tables.items():
        schema = ", ".join(_column(one) for one in re.split(r",\s*(?![^(]*\))", columns))
        frame = session.createDataFrame([tuple(row) for row in rows[table]], schema)
        frame.coalesce(2).write.mode("overwrite").format("parquet").saveAsTable(table)


def _column(ddl: str) -> str:
    """`pid BIGINT PRIMARY KEY` as `pid BIGINT`, in Spark's names of types."""
    name, kind = ddl.split()[:2]
    names = {"VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ", "INTEGER": "INT"}
    return f"`{name}` {names.get(kind.upper(), kind)}"


def rows() -> dict[str, list[tuple[Any, ...]]]:
    found = dict(equivalence_world.rows())
    persons = {vid: pid for vid, pid, *_ in found["visits"]}
    found["items"] = [(persons.get(vid), vid, *rest) for vid, *rest in found["items"]]
    return found


def wide(session: Any) -> None:
    """The tables of `equivalence_world`, once a process."""
    if not session.catalog.tableExists("persons"):
        fill(session, _DDL, rows())
