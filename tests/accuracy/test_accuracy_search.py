"""The price found meets the target, 2 % less does not; prices and search by themselves."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import accuracy_world as world
import pytest

from dpsql.accuracy.columns import columns_of, ratio
from dpsql.accuracy.prices import Prices, three_digits_down
from dpsql.accuracy.search import least
from dpsql.accuracy.settle import targets_of
from dpsql.core.targets import read_aims
from dpsql.errors import RefusedQuery
from dpsql.pipeline.plan import Settled

TARGETS = [
    ("SELECT COUNT(*) FROM people", {"error": 100}),
    ("SELECT COUNT(*) FROM people", {"error": 7, "confidence": 0.8}),
    ("SELECT sex, SUM(income) FROM people GROUP BY sex", {"error": 250_000}),
    ("SELECT sex, COUNT(*) AS n, AVG(income) AS i FROM people GROUP BY sex", {"error": 300}),
    ("SELECT COUNT(*) AS n, AVG(income) AS i FROM people", {"error": {"n": 30, "i": "500"}}),
    ("SELECT AVG(income) AS i FROM people", {"error": "5%", "magnitude": 8000, "error_rows": 200}),
    ("SELECT STDDEV(income) FROM people", {"error": 400, "confidence": "90%"}),
    ("SELECT MEDIAN(income) FROM people", {"error": 700}),
    ("SELECT town, COUNT(*) FROM people GROUP BY town", {"error": 12}),
    ("SELECT item, SUM(amount) FROM orders GROUP BY item", {"error": 20_000}),
    (
        "SELECT " + ", ".join(f"COUNT_IF(age < {10 * i})" for i in range(1, 13)) + " FROM people",
        {"error": 30},
    ),
]


@pytest.fixture(scope="module")
def asking():
    session = world.session()
    yield session
    session.close()


@pytest.mark.parametrize(("sql", "said"), TARGETS, ids=lambda value: str(value)[:40])
def test_the_price_meets_the_target_and_a_little_less_does_not(asking, sql, said):
    """Under either law: no other law would meet it cheaper."""
    with asking.engine.snapshot():
        bound = asking.bind(sql, None, dialect="duckdb")
        asked = asking.asked_for(None, None, read_aims(**said))
        found = asking.plan(bound, asked=asked).reached[0]
        target = targets_of(bound, asked)[0]

        def at(epsilon, law):
            price = {0: Settled(epsilon, (law,))}
            try:
                made = asking.plan(bound, asked=asking.asked.__class__(settled=price))
            except RefusedQuery:
                return math.inf
            return ratio(made.plans[0], columns_of(made, 0, target, None), target)

        assert at(found.epsilon, found.law) <= 1
        for law in ("laplace", "gaussian"):
            assert at(found.epsilon * Fraction(98, 100), law) > 1
    assert all(one.expected <= one.limit for one in found.columns)


def test_both_laws_are_looked_at(asking):
    laws = {world.reached(asking, sql, **said)[0].law for sql, said in (TARGETS[0], TARGETS[-1])}
    assert laws == {"laplace", "gaussian"}


@pytest.mark.parametrize("cap", ["1", "20", "0.1234567", "1e12", "1/1073741824"])
def test_prices_rise_to_the_cap(cap):
    prices = Prices(Fraction(cap))
    found = [prices.at(place) for place in range(prices.first, prices.last + 1)]
    assert found[-1] == Fraction(cap)
    assert found == sorted(set(found))
    assert all(b <= a * Fraction(101, 100) for a, b in pairwise(found))
    assert found[0] >= Fraction(1, 2**30)


@pytest.mark.parametrize("step", [0, 7, 900, 3333, 9000])
@pytest.mark.parametrize("law", ["smooth", "rounded", "refused below"])
def test_the_search_finds_the_first_place_that_meets(law, step):
    prices = Prices(Fraction(20))
    aim = float(prices.at(prices.first + step))
    tried = []

    def error(place):
        tried.append(place)
        size = aim / float(prices.at(place))
        if law == "rounded":
            size = math.ceil(size * 7) / 7
        return math.inf if law == "refused below" and size > 3 else size

    meets = next(p for p in range(prices.first, prices.last + 1) if error(p) <= 1)
    tried.clear()
    for start in (prices.first, prices.near(1.0), prices.last):
        assert least(prices, error, start) == meets
    assert len(tried) <= 3 * 40
    assert least(prices, lambda place: 2.0, prices.near(1.0)) is None


def test_three_digits_are_cut():
    assert three_digits_down(Fraction("0.12399")) == Fraction("0.123")
    assert three_digits_down(Fraction(1, 10)) == Fraction(1, 10)


def test_data_decides_nothing():
    """The same text has the same price on a database of nobody, and after spending."""
    few, many = world.session(0), world.session()
    try:
        for sql, said in TARGETS:
            assert world.reached(few, sql, **said) == world.reached(many, sql, **said)
        many.query("SELECT COUNT(*) FROM people", epsilon=5)
        sql, said = TARGETS[0]
        assert world.reached(few, sql, **said) == world.reached(many, sql, **said)
    finally:
        few.close()
        many.close()


def test_names_and_those_without_bars(asking):
    sql = "SELECT sex, COUNT(*) AS n, MAX(age) AS oldest, SUM(age) FROM people GROUP BY sex"
    (one,) = world.reached(asking, sql, error=50).values()
    assert [c.name for c in one.columns] == ["COUNT(*)", "SUM(age)"]
    assert one.exempt == ("MAX(age)",)
    (one,) = world.reached(asking, sql, error="N = 50, sum( AGE ) = 6000").values()
    assert [(c.name, c.limit) for c in one.columns] == [("COUNT(*)", 50), ("SUM(age)", 6000)]
    (one,) = world.reached(asking, sql, error="9000, n=50").values()
    assert [(c.name, c.limit) for c in one.columns] == [("COUNT(*)", 50), ("SUM(age)", 9000)]


def test_grouping_sets_and_chains_each_meet_it(asking):
    rollup = world.reached(
        asking, "SELECT sex, COUNT(*) AS n FROM people GROUP BY ROLLUP (sex)", error="n=40"
    )
    assert len(rollup) == 2
    assert all(one.columns[0].expected <= 40 for one in rollup.values())
    chain = "SELECT COUNT(*) FROM people WHERE income > (SELECT AVG(income) FROM people)"
    assert len(world.reached(asking, chain, error=500)) == 2


def test_a_nearer_price_or_error_comes_first(asking):
    inside = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS({}) COUNT(*) FROM people"
    assert world.reached(asking, inside.format("epsilon = 1"), error=9) == {}
    (one,) = world.reached(asking, inside.format("max_error = 50"), error=9).values()
    assert one.columns[0].limit == 50
    (phrase,) = world.reached(
        asking, "SELECT WITH ERROR 50 CONFIDENCE 0.9 COUNT(*) FROM people"
    ).values()
    (options,) = world.reached(asking, inside.format("max_error = 50, confidence = 0.9")).values()
    assert phrase == options != one
