"""The outcome gate over what analysts write: every query of good.jsonl, on D and D less one unit.

tests/e2e/test_hostile.py holds it over the hostile corpus. Values and the rows of private keys may
differ; status, text, columns, types, charge and statements may not. A bound that is found is told
to both alike, as it was paid for and is in what is sent.
"""

from __future__ import annotations

from dataclasses import replace

import e2e_world
import hostile_world as hostile
import pytest
from hostile_faults import bound_told

GOOD = {
    case["id"]: case
    for case in e2e_world.cases("good.jsonl")
    if "duckdb" in case["dialects"] and not case.get("params")
}
EVERY = 3  # the default run takes every third query


def differ(databases, sql):
    outcomes = []
    for without in (None, hostile.TARGET):
        outcome, _ = hostile.ask(databases.session(without), sql, "duckdb")
        outcomes.append(replace(outcome, rows=None))
    here, there = outcomes
    assert not here.status.startswith("InternalError"), here
    return here != there


def test_a_third_of_the_good_queries(databases, monkeypatch):
    bound_told(monkeypatch)
    names = list(GOOD)[::EVERY]
    assert len(names) > 40
    assert [name for name in names if differ(databases, GOOD[name]["sql"])] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
def test_every_good_query(name, databases, monkeypatch):
    bound_told(monkeypatch)
    assert not differ(databases, GOOD[name]["sql"])
