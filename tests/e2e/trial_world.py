"""One session for what is refused before the charge: 400 people, and public days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import duckdb

from dpsql.session import Session

POLICY = {
    "budgets": {"default": {"epsilon": 1000, "delta": 0.5}},
    "bounds": {"max_groups": 1, "max_rows_per_group": 1},
    "ledger": "sqlite://",
    "releases": {"reuse": "off"},
    "tables": {
        "t": {
            "unit": "id",
            "columns": {
                "age": {"min": 0, "max": 39},
                "day": {"min": "2020-01-01", "max": "2020-01-09"},
                "town": {"values": ["Aix", "Ulm"]},
            },
        },
        "cal": {"public": True},
    },
}


@contextmanager
def opened() -> Iterator[Session]:
    owner = duckdb.connect()
    owner.execute(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, age INT, day DATE, ok BOOLEAN, town TEXT)"
    )
    owner.execute(
        "INSERT INTO t SELECT range, range % 40, DATE '2020-01-01' + (range % 9)::INT,"
        " range % 2 = 0, 'Aix' FROM range(400)"
    )
    owner.execute("CREATE TABLE cal AS SELECT DATE '2020-01-01' + range::INT AS d FROM range(9)")
    with closing(Session(POLICY, "a", engine=owner, epsilon=5, delta=1e-6)) as found:
        yield found
