"""`dpsql ledger accept` lists what it burns and asks first."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

COUNT = "SELECT COUNT(*) FROM users"


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("DPSQL_STATE_DIR", str(tmp_path / "owner"))


@pytest.fixture
def charged(dpsql, shop):
    """The shop with a checkpoint of a ledger with two charges; the checkpoint."""
    for age in (0, 1):
        asked = dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > {age}")
        assert asked.exit_code == 0
    assert dpsql("ledger", "checkpoint", "--to", "apart").exit_code == 0
    (file,) = (shop / "apart").glob("*.json")
    return json.loads(file.read_bytes())["checkpoint"]


@pytest.fixture
def lost(dpsql, charged, shop):
    """The receipt of a ledger whose newest entries are gone, as the refusal names it."""
    kept = charged["seq"] - 2
    with closing(sqlite3.connect(shop / "ledger.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM dpsql_releases WHERE seq > ?", [kept])
        connection.execute("DELETE FROM dpsql_entries WHERE seq > ?", [kept])
        connection.commit()
    refused = dpsql("query", "--analyst", "ann", f"{COUNT} WHERE age > 5")
    return next(word for word in refused.stderr.split() if word.count(":") == 2).strip("`")


@pytest.fixture
def terminal(monkeypatch):
    from dpsql.commands import ledger_accept

    monkeypatch.setattr(ledger_accept, "somebody_there", lambda: True)


def test_without_a_terminal_the_flag_is_named(dpsql, lost, shop):
    before = (shop / "ledger.db").read_bytes()
    said = dpsql("ledger", "accept", "--lost", lost, "--no-other-grants")
    assert said.exit_code == 2
    assert "say --yes" in said.stderr
    assert "analyst:ann, total" in said.stderr or "total, analyst:ann" in said.stderr
    assert "analyst:bob" in said.stderr
    assert (shop / "ledger.db").read_bytes() == before


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_who_says_no_has_written_nothing(dpsql, lost, charged, shop, terminal, answer):
    before = (shop / "ledger.db").read_bytes()
    said = dpsql("ledger", "accept", "--lost", lost, "--no-other-grants", input=answer)
    assert said.exit_code == 1
    assert f"without entry {charged['seq']}" in said.stderr
    assert "analyst:bob  ε = 2, δ = 1e-06" in said.stderr
    assert "nothing was written" in said.stderr
    assert (shop / "ledger.db").read_bytes() == before


def test_who_says_yes_goes_on(dpsql, lost, charged, terminal):
    said = dpsql("ledger", "accept", "--lost", lost, "--no-other-grants", input="y\n")
    assert said.exit_code == 0, said.output
    assert f"entry {charged['seq']} is given up" in said.stderr
    asked = [line.split()[0] for line in said.stderr.splitlines() if "ε =" in line]
    burned = said.stderr.partition("Taken as spent, whole: ")[2].partition(". ")[0]
    assert sorted(asked) == sorted(burned.split(", "))


def test_nothing_is_asked_where_nothing_is_lost(dpsql, charged, terminal):
    receipt = f"{charged['ledger']}:{charged['seq']}:{charged['head']}"
    said = dpsql("ledger", "accept", "--lost", receipt, "--no-other-grants")
    assert said.exit_code == 5
    assert "nothing-to-accept" in said.stderr


def test_a_second_loss_is_asked_about_again(dpsql, lost, shop):
    assert dpsql("ledger", "accept", "--lost", lost, "--no-other-grants", "--yes").exit_code == 0
    another = f"{lost.partition(':')[0]}:99:{'ab' * 32}"
    said = dpsql("ledger", "accept", "--lost", another, "--no-other-grants")
    assert said.exit_code == 2
    assert "say --yes" in said.stderr
