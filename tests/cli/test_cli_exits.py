"""Exit codes, as `dpsql/cli.py` has them, and where policy and analyst come from."""

from __future__ import annotations

import pytest

from dpsql.session import Session

COUNT = "SELECT COUNT(*) FROM users"


def exits(result, code, *words):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def test_usage(dpsql):
    exits(dpsql("query", COUNT), 2, "--analyst", "DPSQL_ANALYST")
    exits(dpsql("query", "--analyst", "", COUNT), 2)
    exits(dpsql("nope"), 2)
    exits(dpsql("query", "--analyst", "ann", "--format", "xml", COUNT), 2)
    for command in ("attack", "serve"):
        exits(dpsql(command), 2, "No such command")
    exits(dpsql("budget", "grant"), 2)
    exits(dpsql("ledger", "rewrite"), 2)


def test_policy_wrong_or_missing(dpsql, shop):
    exits(dpsql("query", "--analyst", "ann", "--policy", "no.yaml", COUNT), 2, "[no-policy]")
    (shop / "bad.yaml").write_text("version: 1\nbugdets: {}\n")
    exits(dpsql("query", "--analyst", "ann", "--policy", "bad.yaml", COUNT), 2, "bad.yaml", "hint:")
    exits(dpsql("query", "--analyst", "eve", COUNT), 2, "[unknown-analyst]")


def test_refused_and_syntax(ask):
    exits(ask("SELECT id FROM users"), 3)
    exits(ask("SELECT secret FROM users"), 3, "^^^^^^", "[unknown-column]")
    exits(ask("SELEC COUNT(*) FROM users"), 3)
    exits(ask("DROP TABLE users"), 3)


def test_budget(dpsql):
    base = ("query", "--analyst", "bob", "--epsilon", "1.5")
    assert dpsql(*base, COUNT).exit_code == 0
    exits(dpsql(*base, COUNT + " WHERE age > 3"), 4, "[budget-epsilon]", "hint:")


def test_engine_and_ledger(ask, dpsql, shop):
    (shop / "ledger.db").write_bytes(b"no ledger at all" * 100)
    exits(ask(COUNT), 5)
    (shop / "ledger.db").unlink()
    exits(dpsql("ledger", "show"), 5)
    (shop / "shop.duckdb").unlink()
    exits(ask(COUNT), 5, "[engine-missing]")


def test_our_own_bug_shows_no_traceback_and_no_value(ask, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a value of the data")

    monkeypatch.setattr(Session, "query", broken)
    result = ask(COUNT)
    exits(result, 70, "[internal]")
    assert "a value of the data" not in result.output


def test_interrupted(ask, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "query", stopped)
    exits(ask(COUNT), 130)


@pytest.mark.parametrize("how", ["flag", "environment", "here"])
def test_policy_flag_over_environment_over_working_directory(dpsql, shop, monkeypatch, how):
    """The policies differ in bob's budget; the others are broken, so only one can be read."""
    good = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(good if how == "here" else "broken")
    (shop / "env.yaml").write_text(good if how == "environment" else "broken")
    (shop / "flag.yaml").write_text(good)
    flags = ("--policy", "flag.yaml") if how == "flag" else ()
    if how != "here":
        monkeypatch.setenv("DPSQL_POLICY", "env.yaml")
    assert dpsql("query", "--analyst", "bob", *flags, COUNT).exit_code == 0


def test_analyst_flag_over_environment(dpsql, monkeypatch):
    monkeypatch.setenv("DPSQL_ANALYST", "bob")
    assert '"analyst": "bob"' in dpsql("budget", "--format", "json").stdout
    assert '"analyst": "ann"' in dpsql("budget", "--analyst", "ANN", "--format", "json").stdout


def test_a_ledger_in_memory_cannot_be_read(dpsql, shop):
    text = (shop / "dpsql.yaml").read_text().replace("sqlite:///ledger.db", '"sqlite://"')
    (shop / "memory.yaml").write_text(text)
    exits(dpsql("ledger", "show", "--policy", "memory.yaml"), 5, "[ledger-missing]")
