"""What analysts write: every answer to good.jsonl equals plain DuckDB's (issue 2, point 8).

Tier 1 must be answered. Of tiers 2 and 3 the outcome is recorded in good_outcomes.json: an answer
must be right, a refusal must be one of ours, and any change of either shows as a difference.
"""

from __future__ import annotations

import json
import os
from functools import cache

import duckdb
import e2e_world as world
import pytest
from e2e_compare import differences, plain, plan_numbers

from dpsql.errors import Error, InternalError
from dpsql.session import Session

GOOD = {case["id"]: case for case in world.cases("good.jsonl")}
GOLDEN = world.CASES / "good_outcomes.json"
EPSILON = 10**9

# Empty public months lie before the first order, so LAG meets a 0 where plain DuckDB meets NULL.
PUBLIC_LAG = {"good-175": lambda column, row: column == 2 and row[2] is None}
# Between two neighbours of a small group plain DuckDB interpolates (test_quantiles.py has ranks).
BY_RANK = {
    "good-017": lambda column, row: True,
    "good-020": lambda column, row: column in (1, 2),
}
KEYS = {"good-175": [0]}  # its group keys, which the outer SELECT does not show
UNITS = {"good-207": "u.user_id"}


@pytest.fixture(scope="module")
def clean(cases_data, tmp_path_factory):
    """The policy's path, and plain DuckDB over the same rows."""
    path = world.folder(tmp_path_factory.mktemp("good"), *cases_data)
    connection = duckdb.connect(":memory:")
    world.fill(connection, *cases_data)
    return path, connection


@pytest.fixture(scope="module")
def session(clean):
    opened = Session(clean[0], "analyst", epsilon=EPSILON)
    yield opened
    opened.close()


BOUND_FOUND = {"good-155": {"grid": 1e-5, "noise": 1e-5}}
"""Held closer than the plan with the widest bounds would allow, as narrow ones are found."""


def wrong(session, connection, case):
    """How the answer differs from plain DuckDB's."""
    answer = session.query(case["sql"], case.get("params"))
    numbers = plan_numbers(session, case["sql"], case.get("params"))
    numbers |= BOUND_FOUND.get(case["id"], {})
    # DuckDB's own is approximate; dpsql counts exactly, and then adds noise.
    exact = case["sql"].replace("APPROX_COUNT_DISTINCT(", "COUNT(DISTINCT ")
    want = plain(connection, exact, case.get("params"), units=UNITS.get(case["id"]))
    want.names = plain(connection, case["sql"], case.get("params")).names
    want.keys = KEYS.get(case["id"], want.keys)
    assert (len(want.rows), len(want.names)) == (case["rows"], case["cols"]), "the data drifted"
    ignore = PUBLIC_LAG.get(case["id"]) or BY_RANK.get(case["id"], lambda column, row: False)
    return differences(answer, want, **numbers, ignore=ignore)


@pytest.mark.parametrize("name", [n for n, case in GOOD.items() if case["tier"] == 1])
def test_tier_one_is_answered_and_right(name, session, clean):
    assert wrong(session, clean[1], GOOD[name]) == []


MAYBE = [n for n, c in GOOD.items() if c["tier"] > 1 and "duckdb" in c["dialects"]]


@pytest.fixture(scope="module")
def outcome(session, clean):
    """`outcome(name)`: answered (and rightly), or how it was refused. Each query runs once."""

    @cache
    def of(name):
        try:
            assert wrong(session, clean[1], GOOD[name]) == []
        except InternalError:
            raise
        except Error as refusal:
            return f"{type(refusal).__name__} {refusal.code}"
        return "answered"

    return of


@pytest.mark.parametrize("name", MAYBE)
def test_what_is_answered_is_right(name, outcome):
    outcome(name)


def test_progress_is_recorded(outcome):
    """Progress (or loss) in tiers 2 and 3 is a change of good_outcomes.json."""
    outcomes = {name: outcome(name) for name in MAYBE}
    if os.environ.get("DPSQL_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(outcomes, indent=1, sort_keys=True) + "\n")
    assert json.loads(GOLDEN.read_text()) == outcomes


def test_the_comparison_can_fail(session, clean):
    """A wrong number, a missing group, a wrong name, a wrong order: each is seen."""
    _, connection = clean
    answer = session.query("SELECT city, COUNT(*) AS n FROM users GROUP BY city ORDER BY n DESC")
    right = "SELECT city, COUNT(*) AS n FROM users GROUP BY city ORDER BY n DESC"
    assert differences(answer, plain(connection, right), grid=0.0, public=False) == []
    for other in (
        "SELECT city, COUNT(*) + 1 AS n FROM users GROUP BY city ORDER BY n DESC",
        "SELECT city, COUNT(*) AS m FROM users GROUP BY city ORDER BY m DESC",
        "SELECT city, COUNT(*) AS n FROM users GROUP BY city ORDER BY n",
        "SELECT city, COUNT(*) AS n FROM users WHERE city <> 'Hanoi' GROUP BY city ORDER BY n DESC",
        "SELECT city, COUNT(*) AS n FROM users GROUP BY city"
        " UNION ALL SELECT 'Rome', 2 ORDER BY n DESC",
        "SELECT city, COUNT(*) * 1.0001 AS n FROM users GROUP BY city ORDER BY n DESC",
    ):
        assert differences(answer, plain(connection, other), grid=0.0, public=False), other
