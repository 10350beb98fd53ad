"""Found bounds, crossed with every shape of release: no unit moves them beyond what was charged.

The widest plan of each query is resolved at places all over its ladders. Each time every noise
multiplier is that of the plan that was charged, `certify` accepts the statement, and the statement
runs on D and on D less each unit, as in test_neighbours.py. The choices run, too: a unit moves the
choice's scores one way alone. docs/proofs/automatic_bounds.md.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import e2e_neighbours as neighbours
import pytest
from distinct_pairs import pairs, problems
from e2e_neighbours import Moved, Stated
from neighbour_shapes import MESSY

from dpsql.certify import certify, certify_choice, certify_distinct
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.pipeline import rewrite
from dpsql.pipeline.certify import claim, distinct_claims
from dpsql.planning import resolved as narrowing
from dpsql.planning.resolved import resolved
from dpsql.policy import load

TABLES = {name: name for name in neighbours.DDL}
AUTO = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto')"
CLIP = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(clip_estimate = true)"


def rules(*, kinds=None, max_rows=None, max_groups=2, per_unit=None):
    """Costs and quantities alone have a range; `max_rows` None: to be found."""
    tables = {
        "persons": {"unit": "pid"},
        "visits": {"unit": "pid -> persons.pid", "columns": {"cost": {"min": -5, "max": 50}}},
        "items": {"unit": "vid -> visits.vid", "columns": {"qty": {"min": 0, "max": 9}}},
        "events": {"unit": "pid"},
        "shops": {"public": True},
    }
    if kinds is not None:
        tables["events"]["columns"] = {"kind": {"values": list(kinds), "nullable": False}}
    if per_unit is not None:
        tables["events"]["max_rows_per_unit"] = per_unit
    bounds = {"max_groups": max_groups, "max_rows_per_group": max_rows}
    budgets = {
        "per_query": {"epsilon": 1, "delta": "1e-6"},
        "max_per_query": {"epsilon": "1e9", "delta": "0.5"},
        "default": {"epsilon": "1e12", "delta": "0.9"},
    }
    return load(
        {
            "version": 1,
            "unit": "pid",
            "budgets": budgets,
            "bounds": {name: value for name, value in bounds.items() if value is not None},
            "tables": tables,
        }
    )


LAPLACE, GAUSSIAN = (1, 1e-6), (1, 0.2)
KINDS = ["x", "y", "z", "w"]
# sql, policy arguments, price, what must be among the mechanisms and blocks
SHAPES = {
    "rows": ("SELECT COUNT(*) FROM events", {}, LAPLACE, {"CountBlock", "laplace"}),
    "rows, private keys": (
        "SELECT kind, COUNT(*), SUM(x) FROM events GROUP BY kind", {}, LAPLACE,
        {"SumBlock", "CountBlock", "threshold"},
    ),
    "rows, public keys, gaussian": (
        "SELECT kind, COUNT(*), VAR_POP(n) FROM events GROUP BY kind",
        {"kinds": KINDS, "max_groups": 9}, GAUSSIAN, {"MomentsBlock", "gaussian"},
    ),
    "centred": (
        "SELECT kind, AVG(n), AVG(x) FROM events GROUP BY kind", {"max_groups": 9}, GAUSSIAN,
        {"centred"},
    ),
    "centred, of one row": ("SELECT AVG(age), AVG(income) FROM persons", {}, GAUSSIAN, {"centred"}),
    "total": ("SELECT kind, SUM(x) FROM events GROUP BY kind", {}, LAPLACE, {"SumBlock"}),
    "totals, gaussian": (
        "SELECT kind, SUM(x), SUM(n) FROM events GROUP BY kind", {"max_groups": 9}, GAUSSIAN,
        {"SumBlock", "gaussian"},
    ),
    "filters": (
        "SELECT SUM(n) FILTER (WHERE n > 2), COUNT(*) FILTER (WHERE kind = 'x') FROM events", {},
        LAPLACE, {"SumBlock", "CountBlock"},
    ),
    "sum with its count, one row": (
        "SELECT SUM(age), COUNT(age), COUNT(DISTINCT pid) FROM persons", {}, LAPLACE,
        {"MomentsBlock"},
    ),
    "tally, one row": (
        "SELECT AVG(age), COUNT(*), COUNT(*) FILTER (WHERE vip), COUNT(*) FILTER (WHERE NOT vip)"
        " FROM persons", {}, LAPLACE, {"TallyBlock"},
    ),
    "tally, rows declared": (
        "SELECT SUM(x), COUNT(*) FILTER (WHERE kind = 'x'), COUNT(*) FILTER (WHERE kind = 'y')"
        " FROM events", {"max_rows": 4, "per_unit": 3}, LAPLACE, {"TallyBlock"},
    ),
    "one row of a unit counts": (
        "SELECT kind, AVG(x), COUNT(*), COUNT(DISTINCT pid) FROM events GROUP BY kind",
        {"max_rows": 1}, LAPLACE, {"MomentsBlock"},
    ),
    "declared and found": (
        f"{AUTO} kind, COUNT(*), SUM(n) FROM events GROUP BY kind", {"max_rows": 6}, LAPLACE,
        {"SumBlock"},
    ),
    "distinct beside": (
        "SELECT kind, COUNT(DISTINCT n), COUNT(*), SUM(x) FROM events GROUP BY kind", {}, LAPLACE,
        {"distinct", "SumBlock", "CountBlock"},
    ),
    "distinct beside a sum": (
        "SELECT COUNT(DISTINCT n), SUM(n) FROM events", {}, LAPLACE, {"distinct", "SumBlock"},
    ),
    "distinct alone": ("SELECT COUNT(DISTINCT n) FROM events", {}, LAPLACE, {"distinct"}),
    "rollup": (
        "SELECT kind, AVG(x), COUNT(*) FROM events GROUP BY ROLLUP (kind)", {"kinds": KINDS},
        LAPLACE, {"MomentsBlock"},
    ),
    "shown in two ways": (
        "SELECT (SELECT AVG(x) FROM events), (SELECT AVG(x) * 2 + COUNT(*) FROM events)",
        {}, LAPLACE, {"MomentsBlock"},
    ),
    "clipping counted": (
        f"{CLIP} kind, SUM(cost), AVG(score) FROM visits GROUP BY kind", {}, LAPLACE,
        {"MomentsBlock", "CountBlock"},
    ),
    "joined": (
        "SELECT i.label, SUM(v.cost) FROM items i JOIN visits v ON i.vid = v.vid GROUP BY 1", {},
        LAPLACE, {"SumBlock", "threshold"},
    ),
    "within a unit": (
        "SELECT AVG(s) FROM (SELECT pid, COUNT(*) AS s FROM events GROUP BY pid) t", {}, LAPLACE,
        {"MomentsBlock"},
    ),
}  # fmt: skip


def kinds_of(plan):
    found = {type(part.block).__name__ for part in plan.blocks} | {plan.law}
    found |= {"centred" for part in plan.blocks if isinstance(part.mechanism, CentredGaussian)}
    return (
        found
        | ({"threshold"} if plan.threshold else set())
        | ({"distinct"} if plan.distincts else set())
    )


def multipliers(plan):
    """Of each block its noise over its sensitivity, exactly: squared under Gaussian noise."""
    found = []
    for part in plan.blocks:
        law, moved = part.mechanism, part.sensitivity
        if isinstance(law, CentredGaussian):
            assert law.l2_squared == law.steps * moved.l2_squared
            found.append((law.sigma**2 / law.l2_squared, law.total, law.difference))
        elif isinstance(law, GaussianMechanism):
            assert law.l2_squared == moved.l2_squared
            found.append((law.sigma**2 / law.l2_squared,))
        else:
            assert isinstance(law, LaplaceMechanism)
            assert law.cell_sensitivity * law.cells == moved.l1
            found.append((Fraction(law.scale) / law.cell_sensitivity, law.cells))
    return found


def covered(found, charged):
    """Is the event that was charged no less than what is drawn?"""
    ((event, times),) = charged.mechanism.items
    law = found.mechanism
    if isinstance(law, GaussianMechanism):  # the event holds a rounded-down root
        return times == 1 and event.noise_multiplier**2 <= law.sigma**2 / law.l2_squared
    return law.items == [(event, times)]


def places(plan, steps):
    """Places all over the ladders: the ends, and between them; unlike ones together, too."""
    sizes = [len(awaited.choice.candidates) for awaited in plan.awaited]
    found = {tuple((size - 1) * step // steps for size in sizes) for step in range(steps + 1)}
    found |= {tuple((size - 1) * (at % 2) for at, size in enumerate(sizes))}
    found |= {tuple(min(3 + 7 * at, size - 1) for at, size in enumerate(sizes))}
    return sorted(found)


def hold(world, name):
    """Assert it of every release of a query; what kinds of them there were."""
    sql, bounds, (epsilon, delta), _ = SHAPES[name]
    world.load(MESSY)
    policy = rules(**bounds)
    stated, kinds = [], set()
    for plan in world.plan(sql, policy, epsilon=epsilon, delta=delta):
        if plan.choice is not None:
            text = world.statement(plan)
            certify(text, claim(plan), policy=policy, catalog=world.catalog)
            certify_choice(text)
            one_way(world, plan, text)
            stated.append(Stated(sql, plan, text))
            continue
        for chosen in places(plan, 5):
            found = resolved(plan, chosen)
            assert multipliers(found) == multipliers(plan)
            assert found.items == plan.items
            assert all(map(covered, found.blocks, plan.blocks))
            kinds |= kinds_of(found)
            if found.sums:
                text = world.statement(found)
                certify(text, claim(found), policy=policy, catalog=world.catalog)
                stated.append(Stated(f"{sql} at {chosen}", found, text))
            distinct_too(world, found, policy)
    world.replay(stated)
    return kinds


def distinct_too(world, plan, policy):
    for index, told in enumerate(distinct_claims(plan)):
        text = rewrite.distinct_text(plan, index, world.catalog, TABLES, neighbours.SALT)
        certify_distinct(text, told, policy=policy, catalog=world.catalog)
    whole = pairs(world, plan, TABLES)
    for unit in (1, 3):
        with world.without(unit):
            less = pairs(world, plan, TABLES)
        for part, before, after in zip(plan.distincts, whole, less, strict=True):
            assert list(problems(plan, part, before, after)) == []


def one_way(world, plan, text):
    """Of the units each candidate cuts: nobody's leaving makes them more, or two fewer."""
    size = len(plan.choice.candidates)
    whole = above(world.vector(plan, text), size)
    for unit in world.units():
        with world.without(unit):
            less = above(world.vector(plan, text), size)
        steps = [a - b for a, b in zip(whole, less, strict=True)]
        assert steps == sorted(steps, reverse=True)
        assert set(steps) <= {0, 1}


def above(vector, size):
    counts = [vector[(place,)][1][0][0] if (place,) in vector else 0 for place in range(size)]
    return [sum(counts[place + 1 :]) for place in range(size)]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_at_many_found_bounds(name, neighbour_world):
    assert hold(neighbour_world, name) >= SHAPES[name][3]


def test_equal_questions_shown_apart_share_their_bounds(neighbour_world):
    """Planned once by what is shown and once without: one release, and the choices of one."""
    neighbour_world.load(MESSY)
    plans = neighbour_world.plan(SHAPES["shown in two ways"][0], rules())
    answers = [plan for plan in plans if plan.choice is None]
    assert all(len(plan.awaited) == 3 for plan in answers)
    read = [one.place for plan in answers for one in plan.awaited]
    assert sorted(read) == list(range(len(answers), len(plans)))
    for plan in answers:
        assert [plans[one.place].choice for one in plan.awaited] == [
            one.choice for one in plan.awaited
        ]


def test_too_small_a_sensitivity_is_seen(neighbour_world):
    """With the claim of the next smaller candidate the replay fails: the check can fail."""
    neighbour_world.load(MESSY)
    (plan, *_) = neighbour_world.plan("SELECT COUNT(*) FROM events", rules())
    choice = plan.awaited[0].choice
    at = max(at for at, end in enumerate(choice.candidates) if end <= 20)
    found, less = resolved(plan, [at]), resolved(plan, [at - 1])
    part, smaller = found.blocks[0], less.blocks[0]
    wrong = replace(found, blocks=(replace(part, sensitivity=smaller.sensitivity),))
    text = neighbour_world.statement(found)
    neighbour_world.replay([Stated("right", found, text)])
    with pytest.raises(Moved):
        neighbour_world.replay([Stated("wrong", wrong, text)])


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
def test_noise_that_does_not_follow_is_seen(neighbour_world, monkeypatch, law):
    """Scales left a step behind their sensitivity differ from what was charged."""
    neighbour_world.load(MESSY)
    price = LAPLACE if law == "laplace" else GAUSSIAN
    sql = SHAPES["rows, public keys, gaussian"][0]
    given = rules(kinds=KINDS, max_groups=9)
    plans = neighbour_world.plan(sql, given, epsilon=price[0], delta=price[1])
    plan = plans[0]
    real = narrowing._scaled
    monkeypatch.setattr(
        narrowing, "_scaled", lambda part, moved, factor: _smaller(real(part, moved, factor))
    )
    chosen = [len(one.choice.candidates) // 2 for one in plan.awaited]
    assert multipliers(resolved(plan, chosen)) != multipliers(plan)


def _smaller(law):
    if isinstance(law, LaplaceMechanism):
        return replace(law, scale=law.scale * Fraction(19, 20))
    return replace(law, sigma=law.sigma * Fraction(19, 20))
