"""Paid answers: free again for the budget that paid, the same bytes, and nothing else."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from ledger_cases import MILLIONTH, ask, budgets, stored, tables, url

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, Release

PRICE = (Fraction(1, 10), Fraction(1, 10**8))
PLACE = ("alice", "2026-11", "f1", *PRICE)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(url(tmp_path / "ledger.db")) as opened:
        budgets(opened)
        opened.ensure_budget("bob", "analyst", Fraction(1), MILLIONTH)
        opened.path = tmp_path / "ledger.db"
        yield opened


def code(call, *args, **kwargs) -> str:
    with pytest.raises(LedgerError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def test_settle_stores_outcome_and_release_together(ledger):
    receipt = ask(ledger)
    ledger.settle(receipt, "released", releases=[Release("f1", b"\x00noisy\xff")])
    assert stored(ledger, *PLACE) == b"\x00noisy\xff"
    body = list(ledger.entries())[-1].body
    assert body["releases"] == [hashlib.sha256(b"\x00noisy\xff").hexdigest()]
    (known,) = ledger.releases.list()
    assert (known.budget, known.seq, known.size) == ("alice", receipt.seq, 7)
    assert (known.epsilon, known.delta, known.fingerprint) == (*PRICE, "f1")
    assert ledger.releases.list("alice") == [known]
    assert ledger.releases.list("bob") == []
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "other",
    [
        ("bob", "2026-11", "f1", *PRICE),
        ("alice", "2026-12", "f1", *PRICE),
        ("alice", "2026-11", "f2", *PRICE),
        ("alice", "2026-11", "f1", Fraction(1, 5), PRICE[1]),
        ("alice", "2026-11", "f1", PRICE[0], Fraction(1, 10**9)),
    ],
)
def test_it_is_free_for_exactly_what_was_paid(ledger, other):
    ledger.settle(ask(ledger), "released", releases=[Release("f1", b"noisy")])
    assert stored(ledger, *other) is None


def test_it_survives_reopening(ledger):
    ledger.settle(ask(ledger), "released", releases=[Release("f1", b"noisy")])
    with Ledger.open(url(ledger.path)) as again:
        assert stored(again, *PLACE) == b"noisy"


def test_the_first_bytes_stay(ledger):
    """Two draws of one question were paid: who read the first must find the first again."""
    for payload in (b"first", b"second"):
        ledger.settle(ask(ledger), "released", releases=[Release("f1", payload)])
    assert stored(ledger, *PLACE) == b"first"
    assert ledger.verify().ok


def test_only_what_the_charge_paid_for_is_stored(ledger):
    receipt = ask(ledger)
    unpaid = [Release("f9", b"x")]
    assert code(ledger.settle, receipt, "released", releases=unpaid) == "release-unpaid"
    assert len(ledger.open_charges()) == 1  # the failed settle wrote nothing
    ledger.settle(receipt, "failed")
    assert ledger.releases.list() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE dpsql_releases SET payload = x'00'",
        "UPDATE dpsql_releases SET seq = 7",
        "UPDATE dpsql_releases SET seq = 1",
        "UPDATE dpsql_releases SET seq = 99",
    ],
)
def test_altered_bytes_are_not_handed_out(ledger, change):
    ledger.settle(ask(ledger), "released", releases=[Release("f1", b"noisy")])
    ledger.settle(ask(ledger, fingerprints=["f2"]), "released", releases=[Release("f2", b"more")])
    with tables(ledger.path) as connection:
        connection.execute(change + " WHERE fingerprint = 'f1'")
    report = ledger.verify()
    assert not report.ok
    assert any("stored release" in problem for problem in report.problems)
    assert code(stored, ledger, *PLACE) == "release-altered"


def test_a_release_moved_to_another_budget_is_not_handed_out(ledger):
    ledger.settle(ask(ledger), "released", releases=[Release("f1", b"noisy")])
    with tables(ledger.path) as connection:
        connection.execute("UPDATE dpsql_releases SET budget = 'bob'")
    assert code(stored, ledger, "bob", *PLACE[1:]) == "release-altered"
    assert not ledger.verify().ok


def test_losing_the_store_costs_budget_only(ledger):
    ledger.settle(ask(ledger), "released", releases=[Release("f1", b"noisy")])
    with tables(ledger.path) as connection:
        connection.execute("DELETE FROM dpsql_releases")
    assert stored(ledger, *PLACE) is None
    assert ledger.verify().ok
    ask(ledger)


def test_several_releases_of_one_statement(ledger):
    receipt = ask(ledger, fingerprints=["f1", "f2"])
    both = [Release("f1", b"one"), Release("f2", b"two")]
    ledger.settle(receipt, "released", releases=both)
    assert stored(ledger, *PLACE) == b"one"
    assert stored(ledger, "alice", "2026-11", "f2", *PRICE) == b"two"
    assert [known.hash for known in ledger.releases.list()] == [r.hash for r in both]
