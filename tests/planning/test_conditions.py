"""Conditions that no row meets together, against the engine: every pair, every row."""

from __future__ import annotations

import itertools

import pytest
from planning_world import World

from dpsql.aggregates import conditions
from dpsql.aggregates.conditions import exclusive
from dpsql.core.ir import Aggregate, Expr

CONDITIONS = [
    *("age = 5", "age = 7", "age IN (5, 6)", "age IN (7, 8)", "age < 5", "age <= 5", "age > 5"),
    *("age >= 6", "age BETWEEN 5 AND 9", "age BETWEEN 10 AND 20", "age > 9 AND age < 30"),
    *("NOT age = 5", "NOT (age < 5)", "age < 5 OR age > 90", "age <> 5", "income < 5"),
    *("note = 'n1'", "note = 'n2'", "note IN ('n2', 'n3')", "note = 'N1'", "note = 'n1 '"),
    *("note IS NULL", "note = 'é'", "NOT note = 'n1'", "note = 'n1' AND age < 50"),
    *(
        "note = 'n1' AND age >= 50",
        "age + 1 = 5",
        "age + 1 = 6",
        "5 = age",
        "5 < age",
        "age < income",
    ),
]
APART = [
    ("age = 5", "age = 7"),
    ("age IN (5, 6)", "age IN (7, 8)"),
    ("age < 5", "age > 5"),
    ("age < 5", "age BETWEEN 5 AND 9"),
    ("age <= 5", "age > 5"),
    ("age BETWEEN 5 AND 9", "age > 9 AND age < 30"),
    ("note = 'n1'", "note = 'n2'"),
    ("note = 'n1'", "note IN ('n2', 'n3')"),
    ("note = 'n1' AND age < 50", "note = 'n1' AND age >= 50"),
    ("age = 5", "NOT age = 5"),
    ("note = 'n1'", "NOT note = 'n1'"),
    ("age + 1 = 5", "age + 1 = 6"),
    ("5 = age", "age = 7"),
    ("5 < age", "5 >= age"),
]


def bound(world: World, conditions: list[str]) -> dict[str, Expr]:
    columns = ", ".join(f"COUNT_IF({condition})" for condition in conditions)
    calls = world.planned(f"SELECT {columns} FROM people").bound.private[0].aggregates
    found = [call.where for call in calls]
    assert len(found) == len(conditions)
    assert all(test is not None for test in found)
    return dict(zip(conditions, found, strict=True))  # type: ignore[arg-type]


def test_what_is_told_apart_is_apart(world: World) -> None:
    """On all ages and notes there are, and on NULLs: no row meets both."""
    tests = bound(world, CONDITIONS)
    table = "(SELECT a.age, n.note, a.age * 3 AS income FROM (SELECT unnest(range(100)) AS age"
    table += " UNION ALL SELECT NULL) a, (SELECT unnest(['n1', 'n2', 'n3', 'N1', 'é', NULL]) AS"
    table += " note) n)"
    told = 0
    for one, other in itertools.combinations(CONDITIONS, 2):
        assert exclusive(tests[one], tests[other]) == exclusive(tests[other], tests[one])
        if exclusive(tests[one], tests[other]):
            told += 1
            both = world.session.engine.fetch(
                f"SELECT COUNT(*) FROM {table} WHERE ({one}) AND ({other})"
            )
            assert both.column(0).to_pylist() == [0], (one, other)
    assert told > 50


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_is_plainly_apart_is_told(world: World, one: str, other: str) -> None:
    tests = bound(world, [one, other])
    assert exclusive(tests[one], tests[other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("age <= 5", "age >= 5"),
        ("age = 5", "age < 6"),
        ("note = 'n1'", "note = 'N1'"),  # one under a collation without case
        ("note = 'n1'", "note = 'n1 '"),
        ("note = 'n1'", "note = 'é'"),
        ("age = 5", "income = 7"),
        ("age < income", "age = 5"),
    ],
)
def test_what_may_overlap_is_not(world: World, one: str, other: str) -> None:
    tests = bound(world, [one, other])
    assert not exclusive(tests[one], tests[other])


@pytest.mark.parametrize(
    "call",
    [
        "COUNT_IF(age < 5)",
        "COUNT(*) FILTER (WHERE age < 5)",
        "COUNT(CASE WHEN age < 5 THEN 1 END)",
        "COUNT(CASE WHEN age < 5 THEN 'yes' ELSE NULL END)",
        "SUM(CASE WHEN age < 5 THEN 1 ELSE 0 END)",
        "SUM(IF(age < 5, 1, 0))",
    ],
)
def test_ways_of_counting_a_condition(world: World, call: str) -> None:
    assert conditions.tested(only(world, call)) == only(world, "COUNT_IF(age < 5)").where


@pytest.mark.parametrize(
    "call",
    [
        "COUNT(*)",
        "COUNT(note) FILTER (WHERE age < 5)",
        "COUNT(CASE WHEN age < 5 THEN 1 ELSE 0 END)",
        "COUNT(CASE WHEN age < 5 THEN 1 WHEN age < 9 THEN 1 END)",
        "SUM(CASE WHEN age < 5 THEN 1 ELSE 2 END)",
        "SUM(CASE WHEN age < 5 THEN 2 ELSE 0 END)",
        "SUM(CASE WHEN age < 5 THEN 1.0 ELSE 0 END)",
        "SUM(CASE WHEN age < 5 THEN 1 ELSE 0 END) FILTER (WHERE hours > 3)",
        "AVG(CASE WHEN age < 5 THEN 1 ELSE 0 END)",
        "COUNT(DISTINCT pid) FILTER (WHERE age < 5)",
    ],
)
def test_other_calls_count_no_condition(world: World, call: str) -> None:
    assert conditions.tested(only(world, call)) is None


def only(world: World, call: str) -> Aggregate:
    (found,) = world.planned(f"SELECT {call} FROM people").bound.private[0].aggregates
    return found
