"""A small world for canonical forms: two tables with every awkward value, and their sessions."""

from __future__ import annotations

import duckdb

from dpsql.session import Session

POLICY = {
    "version": 1,
    "unit": "person",
    "releases": {"reuse": "off"},
    "budgets": {
        "per_query": {"epsilon": "1e6", "delta": "1e-6"},
        "max_per_query": {"epsilon": "1e9", "delta": "1e-3"},
        "default": {"epsilon": "1e12", "delta": "0.5"},
    },
    "bounds": {"max_groups": 50, "max_rows_per_group": 50},
    "tables": {
        "people": {
            "unit": "id",
            "columns": {
                "a": {"min": -5, "max": 20},
                "b": {"min": 0, "max": 10},
                "d": {"min": -10, "max": 10},
                "x": {"min": -10, "max": 10},
                "r": {"min": -10, "max": 10},
                "s": {"values": ["p", "q", "P", "it's"]},
                "day": {"min": "2020-01-01", "max": "2020-12-31"},
            },
        },
        "visits": {"unit": "id", "columns": {"n": {"min": 0, "max": 9}}},
        "places": {"public": True},
    },
}

_ROWS = """
INSERT INTO people SELECT i,
  CASE WHEN i % 5 = 0 THEN NULL ELSE i % 13 - 3 END,
  i % 7,
  CASE WHEN i % 11 = 0 THEN NULL ELSE ((i % 9) - 4) * 0.25 END,
  CASE i % 8 WHEN 0 THEN NULL WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN -0.0 WHEN 3 THEN 0.1
             WHEN 4 THEN 2.5 WHEN 5 THEN 3 WHEN 6 THEN -1 ELSE 9.75 END,
  CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 0.1::REAL WHEN 2 THEN 2.5 ELSE 3 END,
  CASE i % 11 WHEN 0 THEN 'p' WHEN 1 THEN 'q' WHEN 2 THEN 'P' WHEN 3 THEN NULL WHEN 4 THEN 'q'
    WHEN 5 THEN 'p' WHEN 6 THEN 'p' ELSE 'it''s' END,
  CASE WHEN i % 6 = 0 THEN NULL ELSE DATE '2020-01-01' + (i % 200)::INTEGER END,
  CASE WHEN i % 6 = 1 THEN NULL ELSE TIMESTAMP '2020-03-01 00:00:00' + INTERVAL (i % 90) HOUR END,
  CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN TRUE WHEN 2 THEN TRUE ELSE FALSE END
FROM range(120) t(i);
INSERT INTO visits SELECT v, v % 43, (v * v + v // 7) % 10, CASE v % 5 WHEN 0 THEN 'p' ELSE 'q' END
FROM range(150) t(v);
INSERT INTO places VALUES ('p', 'north'), ('q', 'south'), ('P', 'north');
"""

_TABLES = """
CREATE TABLE people (id BIGINT PRIMARY KEY, a INTEGER, b INTEGER NOT NULL, d DECIMAL(9,2),
  x DOUBLE, r REAL, s VARCHAR, day DATE, ts TIMESTAMP, flag BOOLEAN);
CREATE TABLE visits (v BIGINT PRIMARY KEY, id BIGINT NOT NULL, n INTEGER NOT NULL, kind VARCHAR);
CREATE TABLE places (s VARCHAR PRIMARY KEY, region VARCHAR NOT NULL);
"""


def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute(_TABLES + _ROWS)
    return connection


def session(connection: duckdb.DuckDBPyConnection, **changes: object) -> Session:
    policy = {**POLICY, **changes}
    return Session({**policy, "ledger": "sqlite://"}, "analyst", engine=connection)


def forms(opened: Session, sql: str, *, dialect: str = "duckdb", **price: object):
    """The canonical forms of a statement's private aggregates; nothing is charged or run."""
    asked = opened.asked_for(price.get("epsilon"), price.get("delta"))
    with opened.engine.snapshot():
        bound = opened.bind(sql, None, dialect=dialect)
        return opened.plan(bound, asked=asked).forms


def names(opened: Session, sql: str, **more: object) -> list[str]:
    return [form.fingerprint for form in forms(opened, sql, **more)]


def rows(opened: Session, sql: str, **more: object) -> list[tuple[object, ...]]:
    """The answer at an ε that leaves no noise, each draw by itself."""
    table = opened.query(sql, **more).table
    return sorted(zip(*(c.to_pylist() for c in table.columns), strict=True), key=str)
