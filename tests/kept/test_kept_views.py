"""Cells of a view answer as its rows do, whatever clock and time zone: or there are none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from kept_world import make_cells, rows, rules, served, session

from dpsql.errors import PolicyError

ROWS = """
CREATE TABLE raw AS SELECT i % 40 AS pid, i % 60 AS amount, i % 3 AS k,
    TIMESTAMPTZ '2024-01-10 23:30:00+00' + INTERVAL (i % 3) DAY AS seen FROM range(300) t(i);
CREATE MACRO late(a) AS a < now();
"""
MOVING = {
    "the clock": "SELECT * FROM raw WHERE seen < now()",
    "the day": "SELECT pid, amount, date_diff('day', seen::DATE, current_date) AS k FROM raw",
    "chance": "SELECT * FROM raw WHERE random() < 0.5",
    "a sample": "SELECT * FROM raw TABLESAMPLE 50%",
    "a macro": "SELECT * FROM raw WHERE late(seen)",
    "a view below": 'SELECT * FROM "Newest rows"',
}
STEADY = {
    "names": "SELECT pid, amount, k, k AS now, 'random()' AS \"today()\" FROM raw",
    "a day": "SELECT pid, amount, seen::DATE AS k FROM raw",
}


def viewed(folder: Path, view: str) -> dict[str, Any]:
    with duckdb.connect(str(folder / "data.duckdb")) as data:
        data.execute(ROWS)
        data.execute('CREATE VIEW "Newest rows" AS SELECT * FROM raw WHERE seen < now()')
        data.execute(f"CREATE VIEW visits AS {view}")
    policy = rules(folder, kept=[{"by": ["k"], "values": ["amount"]}])
    policy["tables"]["visits"]["columns"] = {"amount": {"min": 0, "max": 60}}
    del policy["tables"]["persons"]
    return policy


@pytest.mark.parametrize("name", MOVING)
def test_no_cells_of_rows_that_move(name: str, tmp_path: Path) -> None:
    policy = viewed(tmp_path, MOVING[name])
    with pytest.raises(PolicyError, match="its rows change though no file does") as problem:
        make_cells(policy)
    assert problem.value.code == "kept-unfit"


@pytest.fixture
def zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", STEADY)
def test_a_view_is_the_same_in_every_time_zone(name: str, tmp_path: Path, zones: Any) -> None:
    policy = viewed(tmp_path, STEADY[name])
    zones("UTC")
    make_cells(policy)
    zones("Asia/Tokyo")
    with session(policy) as opened:
        found = served(opened, "SELECT k, COUNT(*), SUM(amount) FROM visits GROUP BY k")
        cells = opened.cells.engine
        assert found.offer is not None
        assert cells is not None
        own = rows(opened.engine.fetch(found.own), found.plan)
        assert rows(cells.fetch(found.kept), found.plan) == own
        assert own
