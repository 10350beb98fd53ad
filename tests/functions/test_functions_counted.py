"""COUNT(DISTINCT f(x)) of what functions/ write: counted or refused, never by `certify`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import duckdb
import pytest
from function_world import TYPES, combinations
from test_functions_total import CASES

from dpsql.errors import Error, InternalError

sys.path.append(str(Path(__file__).parents[1] / "e2e"))

import e2e_world

POLICY = {
    "version": 1,
    "unit": "pid",
    "budgets": {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "default": {"epsilon": 9, "delta": "1e-5"},
    },
    "bounds": {"max_rows_per_group": 1},
    "tables": {"tt": {"unit": "pid"}},
}


@pytest.fixture(scope="module")
def session():
    columns = ", ".join(f'"{name}" {kind}, "{name}_" {kind}' for name, kind in TYPES.items())
    with duckdb.connect(":memory:") as database:
        database.execute(f"CREATE TABLE tt(pid BIGINT PRIMARY KEY, {columns})")
        opened = e2e_world.memory_session(database, POLICY)
        yield opened
        opened.close()


@pytest.mark.parametrize("suffix", ["", " FILTER (WHERE pid > 3)"])
def test_every_form_is_counted_or_refused(session, suffix):
    """One sampled expression of each form (4,315 in all)."""
    chosen, counted = random.Random(5), 0
    for template, choices in CASES.values():
        expression = chosen.choice(list(combinations(template, choices)))
        sql = f"SELECT COUNT(DISTINCT {expression}){suffix} FROM tt"
        try:
            with session.engine.snapshot():
                session.prepare(sql, None, dialect="duckdb", asked=session.asked)
        except InternalError as problem:
            pytest.fail(f"{sql}: {problem.message}")
        except Error:
            continue
        counted += 1
    assert counted > len(CASES) / 2
