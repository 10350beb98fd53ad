"""`left` and `remaining_queries` heed the total of all analysts, and say which budget binds."""

from __future__ import annotations

import json

import pytest

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture
def tight(shop):
    """ann has ε = 3, bob ε = 2, all together 3."""
    path = shop / "dpsql.yaml"
    text = path.read_text().replace(
        "ann: {epsilon: 1e11, delta: 0.1}", "ann: {epsilon: 3, delta: 1e-6}"
    )
    path.write_text(text.replace("{epsilon: 1e12, delta: 0.5}", "{epsilon: 3, delta: 1e-6}"))
    return path


def budget(dpsql, who):
    return json.loads(dpsql("budget", "--analyst", who, "--format", "json").stdout)


def test_the_total_binds_once_others_have_spent_it(dpsql, tight):
    before = budget(dpsql, "bob")
    assert (before["remaining_queries"], before["binding_budget"]) == (2, "analyst:bob")
    assert before["total"] == {"epsilon": 3.0, "delta": 1e-6, "share": 0.0, "remaining_queries": 3}
    assert "binds" not in dpsql("budget", "--analyst", "bob").stdout
    for age in (1, 2):
        assert dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > {age}").exit_code == 0
    after = budget(dpsql, "bob")
    assert (after["share"], after["remaining_queries"], after["binding_budget"]) == (0, 1, "total")
    assert after["total"]["share"] == pytest.approx(2 / 3, rel=1e-6)
    shown = dpsql("budget", "--analyst", "bob").stdout
    assert "1 more query at ε = 1" in shown
    assert "the total binds: 33 % of all analysts' ε = 3 are left" in shown
    asked = dpsql("query", "--analyst", "bob", COUNT)
    assert "0 more queries" in asked.stderr
    assert "the total binds: 0 % of all analysts' ε = 3 are left" in asked.stderr
    assert dpsql("query", "--analyst", "bob", f"{COUNT} WHERE age > 3").exit_code == 4


def test_a_team_shares_its_budget_and_the_total(dpsql, tight):
    text = tight.read_text().replace(
        "  total:", "  teams:\n    lab: {members: [cyd, dan], epsilon: 2, delta: 1e-6}\n  total:"
    )
    tight.write_text(text.replace("analysts_only: true\n", ""))
    assert dpsql("query", "--analyst", "cyd", COUNT).exit_code == 0
    found = budget(dpsql, "dan")
    assert (found["budget"]["name"], found["share"]) == ("team:lab", pytest.approx(0.5, rel=1e-6))
    assert (found["remaining_queries"], found["binding_budget"]) == (1, "team:lab")
    assert dpsql("query", "--analyst", "ann", COUNT).exit_code == 0
    assert dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > 1").exit_code == 0
    found = budget(dpsql, "dan")
    assert (found["remaining_queries"], found["binding_budget"]) == (0, "total")


def test_without_a_total_only_the_own_budget_counts(dpsql, tight):
    lines = [line for line in tight.read_text().splitlines() if "  total:" not in line]
    tight.write_text("\n".join(lines))
    found = budget(dpsql, "bob")
    assert (found["total"], found["binding_budget"]) == (None, "analyst:bob")
    assert found["remaining_queries"] == 2
    assert "total" not in dpsql("budget", "--analyst", "bob").stdout
    flat = dpsql("budget", "--analyst", "bob", "--format", "csv").stdout.splitlines()
    assert dict(zip(*(line.split(",") for line in flat), strict=True))["total_share"] == ""


def test_a_usual_price_is_not_needed_to_say_which_binds(dpsql, tight):
    tight.write_text(tight.read_text().replace("  per_query: {epsilon: 1, delta: 1e-7}\n", ""))
    asked = dpsql("query", "--analyst", "ann", "--epsilon", "2", "--delta", "1e-7", COUNT)
    assert asked.exit_code == 0, asked.output
    found = budget(dpsql, "bob")
    assert (found["remaining_queries"], found["binding_budget"]) == (None, "total")
