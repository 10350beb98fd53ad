"""A release that feeds a later query: equal to plain DuckDB, one unit's step, one price."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal

import e2e_neighbours as neighbours
import pytest
from chain_queries import FIXED, ONE, QUERIES
from e2e_compare import differences, plain, plan_numbers
from neighbour_shapes import MESSY

from dpsql.certify import certify
from dpsql.core.ir import Given
from dpsql.pipeline.certify import claim
from dpsql.rules import given as given_rule
from dpsql.rules import source


@pytest.mark.parametrize("name", QUERIES)
def test_equal_to_plain_duckdb(name, wide_session, plain_duckdb):
    """At an ε without noise the inner answer is the plain one to 1e-9, and so is the outer."""
    sql = QUERIES[name]
    answer = wide_session.query(sql)
    want = plain(plain_duckdb, sql, unit="pid")
    assert want.rows
    assert differences(answer, want, **plan_numbers(wide_session, sql)) == []
    if name in ONE:
        assert answer.privacy.epsilon == ONE[name] * 10**9


# ---- one unit, the inner release fixed ---------------------------------------------------------

_PARAMETER = re.compile(r"CAST\(\$(given_\d+(?:_c\d+)?) AS ([A-Z0-9]+(?:\(\d+, \d+\))?)(\[\])?\)")
VALUES = {
    "DOUBLE": [None, 0.5, 1.7976931348623157e308, -1e300],
    "HUGEINT": [None, 1, 2**126, -(2**100)],
    "BIGINT": [None, 2, 2**63 - 1, -(2**63)],
    "INT128": [None, 1, 2**126, -(2**100)],
    "BOOLEAN": [None, True, False],
    "TEXT": [None, "x", "a", "w"],
    "VARCHAR": [None, "x", "a", "w"],
    "TIMESTAMP": [None, dt.datetime(2020, 1, 5), dt.datetime(9999, 12, 31, 23), dt.datetime.min],
}
TURNS = [
    (0, lambda values: []),
    (1, lambda values: values),
    (2, lambda values: [v for v in values for _ in range(40)]),
    (3, lambda values: [None]),
    (1, lambda values: [v for v in values for _ in range(40)]),
]
"""Which value stands alone (NULL, usual, huge), and what lists are made of all."""


def givens(text):
    """Values for the parameters of a statement."""
    found = dict.fromkeys(match.groups() for match in _PARAMETER.finditer(text))
    assert found
    for turn, fill in TURNS:
        made = {}
        for name, kind, listed in found:
            values = VALUES[kind if not kind.startswith("DECIMAL") else "DECIMAL"]
            if listed:
                shift = int(name.partition("_c")[2]) % 2  # so that columns do not go together
                made[name] = fill(values[shift:] + values[:shift])
            else:
                made[name] = values[turn % len(values)]
        longest = max((len(v) for v in made.values() if isinstance(v, list)), default=0)
        for name, value in made.items():
            if isinstance(value, list) and value:
                made[name] = [value[i % len(value)] for i in range(longest)]
        yield made


VALUES["DECIMAL"] = [None, Decimal("0.50")]

RULES = [
    {"max_groups": 2},
    {"max_groups": 1, "max_rows": 1},
    {"max_groups": 3, "per_unit": {"events": 2, "visits": 2}},
    {"max_groups": 9, "kinds": ["x", "y"]},
]


def fixed(world, sql, bounds, price=1):
    """The outer plan of a chain with every value of what feeds it."""
    policy = neighbours.policy(**bounds)
    stated = world.state(sql, policy, epsilon=price)
    fed = [one for one in stated if "$" in one.text]
    assert len(fed) == 1
    for one in stated:
        certify(one.text, claim(one.plan), policy=policy, catalog=world.catalog)
    return [replace(fed[0], given=given) for given in givens(fed[0].text)]


@pytest.mark.parametrize("name", FIXED)
def test_one_unit_moves_no_more_whatever_feeds_it(name, neighbour_world):
    neighbour_world.load(MESSY)
    neighbour_world.replay(fixed(neighbour_world, FIXED[name], RULES[0]))


@pytest.mark.slow
@pytest.mark.parametrize("bounds", RULES[1:])
@pytest.mark.parametrize("name", FIXED)
def test_one_unit_moves_no_more_under_other_bounds(name, bounds, neighbour_world):
    neighbour_world.load(MESSY)
    neighbour_world.replay(fixed(neighbour_world, FIXED[name], bounds))


@pytest.mark.parametrize("name", ["one row each", "one row"])
def test_a_table_that_repeats_its_key_after_all_is_seen(name, neighbour_world, monkeypatch):
    """Without the GROUP BY that the text keeps keys unique by, lists with repeats move too much."""

    def unkept(made: Given):
        return given_rule.given(replace(made, keys=None))

    neighbour_world.load(MESSY)
    monkeypatch.setattr(source, "given", unkept)
    policy = neighbours.policy(max_groups=3)
    fed = [one for one in neighbour_world.state(FIXED[name], policy) if "$" in one.text]
    stated = [replace(one, given=given) for one in fed for given in givens(one.text)]
    with pytest.raises(neighbours.Moved):
        neighbour_world.replay(stated)


# ---- an unknown narrows nothing ----------------------------------------------------------------

PAIRS = [
    (
        "SELECT SUM(x) FROM events WHERE x < (SELECT AVG(x) FROM events)",
        "SELECT SUM(x) FROM events",
    ),
    (
        "SELECT SUM(n), VAR_SAMP(x) FROM events WHERE n = (SELECT COUNT(*) FROM events) AND x ="
        " (SELECT AVG(x) FROM events)",
        "SELECT SUM(n), VAR_SAMP(x) FROM events",
    ),
    (
        "SELECT kind, SUM(x) FROM events WHERE kind IN (SELECT kind FROM visits GROUP BY kind)"
        " GROUP BY kind",
        "SELECT kind, SUM(x) FROM events GROUP BY kind",
    ),
    (
        "SELECT kind, SUM(x) FROM events JOIN (SELECT kind AS k FROM visits GROUP BY kind) t ON"
        " kind = t.k GROUP BY kind",
        "SELECT kind, SUM(x) FROM events WHERE kind IS NOT NULL GROUP BY kind",
    ),
]


@pytest.mark.parametrize("kinds", [None, ["x", "y"]])
@pytest.mark.parametrize(("chained", "alone"), PAIRS)
def test_an_unknown_changes_no_bound_key_noise_or_price(chained, alone, kinds, neighbour_world):
    policy = neighbours.policy(max_groups=2, kinds=kinds)
    stated = neighbour_world.state(chained, policy)
    outer = next(one.plan for one in stated if "$" in one.text)
    (plain_one,) = neighbour_world.plan(alone, policy)
    assert [key.values for key in outer.keys] == [key.values for key in plain_one.keys]
    assert outer.bounds == plain_one.bounds
    assert outer.items == plain_one.items
    assert [part.sensitivity for part in outer.blocks] == [
        part.sensitivity for part in plain_one.blocks
    ]
    assert [getattr(part.block, "grid", None) for part in outer.blocks] == [
        getattr(part.block, "grid", None) for part in plain_one.blocks
    ]


def test_a_key_of_a_released_table_is_private(neighbour_world):
    """Its values are known when the query runs: by then the price was paid."""
    policy = neighbours.policy(max_groups=2, kinds=["x", "y"])
    sql = (
        "SELECT t.k, COUNT(*) FROM events JOIN (SELECT kind AS k FROM visits GROUP BY kind) t"
        " ON kind = t.k GROUP BY t.k"
    )
    inner, outer = neighbour_world.plan(sql, policy)
    assert inner.public_keys
    assert not outer.public_keys


@pytest.mark.parametrize(
    "how",
    [
        "FROM visits WHERE kind IN ({}) GROUP BY kind",
        "FROM visits JOIN ({}) t USING (kind) GROUP BY kind",
        "FROM visits v JOIN ({}) t ON v.kind = t.kind GROUP BY v.kind HAVING COUNT(*) > -10",
    ],
)
def test_public_groups_that_a_released_table_rules_out_are_not_shown(how, wide_session):
    """Plain SQL has no row of them, and all are there without it."""
    top = "SELECT kind FROM visits WHERE kind <> 'bus' GROUP BY kind ORDER BY COUNT(*) > 0 LIMIT 2"
    sql = f"SELECT COUNT(*) AS n {how.format(top)}"
    assert len(wide_session.query(sql).table) == 2
    alone = f"SELECT COUNT(*) AS n {how.format('SELECT kind FROM shops')}"
    assert len(wide_session.query(alone).table) > 2
