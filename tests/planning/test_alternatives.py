"""Alternatives cost what is asked, the chosen one is the best, what is shown makes no release."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

import pytest
from planning_world import World

from dpsql.accountant.events import Gaussian, Laplace, Threshold
from dpsql.aggregates.basis import MomentsBlock, SumBlock, TallyBlock
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.planning.noise import spread
from dpsql.planning.search import BASES, Alternatives
from dpsql.planning.types import Plan

QUERIES = [
    "SELECT COUNT(*), SUM(income) FROM people",
    "SELECT SUM(income) - SUM(dues) FROM people",
    "SELECT COUNT_IF(age < 30) * 1.0 / COUNT(*), AVG(income) FROM people",
    "SELECT AVG(income), STDDEV_POP(hours), SUM(dues) FROM people",
    "SELECT kind, SUM(cost), AVG(size), COUNT(*) FROM visits GROUP BY kind",
    "SELECT kind, AVG(size), AVG(cost) FROM visits GROUP BY kind",
    "SELECT city, SUM(income) / SUM(hours), AVG(age) FROM people GROUP BY city",
    "SELECT COUNT_IF(kind = 'k1'), COUNT_IF(kind = 'k2'), SUM(cost) FROM visits",
]
FORCED = [
    Alternatives(laws=(law,), bases=(basis,), even=even)
    for law in ("laplace", "gaussian")
    for basis in BASES
    for even in (False, True)
]


def price(plan: Plan) -> tuple[Fraction, Fraction, float]:
    """Pure sum, threshold δ, and Σ 1/multiplier² of the Gaussian events."""
    pure, delta, square = Fraction(0), Fraction(0), 0.0
    for event, count in plan.items:
        if isinstance(event, Laplace):
            pure += count / Fraction(event.noise_multiplier)
        elif isinstance(event, Threshold):
            pure += count * event.count * event.epsilon
            delta += count * event.count * event.key_delta
        else:
            assert isinstance(event, Gaussian)
            square += count / float(event.noise_multiplier) ** 2
    return pure, delta, square


def analytic_delta(square: float, epsilon: float) -> float:
    mu, law = math.sqrt(square), NormalDist()
    return law.cdf(mu / 2 - epsilon / mu) - math.exp(epsilon) * law.cdf(-mu / 2 - epsilon / mu)


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("epsilon", ["1/10", "1", "7"])
def test_every_alternative_costs_exactly_what_is_asked(
    world: World, wide: World, sql: str, epsilon: str
) -> None:
    """Laplace: pure sums of ε, exactly. Gaussian: δ at ε, from below and to six digits."""
    seen = set()
    for place in (world, wide):
        for alternatives in FORCED:
            try:
                (plan,) = place.planned(sql, alternatives, epsilon).plans
            except dpsql_refused():
                continue
            seen.add(plan.law)
            pure, delta, square = price(plan)
            if plan.law == "laplace":
                assert pure == Fraction(epsilon)
                assert delta == (0 if plan.threshold is None else plan.delta)
                continue
            assert pure == 0
            spent = float(delta) + analytic_delta(square, float(Fraction(epsilon)))
            assert spent == pytest.approx(1e-6, rel=1e-5)
    assert seen == {"laplace", "gaussian"}


def dpsql_refused() -> type[Exception]:
    from dpsql.errors import RefusedQuery

    return RefusedQuery


@pytest.mark.parametrize("sql", QUERIES)
def test_no_alternative_is_better_by_two_percent(world: World, wide: World, sql: str) -> None:
    """Where groups are public; with private keys the threshold is weighed, too."""
    for place in (world, wide):
        (chosen,) = place.planned(sql).plans
        if chosen.threshold is not None:
            continue
        for alternatives in FORCED:
            try:
                (other,) = place.planned(sql, alternatives).plans
            except dpsql_refused():
                continue
            assert error(chosen) <= 1.02 * error(other), alternatives


def error(plan: Plan) -> float:
    assert plan.division is not None
    return plan.division.error([spread(part) / plan.weight for part in plan.blocks])


@pytest.mark.parametrize(
    ("sql", "gain"),
    [
        ("SELECT SUM(income) - SUM(dues) FROM people", 1.8),
        ("SELECT SUM(income) + SUM(dues) + COUNT(*) FROM people", 1.5),
        ("SELECT kind, SUM(cost) - SUM(size) FROM visits GROUP BY kind", 1.3),
    ],
)
def test_equal_parts_lose(world: World, sql: str, gain: float) -> None:
    (chosen,), (equal,) = (
        world.planned(sql).plans,
        world.planned(sql, Alternatives(even=True)).plans,
    )
    assert error(equal) > gain * error(chosen)


# ---- shapes ----------------------------------------------------------------------------------


def blocks(plan: Plan) -> list[str]:
    return sorted(type(part.block).__name__ for part in plan.blocks)


def test_a_sum_and_the_count_of_one_row_people_are_one_basis(world: World) -> None:
    (plan,) = world.planned("SELECT COUNT(*), SUM(income), COUNT(DISTINCT pid) FROM people").plans
    assert blocks(plan) == ["MomentsBlock"]
    assert {column.block for column in plan.columns} == {0}


def test_one_sum_holds_the_count_that_which_loses_least(world: World) -> None:
    for sql in (
        "SELECT SUM(balance), COUNT(*), SUM(income) FROM people",
        "SELECT SUM(income), SUM(balance), COUNT(*) FROM people",
    ):
        (plan,) = world.planned(sql).plans
        assert blocks(plan) == ["MomentsBlock", "SumBlock"]
        held = {type(p.block): p.block for p in plan.blocks}
        moments, alone = held[MomentsBlock], held[SumBlock]
        assert isinstance(moments, MomentsBlock)
        assert isinstance(alone, SumBlock)
        assert (moments.value.name, alone.value.name) == ("income", "balance")  # type: ignore[union-attr]


def test_units_are_not_read_off_weighted_rows(database: Path) -> None:
    """COUNT(DISTINCT unit) from a basis of rows is right only where rows are not weighed."""
    place = World(database, {"max_groups": 12, "max_rows_per_group": 1})
    try:
        sql = "SELECT kind, COUNT(DISTINCT pid), SUM(cost) FROM visits GROUP BY kind"
        (plan,) = place.planned(sql).plans
        assert plan.strategy == "cap"
    finally:
        place.session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT_IF(age < 30), COUNT(*) FROM people",
        "SELECT COUNT_IF(age < 30), COUNT_IF(age >= 30) FROM people",
        "SELECT SUM(IF(age < 30, 1, 0)), COUNT_IF(age = 40), COUNT(*) FROM people",
        "SELECT kind, COUNT_IF(size < 3), COUNT_IF(size >= 3) FROM visits GROUP BY 1",
    ],
)
def test_conditions_that_exclude_each_other_are_one_tally(world: World, sql: str) -> None:
    (plan,) = world.planned(sql).plans
    assert [type(part.block) for part in plan.blocks] == [TallyBlock]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT_IF(age < 30) FROM people",
        "SELECT COUNT_IF(age < 30), COUNT_IF(age < 40) FROM people",
        "SELECT COUNT_IF(age < 30), SUM(income) FROM people",
        "SELECT city, COUNT_IF(age < 30), COUNT(*) FROM people GROUP BY city",  # COUNT(*) is free
    ],
)
def test_others_are_none(world: World, sql: str) -> None:
    (plan,) = world.planned(sql).plans
    assert not any(isinstance(part.block, TallyBlock) for part in plan.blocks)


def test_no_tally_where_rows_would_be_cut_together(wide: World) -> None:
    """Four rows of a unit in all, two of which count in a group: conditions are bounded alone."""
    sql = "SELECT COUNT_IF(size < 3), COUNT_IF(size >= 3), COUNT(*) FROM visits"
    (plan,) = wide.planned(sql).plans
    assert blocks(plan) == ["CountBlock"] * 3


def test_means_are_centred_under_gaussian_noise(wide: World) -> None:
    sql = "SELECT kind, AVG(size), AVG(cost) FROM visits GROUP BY kind"
    (plan,) = wide.planned(sql, Alternatives(laws=("gaussian",))).plans
    assert all(isinstance(part.mechanism, CentredGaussian) for part in plan.blocks)
    (joint,) = wide.planned(sql, Alternatives(laws=("gaussian",), bases=("joint",))).plans
    assert error(joint) == pytest.approx(1.035 * error(plan), rel=0.005)


# ---- releases --------------------------------------------------------------------------------

SAME = [
    "SELECT SUM(income) AS s, SUM(dues) AS d, COUNT(*) AS n FROM people",
    "SELECT SUM(income) - SUM(dues), COUNT(*) FROM people",
    "SELECT (SUM(income) - SUM(dues)) / COUNT(*) FROM people",
    "SELECT SUM(dues) FROM people HAVING COUNT(*) > 3 AND SUM(income) > 2",
    "SELECT n, d / s FROM (SELECT COUNT(*) AS n, SUM(dues) AS d, SUM(income) AS s FROM people)",
]


def test_what_is_shown_changes_the_noise_and_not_the_question(world: World) -> None:
    forms = [world.planned(sql).forms[0] for sql in SAME]
    assert len({form.question for form in forms}) == 1
    assert len({form.fingerprint for form in forms}) > 2


@pytest.mark.parametrize("first", SAME)
def test_whatever_stands_above_a_release_it_is_free(
    database: Path, tmp_path: Path, first: str
) -> None:
    copy = tmp_path / "people.duckdb"
    copy.write_bytes(database.read_bytes())
    place = World(copy, {"max_groups": 3, "max_rows_per_group": 4}, reuse="budget")
    try:
        place.session.query(first)
        spent = place.session.account(place.session.budget_spec).spent
        for sql in SAME:
            place.session.query(sql)
        assert place.session.account(place.session.budget_spec).spent == spent
    finally:
        place.session.close()


def test_one_question_shown_in_two_ways_is_drawn_once(world: World) -> None:
    inner = "SUM(income) AS s, SUM(dues) AS d FROM people"
    sql = f"SELECT a.s - a.d, b.s / b.d FROM (SELECT {inner}) a, (SELECT {inner}) b"
    planned = world.planned(sql)
    assert len(planned.plans) == 2
    assert len(set(planned.fingerprints)) == 1
    assert all(plan.division is not None and not plan.division.known for plan in planned.plans)


def test_spelling_makes_no_other_noise(world: World) -> None:
    one = world.planned("SELECT SUM(income) - SUM(dues) AS x FROM people")
    other = world.planned(
        "WITH t AS (SELECT SUM(dues) AS d, SUM(income) AS i FROM people) SELECT i - d FROM t"
    )
    assert one.fingerprints == other.fingerprints
