"""Sources that a unit meets once are joined after its rows are aggregated, with the same result."""

from __future__ import annotations

from dataclasses import replace

import e2e_neighbours as neighbours
import pytest
from neighbour_faults import module
from neighbour_shapes import MESSY

from dpsql.certify import certify
from dpsql.errors import InternalError
from dpsql.pipeline.certify import claim

PRICE = {"epsilon": 1, "delta": 1e-6}
PEOPLE = "FROM visits v JOIN persons p ON v.pid = p.pid"

# No cap on groups, so that no hash decides; the first is of a key and a sum alone.
SAME = [
    f"SELECT p.city, SUM(v.cost) {PEOPLE} GROUP BY 1",
    f"SELECT p.vip, COUNT(*), AVG(v.score), COUNT(DISTINCT v.pid) {PEOPLE} GROUP BY 1",
    f"SELECT p.vip, date_trunc('month', p.born), VAR_POP(v.cost) {PEOPLE} GROUP BY 1, 2",
    "SELECT p.vip, SUM(i.qty) FROM items i JOIN visits v ON i.vid = v.vid"
    " JOIN persons p ON v.pid = p.pid GROUP BY 1",
    "SELECT p.city, COUNT(*) FROM persons p JOIN events e ON e.pid = p.pid GROUP BY 1",
    "SELECT s.n, COUNT(*), SUM(e.n) FROM events e JOIN (SELECT pid, COUNT(*) AS n FROM visits"
    " GROUP BY pid) s ON s.pid = e.pid GROUP BY 1",
    "SELECT p.vip, date_trunc('month', e.seen), SUM(e.n) FROM events e"
    " JOIN persons p ON e.pid = p.pid GROUP BY 1, 2",
    f"SELECT p.vip, COUNT(*) {PEOPLE} LEFT JOIN events e ON e.pid = v.pid GROUP BY 1",
    f"SELECT p.city, COUNT(e.n) {PEOPLE} LEFT JOIN events e ON e.pid = v.pid AND e.n > 900"
    " GROUP BY 1",
]
CAPPED = [
    f"SELECT p.city, v.kind, COUNT(*) {PEOPLE} GROUP BY 1, 2",
    "SELECT p.vip, e.kind, SUM(e.x), AVG(e.n) FROM events e JOIN persons p ON e.pid = p.pid"
    " GROUP BY 1, 2",
]
EARLY = {
    "a filter on it": f"SELECT p.vip, COUNT(*) {PEOPLE} WHERE p.age > 3 GROUP BY 1",
    "a value of it": f"SELECT p.vip, SUM(p.age) {PEOPLE} GROUP BY 1",
    "a condition of a call": f"SELECT p.vip, COUNT(*) FILTER (WHERE p.age > 3) {PEOPLE} GROUP BY 1",
    "a key of both": f"SELECT p.vip AND v.cost > 3, COUNT(*) {PEOPLE} GROUP BY 1",
    "a left join": "SELECT p.vip, COUNT(*) FROM visits v LEFT JOIN persons p ON v.pid = p.pid"
    " GROUP BY 1",
    "the kept side": "SELECT p.vip, COUNT(*) FROM persons p LEFT JOIN visits v ON v.pid = p.pid"
    " GROUP BY 1",
    "quantiles of the same groups": f"SELECT p.city, v.kind, COUNT(*), MEDIAN(v.score) {PEOPLE}"
    " GROUP BY 1, 2",
    "many rows of it": "SELECT v.kind, COUNT(*) FROM events e JOIN visits v ON v.pid = e.pid"
    " GROUP BY 1",
    "a table without keys": "SELECT s.region, COUNT(*) FROM events e JOIN shops s"
    " ON s.kind = e.kind GROUP BY 1",
    "one row a unit": "SELECT vip, COUNT(*) FROM persons GROUP BY 1",
}


def stated(world, sql, **bounds):
    (found,) = world.state(sql, neighbours.policy(**bounds), **PRICE)
    return found


def is_late(text):
    return ") AS a JOIN " in text


@pytest.mark.parametrize("sql", SAME)
def test_the_same_integers_as_joined_first(sql, neighbour_world, monkeypatch):
    neighbour_world.load(MESSY)
    late = stated(neighbour_world, sql, max_groups=9)
    monkeypatch.setattr(module("dpsql.rules"), "late", lambda plan: None)
    first = stated(neighbour_world, sql, max_groups=9)
    assert is_late(late.text)
    assert not is_late(first.text)
    rows = [
        sorted(map(repr, neighbour_world.connection.execute(one.text).fetchall()))
        for one in (late, first)
    ]
    assert rows[0] == rows[1]
    assert rows[0]


@pytest.mark.parametrize("sql", [*SAME, *CAPPED])
def test_one_unit_less(sql, neighbour_world):
    neighbour_world.load(MESSY)
    bounds = {"max_groups": 2, "kinds": ["x", "y"]}
    assert is_late(stated(neighbour_world, sql, **bounds).text)
    neighbour_world.check(sql, neighbours.policy(**bounds), **PRICE)


@pytest.mark.parametrize(
    "sql", [f"SELECT p.city, COUNT(*), SUM(v.cost) {PEOPLE} GROUP BY 1", *CAPPED]
)
def test_weighted_rows(sql, neighbour_world):
    neighbour_world.load(MESSY)
    policy = neighbours.policy(max_groups=2, per_unit={"visits": 3, "events": 5})
    neighbour_world.check(sql, policy, **PRICE)


@pytest.mark.parametrize("name", EARLY)
def test_not_where_it_would_be_another_question(name, neighbour_world):
    neighbour_world.load(MESSY)
    assert not is_late(stated(neighbour_world, EARLY[name], max_groups=2).text)


def test_a_source_met_twice_is_found(neighbour_world, monkeypatch):
    """Were `constant` wrong, cells would be repeated: replay finds it, and certify refuses it."""
    late = module("dpsql.rules.late")
    possible = late._possible

    def trusting(plan, parts):
        block = plan.aggregate.block
        block = replace(block, constant=frozenset({plan.keys[0].expr.source}))
        return possible(replace(plan, aggregate=replace(plan.aggregate, block=block)), parts)

    monkeypatch.setattr(late, "_possible", trusting)
    neighbour_world.load(MESSY)
    sql, policy = EARLY["many rows of it"], neighbours.policy(max_groups=9, kinds=["x", "y"])
    assert is_late(stated(neighbour_world, sql, max_groups=9, kinds=["x", "y"]).text)
    with pytest.raises(neighbours.Moved):
        neighbour_world.check(sql, policy, **PRICE)
    (found,) = neighbour_world.state(sql, policy, **PRICE)
    with pytest.raises(InternalError, match="at most one bounded row in a group"):
        certify(found.text, claim(found.plan), policy=policy, catalog=neighbour_world.catalog)


@pytest.fixture
def unreferenced(neighbour_world, monkeypatch):
    """Keys are enforced, references are not: a path goes through the unit's own table, too."""
    tables = neighbour_world.catalog.tables
    catalog = replace(
        neighbour_world.catalog,
        tables={name: replace(table, foreign_keys=()) for name, table in tables.items()},
    )
    monkeypatch.setattr(neighbour_world, "catalog", catalog)
    neighbour_world.load(MESSY)
    return neighbour_world


@pytest.mark.parametrize("sql", [SAME[0], SAME[1], SAME[3], CAPPED[0]])
def test_the_unit_s_table_is_a_hop_and_late(sql, unreferenced, monkeypatch):
    late = stated(unreferenced, sql, max_groups=9)
    assert is_late(late.text)
    assert late.text.count('"persons"') == 2
    policy = neighbours.policy(max_groups=9)
    certify(late.text, claim(late.plan), policy=policy, catalog=unreferenced.catalog)
    unreferenced.check(sql, neighbours.policy(max_groups=2, kinds=["x", "y"]), **PRICE)
    if sql in SAME:
        monkeypatch.setattr(module("dpsql.rules"), "late", lambda plan: None)
        first = stated(unreferenced, sql, max_groups=9)
        assert not is_late(first.text)
        rows = [unreferenced.connection.execute(one.text).fetchall() for one in (late, first)]
        assert sorted(map(repr, rows[0])) == sorted(map(repr, rows[1]))
        assert rows[0]


def test_the_path_is_not_scanned_twice(neighbour_world):
    text = stated(neighbour_world, SAME[3]).text
    assert text.count('"visits"') == 1
    assert text.count('"persons"') == 1
