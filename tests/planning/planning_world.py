"""One database of people and their visits, and plans of queries on it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Planned
from dpsql.planning.search import EVERY, Alternatives
from dpsql.session import Session

KINDS = [f"k{place}" for place in range(12)]
_PRICE = {"epsilon": 1, "delta": "1e-6"}
_PLENTY = {"epsilon": 10**9, "delta": "0.5"}
TABLES: dict[str, Any] = {
    "people": {
        "unit": "pid",
        "columns": {
            "income": {"min": 0, "max": 100_000},
            "hours": {"min": 0, "max": 60},
            "dues": {"min": 0, "max": 1_000},
            "age": {"min": 0, "max": 99},
            "balance": {"min": -500, "max": 500},
        },
    },
    "visits": {
        "unit": "pid",
        "max_rows_per_unit": 4,
        "columns": {
            "cost": {"min": 0, "max": 300},
            "size": {"min": 0, "max": 9},
            "kind": {"values": KINDS},
        },
    },
}


def build(path: Path) -> None:
    with duckdb.connect(str(path)) as owner:
        owner.execute(
            "CREATE TABLE people(pid BIGINT PRIMARY KEY, income INTEGER NOT NULL,"
            " hours INTEGER NOT NULL, dues INTEGER NOT NULL, age INTEGER NOT NULL,"
            " balance INTEGER NOT NULL, city VARCHAR NOT NULL, note VARCHAR);"
            "CREATE TABLE visits(pid BIGINT NOT NULL, cost INTEGER NOT NULL, size INTEGER NOT NULL,"
            " kind VARCHAR NOT NULL);"
            "INSERT INTO people SELECT i, i * 97 % 100001, i % 61, i * 7 % 1001, i % 100,"
            " i * 13 % 1001 - 500, 'c' || i % 3, CASE WHEN i % 4 > 0 THEN 'n' || i % 4 END"
            " FROM range(400) t(i);"
            "INSERT INTO visits SELECT i % 400, i * 11 % 301, i % 10, 'k' || i % 12"
            " FROM range(1600) t(i)"
        )


class World:
    def __init__(self, path: Path, bounds: Mapping[str, int], reuse: str = "off") -> None:
        rules = {
            "version": 1,
            "database": f"duckdb:///{path}",
            "ledger": f"sqlite:///{path.with_suffix('.' + str(max(bounds.values())))}",
            "releases": {"reuse": reuse},
            "budgets": {
                "per_query": _PRICE,
                "max_per_query": {"epsilon": 10**9, "delta": "0.1"},
                "default": _PLENTY,
                "total": _PLENTY,
            },
            "bounds": dict(bounds),
            "tables": TABLES,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.session = Session(rules, "ana")

    def planned(
        self,
        sql: str,
        alternatives: Alternatives = EVERY,
        epsilon: str = "1",
        delta: str = "1e-6",
    ) -> Planned:
        with self.session.engine.snapshot():
            bound = self.session.bind(sql, None, dialect="duckdb")
            asked = Asked(Fraction(epsilon), Fraction(delta))
            return self.session.plan(bound, asked=asked, alternatives=alternatives)
