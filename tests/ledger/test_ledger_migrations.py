"""Ledgers as the dpsql of each earlier schema wrote them: read as they are, and gone on with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from ledger_cases import MILLIONTH, ask, refused, rows, stored, tables, url

from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger, Release
from dpsql.ledger.requests import request_key
from dpsql.ledger.schema import MIGRATIONS

HEADS = {
    2: "7:d32f45d6996ff247610dd4dd1b25630b40f4524b825c5e01874b773827ce6e98",
    3: "12:6f5acf42f38aea6bcf840179800073aeec4ce60821fde179f01607dc0ecaa26a",
    4: "12:40811afd83af9d29ebe8ac4d72aacb3031f71acbf7095dd3a5d119976885f51e",
    5: "16:bee49a4c50e5cbc75483b82a54a84d8323753cc0fb511de82abd577a0bc4a074",
}
PRICE = Fraction(1, 10), Fraction(1, 10**8)
# The pure sums as that program had them: two releases; a named one and an accepted loss of (2, ...)
SPENT = {2: Fraction("0.31"), 3: Fraction("2.41"), 4: Fraction("2.41"), 5: Fraction("2.41")}


@pytest.fixture(params=HEADS)
def older(request, tmp_path):
    path = tmp_path / "ledger.db"
    script = Path(__file__).with_name(f"schema_{request.param}.sql").read_text("utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return request.param, path


def version(path):
    with tables(path) as connection:
        return connection.execute("SELECT version FROM dpsql_schema").fetchone()[0]


def test_it_is_audited_as_it_is(older):
    number, path = older
    before = path.read_bytes()
    with Ledger.audit(url(path)) as ledger:
        report = ledger.verify(HEADS[number])
        assert report.ok, report.problems
        assert len(report.open_entries) == 1
        assert report.accepted == (number >= 3)
        assert ledger.spent("alice").epsilon == SPENT[number]
        ledger.refusals.list()
    assert version(path) == number
    assert path.read_bytes() == before


def test_it_goes_on(older):
    number, path = older
    before = rows(path)
    with Ledger.open(url(path)) as ledger:
        assert version(path) == len(MIGRATIONS)
        assert ledger.spent("alice").epsilon == SPENT[number]
        assert stored(ledger, "alice", "2026-11", "f1", *PRICE) == b"first noisy"
        ledger.settle(ask(ledger, "1/100"), "released", releases=[Release("f1", b"new")])
        assert len(ledger.refusals.list()) == (number >= 4)
        if number >= 3:
            key = named_request()
            assert ledger.attempt("alice", key).payloads == {"f1": b"kept noisy"}
        if number >= 5:
            bob = ledger.account("bob")
            assert bob.terms.epsilon == 2
            assert bob.window.refresh == "daily"
            assert bob.spent.epsilon == 0  # that day is over
        anchor = ledger.anchor(whole=True)
        ceiling = dict(anchor.held)["alice"]
        assert ceiling.epsilon == (2 if number == 2 else 8)
        assert ledger.verify(HEADS[number]).ok
    assert rows(path)[: len(before)] == before  # nothing was rewritten


def named_request():
    wanted = [("f1", Fraction(1, 10), Fraction(1, 10**8))]
    return request_key(
        "r1", budget="alice", total="total", sql="SELECT 1", data_version="2026-11", wanted=wanted
    )


def test_a_loss_of_it_is_accepted(older):
    _, path = older
    with Ledger.open(url(path)) as ledger:
        ledger.losses.accept(99, "1" * 64)
        assert ledger.verify().ok
        assert refused(ask, ledger, error=BudgetExceeded)
        ledger.ensure_budget("alice", "analyst", Fraction(50), 50 * MILLIONTH)


def test_the_migration_is_whole_or_not_at_all(older):
    number, path = older
    names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    with tables(path) as connection:
        before = connection.execute(names).fetchall()
        connection.execute(
            "CREATE TRIGGER no BEFORE UPDATE ON dpsql_schema BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(LedgerError):
        Ledger.open(url(path))
    assert version(path) == number
    with tables(path) as connection:
        assert connection.execute(names).fetchall() == before
        connection.execute("DROP TRIGGER no")
    Ledger.open(url(path)).close()
    assert version(path) == len(MIGRATIONS)


@pytest.mark.parametrize(
    "trigger",
    [
        "AFTER INSERT ON dpsql_entries BEGIN DELETE FROM dpsql_entries WHERE seq = NEW.seq; END",
        "BEFORE INSERT ON dpsql_entries BEGIN SELECT RAISE(IGNORE); END",
        "AFTER INSERT ON dpsql_entries BEGIN "
        "UPDATE dpsql_entries SET body = x'7b7d' WHERE seq = NEW.seq; END",
        "AFTER INSERT ON dpsql_entries BEGIN "
        "DELETE FROM dpsql_entries WHERE seq = NEW.seq - 1; END",
    ],
)
def test_a_trigger_in_the_file_that_undoes_charges_serves_nobody(tmp_path, trigger):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        ledger.ensure_budget("alice", "analyst", Fraction(1), MILLIONTH)
        ledger.ensure_budget("total", "total", Fraction(20), MILLIONTH)
        with tables(path) as connection:
            connection.execute(f"CREATE TRIGGER undo {trigger}")
        answers = 0
        for _ in range(3):
            try:
                receipt = ask(ledger)
                ledger.settle(receipt, "released")
                answers += 1
            except LedgerError:
                break
    if not trigger.endswith("NEW.seq - 1; END"):
        assert answers == 0  # gone before it was settled
    for _ in range(2):
        assert refused(Ledger.open, url(path), error=LedgerError).code == "ledger-broken"
    with Ledger.audit(url(path)) as ledger:
        report = ledger.verify()
        assert not report.ok
        assert "the file: holds 'undo'" in str(report)
