"""Targets of what a SELECT computes: held by the column's own bar, not by those of its parts."""

from __future__ import annotations

import accuracy_world as world
import numpy as np
import pytest

from dpsql.core.targets import read_aims
from dpsql.errors import InvalidQuery
from dpsql.explain import explain


@pytest.fixture
def asking():
    session = world.session()
    yield session
    session.close()


def held(session, sql, **said):
    (target,) = world.reached(session, sql, **said).values()
    return target


def ask(session, sql, **said):
    return session.query(sql, aims=read_aims(**said))


def bars(answer, column=0):
    return answer.privacy.columns[column].half_widths


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("SUM(income) / COUNT(*)", 150),
        ("100.0 * COUNT_IF(age > 50) / COUNT(*)", 2),
        ("SUM(income) - 2 * SUM(age)", 90_000),
        ("COUNT_IF(age > 30) - COUNT_IF(age <= 30)", 40),
        ("2 * COUNT(*) + 1", 60),
        ("AVG(income) / 1000", 0.1),
    ],
)
def test_the_bar_of_the_column_is_what_was_asked(asking, expression, error):
    """The price is the least: what is expected meets the target, and 20 % less ε would not."""
    sql = f"SELECT {expression} AS v FROM people"
    target = held(asking, sql, error=error)
    (column,) = target.columns
    assert column.name == "v"
    assert 0.75 * error < column.expected <= error
    answer = ask(asking, sql, error=error, error_rows=3000)
    assert answer.privacy.targets[0].columns[0].expected <= error
    if column.rows is None:
        assert bars(answer)[0] == pytest.approx(answer.privacy.targets[0].columns[0].expected)
        fresh = world.session(releases={"reuse": "off"})
        cheaper = fresh.query(sql, epsilon=answer.privacy.epsilon * 4 / 5)
        fresh.close()
        assert bars(cheaper)[0] > error


def test_the_parts_need_meet_nothing_unless_they_are_named(asking):
    sql = "SELECT SUM(income) / COUNT(*) AS mean FROM people"
    by_itself = held(asking, sql, error=150)
    assert [one.name for one in by_itself.columns] == ["mean"]
    named = held(asking, sql, error="mean=150, SUM(income)=20000")
    assert {one.name for one in named.columns} == {"mean", "SUM(income)"}
    assert named.epsilon > by_itself.epsilon
    shown = held(
        asking, "SELECT COUNT(*) AS n, SUM(income) / COUNT(*) AS mean FROM people", error=150
    )
    assert {one.name for one in shown.columns} == {"COUNT(*)", "mean"}
    also = held(asking, f"{sql} HAVING COUNT(*) > 5", error=150)
    assert {one.name for one in also.columns} == {"COUNT(*)", "mean"}


def test_without_a_bar_of_its_own_the_parts_are_held(asking):
    target = held(
        asking, "SELECT ROUND(SUM(income) / COUNT(*), 2) AS mean FROM people", error=50000
    )
    assert {one.name for one in target.columns} == {"SUM(income)", "COUNT(*)"}


def test_the_columns_own_name_and_its_text_name_it(asking):
    sql = "SELECT SUM(income) / COUNT(*) FROM people"
    assert held(asking, sql, error={"SUM(income) / COUNT(*)": 150}).columns
    with pytest.raises(InvalidQuery) as found:
        held(asking, sql, error="mean=150")
    assert found.value.code == "bad-target"


def test_bars_of_a_ratio_come_out_as_expected():
    """The world's rows are 1,500 of each sex with the middle of their range on average: half-widths
    of a drawn ratio lie within 20 % of what is expected of 1,500 rows; a target held by its parts
    would be off by a factor of 1,500."""
    session = world.session(releases={"reuse": "off"})
    sql = "SELECT sex, 100.0 * COUNT_IF(age < 50) / COUNT(*) AS share FROM people GROUP BY sex"
    try:
        answers = [ask(session, sql, error=3, error_rows=1500) for _ in range(20)]
    finally:
        session.close()
    halves = [half for one in answers for half in one.privacy.columns[1].half_widths[:2]]
    assert len(halves) == 40
    assert 2.4 < np.mean(halves) < 3.6


def test_a_percentage_of_a_computed_column_takes_its_first_look(asking):
    sql = (
        "SELECT sex, SUM(income) / COUNT(*) AS mean FROM people WHERE sex IN ('f', 'm')"
        " GROUP BY sex"
    )
    answer = ask(asking, sql, error="2%")
    first, (target,) = answer.privacy.first, answer.privacy.targets
    assert first.refused is None
    size = dict(first.magnitudes)["mean"]
    assert 5000 < size < 9500
    assert target.columns[0].limit == pytest.approx(size / 50)
    stated = ask(asking, sql, error="mean=2%", magnitude="mean=8500")
    assert stated.privacy.first is None
    assert stated.privacy.targets[0].columns[0].limit == pytest.approx(170)


def test_what_cannot_be_met_is_refused_with_the_least_error_before_any_charge(asking):
    before = asking.account(asking.budget_spec).spent
    with pytest.raises(InvalidQuery) as found:
        ask(
            asking, "SELECT SUM(income) / COUNT(*) AS mean FROM people", error="0.01", max_epsilon=2
        )
    assert found.value.code == "target-unreachable"
    assert "brings mean within ± 0.01 for 1,000 rows" in found.value.message
    assert "gives ± " in found.value.hint
    assert asking.account(asking.budget_spec).spent == before


def test_explain_tells_the_computed_column_by_price(asking):
    sql = "SELECT SUM(income) / COUNT(*) AS mean FROM people"
    found = explain(asking, sql, aims=read_aims(error=150))
    (curve,) = [release.curve for release in found.releases]
    assert ("mean", 1000) in curve.columns
    at = curve.columns.index(("mean", 1000))
    (own,) = [one.halves[at] for one in curve.points if one.own]
    assert own == pytest.approx(found.releases[0].target.columns[0].expected)
