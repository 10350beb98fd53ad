"""The data, questions and bounds that every peer gets alike.

Three sets, each built once as a DuckDB file and one Parquet file per table (Spark) and, where there
is a PostgreSQL, a database (SmartNoise, Qrlew):

rand   RAND Health Insurance Experiment, real, shipped with dpsql (dpsql/demo)
shop   synthetic users and orders of tests/cases/make_data.py
large  1 M rows of 200,000 people in 50 groups, for time
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from dpsql.demo.dataset import build_database

EPSILON = 1.0
DELTA = 1e-6

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"

HEALTH = ["excellent", "fair", "good", "poor"]


@dataclass(frozen=True)
class Question:
    """SELECT [key,] aggregate FROM table [GROUP BY key], with the bounds that everybody is given.

    `rows`: rows of one person that count in all. `groups`: groups of a private or public key that
    one person may touch. `public`: the key's values, if they are public; None: they are private.
    `alone`: the table has exactly one row per person.
    """

    id: str
    set: str
    label: str
    table: str
    aggregate: str  # count, sum, avg
    column: str | None = None
    low: float = 0
    high: float = 0
    key: str | None = None
    public: list[Any] | None = None
    rows: int = 1
    groups: int = 1
    alone: bool = False
    timed_only: bool = False

    @property
    def value(self) -> str:
        return "COUNT(*)" if self.column is None else f"{self.aggregate.upper()}({self.column})"

    @property
    def sql(self) -> str:
        if self.key is None:
            return f"SELECT {self.value} AS v FROM {self.table}"
        return f"SELECT {self.key}, {self.value} AS v FROM {self.table} GROUP BY {self.key}"

    @property
    def truth(self) -> str:
        """The plain query over clamped values: what noise and dropped rows are measured against."""
        if self.column is None:
            return self.sql
        clamped = f"LEAST(GREATEST({self.column}, {self.low}), {self.high})"
        return self.sql.replace(f"({self.column})", f"({clamped})")


QUESTIONS = [
    Question("people", "rand", "COUNT(*) of persons", "persons", "count", alone=True),
    Question("income", "rand", "SUM(income)", "persons", "sum", "income", 0, 30_000, alone=True),
    Question(
        "mean-income", "rand", "AVG(income)", "persons", "avg", "income", 0, 30_000, alone=True
    ),
    Question(
        "by-health",
        "rand",
        "COUNT(*) by health, public keys",
        "persons",
        "count",
        key="health",
        public=HEALTH,
        alone=True,
    ),
    Question(
        "by-chronic",
        "rand",
        "COUNT(*) by chronic_diseases, private keys",
        "persons",
        "count",
        key="chronic_diseases",
        alone=True,
    ),
    Question("years", "rand", "COUNT(*) of person-years", "person_years", "count", rows=5),
    Question(
        "visits",
        "rand",
        "SUM(physician_visits)",
        "person_years",
        "sum",
        "physician_visits",
        0,
        80,
        rows=5,
    ),
    Question(
        "mean-visits",
        "rand",
        "AVG(physician_visits) by yr, public keys",
        "person_years",
        "avg",
        "physician_visits",
        0,
        80,
        key="yr",
        public=[1, 2, 3, 4, 5],
        rows=5,
        groups=5,
    ),
    Question(
        "by-family",
        "rand",
        "COUNT(*) by family_size, private keys",
        "person_years",
        "count",
        key="family_size",
        rows=5,
        groups=4,
    ),
    Question("orders", "shop", "COUNT(*) of orders", "orders", "count", rows=20),
    Question("amount", "shop", "SUM(amount)", "orders", "sum", "amount", 0, 2000, rows=20),
    Question("mean-amount", "shop", "AVG(amount)", "orders", "avg", "amount", 0, 2000, rows=20),
    Question(
        "by-item",
        "shop",
        "COUNT(*) by item, private keys",
        "orders",
        "count",
        key="item",
        rows=20,
        groups=8,
    ),
    Question(
        "large",
        "large",
        "COUNT(*) by grp, 50 public keys, 1 M rows",
        "events",
        "count",
        key="grp",
        public=list(range(50)),
        rows=5,
        groups=3,
        timed_only=True,
    ),
]

SETS: dict[str, dict[str, Any]] = {
    "rand": {
        "unit": "zper",
        "tables": {
            "persons": {
                "alone": True,
                "columns": {
                    "zper": "BIGINT",
                    "health": "VARCHAR",
                    "income": "DOUBLE",
                    "chronic_diseases": "INTEGER",
                },
            },
            "person_years": {
                "alone": False,
                "columns": {
                    "zper": "BIGINT",
                    "yr": "INTEGER",
                    "family_size": "INTEGER",
                    "physician_visits": "INTEGER",
                },
            },
        },
    },
    "shop": {
        "unit": "user_id",
        "tables": {
            "users": {
                "alone": True,
                "columns": {
                    "user_id": "BIGINT",
                    "age": "INTEGER",
                    "income": "DOUBLE",
                    "city": "VARCHAR",
                    "signup": "DATE",
                },
            },
            "orders": {
                "alone": False,
                "columns": {
                    "order_id": "BIGINT",
                    "user_id": "BIGINT",
                    "amount": "DOUBLE",
                    "item": "VARCHAR",
                    "ts": "TIMESTAMP",
                },
            },
            "regions": {
                "public": True,
                "alone": False,
                "columns": {"city": "VARCHAR", "region": "VARCHAR"},
            },
        },
    },
    "large": {
        "unit": "pid",
        "tables": {
            "events": {"alone": False, "columns": {"pid": "BIGINT", "grp": "INTEGER"}},
        },
    },
}
"""What each peer's schema or metadata is made from. `alone`: exactly one row per person."""

RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "users": {"age": (0, 120), "income": (0, 1_000_000)},
    "orders": {"amount": (0, 5000)},
}
"""Bounds for the coverage queries, which are asked with (next to) no noise: they clip nothing."""

COVERAGE = {"rows": 60, "groups": 60}


@dataclass
class Job:
    """What a peer is told. Plain JSON: each peer runs in an environment of its own."""

    folder: str
    epsilon: float
    delta: float
    runs: int
    sections: list[str]
    questions: list[dict[str, Any]]
    sets: dict[str, Any] = field(default_factory=lambda: SETS)
    ranges: dict[str, Any] = field(default_factory=lambda: RANGES)
    coverage: dict[str, int] = field(default_factory=lambda: COVERAGE)
    cases: list[dict[str, Any]] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    postgres: str | None = None


def as_json(question: Question) -> dict[str, Any]:
    return {**asdict(question), "sql": question.sql, "value": question.value}


def build(folder: Path) -> None:
    """DuckDB and Parquet files of all sets in `folder`, unless they are there."""
    for name, make in (("rand", _rand), ("shop", _shop), ("large", _large)):
        target = folder / f"{name}.duckdb"
        if target.exists():
            continue
        partial = folder / f"{name}.partial"
        partial.unlink(missing_ok=True)
        with duckdb.connect(str(partial)) as connection:
            for table, spec in SETS[name]["tables"].items():
                columns = ", ".join(f"{c} {t}" for c, t in spec["columns"].items())
                key = f", PRIMARY KEY ({SETS[name]['unit']})" if spec["alone"] else ""
                connection.execute(f"CREATE TABLE {table} ({columns}{key})")
            make(connection)
            for table in SETS[name]["tables"]:
                out = folder / f"{name}.{table}.parquet"
                connection.execute(f"COPY {table} TO '{out}' (FORMAT parquet)")
        partial.rename(target)


def _rand(connection: duckdb.DuckDBPyConnection) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = build_database(Path(scratch) / "rand.duckdb")
        connection.execute(f"ATTACH '{source}' AS source (READ_ONLY)")
        connection.execute(
            "INSERT INTO persons SELECT zper, health, income, CAST(chronic_diseases AS INTEGER)"
            " FROM source.persons"
        )
        connection.execute(
            "INSERT INTO person_years SELECT zper, year, family_size, physician_visits"
            " FROM source.person_years"
        )
        connection.execute("DETACH source")


def _shop(connection: duckdb.DuckDBPyConnection) -> None:
    spec = importlib.util.spec_from_file_location("make_data", CASES / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = zip(("users", "orders", "regions"), module.build(5000, 7, False), strict=True)
    for name, rows in made:
        names = list(SETS["shop"]["tables"][name]["columns"])
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        connection.register("given", pa.table(columns))
        connection.execute(f"INSERT INTO {name} SELECT * FROM given")
        connection.unregister("given")


def _large(connection: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(3)
    people = 200_000
    home = rng.integers(0, 50, people)
    steps = np.array([0, 0, 1, 1, 2])  # five rows, in three neighbouring groups
    given = pa.table(
        {
            "pid": np.repeat(np.arange(people), 5),
            "grp": ((home[:, None] + steps) % 50).ravel().astype(np.int32),
        }
    )
    connection.register("given", given)
    connection.execute("INSERT INTO events SELECT * FROM given")
    connection.unregister("given")


def truths(folder: Path, question: Question) -> list[list[Any]]:
    """[[key, value], ...] of the plain query."""
    with duckdb.connect(str(folder / f"{question.set}.duckdb"), read_only=True) as connection:
        rows = connection.execute(question.truth).fetchall()
    return [[None, row[0]] if question.key is None else [row[0], row[1]] for row in rows]
