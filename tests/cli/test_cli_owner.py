"""check, tables, budget, ledger, explain: what owners and auditors read."""

from __future__ import annotations

import json
import sqlite3

import duckdb
import pytest

COUNT = "SELECT COUNT(*) FROM users"


def test_check_fits(dpsql):
    result = dpsql("check")
    assert result.exit_code == 0
    assert "dpsql.yaml: fits (2 tables, 1 private by user)" in result.stdout
    assert result.stdout.index("note") < result.stdout.index("tables.users")


def test_check_says_what_is_wrong(dpsql, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("age: {", "aeg: {"))
    result = dpsql("check")
    assert result.exit_code == 2
    assert "1 error\n  tables.users.columns.aeg" in result.stdout
    assert "→" in result.stdout
    found = json.loads(dpsql("check", "--format", "json").stdout)
    assert found["ok"] is False
    assert [f["where"] for f in found["findings"] if f["level"] == "error"] == [
        "tables.users.columns.aeg"
    ]


def test_check_strict_fails_on_warnings(dpsql, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("  total: {epsilon: 1e12, delta: 0.5}\n", ""))
    assert dpsql("check").exit_code == 0
    assert dpsql("check", "--strict").exit_code == 1


def test_check_without_the_database(dpsql, shop):
    (shop / "shop.duckdb").unlink()
    assert dpsql("check").exit_code == 5


def test_tables(dpsql):
    rows = json.loads(dpsql("tables", "--format", "json").stdout)
    by_name = {row["column"]: row for row in rows if row["table"] == "users"}
    assert "secret" not in by_name
    assert by_name["id"]["keys"] == "the user"
    assert by_name["city"]["keys"] == "Berlin, Roma"
    assert by_name["age"] == {
        "table": "users",
        "column": "age",
        "type": "INTEGER",
        "keys": "101 values",
        "bounds": "0 to 100",
    }
    assert by_name["nick"]["keys"] == "where enough share it"
    assert by_name["nick"]["bounds"] == by_name["id"]["bounds"] == ""
    assert {row["keys"] for row in rows if row["table"] == "cities"} == {"public table"}
    assert dpsql("tables", "nope").exit_code == 2
    assert "secret" not in dpsql("tables").stdout


def test_tables_show_what_a_sum_clamps_to(dpsql, shop):
    """Listed numbers clamp to the least and the greatest; without a range a SUM is refused."""
    text = (shop / "dpsql.yaml").read_text()
    assert "age: {min: 0, max: 100}" in text
    (shop / "dpsql.yaml").write_text(
        text.replace("age: {min: 0, max: 100}", "age: {values: [40, 18, 65]}").replace(
            "bounds: {", "bounds: {undeclared: refuse, "
        )
    )
    with duckdb.connect(str(shop / "shop.duckdb")) as owner:
        owner.execute("ALTER TABLE users ADD COLUMN height SMALLINT")
    rows = json.loads(dpsql("tables", "users", "--format", "json").stdout)
    bounds = {row["column"]: row["bounds"] for row in rows}
    assert bounds["age"] == "18 to 65"
    assert bounds["height"] == "none"
    refused = dpsql("query", "--analyst", "ann", "SELECT AVG(height) FROM users")
    assert refused.exit_code == 3
    assert "users.height has none in the policy" in refused.stderr


def test_tables_name_the_unit_of_a_foreign_key(dpsql, shop):
    """`visits.u` holds the user; `lines.visit` leads to one and is a key like any other."""
    with duckdb.connect(str(shop / "shop.duckdb")) as owner:
        owner.execute("CREATE TABLE visits (no INTEGER PRIMARY KEY, u INTEGER REFERENCES users)")
        owner.execute("CREATE TABLE lines (visit INTEGER REFERENCES visits, item VARCHAR)")
    with (shop / "dpsql.yaml").open("a") as policy:
        policy.write("  visits: {unit: u -> users.id}\n  lines: {unit: visit -> visits.no}\n")
    rows = json.loads(dpsql("tables", "--format", "json").stdout)
    keys = {(row["table"], row["column"]): row["keys"] for row in rows}
    assert keys["visits", "u"] == "the user"
    assert keys["visits", "no"] == keys["lines", "visit"] == "where enough share it"
    refused = dpsql("query", "--analyst", "ann", "SELECT COUNT(*) FROM visits GROUP BY u")
    assert refused.exit_code == 3


def test_budget(dpsql):
    dpsql("query", "--analyst", "bob", COUNT)
    found = json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)
    assert list(found)[:5] == ["analyst", "budget", "spent", "share", "remaining_queries"]
    assert found["analyst"] == "bob"
    assert found["share"] == pytest.approx(0.5, rel=1e-6)
    assert found["remaining_queries"] == 1
    shown = dpsql("budget", "show", "--analyst", "bob")
    assert shown.exit_code == 0
    assert " 50 %  ███" in shown.stdout
    assert dpsql("budget", "--analyst", "bob").stdout == shown.stdout
    header, values = dpsql("budget", "--analyst", "bob", "--format", "csv").stdout.splitlines()
    assert header.startswith("analyst,budget,epsilon")
    assert values.startswith("bob,analyst:bob,2.0,")


def test_budget_help_is_the_groups(dpsql):
    assert "budget show" in dpsql("budget", "--help").stdout


def test_explain_charges_nothing(dpsql):
    sql = "SELECT city, AVG(age) FROM users GROUP BY city"
    result = dpsql("explain", "--analyst", "bob", sql)
    assert result.exit_code == 0
    assert "ε = 1" in result.stdout
    assert "SELECT" not in result.stdout
    assert "SELECT" in dpsql("explain", "--analyst", "bob", "--sql", sql).stdout
    found = json.loads(dpsql("explain", "--analyst", "bob", "--format", "json", COUNT).stdout)
    assert found["epsilon"] == 1
    assert json.loads(dpsql("budget", "--analyst", "bob", "--format", "json").stdout)["share"] == 0
    assert dpsql("explain", "--analyst", "bob", "SELECT id FROM users").exit_code == 3


def test_explain_draws_the_plan(dpsql):
    result = dpsql("explain", "--analyst", "bob", "--dot", COUNT)
    assert result.exit_code == 0
    assert result.stdout.startswith("digraph plan {")
    assert result.stdout.endswith("}\n")
    for other in (("--sql",), ("--format", "json")):
        result = dpsql("explain", "--analyst", "bob", "--dot", *other, COUNT)
        assert result.exit_code == 2
        assert "--dot" in result.stderr


def test_ledger_show_reads_like_a_statement(dpsql):
    dpsql("query", "--analyst", "bob", "SELECT COUNT(*)\n  FROM users")
    dpsql("query", "--analyst", "ann", COUNT + " WHERE age > 50")
    lines = dpsql("ledger", "show").stdout.splitlines()
    assert any("analyst:bob  opened: ε 2, δ 1e-06" in line for line in lines)
    paid = next(i for i, line in enumerate(lines) if "paid ε 1, δ 1e-07  left 50 %" in line)
    assert lines[paid + 1].strip() == COUNT
    own = json.loads(dpsql("ledger", "show", "--analyst", "BOB", "--format", "json").stdout)
    assert [line["kind"] for line in own] == ["budget", "charge"]
    assert own[1]["outcome"] == "released"
    assert own[1]["used"] == pytest.approx(0.5, rel=1e-6)
    last = json.loads(dpsql("ledger", "show", "--last", "1", "--format", "json").stdout)
    assert [line["analyst"] for line in last] == ["ann"]


def test_ledger_verify(dpsql, shop):
    dpsql("query", "--analyst", "bob", COUNT)
    good = dpsql("ledger", "verify")
    assert good.exit_code == 0
    assert good.stdout.startswith("ledger verifies; 5 entries, head 5:")
    found = json.loads(dpsql("ledger", "verify", "--format", "json").stdout)
    assert found["ok"] is True
    head = f"{found['seq']}:{found['head']}"
    assert dpsql("ledger", "verify", "--expect-head", head).exit_code == 0
    assert dpsql("ledger", "verify", "--expect-head", "0" * 64).exit_code == 1
    with sqlite3.connect(shop / "ledger.db") as connection:
        (table,) = (
            next(
                row
                for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                if "entr" in row[0]
            ),
        )
        connection.execute(
            f"UPDATE {table[0]} SET body = replace(CAST(body AS TEXT), 'bob', 'eve') WHERE seq = 4"
        )
    connection.close()
    broken = dpsql("ledger", "verify")
    assert broken.exit_code == 1
    assert "DOES NOT VERIFY" in broken.stdout
    assert "entry 4" in broken.stdout or "row 4" in broken.stdout
