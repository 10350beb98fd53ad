"""A fault of an option's value is wrong usage (exit 2); a query that is refused is 3."""

from __future__ import annotations

import pytest

COUNT = "SELECT COUNT(*) FROM users"


@pytest.mark.parametrize("command", ["query", "explain"])
@pytest.mark.parametrize(
    ("flags", "code", "option"),
    [
        (["--epsilon", "-1"], "bad-epsilon", "--epsilon"),
        (["--epsilon", "0"], "bad-epsilon", "--epsilon"),
        (["--epsilon", "nan"], "bad-epsilon", "--epsilon"),
        (["--epsilon", "much"], "bad-epsilon", "--epsilon"),
        (["--delta", "1"], "bad-delta", "--delta"),
        (["--delta", "tiny"], "bad-delta", "--delta"),
        (["--error", "0%"], "bad-target", "--error"),
        (["--error", "people=0"], "bad-target", "--error"),
        (["--error", "much"], "bad-number", "--error"),
        (["--error", "5", "--confidence", "2"], "bad-target", "--confidence"),
        (["--dialect", "nope"], "dialect", "--dialect"),
        (["--param", "1"], "bad-parameter", "--param"),
    ],
)
def test_an_options_value(dpsql, command, flags, code, option):
    result = dpsql(command, "--analyst", "ann", *flags, COUNT)
    assert result.exit_code == 2
    assert result.stdout == ""
    said = result.stderr.splitlines()[0]
    assert said.startswith((f"error [{code}]: {option}: ", f"error [{code}]: {option} must "))
    name = option.lstrip("-")
    assert f"{option}: {name}" not in said  # once is enough
    assert "cursor" not in result.stderr
    assert "Fraction" not in result.stderr


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = -1) COUNT(*) FROM users",
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 'much') COUNT(*) FROM users",
        "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(delta = 2) COUNT(*) FROM users",
    ],
)
def test_the_same_in_sql_is_refused(ask, sql):
    result = ask(sql)
    assert result.exit_code == 3
    assert "hint: write a" in result.stderr


def test_the_price_above_the_policys_cap_is_refused(ask):
    """A number like any other: it is the policy that says no."""
    result = ask(COUNT, "--epsilon", "2e9")
    assert result.exit_code == 3
    assert "[bad-epsilon]" in result.stderr
    assert "max_per_query.epsilon" in result.stderr


@pytest.mark.parametrize("sql", [f"{COUNT} WHERE age = ?", f"{COUNT} WHERE age = :age"])
def test_a_missing_param_is_named(dpsql, sql):
    result = dpsql("query", "--analyst", "ann", sql)
    assert result.exit_code == 2
    assert "--param" in result.stderr.splitlines()[-1]


def test_a_missing_price_is_named(dpsql, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("  per_query: {epsilon: 1, delta: 1e-7}\n", ""))
    result = dpsql("query", "--analyst", "ann", COUNT)
    assert result.exit_code == 2
    assert "[no-epsilon]" in result.stderr
    assert "--epsilon" in result.stderr.splitlines()[-1]
    assert "connect" not in result.stderr


@pytest.mark.parametrize("head", ["12", "zz", f"x:{'0' * 64}"])
def test_a_head_that_none_can_be(dpsql, head):
    """Whatever state the ledger is in: there is none here."""
    result = dpsql("ledger", "verify", "--expect-head", head)
    assert result.exit_code == 2
    assert "[bad-head]: --expect-head:" in result.stderr


def test_verify_says_how_to_notice_a_cut_off(dpsql):
    dpsql("query", "--analyst", "bob", COUNT)
    said = dpsql("ledger", "verify").stderr.strip()
    flags = said.partition("dpsql ledger verify ")[2].split()
    assert flags[0] == "--expect-head"
    assert dpsql("ledger", "verify", *flags).exit_code == 0


def test_who_can_raise_a_budget_and_where(dpsql):
    dpsql("query", "--analyst", "bob", "--epsilon", "1.5", COUNT)
    refused = dpsql("query", "--analyst", "bob", "--epsilon", "1.4", COUNT + " WHERE age > 3")
    assert refused.exit_code == 4
    assert "raise budgets.analysts.bob.epsilon in the policy" in refused.stderr


@pytest.mark.parametrize(
    "policy", ["", 'database: "duckdb://"\n'], ids=["no database", "in memory"]
)
def test_python_arguments_are_no_way_out_here(dpsql, shop, policy):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("database: duckdb:///shop.duckdb\n", policy))
    for command in (["query", "--analyst", "ann", COUNT], ["tables"]):
        result = dpsql(*command)
        assert result.exit_code == 2
        assert "engine=" not in result.output
        assert "duckdb:///file.duckdb" in result.stderr


@pytest.mark.parametrize(
    "sql",
    ["SELECT id, COUNT(*) FROM users GROUP BY id", "SELECT id || 'x', COUNT(*) FROM users"],
)
def test_grouping_by_the_unit_is_no_way_out(ask, sql):
    refused = ask(sql)
    assert refused.exit_code == 3
    assert "[row-output]" in refused.stderr
    hint = refused.stderr.splitlines()[-1]
    assert "GROUP BY it" not in hint
    assert "with or without GROUP BY" not in hint
