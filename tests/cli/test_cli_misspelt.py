"""A misspelt name is answered with the nearest one that the reader may see."""

from __future__ import annotations

import pytest

COUNT = "SELECT COUNT(*) FROM users"
ASK = ("query", "--analyst", "ann")


@pytest.mark.parametrize(
    ("args", "near"),
    [
        (["qeury"], "query"),
        (["ledger", "verfy"], "verify"),
        (["budget", "shwo"], "show"),
        (["query", "--formt", "csv"], "--format"),
        ([*ASK, "--format", "cvs", COUNT], "csv"),
        (["ledger", "verify", "--format", "jsn"], "json"),
        (["tables", "usres"], "users"),
        ([*ASK, "--dialect", "postgre", COUNT], "postgres"),
        (["query", "--analyst", "annn", COUNT], "ann"),
        ([*ASK, "--param", "ctiy=Roma", f"{COUNT} WHERE city = :city"], "ctiy"),
        ([*ASK, "--param", "age=1", "--param", "agee=1", f"{COUNT} WHERE age = :age"], "age"),
    ],
)
def test_on_the_command_line(dpsql, args, near):
    result = dpsql(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    said = result.stderr.strip().splitlines()[-1]
    assert f"Did you mean '{near}'?" in said or f"the nearest name is {near}" in said


def test_in_a_search_of_the_ledger(dpsql):
    dpsql("query", "--analyst", "bob", COUNT)
    result = dpsql("ledger", "show", "--analyst", "bobb")
    assert result.exit_code == 0
    assert result.stderr == "the ledger holds nothing of 'bobb'. Did you mean 'bob'?\n"
    assert dpsql("ledger", "show", "--analyst", "bob").stderr == ""


@pytest.mark.parametrize(
    ("sql", "near"),
    [
        ("SELECT COUNT(*) FROM usres", "users"),
        ("SELECT COUNT(*) FROM main.usres", "users"),
        ("WITH people AS (SELECT * FROM users) SELECT COUNT(*) FROM peple", "people"),
        ("SELECT ctiy, COUNT(*) FROM users GROUP BY 1", "city"),
        ("SELECT userz.city, COUNT(*) FROM users GROUP BY 1", "users"),
        ("SELECT COUNT(*) FROM users JOIN cities USING (ctiy)", "city"),
        ("SELECT city, COUNT(*) AS total FROM users GROUP BY city ORDER BY totl", "total"),
        ("SELECT totl FROM (SELECT COUNT(*) AS total FROM users) AS q", "total"),
        ("SELECT answr.n FROM (SELECT COUNT(*) AS n FROM users) AS answer", "answer"),
        ("SELECT pepole FROM cities", "people"),
        ("SELECT peeple.city FROM cities AS people", "people"),
        ("SELECT SUM(rond(age)) FROM users", "round"),
        ("SELECT AVGE(age) FROM users", "avg"),
        ("SELECT rond(COUNT(*)) FROM users", "round"),
        ("SELECT rowNumbr() OVER (), COUNT(*) FROM users", "row_number"),
        ("SELECT SUM(CAST(nick AS INTGER)) FROM users", "integer"),
        ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilom = 1) COUNT(*) FROM users", "epsilon"),
        (
            "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(group_selection_strategy = PUBLIC_GROUP)"
            " COUNT(*) FROM users",
            "PUBLIC_GROUPS",
        ),
    ],
)
def test_in_sql(ask, sql, near):
    result = ask(sql)
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == f"hint: the nearest name is {near}"


@pytest.mark.parametrize("unit", ["date_trunc('mnoth', d)", "EXTRACT(mnth FROM d)"])
def test_parts_of_a_date(ask, shop, unit):
    import duckdb

    with duckdb.connect(str(shop / "shop.duckdb")) as owner:
        owner.execute("ALTER TABLE users ADD COLUMN d DATE")
    result = ask(f"SELECT {unit}, COUNT(*) FROM users GROUP BY 1")
    assert result.stderr.endswith("hint: the nearest name is month\n")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT secrt, COUNT(*) FROM users GROUP BY 1",  # hidden
        "SELECT COUNT(*) FROM user_secret",  # in the database, not in the policy
        "SELECT COUNT(*) FROM users WHERE city = nik0",  # no column near; values are never named
        "SELECT COUNT(*) FROM users WHERE city = Berlim",
    ],
)
def test_nothing_that_is_not_declared_is_named(ask, shop, sql):
    import duckdb

    with duckdb.connect(str(shop / "shop.duckdb")) as owner:
        owner.execute("CREATE TABLE user_secrets (id INTEGER)")
    result = ask(sql)
    assert result.exit_code == 3
    hint = result.stderr.splitlines()[-1]
    assert hint.startswith("hint: ")
    for word in ("secret", "Berlin"):
        assert word not in hint.replace(sql, "")


def test_an_analyst_is_not_told_what_an_unfit_policy_hides(ask, dpsql, shop):
    """`check` lists the columns of the database for the owner; a query does not."""
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("age: {", "aeg: {"))
    assert "secret" in dpsql("check").stdout
    refused = ask(COUNT)
    assert refused.exit_code == 2
    assert "dpsql check" in refused.stderr
    assert "secret" not in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [
        ("budgets:", "bugdets:", "budgets"),
        ("  users:\n    unit: id", "  users:\n    untis: id", "unit"),
        ("sqlite:///", "sqlight:///", "sqlite"),
    ],
)
def test_in_the_policy(dpsql, shop, old, new, near):
    text = (shop / "dpsql.yaml").read_text()
    assert old in text
    (shop / "dpsql.yaml").write_text(text.replace(old, new, 1))
    result = dpsql("check")
    assert result.exit_code == 2
    assert f"did you mean `{near}`?" in result.stderr
