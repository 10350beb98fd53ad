"""Budgets end to end: caps at their boundary, teams and who moves, windows, what explain says."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

import dpsql
from dpsql.errors import BudgetExceeded, InvalidQuery, LedgerError, PolicyError
from dpsql.ledger import Ledger

COUNT = "SELECT COUNT(*) FROM people"
TWO = (
    "SELECT (SELECT COUNT(*) FROM people) AS a, "
    "(SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = {}) COUNT(*) FROM people WHERE age > 40) b"
)
TEAMS = {"growth": {"members": ["carol", "dan"], "epsilon": 1, "delta": "1e-6"}}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Writes the policy with these budgets, and connects as somebody."""
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("people.duckdb") as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, age INTEGER NOT NULL)")
        connection.execute("INSERT INTO people SELECT i, i % 90 FROM range(200) t(i)")

    def connect(analyst, **budgets):
        return dpsql.connect(policy_of(**budgets), analyst=analyst)

    return connect


def policy_of(**budgets):
    return {
        "version": 1,
        "database": "duckdb:///people.duckdb",
        "ledger": "sqlite:///ledger.db",
        "budgets": {"per_query": {"epsilon": "0.5", "delta": "1e-8"}} | budgets,
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"people": {"unit": "id"}},
    }


def ask(connection, sql=COUNT, **price):
    with connection, connection.cursor() as cursor:
        return cursor.execute(sql, **price).privacy


def spent(name):
    with Ledger.open("sqlite:///ledger.db") as ledger:
        assert ledger.verify().ok
        return ledger.spent(name).epsilon


# --- max_per_query ---

MOST = {"epsilon": 1, "delta": "1e-6"}
LARGE = {"default": {"epsilon": 9, "delta": "1e-3"}}
CAP = {"max_per_query": MOST} | LARGE
SUM = {"max_per_statement": MOST} | LARGE


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ({"epsilon": "1"}, None),
        ({"epsilon": "1.000000000000000000000000001"}, "bad-epsilon"),
        ({"delta": "1e-6"}, None),
        ({"delta": "1.000000000000000000000000001e-6"}, "bad-delta"),
    ],
)
def test_the_cap_of_each_query_at_its_boundary(world, price, code):
    refused_or_paid(lambda: ask(world("ann", **CAP), **price), code)


@pytest.mark.parametrize(
    ("second", "code"), [("0.5", None), ("0.500000000000000000000000001", "bad-epsilon")]
)
def test_the_cap_of_a_statements_sum_at_its_boundary(world, second, code):
    refused_or_paid(lambda: ask(world("ann", **SUM), TWO.format(second)), code)


@pytest.mark.parametrize(("each", "code"), [("5e-7", None), ("5.0000000000001e-7", "bad-delta")])
def test_the_cap_of_a_statements_deltas(world, each, code):
    refused_or_paid(lambda: ask(world("ann", **SUM), TWO.format("0.5"), delta=each), code)


def test_what_is_drawn_once_counts_once(world):
    same = f"SELECT ({COUNT}) AS a, ({COUNT}) AS b"
    assert ask(world("ann", **SUM), same, epsilon=1).epsilon == 1


def test_without_a_cap_of_statements_each_query_has_its_own(world):
    assert ask(world("ann", **CAP), TWO.format("1"), epsilon=1).epsilon == 2


def test_stored_parts_count_against_the_cap_too(world):
    """Or what may be asked would tell what was asked before."""
    ask(world("ann", **SUM), COUNT)
    refused_or_paid(lambda: ask(world("ann", **SUM), TWO.format("0.75")), "bad-epsilon")


def refused_or_paid(call, code):
    if code is None:
        assert call().epsilon > 0
        return
    with pytest.raises(InvalidQuery) as caught:
        call()
    assert caught.value.code == code
    assert "budgets.max_per_" in caught.value.hint


# --- teams ---


def test_members_share_one_budget_and_its_releases(world):
    ask(world("carol", teams=TEAMS))
    assert ask(world("dan", teams=TEAMS)).free
    assert spent("team:growth") == 0.5


def test_who_moves_into_a_team_brings_no_spend_and_loses_none(world):
    own = {"analysts": {"carol": {"epsilon": 1, "delta": "1e-6"}}}
    ask(world("carol", **own))
    ask(world("carol", teams=TEAMS), f"{COUNT} WHERE age > 1")
    assert (spent("analyst:carol"), spent("team:growth")) == (0.5, 0.5)
    # And back: what was spent on each budget is where it was.
    rest = {"growth": TEAMS["growth"] | {"members": ["dan"]}}
    ask(world("carol", teams=rest, **own), f"{COUNT} WHERE age > 2")
    assert (spent("analyst:carol"), spent("team:growth")) == (1, 0.5)
    with pytest.raises(BudgetExceeded, match="of 'carol'"):
        ask(world("carol", teams=rest, **own), f"{COUNT} WHERE age > 3", epsilon=3)


def test_a_renamed_team_is_refused_and_its_old_name_has_the_spend(world):
    ask(world("dan", teams=TEAMS))
    renamed = {"sales": TEAMS["growth"]}
    with pytest.raises(LedgerError) as caught:
        world("dan", teams=renamed)
    assert caught.value.code == "team-renamed"
    kept = renamed | {"growth": TEAMS["growth"] | {"members": []}}
    ask(world("dan", teams=kept))
    assert (spent("team:growth"), spent("team:sales")) == (0.5, 0.5)
    assert ask(world("dan", teams=TEAMS)).free


@pytest.mark.parametrize(
    "budgets",
    [
        {"teams": TEAMS | {"ops": {"members": ["DAN"], "epsilon": 1, "delta": "1e-6"}}},
        {"teams": TEAMS, "analysts": {"Carol": {"epsilon": 1, "delta": "1e-6"}}},
    ],
)
def test_nobody_has_two_budgets(world, budgets):
    with pytest.raises(PolicyError, match="already has a budget") as caught:
        world("dan", **budgets)
    assert caught.value.code == "duplicate-key"


# --- windows ---


def test_a_window_is_said_where_it_runs_out(world, monkeypatch):
    now = [dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC).timestamp()]
    monkeypatch.setattr("time.time", lambda: now[0])
    opened = Ledger.open
    monkeypatch.setattr(Ledger, "open", lambda url: opened(url, clock=lambda: now[0]))
    weekly = {"analysts": {"ann": {"epsilon": "0.5", "delta": "1e-6", "refresh": "weekly"}}}
    connection = world("ann", **weekly)
    with connection:
        report = connection.cursor().execute(COUNT).privacy
        assert report.remaining.share == 1
        with pytest.raises(BudgetExceeded) as caught:
            connection.cursor().execute(f"{COUNT} WHERE age > 1")
        assert "for the week of 2026-11-23" in str(caught.value)
        assert "2026-11-30 00:00 UTC" in caught.value.hint
        explained = connection.cursor().explain(f"{COUNT} WHERE age > 1")
        assert explained.lacking == "analyst:ann"
        assert "for the week of 2026-11-23 does not cover it" in str(explained)
        assert "the next window begins 2026-11-30 00:00 UTC" in str(explained)
        now[0] += 36 * 3600  # the Monday after
        assert connection.cursor().explain(f"{COUNT} WHERE age > 1").fits
        assert connection.cursor().execute(COUNT).privacy.free
        assert not connection.cursor().execute(f"{COUNT} WHERE age > 1").privacy.free
        state = connection.budget().to_json()["budget"]["window"]
        assert state["start"] == "2026-11-30T00:00:00+00:00"
        assert state["next"] == "2026-12-07T00:00:00+00:00"
