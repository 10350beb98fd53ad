"""Grants: added to the policy's word, kept through every change of it, never orders or weights."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from ledger_cases import MILLIONTH, ask, budgets, forge, refused, url
from ledger_stores import both, both_slow

from dpsql.accountant.terms import BudgetTerms
from dpsql.errors import LedgerError
from dpsql.ledger import Ledger


def give(ledger, epsilon=1, delta=0, budget="alice", **more):
    amounts = {"epsilon": Fraction(epsilon), "delta": Fraction(delta)}
    return ledger.grant(budget, **amounts, **{"by": "owner", "why": "second study"} | more)


def policy(ledger, epsilon, delta=MILLIONTH):
    return ledger.ensure_budget("alice", "analyst", Fraction(epsilon), delta)


def test_a_grant_adds_to_the_policy(ledger):
    for _ in range(10):
        ask(ledger)
    refused(ask, ledger)
    account = give(ledger, "1/5", "1/1000000")
    assert account.terms.epsilon == Fraction(6, 5)
    assert account.terms.delta_conv == account.terms.delta_thr == MILLIONTH
    ask(ledger)
    ask(ledger)
    refused(ask, ledger)
    assert ledger.verify().ok
    entry = next(e for e in ledger.entries() if e.kind == "grant")
    assert (entry.body["by"], entry.body["why"]) == ("owner", "second study")
    assert (entry.body["epsilon"], entry.body["delta_thr"]) == ("1/5", "1/2000000")


@both
def test_a_grant_stands_through_policy_reloads_restarts_and_processes(tmp_path):
    where = url(tmp_path / "l.db")
    with Ledger.open(where) as one, Ledger.open(where) as two:
        budgets(one)
        give(one, 2)
        head = one.head()
        for ledger in (one, two, one):
            assert policy(ledger, 1).epsilon == 3
    with Ledger.open(where) as again:
        assert policy(again, 1).epsilon == 3
        assert again.head() == head  # nothing was written: it was in line
        assert policy(again, 5).epsilon == 7
        assert policy(again, "1/2").epsilon == Fraction(5, 2)
        assert policy(again, 1).epsilon == 3
        assert [e.kind for e in again.entries()][-3:] == ["raise", "limit", "raise"]
        assert again.account("alice").reached.epsilon == 7
        assert again.verify().ok


def test_a_lowered_policy_forgets_no_spend_and_no_grant(ledger):
    give(ledger, 1)
    for _ in range(20):
        ask(ledger)
    assert policy(ledger, "1/10").epsilon == Fraction(11, 10)
    refused(ask, ledger, "1/1000")
    assert ledger.spent("alice").epsilon == 2
    give(ledger, 1)
    ask(ledger)  # 2.1 of 2.1
    refused(ask, ledger, "1")
    assert ledger.verify().ok


def test_grants_to_the_total(ledger):
    assert give(ledger, 5, budget="total").terms.epsilon == 25


def test_two_grants_are_two(ledger):
    give(ledger, 1)
    assert give(ledger, 1).terms.epsilon == 3


def test_grants_that_are_none(ledger):
    for bad in [(0, 0), (-1, 0), (1, -MILLIONTH), (0, 1)]:
        refused(give, ledger, *bad, error=ValueError)
    refused(give, ledger, 1, why=" ", error=ValueError)
    refused(give, ledger, 1, by="", error=ValueError)
    error = refused(give, ledger, 1, budget="alcie", error=LedgerError)
    assert error.code == "unknown-budget"
    head = ledger.head()
    give(ledger, 0, Fraction(9, 10))
    error = refused(give, ledger, 0, Fraction(1, 10), error=LedgerError)
    assert error.code == "grants-too-large"
    error = refused(policy, ledger, 1, Fraction(1, 5), error=LedgerError)
    assert error.code == "grants-too-large"
    assert ledger.head()[0] == head[0] + 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": "-1"}, {"epsilon": "0"}, {"epsilon": "1.0"}, {"delta_thr": "1"},
        {"budget": "eve"}, {"orders": []}, {"why": 1},
    ],
)  # fmt: skip
@both_slow
def test_a_forged_grant_does_not_verify(tmp_path, wrong):
    path = tmp_path / "l.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    grant = {"kind": "grant", "budget": "alice", "epsilon": "1", "by": "o", "why": "w"}
    forge(path, **{**grant, "delta_conv": "0", "delta_thr": "0", **wrong})
    with Ledger.audit(url(path)) as audit:
        assert not audit.verify().ok
    assert refused(Ledger.open, url(path), error=LedgerError).code == "ledger-broken"


def test_a_raise_written_as_a_grant_by_schema_2_is_the_policys(tmp_path):
    """Old ledgers called it so: it replaces the policy's terms, and is no addition to them."""
    path: Path = tmp_path / "l.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        old = ledger.terms("alice")
    raised = BudgetTerms(Fraction(3), old.delta_conv, old.delta_thr, old.orders, old.weights)
    forge(path, kind="grant", budget="alice", holder="analyst", terms=raised.to_json())
    with Ledger.open(url(path)) as ledger:
        assert ledger.account("alice").granted.epsilon == 0
        assert policy(ledger, 2).epsilon == 2
        assert ledger.verify().ok


# --- a team is its name ---


def team(ledger, name, members, named=None):
    keys = [f"team:{other}" for other in (named or [name])]
    ledger.ensure_budget(
        f"team:{name}", "team", Fraction(1), MILLIONTH, members=members, named=keys
    )


def test_a_renamed_team_does_not_start_again(ledger):
    team(ledger, "growth", ["carol", "dan"])
    ask(ledger, analyst="dan", budget="team:growth")
    error = refused(team, ledger, "sales", ["carol", "dan"], error=LedgerError)
    assert error.code == "team-renamed"
    assert "'growth'" in error.message
    assert "'growth'" in error.hint
    team(ledger, "sales", ["carol"])  # who never spent may found a team
    team(ledger, "ops", ["dan"], named=["ops", "growth"])  # the old one is kept: another team
    team(ledger, "growth", ["dan"])  # and its spend is where it was
    assert ledger.spent("team:growth").epsilon == Fraction(1, 10)
    assert ledger.payers() == {"dan": ("team:growth",)}
