"""A database file with hostile rows, a policy that keeps its cells, and plans over them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dpsql.cells.build import build
from dpsql.opening import open_engine
from dpsql.pipeline import bind, parse, rewrite
from dpsql.pipeline import plan as planning
from dpsql.pipeline.certify import claim
from dpsql.planning.kept import Offer
from dpsql.planning.types import Plan
from dpsql.policy import load
from dpsql.session import Session

SALT = 0x9E3779B97F4A7C15
HOSTILE = (0, 1, 2, 3, 17)
"""Units with many rows, in many groups, far outside every range."""

ROWS = """
CREATE TABLE persons(id BIGINT PRIMARY KEY, plan VARCHAR);
CREATE TABLE visits(vid BIGINT, pid BIGINT, city VARCHAR, month INTEGER, day DATE, amount INTEGER,
    price DECIMAL(10, 2), x DOUBLE, tag VARCHAR);
INSERT INTO persons SELECT i, ['a', 'b'][1 + i % 2] FROM range(60) t(i);
INSERT INTO visits SELECT i, CASE WHEN i < 400 THEN i % 4 WHEN i < 420 THEN NULL ELSE i % 60 END,
    ['B', 'K', 'M', 'elsewhere', NULL][1 + i // 4 % 5],
    CASE i // 5 % 9 WHEN 8 THEN 99 WHEN 7 THEN NULL ELSE i // 5 % 9 END,
    DATE '2024-01-01' + CAST(i // 3 % 120 AS INTEGER),
    CASE i % 5 WHEN 0 THEN 2000000000 WHEN 1 THEN -2000000000 WHEN 2 THEN NULL ELSE i % 90 END,
    CASE i % 3 WHEN 0 THEN 9999999 WHEN 1 THEN NULL ELSE i * 0.37 END,
    CASE i % 6 WHEN 0 THEN 1e300 WHEN 1 THEN -1e300 WHEN 2 THEN 'nan'::DOUBLE WHEN 3 THEN NULL
        WHEN 4 THEN 'inf'::DOUBLE ELSE i * 0.31 END,
    't' || CAST(i // 4 % 7 AS VARCHAR) FROM range(2000) t(i);
"""

KEPT: list[dict[str, Any]] = [
    {"by": ["city", "month"], "values": ["amount", "x"]},
    {"by": ["city"], "values": ["amount", "price", "x", "amount * 2 + 1"]},
    {"by": ["date_trunc('month', day)"], "values": ["amount"]},
    {"by": ["tag"], "values": ["amount", "x"]},
    {"by": ["tag", "month"]},
    {"by": [], "values": ["amount", "x"]},
]


def rules(
    folder: Path,
    *,
    bounds: dict[str, Any] | None = None,
    per_unit: int | None = None,
    kept: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The policy as a dict; `per_unit`: C of the table."""
    visits: dict[str, Any] = {
        "unit": "pid",
        "kept": KEPT if kept is None else kept,
        "columns": {
            "city": {"values": ["B", "K", "M"]},
            "month": {"min": 0, "max": 7},
            "day": {"min": "2024-01-01", "max": "2024-04-30"},
            "amount": {"min": -5, "max": 60},
            "price": {"min": 0, "max": 500},
            "x": {"min": -3, "max": 100},
        },
    }
    if per_unit is not None:
        visits["max_rows_per_unit"] = per_unit
    return {
        "version": 1,
        "database": f"duckdb:///{folder / 'data.duckdb'}",
        "ledger": f"sqlite:///{folder / 'ledger.db'}",
        "cells": str(folder / "cells.duckdb"),
        "budgets": {
            "per_query": {"epsilon": 1, "delta": "1e-6"},
            "max_per_query": {"epsilon": "1e9", "delta": "0.5"},
            "default": {"epsilon": "1e12", "delta": "0.9"},
        },
        "bounds": {"max_groups": 3, "max_rows_per_group": 4} if bounds is None else bounds,
        "tables": {"visits": visits, "persons": {"unit": "id"}},
        **more,
    }


def make_data(folder: Path, without: int | None = None) -> None:
    """The database file, less everything of one unit."""
    (folder / "data.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "data.duckdb")) as connection:
        connection.execute(ROWS)
        if without is not None:
            connection.execute("DELETE FROM visits WHERE pid = ?", [without])
            connection.execute("DELETE FROM persons WHERE id = ?", [without])


def make_cells(policy: dict[str, Any]) -> None:
    loaded = load(policy)
    with closing(open_engine(loaded)) as engine:
        build(loaded, engine, lambda name, cells: None)


@dataclass(frozen=True)
class Served:
    """A plan, the cells that serve it, and both statements."""

    plan: Plan
    offer: Offer | None
    own: str
    kept: str


@contextmanager
def session(policy: dict[str, Any]) -> Iterator[Session]:
    opened = Session(policy, "ann")
    try:
        yield opened
    finally:
        opened.close()


def served(opened: Session, sql: str, epsilon: str = "1") -> Served:
    """The first release of a query, planned and written as the session would."""
    policy = opened.policy
    with opened.engine.snapshot():
        bound = bind.run(
            parse.run(sql, dialect="duckdb"),
            policy=policy,
            catalog=opened.engine.catalog(),
            default_schema="main",
        )
        planned = planning.run(
            bound,
            policy=policy,
            asked=opened.asked_for(epsilon, "1e-6"),
            budget=opened.budget_spec,
            public_values=lambda table, column: None,
        )
        made = rewrite.run(planned, policy=policy, offers=opened.cells.offer)
    kept = made.kept[0]
    offer, text = (None, "") if kept is None else (kept.offer, kept.sql)
    return Served(planned.plans[0], offer, made.statements[0], text)


def rows(table: pa.Table, plan: Plan) -> list[tuple[Any, ...]]:
    """The rows of a statement of sums in one order."""
    names = sorted(table.column_names)
    found = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    return sorted(found, key=repr) if plan.keys else list(found)


Vectors = dict[tuple[Any, ...], list[tuple[int, ...]]]


def vectors(table: pa.Table, plan: Plan) -> Vectors:
    """Of each group its blocks' coordinates; of private keys the count of units first."""
    data = table.to_pydict()
    found: Vectors = {}
    for row in range(table.num_rows):
        key = tuple(data[one.name][row] for one in plan.keys)
        blocks = [
            tuple(int(data[f"b{at}_{i}"][row]) for i in range(part.block.coordinates))
            for at, part in enumerate(plan.blocks)
        ]
        units = [(int(data["units"][row]),)] if plan.threshold is not None else []
        found[key] = [*units, *blocks]
    return found


def excess(plan: Plan, whole: Vectors, less: Vectors) -> list[str]:
    """Where one unit moved the vector further than the plan's noise is made for."""
    told = claim(plan)
    claims = [(one.l0, one.linf, one.l1, one.l2_squared) for one in told.blocks]
    if told.units is not None:
        k = told.max_groups_for_units or 0
        claims = [(k, 1, k, k), *claims]
    found = []
    for at, (l0, linf, l1, l2_squared) in enumerate(claims):
        moved = []
        for key in {*whole, *less}:
            size = len((whole.get(key) or less[key])[at])
            nothing: list[tuple[int, ...]] = [(0,) * size] * len(claims)
            a, b = whole.get(key, nothing)[at], less.get(key, nothing)[at]
            moved.append([abs(x - y) for x, y in zip(a, b, strict=True)])
        cells = [sum(cell) for cell in moved if any(cell)]
        squares = sum(x * x for x in itertools.chain(*moved))
        measured = (len(cells), max(cells, default=0), sum(cells), squares)
        if any(a > b for a, b in zip(measured, (l0, linf, l1, l2_squared), strict=True)):
            found.append(f"block {at}: {measured} > {(l0, linf, l1, l2_squared)}")
    return found
