"""The replay gate: exact bounded vectors of neighbouring databases, compared with the plan.

A plan's own statement runs on a database and on the same database without one unit, with the same
salt; nothing of the noise is involved. What moved must be within what the noise was made for.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.sealed import Sealed
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.pipeline import bind, chains, parse, rewrite
from dpsql.pipeline import plan as planning
from dpsql.planning.types import HistogramPlan, Plan
from dpsql.policy import load

EngineError = duckdb.Error
"""A statement that fails is a fault too: it would tell analysts of one row by failing."""

SALT = 0x9E3779B97F4A7C15

DDL = {
    "persons": "pid BIGINT PRIMARY KEY, city VARCHAR, age INTEGER, income DOUBLE, vip BOOLEAN,"
    " born DATE",
    "visits": "vid BIGINT PRIMARY KEY, pid BIGINT REFERENCES persons(pid), cost DECIMAL(10,2),"
    " score DOUBLE, kind VARCHAR, seen TIMESTAMP",
    "items": "vid BIGINT REFERENCES visits(vid), qty INTEGER, label VARCHAR",
    "events": "pid BIGINT, kind VARCHAR, x DOUBLE, n INTEGER, seen TIMESTAMP",
    "shops": "kind VARCHAR, region VARCHAR",
}
_TYPES = {
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "DECIMAL(10,2)": pa.decimal128(10, 2),
}
SCHEMAS = {
    table: pa.schema([(c.split()[0], _TYPES[c.split()[1]]) for c in ddl.split(", ")])
    for table, ddl in DDL.items()
}

Database = Mapping[str, Sequence[tuple[Any, ...]]]
Histogram = dict[tuple[Any, ...], int]
"""(keys..., bin) → weight."""
Vector = dict[tuple[Any, ...], tuple[int | None, list[tuple[int, ...]]]]
"""Group key → (units, one tuple of coordinates a block)."""


def policy(
    *,
    max_groups: int | None = 3,
    max_rows: int | None = 2,
    per_unit: Mapping[str, int] | None = None,
    kinds: Sequence[str] | None = None,
) -> Any:
    """A policy over the tables above; `per_unit`: C of a table, `kinds`: a public domain."""
    tables: dict[str, Any] = {
        "persons": {
            "unit": "pid",
            "columns": {
                "age": {"min": 0, "max": 90},
                "income": {"min": -10, "max": 100},
                "born": {"min": dt.date(2000, 1, 1), "max": dt.date(2000, 6, 30)},
            },
        },
        "visits": {
            "unit": "pid -> persons.pid",
            "columns": {
                "cost": {"min": -5, "max": 50},
                "score": {"min": 1, "max": 3},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 3, 31)},
            },
        },
        "items": {"unit": "vid -> visits.vid", "columns": {"qty": {"min": 0, "max": 9}}},
        "events": {
            "unit": "pid",
            "columns": {
                "x": {"min": -2, "max": 8},
                "n": {"min": -3, "max": 5},
                "seen": {"min": dt.date(2020, 1, 1), "max": dt.date(2020, 2, 29)},
            },
        },
        "shops": {"public": True},
    }
    for table, rows in (per_unit or {}).items():
        tables[table]["max_rows_per_unit"] = rows
    if kinds is not None:
        for table in ("visits", "events"):
            tables[table]["columns"]["kind"] = {"values": list(kinds)}
    bounds = {"max_groups": max_groups, "max_rows_per_group": max_rows}
    return load(
        {
            "version": 1,
            "unit": "pid",
            "budgets": {
                "per_query": {"epsilon": 1, "delta": "1e-6"},
                "max_per_query": {"epsilon": "1e9", "delta": "0.5"},
                "default": {"epsilon": "1e12", "delta": "0.9"},
            },
            "bounds": {name: value for name, value in bounds.items() if value is not None},
            "tables": tables,
        }
    )


class Moved(AssertionError):
    """A unit moved a vector further than its plan says."""


@dataclass(frozen=True)
class Stated:
    """One plan of a query, and the statement that is sent for it."""

    sql: str
    plan: Plan
    text: str
    given: Mapping[str, Any] | None = None
    """What releases are held to have given it, in a chain."""


@dataclass
class World:
    """The catalog of the constrained schema; a database without constraints that holds the rows.

    Rows of one unit can then be taken out in one transaction (DuckDB checks foreign keys too
    early for that); statements do not depend on constraints, only plans do.
    """

    catalog: Any
    connection: duckdb.DuckDBPyConnection
    database: Database
    sealed: Sealed = field(default_factory=Sealed)

    @classmethod
    def open(cls, threads: int = 4) -> World:
        with duckdb.connect(":memory:") as schema:
            for table, columns in DDL.items():
                schema.execute(f"CREATE TABLE {table}({columns})")
            engine = DuckDBEngine.adopt(schema)
            catalog = engine.catalog()
            engine.close()
        connection = duckdb.connect(":memory:", config={"threads": threads})
        connection.execute("PRAGMA verify_parallelism")  # threads share even small tables
        for table, columns in DDL.items():
            plain = ", ".join(" ".join(c.split()[:2]) for c in columns.split(", "))
            connection.execute(f"CREATE TABLE {table}({plain})")
        return cls(catalog, connection, {})

    def load(self, database: Database) -> None:
        self.database = database
        for table, schema in SCHEMAS.items():
            rows = database.get(table, ())
            self.connection.execute(f"DELETE FROM {table}")
            if rows:
                columns = [
                    pa.array(column, type=field.type)
                    for column, field in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                self.connection.register("given", pa.Table.from_arrays(columns, schema=schema))
                self.connection.execute(f"INSERT INTO {table} SELECT * FROM given")
                self.connection.unregister("given")

    def units(self) -> list[int]:
        found = {row[0] for row in self.database.get("persons", ())}
        found |= {row[1] for row in self.database.get("visits", ())}
        found |= {row[0] for row in self.database.get("events", ())}
        return sorted(unit for unit in found if unit is not None)

    # ---- plans and vectors -----------------------------------------------------------------

    def plan(
        self, sql: str, rules: Any, *, epsilon: float = 1, delta: float = 1e-6
    ) -> tuple[Plan, ...]:
        bound = bind.run(
            parse.run(sql, dialect="duckdb"),
            policy=rules,
            catalog=self.catalog,
            default_schema="main",
            describe=lambda context, query: chains.describe(context, query, {}, self.sealed),
        )
        asked = planning.Asked(Fraction(repr(epsilon)), Fraction(repr(delta)))
        return planning.run(
            bound,
            policy=rules,
            asked=asked,
            budget=rules.budget_of("analyst"),
            public_values=self._values,
        ).plans

    def _values(self, table: str, column: str) -> tuple[Any, ...]:
        rows = self.connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
        values = [row[0] for row in rows]
        present = sorted(v for v in values if v is not None)
        return (*present, *([None] if len(present) < len(values) else []))

    def statement(self, plan: Plan) -> str:
        return rewrite.text(plan, self.catalog, {name: name for name in DDL}, SALT)

    def histograms(self, plan: Plan, tables: Mapping[str, str] | None = None) -> list[Histogram]:
        """Of each histogram its weights by (keys..., bin), as the engine gives them."""
        tables = {name: name for name in DDL} if tables is None else dict(tables)
        found = []
        for index in range(len(plan.histograms)):
            text = rewrite.histogram_text(plan, index, self.catalog, tables, SALT)
            table = self.connection.sql(text).to_arrow_table().to_pydict()
            keys = [self._key(key, table[key.name]) for key in plan.keys]
            rows: Histogram = {}
            for row, (bin_, weight) in enumerate(zip(table["bin"], table["weight"], strict=True)):
                key = tuple(column[row] for column in keys)
                if OUTSIDE not in key:
                    assert (*key, bin_) not in rows, "a bin came twice"
                    rows[*key, bin_] = int(weight)
            found.append(rows)
        return found

    def vector(self, plan: Plan, statement: str, given: Mapping[str, Any] | None = None) -> Vector:
        rows = self.connection.sql(statement, params=given or None)
        table = rows.to_arrow_table().to_pydict()
        keys = [self._key(key, table[key.name]) for key in plan.keys]
        count = len(next(iter(table.values())))
        found: Vector = {}
        for row in range(count):
            key = tuple(column[row] for column in keys)
            if OUTSIDE in key:
                continue
            assert key not in found, "a group came twice"
            blocks = [
                tuple(int(table[f"b{i}_{j}"][row]) for j in range(part.block.coordinates))
                for i, part in enumerate(plan.blocks)
            ]
            found[key] = (table["units"][row] if plan.threshold is not None else None, blocks)
        return found

    def _key(self, key: Any, column: list[Any]) -> list[Any]:
        """As `perturb` lays keys out: what is not in a public domain is nowhere."""
        if key.values is None or key.coding == "index":
            return column
        return [value if value in key.values else OUTSIDE for value in column]

    @contextmanager
    def without(self, unit: int | None) -> Iterator[None]:
        """The database less one unit's rows; None: less the rows that are nobody's."""
        mine = "IS NULL" if unit is None else f"= {unit}"
        self.connection.execute("BEGIN")
        try:
            self.connection.execute(
                f"DELETE FROM items WHERE vid IN (SELECT vid FROM visits WHERE pid {mine})"
            )
            for table in ("visits", "events", "persons"):
                self.connection.execute(f"DELETE FROM {table} WHERE pid {mine}")
            if unit is None:
                self.connection.execute(
                    "DELETE FROM items WHERE vid IS NULL OR vid NOT IN (SELECT vid FROM visits)"
                )
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def state(self, sql: str, rules: Any, **price: float) -> list[Stated]:
        return [Stated(sql, plan, self.statement(plan)) for plan in self.plan(sql, rules, **price)]

    def replay(self, stated: Sequence[Stated], units: Sequence[int] | None = None) -> None:
        """Assert the plans' sensitivities for every unit of the loaded database."""
        whole = [self.vector(one.plan, one.text, one.given) for one in stated]
        for unit in [None, *(self.units() if units is None else units)] if stated else ():
            with self.without(unit):
                for one, before in zip(stated, whole, strict=True):
                    less = self.vector(one.plan, one.text, one.given)
                    problems = moved(one.plan, before, less, nobody=unit is None)
                    if problems:
                        raise Moved(f"{one.sql}\n{one.text}\nwithout {unit}: {problems}")

    def check(
        self, sql: str, rules: Any, *, units: Sequence[int] | None = None, **price: float
    ) -> list[Plan]:
        """The query's plans, each replayed."""
        stated = self.state(sql, rules, **price)
        self.replay(stated, units)
        return [one.plan for one in stated]


OUTSIDE = object()


def histogram_moved(part: HistogramPlan, whole: Histogram, less: Histogram) -> list[str]:
    """Where one unit moved a histogram further than its mechanisms were made for."""
    problems, moved_ = [], dict[tuple[Any, ...], int]()
    for place in {*whole, *less}:
        step = whole.get(place, 0) - less.get(place, 0)
        if step < 0:
            problems.append("a unit took weight away")
        if not 0 <= place[-1] < part.block.bins:
            problems.append("a bin lies off the grid")
        moved_[place[:-1]] = moved_.get(place[:-1], 0) + step
    steps = [step for step in moved_.values() if step]
    for point in part.points:
        for law in (point.quantile, point.interval):
            if law is not None and max(steps, default=0) > law.sensitivity:
                problems.append(f"a group moved by {max(steps)}, declared {law.sensitivity}")
            if law is not None and len(steps) > law.cells:
                problems.append(f"{len(steps)} groups moved, declared {law.cells}")
    return problems


def moved(plan: Plan, whole: Vector, less: Vector, *, nobody: bool) -> list[str]:
    """Where one unit moved the vector further than the plan says. `nobody`: it may not move."""
    problems = []
    keys = list(dict.fromkeys(itertools.chain(whole, less)))
    for index, part in enumerate(plan.blocks):
        zero = (0,) * part.block.coordinates
        steps = [
            [
                a - b
                for a, b in zip(
                    whole[key][1][index] if key in whole else zero,
                    less[key][1][index] if key in less else zero,
                    strict=True,
                )
            ]
            for key in keys
        ]
        allowed = part.sensitivity
        sizes = [sum(map(abs, step)) for step in steps]
        measured = {
            "l0": (sum(map(bool, sizes)), allowed.l0),
            "linf": (max(sizes, default=0), allowed.linf),
            "l1": (sum(sizes), allowed.l1),
            "l2_squared": (sum(x * x for step in steps for x in step), allowed.l2_squared),
        }
        law = part.mechanism
        if isinstance(law, CentredGaussian):  # what is noised is turned
            squares = sum(
                (law.total * (u + v)) ** 2 + (law.difference * (v - u)) ** 2 for u, v in steps
            )
            measured["l2_squared, turned"] = squares, law.l2_squared
        for name, (found, most) in measured.items():
            if found > (0 if nobody else most):
                problems.append(f"block {index}: {name} moved {found}, declared {most}")
    if plan.threshold is not None:
        steps_of_units = [
            abs(
                (whole[key][0] if key in whole else 0) - (less[key][0] if key in less else 0)  # type: ignore[operator]
            )
            for key in keys
        ]
        if max(steps_of_units, default=0) > (0 if nobody else 1):
            problems.append("a key's unit count moved by more than 1")
        if sum(map(bool, steps_of_units)) > plan.threshold.max_groups:
            problems.append("more keys' unit counts moved than max_groups")
    return problems
