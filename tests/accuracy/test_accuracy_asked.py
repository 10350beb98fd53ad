"""Asked and answered: repeats, measured errors, first looks, limits and refusals."""

from __future__ import annotations

import json
from fractions import Fraction

import accuracy_world as world
import numpy as np
import pytest

from dpsql.accuracy.curve import DROPPED, curve
from dpsql.core.targets import read_aims
from dpsql.errors import BudgetExceeded, Error, InvalidQuery, RefusedQuery
from dpsql.explain import explain
from dpsql.pipeline import plan

COUNT = "SELECT sex, COUNT(*) AS n FROM people GROUP BY sex"


@pytest.fixture
def asking():
    session = world.session()
    yield session
    session.close()


def ask(session, sql, **said):
    return session.query(sql, aims=read_aims(**said))


def test_the_same_target_is_free_and_a_smaller_price_does_not_stop_it(asking):
    asking.query(COUNT, epsilon="0.001")
    first = ask(asking, COUNT, error=100)
    (target,) = first.privacy.targets
    assert first.privacy.epsilon == target.epsilon
    assert target.columns[0].expected <= 100
    again = ask(asking, COUNT, error=100)
    assert again.privacy.free
    assert again.table.equals(first.table)
    assert asking.query(COUNT, epsilon=target.epsilon).privacy.free


def test_bars_and_errors_are_as_expected():
    """Two-sided, on 1,600 draws of 40 groups of 50 people. Within ± 100 lie 95 % of a Laplace law
    whose mean size is 100 / log 20 = 33.4: at 6 standard errors (0.84 and 0.0055) by chance below
    1e-7, and 25 % off fails."""
    ages = ", ".join(map(str, range(20, 60)))
    sql = f"SELECT age, COUNT(*) AS n FROM people WHERE age IN ({ages}) GROUP BY age"
    session = world.session(releases={"reuse": "off"})
    draws = []
    try:
        for _ in range(40):
            answer = ask(session, sql, error=100)
            draws += [n - 50 for n in answer.table.column(1).to_pylist()]
            bars = answer.privacy.columns[1].half_widths
            assert set(bars) == {answer.privacy.targets[0].columns[0].expected}
    finally:
        session.close()
    sizes = np.abs(draws)
    assert len(draws) == 1600
    assert abs(sizes.mean() - 33.4) < 6 * 0.84
    assert abs(np.mean(sizes <= 100) - 0.95) < 6 * 0.0055


def test_the_way_out_where_a_budget_does_not_cover_it():
    small = {**world.POLICY["budgets"], "default": {"epsilon": 1, "delta": "1e-4"}}
    session = world.session(budgets=small)
    try:
        with pytest.raises(BudgetExceeded) as found:
            ask(session, COUNT, error=1)
        assert found.value.hint.startswith("what is left covers ε = ")
        assert "COUNT(*) ± 3" in found.value.hint
    finally:
        session.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"error": 0}, "bad-target"),
        ({"error": -1}, "bad-target"),
        ({"error": float("nan")}, "bad-number"),
        ({"error": float("inf")}, "bad-number"),
        ({"error": "1e400"}, "bad-target"),
        ({"error": "1e99999"}, "bad-number"),
        ({"error": "x"}, "bad-number"),
        ({"error": ""}, "bad-number"),
        ({"error": "%"}, "bad-number"),
        ({"error": "'"}, "bad-number"),
        ({"error": "5,"}, "bad-target"),
        ({"error": "n=5,n=6"}, "bad-target"),
        ({"error": {}}, "bad-target"),
        ({"error": {1: 5}}, "bad-target"),
        ({"error": {"n": None}}, "bad-number"),
        ({"error": True}, "bad-number"),
        ({"error": [5]}, "bad-number"),
        ({"error": 5, "confidence": 1}, "bad-target"),
        ({"error": 5, "confidence": "95%%"}, "bad-number"),
        ({"error": 5, "magnitude": -1}, "bad-target"),
        ({"error": 5, "magnitude": "other=3"}, "bad-target"),
        ({"error": 5, "error_rows": 1.5}, "bad-target"),
        ({"max_epsilon": 0}, "bad-epsilon"),
        ({"max_epsilon": "0.5"}, "max-epsilon"),
        ({"error": "0.1"}, None),
        ({"error": "0.1", "max_epsilon": 2}, "target-unreachable"),
    ],
    ids=str,
)
def test_hostile_entries(asking, said, code):
    if code is None:
        assert ask(asking, COUNT, **said).privacy.targets[0].columns[0].expected == 0
        return
    before = asking.account(asking.budget_spec).spent
    with pytest.raises(InvalidQuery) as found:
        ask(asking, COUNT, **said)
    assert found.value.code == code
    assert asking.account(asking.budget_spec).spent == before


def test_a_price_and_an_error_at_one_place(asking):
    with pytest.raises(InvalidQuery, match="not both"):
        asking.query(COUNT, epsilon=1, aims=read_aims(error=5))


# ---- percentages -------------------------------------------------------------------------------


def test_a_percentage_takes_a_first_look(asking):
    answer = ask(asking, COUNT, error="1%")
    first, (target,) = answer.privacy.first, answer.privacy.targets
    assert first is not None
    assert first.refused is None
    assert first.epsilon == Fraction(1, 10)  # a tenth of the usual price
    assert answer.privacy.epsilon == first.epsilon + target.epsilon
    size = dict(first.magnitudes)["COUNT(*)"]
    assert 1300 < size < 1500  # 1,500 people of each sex less the bar of 30: 7 scales away
    assert target.columns[0].limit == pytest.approx(size / 100)
    assert target.columns[0].expected <= target.columns[0].limit
    again = ask(asking, COUNT, error="1%")
    assert again.privacy.epsilon == 0
    assert again.table.equals(answer.table)
    told = json.dumps(answer.privacy.to_json(), default=list)
    assert '"first_look": {"epsilon": 0.1' in told


def test_a_first_look_that_is_good_enough_is_the_answer():
    for reuse in ("budget", "off"):
        session = world.session(releases={"reuse": reuse})
        try:
            answer = ask(session, COUNT, error="20%")
            assert answer.privacy.epsilon == Fraction(1, 10), reuse
            assert answer.privacy.first.refused is None
            assert answer.privacy.targets
        finally:
            session.close()


def test_what_was_paid_for_is_shown_where_the_second_is_refused(asking):
    answer = ask(asking, COUNT, error="0.01%", max_epsilon=2)
    assert answer.privacy.epsilon == Fraction(1, 10)
    assert "no price that may be asked" in answer.privacy.first.refused
    assert answer.table.num_rows == 3  # sex may be NULL
    small = {**world.POLICY["budgets"], "default": {"epsilon": "0.5", "delta": "1e-4"}}
    session = world.session(budgets=small)
    try:
        answer = ask(session, COUNT, error="0.2%")
        assert "does not cover this query" in answer.privacy.first.refused
        assert answer.privacy.epsilon == Fraction(1, 10)
    finally:
        session.close()
    nobody = world.session(0)
    try:
        answer = ask(nobody, "SELECT town, COUNT(*) FROM people GROUP BY town", error="5%")
        assert "cannot tell how large" in answer.privacy.first.refused
    finally:
        nobody.close()


@pytest.mark.parametrize("call", ["AVG(income)", "MEDIAN(income)"])
def test_what_no_magnitude_of_the_range_allows_is_refused_before_the_first_look(asking, call):
    """A mean of 0..30,000 is 30,000 at the most; half of 0.001 % of that no price gives."""
    before = asking.account(asking.budget_spec).spent
    sql = f"SELECT {call} AS m FROM people"
    with pytest.raises(InvalidQuery, match="no price that may be asked") as found:
        ask(asking, sql, error="0.0005%", max_epsilon=1)
    assert found.value.code == "target-unreachable"
    assert asking.account(asking.budget_spec).spent == before
    assert ask(asking, sql, error="30%").privacy.first.refused is None


@pytest.mark.parametrize("call", ["MEDIAN(income * 0)", "AVG(income * 0), SUM(0 * income)"])
def test_a_part_of_what_is_always_nothing_is_reached_by_no_price(asking, call):
    with pytest.raises(InvalidQuery, match="within ± 0") as found:
        ask(asking, f"SELECT {call} FROM people", error="20%", max_epsilon=1)
    assert found.value.code == "target-unreachable"


def test_the_limit_holds_for_both_together(asking):
    answer = ask(asking, COUNT, error="1%", max_epsilon="0.5")
    assert answer.privacy.first.epsilon == Fraction(1, 20)
    assert answer.privacy.epsilon <= Fraction(1, 2)
    answer = ask(asking, "SELECT COUNT(*) AS all_ FROM people", error="0.1%", max_epsilon="0.2")
    assert answer.privacy.epsilon == Fraction(1, 50)
    assert answer.privacy.first.refused


def test_a_retry_of_both_is_charged_once(asking):
    aims = read_aims(error="1%")
    first = asking.query(COUNT, aims=aims, request_id="one")
    spent = asking.account(asking.budget_spec).spent
    again = asking.query(COUNT, aims=aims, request_id="one")
    assert again.table.equals(first.table)
    assert asking.account(asking.budget_spec).spent == spent


# ---- explain -----------------------------------------------------------------------------------


def test_explain_tells_the_target_and_errors_by_price(asking):
    found = explain(asking, COUNT, aims=read_aims(error=100))
    (release,) = found.releases
    assert release.target is not None
    assert found.epsilon == release.target.epsilon
    points = release.curve.points
    assert [one.epsilon for one in points if one.own] == [found.epsilon]
    halves = [one.halves[0] for one in points]
    assert halves == sorted(halves, reverse=True)
    assert len(points) > 4
    text = found.to_text()
    assert "target     asked for COUNT(*) within ± 100 at 95 %, expected ± 100" in text
    assert "← the target" in text
    assert found.to_dict()["releases"][0]["curve"]["columns"] == [
        {"aggregate": "COUNT(*)", "rows": None}
    ]
    plain = explain(asking, COUNT)
    assert "← as asked" in plain.to_text()
    assert plain.releases[0].target is None


def test_plans_that_a_search_keeps_are_those_it_would_make_again(asking, monkeypatch):
    """Of grouping sets and of a chain: the same prices, scales and fingerprints either way."""
    chain = "SELECT COUNT(*) FROM people WHERE income > (SELECT AVG(income) FROM people)"
    found = []
    right = plan.run
    for forget in (False, True):
        if forget:
            monkeypatch.setattr(plan, "run", lambda *a, made, **said: right(*a, **said))
        for sql in ("SELECT sex, AVG(income) FROM people GROUP BY ROLLUP(sex)", chain):
            with asking.engine.snapshot():
                bound = asking.bind(sql, None, dialect="duckdb")
                asked = asking.asked_for(None, None, read_aims(error=150))
                planned = asking.plan(bound, asked=asked)
            found.append([(one.epsilon, one.blocks, one.law) for one in planned.plans])
            found[-1].append(planned.fingerprints)
    assert found[:2] == found[2:]


@pytest.mark.parametrize("code", [*DROPPED, "no-bounds"])
def test_a_curve_drops_the_prices_that_cannot_be_asked_and_hides_nothing_else(asking, code):
    sql = "SELECT town, COUNT(*) FROM people GROUP BY town"
    with asking.engine.snapshot():
        bound = asking.bind(sql, None, dialect="duckdb")
        asked = asking.asked_for(1, None)
        planned = asking.plan(bound, asked=asked)

        def at(prices):
            if prices.settled[0].epsilon < 1:
                raise RefusedQuery("not at this price", code=code)
            return asking.plan(bound, asked=prices)

        if code in DROPPED:
            points = curve(planned, 0, asked, at, asking.policy).points
            assert [float(one.epsilon) for one in points] == [1, 2, 5, 10]
        else:
            with pytest.raises(RefusedQuery, match="not at this price"):
                curve(planned, 0, asked, at, asking.policy)


def test_explain_tells_a_first_look_the_same_on_any_data(asking):
    found = explain(asking, COUNT, aims=read_aims(error="5%"))
    assert found.epsilon == Fraction(1, 10)
    ask(asking, COUNT, error="5%")
    after = explain(asking, COUNT, aims=read_aims(error="5%"))
    assert after.releases == found.releases
    empty = world.session(0)
    try:
        other = explain(empty, COUNT, aims=read_aims(error="5%"))
        assert other.releases[0].curve == found.releases[0].curve
        assert "a first look at ε = 0.1" in " ".join(other.to_text().split())
    finally:
        empty.close()


def test_improvements_are_told_at_the_price_that_was_found(asking):
    found = explain(asking, "SELECT AVG(income) FROM people", aims=read_aims(error=100))
    gains = [gain for better in found.releases[0].improvements for gain in better.gains]
    assert gains
    assert all(gain.before <= 101 for gain in gains)
    inside = "SELECT WITH ERROR 100 AVG(income) FROM people"
    assert explain(asking, inside).releases[0].improvements


def test_errors_carry_a_way_out(asking):
    with pytest.raises(Error) as found:
        ask(asking, COUNT, error="0.1", max_epsilon=1)
    assert "gives ± 3" in found.value.hint


def test_counts_asked_along_for_clipping_are_held_to_nothing(asking):
    """Their size may be 0: a percentage is of what was asked."""
    options = "WITH DIFFERENTIAL_PRIVACY OPTIONS(clip_estimate = true)"
    answer = ask(asking, f"SELECT {options} SUM(income) AS s FROM people", error="5%")
    assert {met.name for one in answer.privacy.targets for met in one.columns} == {"SUM(income)"}


def test_an_error_of_what_awaits_its_bounds_is_refused_with_the_reason():
    asking = world.session(bounds={"max_groups": 3})
    with pytest.raises(InvalidQuery, match="found privately first") as caught:
        ask(asking, "SELECT COUNT(*) FROM orders", error="200")
    assert caught.value.code == "no-error-bars"


def test_without_a_usual_price_the_first_look_costs_a_tenth_of_one():
    asking = world.session(budgets={"default": {"epsilon": 10, "delta": "1e-5"}})
    answer = asking.query(
        "SELECT COUNT(*) AS n FROM people", delta="1e-7", aims=read_aims(error="5%")
    )
    assert answer.privacy.epsilon <= 1
