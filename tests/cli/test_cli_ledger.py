"""The ledger as commands meet it: read without writing, checked, refused by name."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from contextlib import closing

import pytest

from dpsql.ledger.sqlite import SQLite

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture
def nothing_is_written(monkeypatch):
    """From its call on, a write transaction or a new file of the ledger's is a failure."""

    def forbid():
        def write(_):
            raise AssertionError("a write to the ledger")

        monkeypatch.setattr(SQLite, "write", write)
        monkeypatch.setattr("dpsql.ledger.sqlite._create", write)

    return forbid


def rewrite(shop, old, new):
    text = (shop / "dpsql.yaml").read_text()
    assert old in text
    (shop / "dpsql.yaml").write_text(text.replace(old, new))


def of_ledger(dpsql, *more):
    """check's exit code and its findings about the ledger, as (level, message)."""
    result = dpsql("check", "--format", "json", *more)
    found = json.loads(result.stdout)["findings"]
    return result.exit_code, [(f["level"], f["message"]) for f in found if f["where"] == "ledger"]


# --- explain and budget only read ---


def test_without_a_ledger_the_budget_is_whole_and_none_is_made(dpsql, shop):
    found = json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)
    assert (found["share"], found["remaining_queries"]) == (0, 2)
    explained = json.loads(dpsql("explain", "--analyst", "bob", "--format", "json", COUNT).stdout)
    assert explained["budget"]["fits"] is True
    assert explained["budget"]["share_before"] == 0
    assert not list(shop.glob("ledger.db*"))


def test_an_analyst_the_ledger_has_not_met_has_it_all(dpsql, nothing_is_written):
    dpsql("query", "--analyst", "bob", COUNT)
    nothing_is_written()
    shown = json.loads(dpsql("budget", "--analyst", "ann", "--format", "json").stdout)
    assert shown["share"] == 0
    explained = dpsql("explain", "--analyst", "ann", COUNT)
    assert explained.exit_code == 0


def test_explain_and_budget_say_what_a_query_would_meet(dpsql, shop, nothing_is_written):
    dpsql("query", "--analyst", "bob", COUNT)
    before = (shop / "ledger.db").read_bytes()
    nothing_is_written()
    shown = json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)
    assert shown["share"] == pytest.approx(0.5, rel=1e-6)
    rewrite(shop, "bob: {epsilon: 2,", "bob: {epsilon: 4,")  # a grant not yet written down
    shown = json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)
    assert shown["share"] == pytest.approx(0.25, rel=1e-6)
    explained = json.loads(dpsql("explain", "--analyst", "bob", "--format", "json", COUNT).stdout)
    assert explained["budget"]["share_before"] == pytest.approx(0.25, rel=1e-6)
    assert (shop / "ledger.db").read_bytes() == before


def test_a_read_only_ledger_is_enough(dpsql, shop, monkeypatch):
    dpsql("query", "--analyst", "bob", COUNT)
    monkeypatch.setattr("dpsql.ledger.sqlite.may", lambda path, how: not how & os.W_OK)
    assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 5
    assert dpsql("budget", "--analyst", "bob").exit_code == 0
    assert dpsql("explain", "--analyst", "bob", COUNT).exit_code == 0
    code, found = of_ledger(dpsql)
    assert code == 5
    assert "read-only" in dict(found)["error"]
    assert "the chain verifies" in dict(found)["note"]


def test_a_budget_needs_no_database(dpsql, shop):
    (shop / "shop.duckdb").unlink()
    assert dpsql("budget", "--analyst", "bob").exit_code == 0


def test_a_broken_ledger_is_no_full_budget(dpsql, shop):
    dpsql("query", "--analyst", "bob", COUNT)
    spoil(shop)
    for command in (("budget",), ("explain", COUNT)):
        result = dpsql(command[0], "--analyst", "bob", *command[1:])
        assert result.exit_code == 5
        assert "[ledger-broken]" in result.stderr


def spoil(shop):
    with closing(sqlite3.connect(shop / "ledger.db")) as connection, connection:
        connection.execute(
            "UPDATE dpsql_entries SET body ="
            " CAST(replace(CAST(body AS TEXT), 'bob', 'eve') AS BLOB) WHERE seq = 4"
        )


# --- check looks at the ledger ---


def test_check_of_no_ledger_makes_none(dpsql, shop):
    code, found = of_ledger(dpsql)
    assert code == 0
    assert found == [("note", f"there is none yet: the first query creates {shop / 'ledger.db'}")]
    assert not list(shop.glob("ledger.db*"))


def test_check_follows_the_chain(dpsql, shop, nothing_is_written):
    dpsql("query", "--analyst", "bob", COUNT)
    head = dpsql("ledger", "verify").stdout.split("head ")[1].split("\n")[0]
    nothing_is_written()
    assert of_ledger(dpsql) == (0, [("note", f"5 entries, the chain verifies; head {head}")])
    spoil(shop)
    code, found = of_ledger(dpsql)
    assert code == 5
    assert [level for level, _ in found] == ["error"]
    assert "entry 4" in found[0][1]
    assert "its ledger cannot be used" in dpsql("check").stdout


def test_check_says_whose_ledger_it_is(dpsql, shop):
    dpsql("query", "--analyst", "bob", COUNT)
    rewrite(shop, "    bob: {epsilon: 2, delta: 1e-6}\n", "")
    code, found = of_ledger(dpsql)
    assert code == 0
    assert found[0] == ("note", "it holds budgets that the policy does not name: analyst:bob")
    rewrite(shop, "  total: {epsilon: 1e12, delta: 0.5}\n", "")
    code, found = of_ledger(dpsql, "--strict")
    assert code == 1
    assert found[0][0] == "warning"
    assert "none of this policy's budgets" in found[0][1]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///nowhere/ledger.db", "does not exist"),
        ("sqlite:///shop.duckdb", "not an SQLite database"),
    ],
)
def test_check_of_a_ledger_that_cannot_be(dpsql, shop, url, words):
    rewrite(shop, "sqlite:///ledger.db", url)
    code, found = of_ledger(dpsql)
    assert code == 5
    assert [level for level, _ in found] == ["error"]
    assert words in found[0][1]


def test_check_warns_of_a_ledger_in_memory(dpsql, shop):
    rewrite(shop, "sqlite:///ledger.db", '"sqlite://"')
    code, found = of_ledger(dpsql)
    assert (code, found[0][0]) == (0, "warning")


# --- edges ---


def test_an_expected_head_that_is_none_is_wrong_usage(dpsql):
    dpsql("query", "--analyst", "bob", COUNT)
    for head in ("GARBAGE", "", "9" * 5000, "9" * 5000 + ":" + "a" * 64, "1:" + "a" * 63):
        result = dpsql("ledger", "verify", "--expect-head", head)
        assert result.exit_code == 2, head[:10]
        assert result.stdout == ""
        assert "--expect-head" in result.stderr


@pytest.mark.parametrize("command", [("ledger", "show"), ("ledger", "verify"), ("check",)])
def test_a_ledger_in_a_server_that_is_not_there(dpsql, shop, command):
    rewrite(shop, "sqlite:///ledger.db", "postgresql://auditor:hunter2@127.0.0.1:1/ledger")
    result = dpsql(*command)
    assert result.exit_code == 5
    assert "the ledger in PostgreSQL (schema dpsql) cannot be reached" in result.output
    assert "hunter2" not in result.output
    assert "127.0.0.1" not in result.output


def test_statement_shows_each_aggregates_price(dpsql):
    text = " UNION ALL ".join(
        f"SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon={e}) COUNT(*) FROM users WHERE age > {e}"
        for e in (1, 3)
    )
    assert dpsql("query", "--analyst", "ann", text).exit_code == 0
    assert "paid ε 4, δ 2e-07 (ε 1 + 3; δ 1e-07 + 1e-07)" in dpsql("ledger", "show").stdout
    (line,) = json.loads(dpsql("ledger", "show", "--last", "1", "--format", "json").stdout)
    assert (line["epsilon"], line["epsilons"], line["deltas"]) == (4.0, [1.0, 3.0], [1e-7, 1e-7])


def test_a_long_statement_is_cut_for_people_and_whole_for_programs(dpsql):
    sql = f"{COUNT}\nWHERE age IN ({', '.join(map(str, range(400)))})"
    assert dpsql("query", "--analyst", "ann", sql).exit_code == 0
    (table,) = [line for line in dpsql("ledger", "show").stdout.splitlines() if "SELECT" in line]
    assert table.startswith("    SELECT COUNT(*) FROM users WHERE age IN (0, 1")
    assert 150 <= len(table.strip()) <= 160
    assert table.endswith("…")
    markdown = dpsql("ledger", "show", "--last", "1", "--format", "markdown").stdout.splitlines()
    assert len(markdown) == 3  # the head, its rule and the charge
    assert "…" in markdown[2]
    assert len(markdown[2]) < 500
    for form in ("json", "jsonl"):
        shown = json.loads(dpsql("ledger", "show", "--last", "1", "--format", form).stdout)
        assert (shown if form == "jsonl" else shown[0])["sql"] == sql
    shown = dpsql("ledger", "show", "--last", "1", "--format", "csv").stdout
    assert next(csv.DictReader(io.StringIO(shown, newline="")))["sql"] == sql
    helped = " ".join(dpsql("ledger", "show", "--help").stdout.split())
    assert "csv, json and jsonl hold it whole" in helped


def test_an_answer_never_replaces_a_ledger_of_an_odd_name(dpsql, shop):
    rewrite(shop, "sqlite:///ledger.db", "sqlite:///50% paid.db")
    assert dpsql("query", "--analyst", "bob", COUNT).exit_code == 0
    assert (shop / "50% paid.db").exists()
    refused = dpsql("query", "--analyst", "bob", "--format", "csv", "-o", "50% paid.db", COUNT)
    assert refused.exit_code == 2
    assert "is a file dpsql works on" in refused.stderr
