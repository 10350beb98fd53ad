"""Statements behind the choice of a bound: accepted as made, refused when broken, replayed."""

from __future__ import annotations

from typing import Any

import pytest
from certify_world import World, claim_of

from dpsql.certify import Claim, certify, certify_choice
from dpsql.errors import InternalError
from dpsql.pipeline import rewrite
from dpsql.planning.resolved import resolved
from dpsql.planning.types import Plan

AUTO = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto')"
QUERIES = {
    "rows": f"{AUTO} dept, COUNT(*) FROM visits GROUP BY dept",
    "plain": f"{AUTO} COUNT(*) FROM rx",
    "total": f"{AUTO} SUM(qty) FROM rx",
    "signed": f"{AUTO} SUM(cost) FROM visits",
    "high": "SELECT AVG(LN(cost)) FROM visits",
    "open": "SELECT SUM(lab_id), COUNT(*) FROM lab",
    "person": "SELECT AVG(visit_id) FROM visits WHERE dept = 'x'",
}


def choices(world: World, name: str) -> list[tuple[str, Claim, Plan]]:
    return [made for made in world.planned(QUERIES[name]) if made[2].choice is not None]


@pytest.mark.parametrize("name", QUERIES)
def test_accepted_and_true_of_hostile_units(world: World, name: str) -> None:
    found = choices(world, name)
    assert found
    for sql, claim, plan in found:
        certify(sql, claim, policy=world.policy, catalog=world.catalog)
        certify_choice(sql)
        assert (plan.blocks[0].sensitivity.l1, plan.blocks[0].sensitivity.l0) == (1, 1)
        assert world.excess(sql, claim) == []
        assert world.engine.binds(sql, timeout=10)


@pytest.mark.parametrize("name", QUERIES)
def test_a_unit_that_leaves_lowers_counts_alone(world: World, name: str) -> None:
    """c_i moves by at most 1, and one way: on the engine, for units with rows far outside."""
    for sql, claim, plan in choices(world, name):
        assert plan.choice is not None
        whole = _above(world._rows(sql, claim, None), len(plan.choice.candidates))
        for unit in world.without:
            less = _above(world._rows(sql, claim, unit), len(plan.choice.candidates))
            moved = [a - b for a, b in zip(whole, less, strict=True)]
            assert set(moved) <= {0, 1}
            assert moved == sorted(moved, reverse=True)  # 1 up to the unit's own place


def _above(rows: dict[Any, dict[str, int]], size: int) -> list[int]:
    counts = [rows.get((place,), {}).get("b0_0", 0) for place in range(size)]
    return [sum(counts[place + 1 :]) for place in range(size)]


MUTATIONS: dict[str, tuple[str, str, str]] = {
    "sum in place of a count": ("rows", "COUNT(v0)", "COALESCE(SUM(v0), 0)"),
    "a count with a sign": ("rows", "COUNT(v0)", "-COUNT(v0)"),
    "a count with a factor": ("rows", "COUNT(v0)", "2 * COUNT(v0)"),
    "a count less another": ("rows", "COUNT(v0)", "COUNT(v0) - COUNT(v0)"),
    "distinct rows counted": ("rows", "COUNT(v0)", "COUNT(DISTINCT v0)"),
    "all rows counted": ("rows", "COUNT(v0) AS b0_0", "COUNT(*) AS b0_0"),
    "one row a group, not a unit": (
        "rows",
        "IS NULL GROUP BY 1) AS t0",
        "IS NULL GROUP BY 1, a0) AS t0",
    ),
    "no largest group": ("rows", ", MAX(CASE", ", (CASE"),
    "a mean of the groups": ("rows", ", MAX(CASE", ", AVG(CASE"),
    "any group": ("rows", ", MAX(CASE", ", ANY_VALUE(CASE"),
    "unit made of a group": ("rows", 'SELECT t1."u" AS u', 'SELECT t1."k0" AS u'),
    "grouped by group alone": ("rows", "GROUP BY 1, 2)", "GROUP BY 2)"),
    "rows of nobody": ("rows", 'WHERE NOT t2."person_id" IS NULL', "WHERE TRUE"),
    "rows of another column's unit": ("rows", 't2."person_id" AS u', 't2."visit_id" AS u'),
    "limited": ("rows", ") AS b GROUP BY 1", " LIMIT 5) AS b GROUP BY 1"),
    "a fact beside the counts": ("rows", "COUNT(v0) AS b0_0", "COUNT(v0) AS b0_0, MAX(u) AS m"),
    "places of their own": ("rows", "SELECT k0, COUNT", "SELECT k0 + 1 AS k0, COUNT"),
    "groups dropped by their size": ("rows", "OR COUNT(*) < 1", "OR COUNT(*) < 3"),
    "groups dropped by their count": ("rows", "HAVING k0 BETWEEN 0 AND 18", "HAVING b0_0 > 1"),
    "another table": ("rows", '"main"."visits"', '"main"."undeclared"'),
    "joined to all": ("rows", "AS t2 WHERE", "AS t2, main.visits AS t3 WHERE"),
    "a window over everybody": ("plain", "COUNT(*) AS a0", "COUNT(*) OVER () AS a0"),
    "counts of everybody": (
        "plain",
        "1 AS v0 FROM",
        "(SELECT COUNT(*) FROM main.visits) AS v0 FROM",
    ),
    "two statements": ("plain", "SELECT k0,", "SELECT 1; SELECT k0,"),
    "union": ("plain", "SELECT k0,", "SELECT 1, 2 UNION ALL SELECT k0,"),
    "sums of floats": ("signed", "AS BIGINT)", "AS DOUBLE)"),
    "random places": ("plain", "1 AS v0", "RANDOM() AS v0"),
    "an optional value counted": ("high", "1 AS v0", 't0."a0" * 2 AS v0'),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutations_are_refused(world: World, name: str) -> None:
    which, old, new = MUTATIONS[name]
    sql, claim, _ = choices(world, which)[0]
    assert old in sql
    broken = sql.replace(old, new)

    def check() -> None:
        certify(broken, claim, policy=world.policy, catalog=world.catalog)
        certify_choice(broken)

    with pytest.raises(InternalError) as caught:
        check()
    assert caught.value.code == "certify"


@pytest.mark.parametrize("name", QUERIES)
def test_every_bound_that_can_be_found_is_certified(world: World, name: str) -> None:
    """The resolved plan of each place: same price, its own claim, its own text accepted."""
    plans = [plan for _, _, plan in world.planned(QUERIES[name])]
    tables = {t: world.catalog.key_of(t) or "" for t in world.policy.tables}
    widest = plans[0]
    sizes = [len(awaited.choice.candidates) for awaited in widest.awaited]
    assert sizes
    for place in range(0, max(sizes), 9):
        found = resolved(widest, [min(place, size - 1) for size in sizes])
        assert found.items == widest.items
        for new, old in zip(found.blocks, widest.blocks, strict=True):
            [(event, count)], [(charged, times)] = new.mechanism.items, old.mechanism.items
            assert (event, count) == (charged, times)
        sql = rewrite.text(found, world.catalog, tables, 7)
        claim = claim_of(found)
        certify(sql, claim, policy=world.policy, catalog=world.catalog)
        if place % 27 == 0:
            assert world.excess(sql, claim) == []
