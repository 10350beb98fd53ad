"""FULL JOIN on the unit, whatever the unit is called; the goldens tell what is refused."""

from __future__ import annotations

import duckdb
import pytest

import dpsql

EPSILON = 10**8


def policy(unit):
    tables = {name: {"unit": unit} for name in ("p", "q")}
    return {
        "version": 1,
        "unit": "person",
        "ledger": "sqlite://",
        "budgets": {
            "per_query": {"epsilon": EPSILON, "delta": "1e-6"},
            "max_per_query": {"epsilon": EPSILON, "delta": "1e-6"},
            "default": {"epsilon": 10**10, "delta": "0.1"},
        },
        "bounds": {"max_groups": 9, "max_rows_per_group": 9},
        "tables": tables,
    }


@pytest.mark.parametrize("unit", ["a", "b", "unit", "dpsql unit", "left"])
def test_the_unit_may_be_called_anything(unit):
    """3 of 5 persons are in both tables, one in each alone; rows of nobody are in neither."""
    with duckdb.connect(":memory:") as engine:
        engine.execute(f'CREATE TABLE p("{unit}" INTEGER, x INTEGER)')
        engine.execute(f'CREATE TABLE q("{unit}" INTEGER, y INTEGER)')
        engine.execute("INSERT INTO p VALUES (1, 5), (2, 5), (2, 6), (3, 5), (4, 5), (NULL, 5)")
        engine.execute("INSERT INTO q VALUES (2, 7), (3, 7), (4, 7), (5, 7), (5, 8), (NULL, 7)")
        with dpsql.connect(policy(f'"{unit}"'), analyst="ann", engine=engine) as connection:
            cursor = connection.cursor()
            cursor.execute(
                f'SELECT COUNT(*), COUNT(DISTINCT "{unit}"), COUNT(x), COUNT(y), COUNT(p."{unit}")'
                f' FROM p FULL JOIN q USING ("{unit}")'
            )
            assert cursor.fetchall() == [(7, 5, 5, 6, 5)]
            cursor.execute(
                f'SELECT COUNT(*) FROM p FULL JOIN q ON q."{unit}" = p."{unit}"'
                f' WHERE p."{unit}" IS NULL OR q."{unit}" IS NULL'
            )
            assert cursor.fetchall() == [(3,)]
