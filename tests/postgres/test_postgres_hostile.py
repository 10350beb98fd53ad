"""What attackers write, on PostgreSQL: the same outcome on D and on D less one unit.

As tests/e2e/test_hostile.py has it for DuckDB: the status, the code, the text, the columns, the
types, the charge and the statements that are sent depend on the query alone.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import e2e_world as world
import make_data
import postgres_world
import pytest
from hostile_faults import bound_told, silent
from hostile_world import HOSTILE, TARGET, ask, dialects, nothing

ASKED = {
    name: case
    for name, case in HOSTILE.items()
    if "params" not in case and case["oracle"] != "scenario"
}
QUICK = sorted(ASKED)[::12]
SQL = "SELECT city, COUNT(*) FROM users GROUP BY city"


class Databases:
    """Sessions over D and over D less one unit, each in a database of its own, opened once."""

    def __init__(self, server):
        self.server = server
        self.rows = make_data.build(200, 7, True)
        self.sessions = {}

    def session(self, without=None):
        if without not in self.sessions:
            url = self.server.database()
            users, orders, regions = self.rows
            rows = {
                "users": users if without is None else world.without(users, 0, without),
                "orders": orders if without is None else world.without(orders, 1, without),
                "regions": regions,
            }
            ddl = {
                text.split("(")[0].split()[-1]: text.partition("(")[2].rstrip(")")
                for text in (each.format(F="DOUBLE") for each in make_data.DDL)
            }
            postgres_world.fill(
                url, ddl, {name: [*map(tuple, each)] for name, each in rows.items()}
            )
            policy = world.policy_dict() | {"limits": {"timeout": "20s"}, "ledger": "sqlite://"}
            self.sessions[without] = postgres_world.session(policy, url)
        return self.sessions[without]

    def close(self):
        for session in self.sessions.values():
            session.close()


@pytest.fixture(scope="module")
def databases(server):
    with closing(Databases(server)) as opened:
        yield opened


def check(name, databases, monkeypatch):
    case = ASKED[name]
    neighbour = case.get("neighbour", TARGET)
    bound_told(monkeypatch)  # a bound that is found is paid for: both are given the same
    for dialect in dialects(case)[:1]:
        here, rows = ask(databases.session(), case["sql"], dialect)
        there, others = ask(databases.session(neighbour), case["sql"], dialect)
        if case["oracle"] == "noisy":  # how many rows the remainder keeps is in the noise's hand
            here, there = replace(here, rows=None), replace(there, rows=None)
        assert here == there
        assert not here.status.startswith(("InternalError", "EngineFailed")), here
        for value in (value for row in (*rows, *others) for value in row):
            if isinstance(value, (float, Decimal)):
                assert math.isfinite(value), (rows, others)
        if case["must"] == "reject":
            assert here.status != "ok", "answered"
        if here.status == "ok" and here.charge[1]:
            assert not nothing(here.charge[0]), "answered for nothing"
        elif here.status != "ok":
            assert nothing(here.charge)
        if "key" in case:
            assert all(case["key"] not in row for row in (*rows, *others))


@pytest.mark.parametrize("name", QUICK)
def test_same_outcome_on_neighbours(name, databases, monkeypatch):
    check(name, databases, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ASKED if name not in QUICK])
def test_same_outcome_of_all(name, databases, monkeypatch):
    check(name, databases, monkeypatch)


def test_an_outcome_that_differs_is_seen(databases, monkeypatch):
    """With the threshold and the noise out, the lone city of the target tells them apart."""
    silent(monkeypatch)
    monkeypatch.setattr(
        "dpsql.mechanisms.threshold.GaussianThreshold.release",
        lambda self, value: ((counts := value.open_for_noise()) > 0, counts),
    )
    monkeypatch.setattr(
        "dpsql.mechanisms.threshold.Cut.release",
        lambda self, value: ((counts := value.open_for_noise()) > 0, counts),
    )
    _, here = ask(databases.session(), SQL, "duckdb")
    _, there = ask(databases.session(TARGET), SQL, "duckdb")
    assert here != there
