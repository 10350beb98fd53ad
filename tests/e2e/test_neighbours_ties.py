"""Other units' rows do not change when rows leave, be they alike and read by several threads.

Rows of a unit that are alike in all that is read may be taken in any order, but in one order by
all windows: else `a * b` of two row numbers depends on how the engine happened to sort them, and
that on who else is there.
"""

from __future__ import annotations

import datetime as dt
import importlib

import e2e_neighbours as neighbours
import pytest
import sqlglot
from neighbour_faults import ties_broken_twice
from neighbour_shapes import MESSY
from sqlglot import exp

TWO_ORDERS = (
    "SELECT SUM(LEAST(a * b, 1000)) FROM (SELECT pid, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY"
    " n, kind) AS a, ROW_NUMBER() OVER (PARTITION BY pid ORDER BY kind DESC, n) AS b FROM events) t"
)
FLOATS = (
    "SELECT SUM(m) FROM (SELECT pid, AVG(a) AS m FROM (SELECT pid, kind, AVG(x) AS a FROM events"
    " GROUP BY pid, kind) q GROUP BY pid) t",
    "SELECT SUM(s) FROM (SELECT pid, SUM(x) OVER (PARTITION BY pid ORDER BY kind) AS s FROM events)"
    " t",
    "SELECT SUM(s) FROM (SELECT pid, SUM(x) OVER (PARTITION BY pid ORDER BY kind ROWS BETWEEN 5"
    " PRECEDING AND CURRENT ROW) AS s FROM events) t",
    "SELECT kind, COUNT(*) FROM (SELECT pid, kind, AVG(x) OVER (PARTITION BY pid ORDER BY n ROWS"
    " UNBOUNDED PRECEDING) AS s FROM events) t WHERE s > 0.1 GROUP BY kind",
)


def alike(rows):
    """Many rows of 37 units, several of them alike each, and a third as many of nobody's."""
    start = dt.datetime(2020, 1, 1)
    return [
        (
            None if i % 4 == 0 else (i * 7919) % 37,
            "xyz"[i // 37 % 3],
            i // 37 % 7 * 0.1,
            i // 37 % 3,
            start,
        )
        for i in range(rows)
    ]


def partials(world, text):
    """What every level of the statement that carries the unit has of each unit."""
    tree = sqlglot.parse_one(text, dialect="duckdb")
    found = {}
    for at, node in enumerate(tree.find_all(exp.Subquery)):
        if node.this.selects[0].alias_or_name == "u":
            for row in world.connection.sql(node.this.sql("duckdb")).fetchall():
                found.setdefault(row[0], []).append((at, *row[1:]))
    return {unit: sorted(rows, key=repr) for unit, rows in found.items()}


def moved(world, sql, rows):
    """Units whose partials changed when others' rows left and all rows changed places."""
    policy = neighbours.policy(max_rows=None, per_unit={"events": 2000}, kinds=["x", "y", "z"])
    events, found = alike(rows), set()
    world.load({**MESSY, "events": events})
    (one,) = world.state(sql, policy)
    whole = partials(world, one.text)
    assert len(whole) == 37
    for unit in (None, 0, 5, 36):
        world.load({**MESSY, "events": [row for row in reversed(events) if row[0] != unit]})
        less = partials(world, one.text)
        assert less.keys() == whole.keys() - {unit}
        found |= {other for other in less if less[other] != whole[other]}
    return found


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("sql", [TWO_ORDERS, *FLOATS])
def test_other_units_stay_as_they_are(sql, threads):
    """To the last bit: no float is added to another, and alike rows have one order."""
    world = neighbours.World.open(threads=threads)
    assert moved(world, sql, 4_000) == set()


def test_two_orders_of_alike_rows_are_seen(monkeypatch):
    """Without the number that ends all ties the same check fails."""
    world = neighbours.World.open(threads=1)
    ties_broken_twice(monkeypatch)
    assert moved(world, TWO_ORDERS, 1_000)


@pytest.mark.parametrize("sql", FLOATS[:2])
def test_sums_of_floats_are_seen(sql, monkeypatch):
    """Were floats summed as they are, the same check would fail."""
    world = neighbours.World.open(threads=4)
    inner = importlib.import_module("dpsql.rules.inner")
    monkeypatch.setattr(inner, "fixed", lambda call, grid, sources: sources.expr(call.arg))
    assert moved(world, sql, 4_000)
