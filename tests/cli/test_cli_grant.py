"""`dpsql budget grant`, and what `check`, `budget`, `ledger` say of grants, windows and moves."""

from __future__ import annotations

import json
from contextlib import closing
from fractions import Fraction

import pytest

from dpsql.ledger import Ledger

COUNT = "SELECT COUNT(*) FROM users"
BOB = "    bob: {epsilon: 2, delta: 1e-6}\n"
WHY = ("--why", "second study")


@pytest.fixture
def rewrite(shop):
    def change(old, new):
        text = (shop / "dpsql.yaml").read_text()
        assert old in text
        (shop / "dpsql.yaml").write_text(text.replace(old, new))

    return change


@pytest.fixture
def small(rewrite):
    """Budgets of a usual size, that fit under total together; team `ops` beside."""
    rewrite("ann: {epsilon: 1e11, delta: 0.1}", "ann: {epsilon: 1, delta: 1e-6}")
    rewrite("  total: {epsilon: 1e12, delta: 0.5}", "  total: {epsilon: 20, delta: 1e-5}")
    team = "  teams: {ops: {members: [eve], epsilon: 1, delta: 1e-6}}\n"
    rewrite("  total:", f"{team}  total:")


def account(name):
    with closing(Ledger.open("sqlite:///ledger.db")) as ledger:
        assert ledger.verify().ok
        return ledger.account(name)


def state(dpsql, analyst="bob"):
    return json.loads(dpsql("budget", "--analyst", analyst, "--format", "json").stdout)["budget"]


def findings(dpsql, where):
    found = json.loads(dpsql("check", "--format", "json").stdout)["findings"]
    return [(f["level"], f["message"]) for f in found if f["where"] == where]


# --- grants ---


def test_a_grant_to_an_analyst_stands_through_the_policy(dpsql, small, rewrite):
    result = dpsql("budget", "grant", "BOB", "--epsilon", "2", "--delta", "1e-7", *WHY)
    assert result.exit_code == 0
    assert result.stdout == (
        "granted ε 2, δ 1e-07 to analyst:bob\nit is now ε = 4, δ = 1.1e-06\n"
    )  # fmt: skip
    for _ in range(2):
        assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 0
        assert account("analyst:bob").terms.epsilon == 4
    assert state(dpsql)["epsilon"] == 4
    assert state(dpsql)["granted"] == {"epsilon": 2, "delta": 1e-7}
    assert "granted" in dpsql("budget", "--analyst", "bob").stdout
    rewrite(BOB, "    bob: {epsilon: 0.5, delta: 1e-6}\n")
    assert state(dpsql)["epsilon"] == 2.5
    assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 0
    assert account("analyst:bob").spent.epsilon == 1


def test_grants_to_a_team_and_to_the_total(dpsql, small):
    assert dpsql("budget", "grant", "--team", "ops", "--epsilon", "1", *WHY).exit_code == 0
    assert dpsql("budget", "grant", "--total", "--epsilon", "5", *WHY).exit_code == 0
    assert account("team:ops").terms.epsilon == 2
    assert account("total").terms.epsilon == 25


def test_the_ledger_shows_who_and_why(dpsql, small):
    dpsql("budget", "grant", "bob", "--epsilon", "2", "--by", "dr. o", *WHY)
    shown = dpsql("ledger", "show", "--last", "1").stdout
    assert "granted: ε 2, δ 0" in shown
    assert "dr. o: second study" in shown
    (line,) = json.loads(dpsql("ledger", "show", "--last", "1", "--format", "json").stdout)
    assert (line["kind"], line["by"], line["why"]) == ("grant", "dr. o", "second study")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bbo"], "the nearest name is bob"),
        (["--team", "osp"], "the nearest name is ops"),
        (["eve"], "--team ops"),
        (["zebra"], "neither the policy nor the ledger knows"),
    ],
)
def test_a_name_that_is_none(dpsql, shop, small, words, said):
    result = dpsql("budget", "grant", *words, "--epsilon", "2", *WHY)
    assert result.exit_code == 2
    assert said in result.stderr


def test_default_gives_no_misspelt_name_a_budget(dpsql, small, rewrite):
    rewrite("analysts_only: true", "analysts_only: false")
    rewrite("  analysts:\n", "  default: {epsilon: 1, delta: 1e-6}\n  analysts:\n")
    grant = ("budget", "grant", "zoe", "--epsilon", "1", *WHY)
    assert "[unknown-analyst]" in dpsql(*grant).stderr
    dpsql("query", "--analyst", "zoe", COUNT)
    assert dpsql(*grant).exit_code == 0
    assert account("analyst:zoe").terms.epsilon == 2


@pytest.mark.parametrize(
    "words",
    [
        ["bob", "--epsilon", "2"], ["bob", *WHY], ["--epsilon", "2", *WHY],
        ["bob", "--total", "--epsilon", "2", *WHY], ["bob", "--epsilon", "-2", *WHY],
        ["bob", "--epsilon", "2", "--why", " "], ["bob", "--epsilon", "2", "--why", "a\x1b[31m"],
        ["bob", "--epsilon", "2", "--by", "", *WHY], ["bob", "--epsilon", "inf", *WHY],
    ],
)  # fmt: skip
def test_usage(dpsql, shop, small, words):
    assert dpsql("budget", "grant", *words).exit_code == 2
    assert not list(shop.glob("ledger.db*"))


def test_a_delta_of_one(dpsql, small):
    assert dpsql("budget", "grant", "bob", "--delta", "0.9", *WHY).exit_code == 0
    result = dpsql("budget", "grant", "bob", "--delta", "0.1", *WHY)
    assert result.exit_code == 5
    assert "[grants-too-large]" in result.stderr


# --- windows ---


def test_budget_shows_the_window(dpsql, small, rewrite):
    rewrite(BOB, "    bob: {epsilon: 2, delta: 1e-6, refresh: yearly}\n")
    for _ in range(2):  # before there is a ledger, and with one
        window = state(dpsql)["window"]
        year = int(window["start"][:4])
        assert window == {
            "refresh": "yearly",
            "start": f"{year}-01-01T00:00:00+00:00",
            "next": f"{year + 1}-01-01T00:00:00+00:00",
        }
        shown = dpsql("budget", "--analyst", "bob").stdout
        assert f"{year} (yearly), the next begins {year + 1}-01-01 00:00 UTC" in shown
        dpsql("query", "--analyst", "bob", COUNT)
    granted = dpsql("budget", "grant", "bob", "--epsilon", "1", *WHY).stdout
    assert "in every window (yearly)" in granted
    assert state(dpsql, "ann")["window"] is None


# --- check: whose guarantee holds ---


def verdicts(dpsql):
    return findings(dpsql, "budgets.total")


def test_check_says_that_a_grant_costs_the_guarantee_per_analyst(dpsql, small):
    dpsql("query", "--analyst", "bob", COUNT)
    own = "each budget's own guarantee holds too"
    assert [own in message for _, message in verdicts(dpsql)] == [True, True]
    dpsql("budget", "grant", "bob", "--epsilon", "20", *WHY)
    (_, policy), (level, ledger) = verdicts(dpsql)
    assert own in policy
    assert (level, "only the guarantee of all analysts together" in ledger) == ("warning", True)
    assert "was granted ε = 20" in str(findings(dpsql, "ledger"))
    dpsql("budget", "grant", "--total", "--epsilon", "99", *WHY)
    assert own in verdicts(dpsql)[1][1]


def test_check_counts_what_a_budget_was_before_it_was_lowered(dpsql, small, rewrite):
    rewrite(BOB, "    bob: {epsilon: 30, delta: 1e-6}\n")
    dpsql("query", "--analyst", "bob", COUNT)
    rewrite("bob: {epsilon: 30,", "bob: {epsilon: 2,")
    assert [level for level, _ in verdicts(dpsql)] == ["note", "warning"]


def test_check_counts_former_windows_and_former_budgets(dpsql, small, rewrite):
    rewrite(BOB, "    bob: {epsilon: 2, delta: 1e-6, refresh: daily}\n")
    assert "a budget with windows counts as unbounded" in verdicts(dpsql)[0][1]
    dpsql("query", "--analyst", "bob", COUNT)
    assert len(verdicts(dpsql)) == 1  # the policy has said it
    rewrite(", refresh: daily", "")
    assert [level for level, _ in verdicts(dpsql)] == ["note", "warning"]
    rewrite(BOB, "")  # bob left; what he spent in his days is not bounded by any terms
    assert [level for level, _ in verdicts(dpsql)] == ["note", "warning"]


def test_check_names_people_who_moved_and_teams_that_were_renamed(dpsql, small, rewrite):
    dpsql("query", "--analyst", "bob", COUNT)
    dpsql("query", "--analyst", "eve", COUNT)
    rewrite(BOB, "")
    rewrite("members: [eve]", "members: [eve, bob]")
    assert "'bob' spends team:ops and has spent analyst:bob" in str(findings(dpsql, "ledger"))
    rewrite("{ops: {members", "{oops: {members")
    (found,) = findings(dpsql, "budgets.teams.oops")
    assert found[0] == "error"
    assert "would start with nothing spent" in found[1]
    for command in (("query", COUNT), ("budget",), ("explain", COUNT)):
        result = dpsql(command[0], "--analyst", "eve", *command[1:])
        assert (result.exit_code, "[team-renamed]" in result.stderr) == (5, True)


def test_a_raise_is_no_grant(dpsql, small, rewrite):
    dpsql("query", "--analyst", "bob", COUNT)
    rewrite("bob: {epsilon: 2,", "bob: {epsilon: 3,")
    dpsql("query", "--analyst", "bob", COUNT)
    assert account("analyst:bob").granted.epsilon == Fraction(0)
    assert "raised: ε 3" in dpsql("ledger", "show").stdout
