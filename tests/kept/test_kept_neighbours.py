"""One unit moves what is read from cells by no more than the plan's noise was made for.

Cells are built of D and of D less a unit, under one salt. test_kept_faults.py takes the rules away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from kept_queries import SERVED
from kept_world import (
    HOSTILE,
    SALT,
    Served,
    Vectors,
    excess,
    make_cells,
    make_data,
    rules,
    served,
    session,
    vectors,
)

from dpsql.mechanisms import entropy

SETTINGS = {
    "cap": {},
    "weights": {"per_unit": 6},
    "wide": {"bounds": {"max_groups": 50, "max_rows_per_group": 3}, "per_unit": 7},
}


@pytest.fixture(scope="module", params=SETTINGS)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Any, dict[int | None, Vectors]]]:
    """Of each query its plan, and its vectors on the whole and less each unit."""
    found: dict[str, tuple[Any, dict[int | None, Vectors]]] = {}
    plans: dict[str, Served] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entropy, "words", lambda count: [SALT] * count)
        for unit in (None, *HOSTILE):
            folder: Path = tmp_path_factory.mktemp("kept")
            make_data(folder, without=unit)
            policy = rules(folder, **SETTINGS[request.param])
            make_cells(policy)
            if unit is None:
                with session(policy) as opened:
                    plans = {name: served(opened, sql) for name, sql in SERVED.items()}
            with duckdb.connect(policy["cells"], read_only=True) as cells:
                for name, one in plans.items():
                    plan, vectors_of = found.setdefault(name, (one.plan, {}))
                    table = cells.sql(one.kept).to_arrow_table()
                    vectors_of[unit] = vectors(table, plan)
    return found


def test_no_unit_moves_more_than_declared(read: Any) -> None:
    moved = 0
    for name, (plan, vectors_of) in read.items():
        whole = vectors_of[None]
        for unit in HOSTILE:
            assert excess(plan, whole, vectors_of[unit]) == [], (name, unit)
            moved += whole != vectors_of[unit]
    assert moved > len(read)


def test_strategies_are_reached(read: Any, request: pytest.FixtureRequest) -> None:
    strategies = {plan.strategy for plan, _ in read.values()}
    assert "cap" in strategies
    if "cap" not in request.node.callspec.id:
        assert "weights" in strategies
