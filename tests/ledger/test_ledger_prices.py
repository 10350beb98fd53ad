"""Each aggregate of a statement at its own price; and ledgers that knew one price a statement."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from ledger_cases import ask, budgets, forge, refused, rows, stored, tables, url

from dpsql.accountant.events import Gaussian, Pure
from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, Priced, Release
from dpsql.ledger.chain import parse
from dpsql.ledger.entries import Charged
from dpsql.ledger.reading import read
from dpsql.ledger.schema import MIGRATIONS

SCHEMA_1 = Path(__file__).with_name("schema_1.sql").read_text("utf-8")

CHEAP = Priced.of([Pure(Fraction(1, 10))], "f1", Fraction(1, 10), Fraction(1, 10**8))
DEAR = Priced.of([Gaussian(20), Pure(Fraction(1, 5))], "f2", Fraction(1, 5), Fraction(1, 10**7))
BOTH = [CHEAP, DEAR]


def place(one):
    return "alice", "2026-11", one.fingerprint, one.epsilon, one.delta


def test_every_aggregate_keeps_its_own_price(ledger):
    receipt = ask(ledger, aggregates=BOTH)
    record = next(read(entry) for entry in ledger.entries(receipt.seq))
    assert isinstance(record, Charged)
    assert record.request.aggregates == (CHEAP, DEAR)
    assert record.request.epsilon == Fraction(3, 10)
    assert record.request.delta == Fraction(11, 10**8)
    items = [*CHEAP.events, *DEAR.events]
    assert ledger.spent("alice") == ledger.account("alice").price(items)


def test_every_release_lies_at_its_own_price(ledger):
    releases = [Release("f1", b"one"), Release("f2", b"two")]
    ledger.settle(ask(ledger, aggregates=BOTH), "released", releases=releases)
    assert stored(ledger, *place(CHEAP)) == b"one"
    assert stored(ledger, *place(DEAR)) == b"two"
    crossed = "alice", "2026-11", "f2", CHEAP.epsilon, CHEAP.delta
    assert stored(ledger, *crossed) is None
    assert ledger.verify().ok
    found = ledger.releases.find("alice", "2026-11", ["f1", "f2", "f3"])
    said = {name: [(one.paid, one.payload) for one in ones] for name, ones in found.found.items()}
    assert said == {"f1": [(CHEAP, b"one")], "f2": [(DEAR, b"two")], "f3": []}
    assert found.account == ledger.account("alice")


def test_settling_tells_the_balance(ledger):
    first = ask(ledger)
    ask(ledger, "1/5")
    assert ledger.settle(first, "failed") == ledger.account("alice")


# --- a ledger of schema 1 ---


@pytest.fixture
def older(tmp_path):
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1)
    return path


def version(path):
    with tables(path) as connection:
        return connection.execute("SELECT version FROM dpsql_schema").fetchone()[0]


def test_an_older_ledger_is_audited_as_it_is(older):
    before = older.read_bytes()
    with Ledger.audit(url(older)) as ledger:
        report = ledger.verify("6:d5e687fa8059919c198ed48589974f5bf13d76308710b35156c4fa046c363140")
        assert report.ok, report.problems
        assert report.open_entries == (6,)
        records = [read(entry) for entry in ledger.entries()]
    (charge,) = [r for r in records if isinstance(r, Charged) and len(r.request.aggregates) == 2]
    prices = {(one.epsilon, one.delta) for one in charge.request.aggregates}
    assert prices == {(Fraction(1, 10), Fraction(1, 10**8))}
    assert version(older) == 1
    assert older.read_bytes() == before


def test_an_older_ledger_goes_on(older):
    """What was spent stands, what was paid for is free, and both forms verify in one chain."""
    with Ledger.open(url(older)) as ledger:
        budgets(ledger)
        price = Fraction(1, 10), Fraction(1, 10**8)
        assert stored(ledger, "alice", "2026-11", "f1", *price) == b"first noisy"
        assert stored(ledger, "alice", "2026-11", "f2", *price) == b"second noisy"
        spent = ledger.spent("alice")
        assert any(spent.renyi)
        assert ledger.head()[0] == 6  # nothing was rewritten
        ledger.settle(ask(ledger, "1/100"), "released", releases=[Release("f1", b"new")])
        assert ledger.spent("alice") != spent
        assert ledger.verify().ok
    assert version(older) == len(MIGRATIONS)
    with Ledger.open(url(older)) as ledger:
        assert ledger.head()[0] == 8


@pytest.mark.parametrize(
    "changes",
    [{"fingerprints": ["f1"]}, {"epsilon": "2/20"}, {"extra": "x"}, {"aggregates": [[]]}],
)
def test_an_older_charge_is_read_as_strictly(older, changes):
    body = next(parse(raw) for *_, raw in rows(older) if parse(raw)["kind"] == "charge")
    forge(older, **{**body, **changes})
    assert refused(Ledger.open, url(older), error=LedgerError).code == "ledger-broken"


@pytest.mark.parametrize("change", ["payload = 'text'", "payload = 7", "seq = 'x'"])
def test_a_release_of_another_type_is_reported(tmp_path, change):
    """SQLite keeps any type in any column: a finding that names the entry, never a TypeError."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        receipt = ask(ledger)
        ledger.settle(receipt, "released", releases=[Release("f1", b"noisy")])
        with tables(path) as connection:
            connection.execute(f"UPDATE dpsql_releases SET {change}")
        report = ledger.verify()
        assert not report.ok
        (problem,) = report.problems
        assert "stored release" in problem
        if "payload" in change:
            assert f"entry {receipt.seq}" in problem
        error = refused(stored, ledger, *place(CHEAP), error=LedgerError)
        assert error.code == "release-altered"
        assert refused(ledger.releases.list, error=LedgerError).code == "release-altered"


def test_a_release_slipped_under_an_open_charge_is_not_handed_out(tmp_path):
    """Only an outcome vouches for bytes, and outcome and bytes are written together."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        receipt = ask(ledger)
        with tables(path) as connection:
            row = ("alice", "2026-11", "f1", "1/10", "1/100000000", receipt.seq, b"made up")
            connection.execute("INSERT INTO dpsql_releases VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        error = refused(stored, ledger, *place(CHEAP), error=LedgerError)
        assert error.code == "release-altered"
        assert not ledger.verify().ok
