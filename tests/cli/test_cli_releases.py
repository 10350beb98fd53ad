"""`dpsql releases`: what is kept, whose it is, and what it says."""

from __future__ import annotations

import csv
import io
import json

import pytest

CITIES = (
    "SELECT city, COUNT(*) AS n, AVG(age) AS a FROM users GROUP BY city ORDER BY n DESC LIMIT 1"
)


@pytest.fixture
def asked(ask, dpsql):
    """ann's groups at no noise, a sum at two prices, and bob's count."""
    assert ask(CITIES).exit_code == 0
    for epsilon in ("0.5", "2"):
        sql = "SELECT SUM(spent) FROM users"
        assert dpsql("query", "--analyst", "ann", "--epsilon", epsilon, sql).exit_code == 0
    two = "SELECT COUNT(*) FROM users UNION ALL SELECT SUM(age) FROM users"
    assert dpsql("query", "--analyst", "bob", "--epsilon", "0.5", two).exit_code == 0


def listed(dpsql, *more):
    result = dpsql("releases", "list", "--format", "json", *more)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_an_analyst_sees_her_own(dpsql, asked):
    mine = listed(dpsql, "--analyst", "ann")
    assert [one["budget"] for one in mine] == ["analyst:ann"] * 3
    assert [one["epsilon"] for one in mine] == [1e9, 0.5, 2.0]
    assert mine[0]["columns"] == ["city", "AVG(age)", "COUNT(*)"]
    assert mine[0]["sql"] == CITIES
    assert mine[0]["answers"] is True
    assert mine[0]["entries"] == [int(mine[0]["release"])]
    theirs = listed(dpsql, "--analyst", "Bob")
    assert [one["budget"] for one in theirs] == ["analyst:bob"] * 2
    entry, _, part = theirs[0]["release"].partition(".")
    assert [one["release"] for one in theirs] == [f"{entry}.1", f"{entry}.2"]
    assert part == "1"


def test_the_owner_sees_all(dpsql, asked):
    assert len(listed(dpsql, "--all")) == 5


def test_whose_must_be_said(dpsql, asked, monkeypatch):
    result = dpsql("releases", "list")
    assert result.exit_code == 2
    assert "--analyst" in result.stderr
    assert "--all" in result.stderr
    assert result.stdout == ""
    monkeypatch.setenv("DPSQL_ANALYST", "bob")
    assert len(listed(dpsql)) == 2


def test_another_budgets_release_is_not_shown(dpsql, asked):
    number = listed(dpsql, "--analyst", "ann")[0]["release"]
    refused = dpsql("releases", "show", number, "--analyst", "bob")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "Berlin" not in refused.stderr
    assert dpsql("releases", "show", number, "--all").exit_code == 0


def test_it_shows_what_was_released(dpsql, asked):
    number = listed(dpsql, "--analyst", "ann")[0]["release"]
    table = dpsql("releases", "show", number, "--analyst", "ann").stdout
    assert "COUNT(*)" in table
    assert "±" in table
    shown = json.loads(
        dpsql("releases", "show", number, "--analyst", "ann", "--format", "json").stdout
    )
    assert shown["columns"] == ["city", "AVG(age)", "COUNT(*)"]
    rows = {city: count for city, _, count in shown["rows"]}
    assert rows == {"Berlin": 60, "Roma": 30}  # all groups: LIMIT was put on top
    assert shown["release"]["sql"] == CITIES
    text = dpsql("releases", "show", number, "--analyst", "ann", "--format", "csv", "--bars").stdout
    head = next(csv.reader(io.StringIO(text)))
    assert head == [
        *("city", "AVG(age)", "AVG(age)_low", "AVG(age)_high"),
        *("COUNT(*)", "COUNT(*)_low", "COUNT(*)_high"),
    ]


def test_the_values_are_those_of_the_query(dpsql, shop):
    sql = "SELECT city, SUM(spent) AS s FROM users GROUP BY city"
    said = json.loads(dpsql("query", "--analyst", "bob", "--format", "json", sql).stdout)
    (one,) = listed(dpsql, "--analyst", "bob")
    shown = dpsql("releases", "show", one["release"], "--analyst", "bob", "--format", "json")
    assert json.loads(shown.stdout)["rows"] == said["rows"]


@pytest.mark.parametrize("form", ["table", "markdown", "csv", "jsonl"])
def test_formats(dpsql, asked, form):
    result = dpsql("releases", "list", "--all", "--format", form)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == {"table": 7, "markdown": 7, "csv": 6, "jsonl": 5}[form]
    assert "SUM(spent)" in result.stdout


def test_a_mean_tells_what_it_rests_on(dpsql, shop):
    sums = ", ".join(f"SUM(age + {number})" for number in range(12))  # many: Gaussian noise
    sql = f"SELECT {sums} FROM users"
    for epsilon in ("0.2", "0.4"):
        result = dpsql("query", "--analyst", "bob", "--epsilon", epsilon, sql)
        assert result.exit_code == 0, result.stderr
    first, second = listed(dpsql, "--analyst", "bob")
    assert second["law"] == "gaussian", "the query shows nothing: choose another"
    assert "in place of ε = 0.4: averaged with entry" in result.stderr
    assert (second["epsilon"], second["entries"]) == (
        0.4, [int(first["release"]), int(second["release"])]
    )  # fmt: skip
    assert 0 < second["paid_epsilon"] < 0.4
    looser = dpsql("query", "--analyst", "bob", "--epsilon", "0.3", sql)
    assert f"free: answered by what was paid for at ε = 0.4 (entry {second['release']})" in (
        looser.stderr
    )
    ledger = json.loads(dpsql("ledger", "show", "--format", "json").stdout)
    assert [line["epsilon"] for line in ledger if line["kind"] == "charge"] == [
        0.2, second["paid_epsilon"]
    ]  # fmt: skip


def test_of_another_data_version_they_do_not_answer(dpsql, asked, shop):
    with (shop / "dpsql.yaml").open("a") as file:
        file.write("data_version: next\n")
    assert {one["answers"] for one in listed(dpsql, "--all")} == {False}


def test_without_a_ledger_there_is_nothing_and_none_is_made(dpsql, shop):
    for more in (("--all",), ("--analyst", "bob")):
        result = dpsql("releases", "list", *more)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "nothing is kept" in result.stderr
    assert dpsql("releases", "show", "4", "--all").exit_code == 2
    assert not list(shop.glob("ledger.db*"))


def test_who_has_no_budget_is_told(dpsql, asked):
    result = dpsql("releases", "list", "--analyst", "eve")
    assert result.exit_code == 2
    assert "unknown-analyst" in result.stderr


def test_an_altered_release_is_not_shown(dpsql, asked, shop):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(shop / "ledger.db")) as connection, connection:
        connection.execute("UPDATE dpsql_releases SET payload = x'00' WHERE seq = 6")
        assert connection.total_changes == 1
    result = dpsql("releases", "list", "--all")
    assert result.exit_code == 5
    assert "release-altered" in result.stderr


def test_nothing_is_written(dpsql, asked, shop):
    before = (shop / "ledger.db").read_bytes()
    listed(dpsql, "--all")
    dpsql("releases", "show", "4", "--all")
    assert (shop / "ledger.db").read_bytes() == before
