"""A small database with keys, foreign keys and hostile rows; its policy; plans as claims; replay.

Replay runs a bounded statement with and without one unit and measures how far each block moved:
the claim, tested on data instead of derived from text.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import prod
from typing import Any

import duckdb
from statements_given import values

from dpsql.certify import BlockClaim, Claim
from dpsql.core.catalog import Catalog
from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.pipeline import bind, parse, plan, rewrite
from dpsql.planning.types import Plan
from dpsql.policy import load
from dpsql.policy.schema import Policy

SCHEMA = """
CREATE TABLE persons(id BIGINT PRIMARY KEY, age INTEGER, income DOUBLE, wage DECIMAL(10,2),
    city VARCHAR, sex VARCHAR NOT NULL, born DATE, secret INTEGER, ok BOOLEAN);
CREATE TABLE visits(visit_id BIGINT PRIMARY KEY, person_id BIGINT REFERENCES persons(id),
    ts TIMESTAMP, cost DOUBLE, dept VARCHAR);
CREATE TABLE lab(lab_id BIGINT PRIMARY KEY, person_id BIGINT, value DOUBLE, code INTEGER);
CREATE TABLE rx(rx_id BIGINT, visit_id BIGINT, drug VARCHAR, qty INTEGER, price DECIMAL(12,3));
CREATE TABLE labnote(lab_id BIGINT, note VARCHAR, grade SMALLINT);
CREATE TABLE regions(city VARCHAR PRIMARY KEY, region VARCHAR, tax DOUBLE);
CREATE TABLE aliases(city VARCHAR, alias VARCHAR);
CREATE TABLE undeclared(person_id BIGINT, v0 BIGINT);
"""

# Persons 0 to 3 are hostile: many rows, in many groups, with values far outside every range.
ROWS = """
INSERT INTO persons SELECT i, CASE i WHEN 0 THEN 2000000000 WHEN 1 THEN -2000000000 WHEN 2 THEN NULL
    ELSE (i * 7) % 100 END, CASE i WHEN 0 THEN 1e300 WHEN 1 THEN 'nan'::DOUBLE
    WHEN 2 THEN '-inf'::DOUBLE ELSE i * 13.5 END, i * 1250.25, ['B', 'M', 'K', NULL][1 + i % 4],
    ['f', 'm'][1 + i % 2], DATE '1950-01-01' + CAST(i AS INTEGER), i, i % 2 = 0 FROM range(40) t(i);
INSERT INTO visits SELECT i, CASE WHEN i < 300 THEN i % 4 WHEN i < 310 THEN NULL ELSE i % 40 END,
    TIMESTAMP '2021-01-01' + INTERVAL 1 DAY * (i % 300),
    CASE i % 5 WHEN 0 THEN 1e12 WHEN 1 THEN -1e12 WHEN 2 THEN NULL WHEN 3 THEN 'nan'::DOUBLE
    ELSE i * 1.5 END, ['x', 'y', 'z', NULL, 'q'][1 + i // 4 % 5] FROM range(500) t(i);
INSERT INTO lab SELECT i, CASE WHEN i < 200 THEN i % 4 WHEN i < 205 THEN NULL ELSE i % 40 END,
    i * 0.5, i // 4 % 9 FROM range(400) t(i);
INSERT INTO rx SELECT i, i % 520, 'd' || CAST(i // 4 % 13 AS VARCHAR),
    CASE i % 3 WHEN 0 THEN 1000000 WHEN 1 THEN -1000000 ELSE i % 60 END,
    CASE i % 2 WHEN 0 THEN 99999999 ELSE -99999999 END FROM range(4000) t(i);
INSERT INTO labnote SELECT i % 410, 'n', i % 9 FROM range(900) t(i);
INSERT INTO regions VALUES ('B', 'east', 0.1), ('M', 'south', 0.2), ('K', 'west', 0.3);
INSERT INTO aliases VALUES ('B', 'bb'), ('B', 'ber'), ('M', 'mm');
INSERT INTO undeclared SELECT i % 40, i FROM range(100) t(i);
"""

POLICY: dict[str, Any] = {
    "version": 1,
    "database": "duckdb:///unused.duckdb",
    "unit": "person",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "max_per_query": {"epsilon": "1e9", "delta": "1e-2"},
        "default": {"epsilon": "1e12", "delta": "0.5"},
        "total": {"epsilon": "1e12", "delta": "0.9"},
    },
    "bounds": {"max_groups": 5, "max_rows_per_group": 20},
    "tables": {
        "persons": {
            "unit": "id",
            "columns": {
                "age": {"min": 0, "max": 120},
                "income": {"min": 0, "max": 1000000},
                "wage": {"min": 0, "max": 5000},
                "sex": {"values": ["f", "m"]},
                "born": {"min": "1930-01-01", "max": "2020-12-31"},
                "secret": {"hidden": True},
            },
        },
        "visits": {
            "unit": "person_id -> persons.id",
            "max_rows_per_unit": 30,
            "columns": {
                "cost": {"min": -50, "max": 5000},
                "ts": {"min": "2020-01-01", "max": "2022-12-31"},
                "dept": {"values": ["x", "y", "z"]},
            },
        },
        "lab": {
            "unit": "person_id",
            "max_rows_per_unit": 40,
            "columns": {"value": {"min": 0, "max": 300}, "code": {"min": 0, "max": 9}},
        },
        "rx": {
            "unit": "visit_id -> visits.visit_id",
            "max_rows_per_unit": 60,
            "columns": {"qty": {"min": 0, "max": 50}, "price": {"min": -10, "max": 1000}},
        },
        "labnote": {
            "unit": "lab_id -> lab.lab_id",
            "columns": {"lab_id": {"hidden": True}, "grade": {"min": 1, "max": 6}},
        },
        "regions": {"public": True},
        "aliases": {"public": True},
    },
}
HOSTILE = (0, 1, 2, 3, 17)


@dataclass(frozen=True)
class World:
    """`without[u]` is the database less everything of unit u; None: the whole."""

    policy: Policy
    catalog: Catalog
    engine: DuckDBEngine
    without: dict[int | None, duckdb.DuckDBPyConnection]

    def planned(self, query: str) -> list[tuple[str, Claim, Plan]]:
        """The bounded statements of a query, with their plans as claims."""
        parsed = parse.run(query, dialect="duckdb", parameters=None)
        bound = bind.run(parsed, policy=self.policy, catalog=self.catalog, default_schema="main")
        planned = plan.run(
            bound,
            policy=self.policy,
            asked=plan.Asked(),
            budget=self.policy.budget_of("ann"),
            public_values=self._public_values,
        )
        texts = rewrite.run(planned, policy=self.policy).statements
        return [(t, claim_of(p), p) for t, p in zip(texts, planned.plans, strict=True)]

    def _public_values(self, table: str, column: str) -> tuple[Any, ...]:
        found = self.without[None].execute(f'SELECT DISTINCT "{column}" FROM "{table}"')
        return tuple(row[0] for row in found.fetchall())

    def excess(self, sql: str, claim: Claim) -> list[str]:
        """Where replay moves further than claimed, for any of the hostile units."""
        whole = self._rows(sql, claim, None)
        found = []
        for unit in HOSTILE:
            found += _excess(whole, self._rows(sql, claim, unit), claim)
        return found

    def _rows(self, sql: str, claim: Claim, unit: int | None) -> dict[Any, dict[str, int]]:
        relation = self.without[unit].sql(sql, params=values(sql) or None)
        names = [name.lower() for name in relation.columns]
        rows = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        return {tuple(row[k] for k in claim.keys): row for row in rows}


def build() -> World:
    whole = _database(None)
    engine = DuckDBEngine.adopt(whole)
    without = {None: whole, **{unit: _database(unit) for unit in HOSTILE}}
    return World(load(POLICY), engine.catalog(), engine, without)


def _database(unit: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute(SCHEMA)
    connection.execute(ROWS)
    if unit is not None:
        for sql in (
            "DELETE FROM labnote WHERE lab_id IN"
            f" (SELECT lab_id FROM lab WHERE person_id = {unit})",
            "DELETE FROM rx WHERE visit_id IN"
            f" (SELECT visit_id FROM visits WHERE person_id = {unit})",
            *(f"DELETE FROM {t} WHERE person_id = {unit}" for t in ("lab", "visits", "undeclared")),
            f"DELETE FROM persons WHERE id = {unit}",
        ):
            connection.execute(sql)
    return connection


def claim_of(found: Plan) -> Claim:
    """What the plan promises of its statement."""
    blocks = []
    for index, part in enumerate(found.blocks):
        s = part.sensitivity
        columns = tuple(f"b{index}_{i}" for i in range(part.block.coordinates))
        blocks.append(BlockClaim(columns, s.linf, s.l0, s.l1, s.l2_squared))
    selected = found.threshold is not None
    public = all(key.values is not None for key in found.keys)
    return Claim(
        keys=tuple(key.name for key in found.keys),
        units="units" if selected else None,
        max_groups_for_units=found.bounds.touched if selected else None,
        blocks=tuple(blocks),
        cells=prod(len(key.values or ()) for key in found.keys) if public else None,
    )


def _excess(whole: dict[Any, Any], less: dict[Any, Any], claim: Claim) -> list[str]:
    found = []
    for block in claim.blocks:
        per_group: dict[Any, int] = defaultdict(int)
        for name in block.columns:
            for key in {*whole, *less}:
                old, new = whole.get(key, {}).get(name, 0), less.get(key, {}).get(name, 0)
                per_group[key] += abs(int(old) - int(new))
        moved = [x for x in per_group.values() if x]
        measured = {
            "linf": (max(moved, default=0), block.linf),
            "l1": (sum(moved), block.l1),
            "l2": (sum(x * x for x in moved), block.l2_squared),
        }
        if claim.cells is None or len(whole) <= claim.cells:
            measured["l0"] = (len(moved), block.l0)
            found += [f"{block.columns[0]} {n}" for n, (got, cap) in measured.items() if got > cap]
    if claim.units is not None:
        name = claim.units
        steps = [
            abs(whole.get(k, {}).get(name, 0) - less.get(k, {}).get(name, 0))
            for k in {*whole, *less}
        ]
        if max(steps, default=0) > 1 or sum(steps) > (claim.max_groups_for_units or 0):
            found.append("units")
    return found
