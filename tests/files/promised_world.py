"""persons, visits, rx: two hops to the person. In Parquet, which enforces no key, and in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import files_world

from dpsql.policy.promises import all_promises
from dpsql.promised import verify
from dpsql.session import Session

Rows = dict[str, Sequence[tuple[Any, ...]]]

DDL = {
    "persons": "id BIGINT PRIMARY KEY, age INTEGER",
    "visits": "visit_id BIGINT PRIMARY KEY, person_id BIGINT REFERENCES persons(id), cost INTEGER",
    "rx": "visit_id BIGINT, qty INTEGER",
}
PROMISES = {"persons": "id", "visits": "visit_id"}
BOUNDS = {"max_groups": 5, "max_rows_per_group": 4}

QUERIES = (
    "SELECT COUNT(*), SUM(qty) FROM rx",
    "SELECT qty, COUNT(*) FROM rx GROUP BY qty ORDER BY qty",
    "SELECT COUNT(*), SUM(r.qty), SUM(v.cost) FROM rx r JOIN visits v ON v.visit_id = r.visit_id"
    " WHERE v.cost > 2",
    "SELECT p.age > 30 AS old, SUM(r.qty), COUNT(*) FROM rx r JOIN visits v ON v.visit_id ="
    " r.visit_id JOIN persons p ON p.id = v.person_id GROUP BY 1 ORDER BY 1",
    "SELECT SUM(n) FROM (SELECT p.id, LEAST(COUNT(*), 9) AS n FROM visits v JOIN persons p"
    " ON p.id = v.person_id GROUP BY 1)",
)


def rows(people: int = 40) -> Rows:
    """Person 0 has far more than the bounds; some paths dangle, some are NULL."""
    visits = [(i, 0 if i < 60 else i % people, i % 9) for i in range(240)]
    visits += [(240, None, 3), (241, None, 4)]
    return {
        "persons": [(i, (i * 7) % 80) for i in range(people)],
        "visits": visits,
        "rx": [(None if i % 97 == 0 else (i * 7) % 250, i % 5) for i in range(700)],
    }


def without(data: Rows, person: int) -> Rows:
    """The same without everything of one person."""
    theirs = {visit for visit, who, _ in data["visits"] if who == person}
    return {
        "persons": [row for row in data["persons"] if row[0] != person],
        "visits": [row for row in data["visits"] if row[1] != person],
        "rx": [row for row in data["rx"] if row[0] not in theirs],
    }


def alone(data: Rows, person: int) -> Rows:
    """Everything of one person, and nothing else."""
    rest = without(data, person)
    return {name: [row for row in data[name] if row not in set(rest[name])] for name in data}


def tables(folder: Path, *, files: bool) -> dict[str, Any]:
    """The policy's tables."""
    found: dict[str, Any] = {
        "persons": {"unit": "id", "columns": {"age": {"min": 0, "max": 90}}},
        "visits": {
            "unit": "person_id -> persons.id",
            "columns": {"cost": {"min": 0, "max": 6}},
        },
        "rx": {"unit": "visit_id -> visits.visit_id", "columns": {"qty": {"min": 0, "max": 4}}},
    }
    for name, table in found.items():
        if files:
            table["files"] = f"{folder}/{name}.parquet"
            table.update({"key": PROMISES[name], "promised": True} if name in PROMISES else {})
    return found


def write(folder: Path, data: Rows) -> None:
    """As Parquet files, and as tables with enforced keys in enforced.duckdb."""
    (folder / "enforced.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "enforced.duckdb")) as connection:
        for name, columns in DDL.items():
            connection.execute(f"CREATE TABLE {name}({columns})")
            marks = ", ".join("?" for _ in columns.split(", "))
            if data[name]:
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", list(data[name]))
            connection.execute(f"COPY {name} TO '{folder}/{name}.parquet' (FORMAT parquet)")


def policy(folder: Path, *, files: bool, **more: Any) -> dict[str, Any]:
    """At an ε that leaves no noise."""
    found = files_world.small(tables(folder, files=files), bounds=BOUNDS, unit="person", **more)
    return found if files else {**found, "database": f"duckdb:///{folder}/enforced.duckdb"}


@contextmanager
def opened(folder: Path, *, files: bool, **more: Any) -> Iterator[Session]:
    """A session whose owner has verified what the files are promised to be."""
    session = Session(policy(folder, files=files, **more), "analyst")
    try:
        for one in all_promises(session.policy, session.engine.catalog()):
            told = (session.policy, session.engine, session.ledger, session.data_version)
            assert verify(one, *told).holds
        yield session
    finally:
        session.close()


def answers(folder: Path, *, files: bool) -> list[list[dict[str, Any]]]:
    with opened(folder, files=files) as session:
        return [session.query(sql).table.to_pylist() for sql in QUERIES]
