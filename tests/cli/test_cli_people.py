"""The ledger for people: shown by filters and whole, exported, as a page; refusals counted."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing

import pyarrow.parquet as pq
import pytest

from dpsql.history.export import COLUMNS
from dpsql.ledger.refusals import Refusals

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture
def asked(dpsql):
    """bob paid for two queries at 0.5 and was refused three; ann paid for one."""
    assert dpsql("query", "--analyst", "bob", "--epsilon", "0.5", COUNT).exit_code == 0
    joined = "SELECT COUNT(*) FROM users u JOIN cities c ON u.city = c.city"
    assert dpsql("query", "--analyst", "bob", "--epsilon", "0.5", joined).exit_code == 0
    assert dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > 3").exit_code == 0
    assert dpsql("query", "--analyst", "bob", "SELECT MODE(age) FROM users").exit_code == 3
    assert dpsql("query", "--analyst", "bob", "SELECT MODE(spent) FROM users").exit_code == 3
    over = dpsql("query", "--analyst", "bob", "--epsilon", "5", f"{COUNT} WHERE age > 1")
    assert over.exit_code == 4
    return dpsql


def jsonl(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def shown(dpsql, *more):
    return jsonl(dpsql("ledger", "show", "--format", "jsonl", *more))


def test_show_by_table_outcome_and_day(asked):
    charges = [one for one in shown(asked) if one["kind"] == "charge"]
    assert len(charges) == 3
    assert [one["tables"] for one in charges] == [["users"], ["cities", "users"], ["users"]]
    (joined,) = shown(asked, "--table", "cities")
    assert joined["entry"] == charges[1]["entry"]
    assert len(shown(asked, "--table", "USERS", "--outcome", "released")) == 3
    day = charges[0]["time"][:10]
    assert len(shown(asked, "--day", f"{day}..", "--analyst", "bob")) == 3
    assert len(shown(asked, "--day", day[:7])) >= 3
    nothing = asked("ledger", "show", "--day", "..2001-01-01")
    assert (nothing.exit_code, nothing.stdout.strip()) == (0, "")
    assert "the ledger holds nothing on these days" in nothing.stderr
    misspelt = asked("ledger", "show", "--table", "usres")
    assert "Did you mean 'users'?" in misspelt.stderr


@pytest.mark.parametrize(
    "more", [("--day", "soon"), ("--outcome", "relaesed"), ("0",), ("99",), ("4", "--last", "x")]
)
def test_wrong_filters_are_wrong_usage(asked, more):
    result = asked("ledger", "show", *more)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_one_entry_whole(asked):
    (charge, *_) = [one for one in shown(asked) if one["kind"] == "charge"]
    number = str(charge["entry"])
    words = asked("ledger", "show", number).stdout
    for part in (
        f"entry        {number}, charge",
        "analyst      bob",
        "charged to   analyst:bob and total",
        "paid         ε 0.5 (exactly 1/2), δ 1e-07 (exactly 1/10000000)",
        f"outcome      released (entry {charge['entry'] + 1})",
        "tables       users",
        "laplace(noise_multiplier=2)",
        f"hash         {charge['hash']}",
        f"sql\n  {COUNT}",
    ):
        assert part in words, part
    (record,) = jsonl(asked("ledger", "show", number, "--format", "jsonl"))
    assert tuple(record) == COLUMNS
    assert json.loads(record["body"])["sql"] == COUNT
    every = range(1, jsonl(asked("ledger", "export"))[-1]["entry"] + 1)
    assert all(asked("ledger", "show", str(one)).exit_code == 0 for one in every)
    assert asked("ledger", "show", number, "--analyst", "bob").exit_code == 2


def test_an_entrys_text_cannot_move_the_cursor(asked):
    evil = f"{COUNT} WHERE age > 7 -- \x1b[2J\u202e\nAND age < 99"
    assert asked("query", "--analyst", "ann", evil).exit_code == 0
    number = str(shown(asked)[-1]["entry"])
    words = asked("ledger", "show", number).stdout
    assert "\\x1b[2J\\u202e" in words
    assert "\x1b" not in words


# --- refusals ---


def test_refusals_are_counted_and_are_no_entries(asked):
    rows = shown(asked, "--outcome", "refused")
    found = {(one["analyst"], one["code"]): (one["times"], one["sql"]) for one in rows}
    assert found == {
        ("bob", "unsupported-aggregate"): (2, "SELECT MODE(spent) FROM users"),
        ("bob", "budget-epsilon"): (1, f"{COUNT} WHERE age > 1"),
    }
    assert shown(asked, "--outcome", "refused", "--analyst", "ann") == []
    assert len(shown(asked, "--outcome", "refused", "--table", "users")) == 2
    words = asked("ledger", "show", "--outcome", "refused").stdout
    assert "refused 2 times: unsupported-aggregate" in words
    assert asked("ledger", "verify").exit_code == 0


def test_what_does_not_parse_and_explain_are_not_counted(asked):
    assert asked("query", "--analyst", "bob", "SELECT COUNT(* FROM users").exit_code == 3
    assert asked("explain", "--analyst", "bob", "SELECT MODE(age) FROM users").exit_code == 3
    assert sum(one["times"] for one in shown(asked, "--outcome", "refused")) == 3


def test_a_refusal_stands_where_it_cannot_be_counted(asked, monkeypatch):
    from dpsql.errors import LedgerError

    def fail(*_, **__):
        raise LedgerError("no", code="ledger-locked")

    monkeypatch.setattr(Refusals, "note", fail)
    result = asked("query", "--analyst", "bob", "SELECT MODE(age) FROM users")
    assert result.exit_code == 3
    assert "[unsupported-aggregate]" in result.stderr


# --- export ---


def test_export_says_the_same_in_every_format(asked, shop):
    lines = jsonl(asked("ledger", "export"))
    assert [tuple(one) for one in lines] == [COLUMNS] * len(lines)
    text = asked("ledger", "export", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["hash"] for row in rows] == [one["hash"] for one in lines]
    assert rows[-2]["tables"] == "users"
    assert rows[-2]["epsilon"] == "1"
    assert asked("ledger", "export", "-o", "out.parquet").exit_code == 0
    table = pq.read_table(shop / "out.parquet")
    assert table.column_names == list(COLUMNS)
    assert table["body"].to_pylist() == [one["body"] for one in lines]
    assert table["entry"].to_pylist() == [one["entry"] for one in lines]
    assert table["tables"].to_pylist() == [one["tables"] for one in lines]
    times = table["time"].to_pylist()
    assert [time.isoformat() for time in times] == [one["time"] for one in lines]


def test_export_filters_and_writes_files(asked, shop):
    found = jsonl(asked("ledger", "export", "--analyst", "ann", "--outcome", "released"))
    assert [one["kind"] for one in found] == ["charge", "outcome"]
    assert asked("ledger", "export", "--analyst", "nobody", "-o", "x.parquet").exit_code == 0
    assert pq.read_table(shop / "x.parquet").num_rows == 0
    assert asked("ledger", "export", "-o", "x.md").exit_code == 2
    assert asked("ledger", "export", "-o", "ledger.db", "--format", "csv").exit_code == 2
    assert asked("ledger", "verify").exit_code == 0


# --- report ---


def test_report_writes_one_page(asked, shop):
    result = asked("ledger", "report", "--html", "page.html")
    assert result.exit_code == 0
    assert result.stdout == ""
    page = (shop / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "✓ The ledger verifies" in page
    for words in ("bob", "users", "unsupported-aggregate", "ledger.db"):
        assert words in page
    assert str(shop) not in page


def test_report_of_a_broken_ledger_ends_with_1(asked, shop):
    with closing(sqlite3.connect(shop / "ledger.db")) as connection, connection:
        connection.execute("DELETE FROM dpsql_entries WHERE seq = 4")
    result = asked("ledger", "report", "--html", "page.html")
    assert result.exit_code == 1
    assert "✗ The ledger does not verify" in (shop / "page.html").read_text("utf-8")
    lost = asked("ledger", "report", "--html", "page.html", "--expect-head", "f" * 64)
    assert lost.exit_code == 1
    assert asked("ledger", "report", "--html", "page.html", "--expect-head", "x").exit_code == 2
    assert asked("ledger", "report", "--html", "ledger.db").exit_code == 2
    assert asked("ledger", "report").exit_code == 2


# --- budget ---


def test_budget_tells_the_last_query_and_the_past(asked):
    found = json.loads(asked("budget", "--analyst", "bob", "--format", "json").stdout)
    assert {"analyst", "budget", "spent", "share", "remaining_queries"} <= set(found)
    assert found["last_query"]["epsilon"] == 0.5
    assert found["last_query"]["more"] == 2
    assert found["history"][-1]["share"] == found["share"]
    words = asked("budget", "--analyst", "bob").stdout
    assert "2 more like the last one (ε = 0.5): SELECT COUNT(*) FROM users" in words
    for _ in range(2):
        sql = f"{COUNT} WHERE age > {20 + _}"
        assert asked("query", "--analyst", "bob", "--epsilon", "0.5", sql).exit_code == 0
    refused = asked("query", "--analyst", "bob", "--epsilon", "0.5", f"{COUNT} WHERE age > 9")
    assert refused.exit_code == 4


def test_budget_of_nobody_yet(dpsql, shop):
    found = json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)
    assert (found["last_query"], found["history"]) == (None, [])
    assert "like the last" not in dpsql("budget", "--analyst", "bob").stdout
    assert not list(shop.glob("ledger.db*"))
