"""A request with an id: retried, it gets the bytes that were paid for, or is charged anew."""

from __future__ import annotations

from fractions import Fraction

import pytest
from ledger_cases import MILLIONTH, ask, budgets, charge_body, forge, priced, refused, tables, url
from ledger_stores import both

from dpsql.errors import InvalidQuery, LedgerError
from dpsql.ledger import Ledger, Release, process
from dpsql.ledger.requests import read_id, request_key

NAMES = ["f1", "f2"]


def key(id="r1", **changes):
    asked = {
        "budget": "alice",
        "total": "total",
        "sql": "SELECT 1",
        "data_version": "2026-11",
        "wanted": [(name, Fraction(1, 10), Fraction(1, 10**8)) for name in NAMES],
    }
    return request_key(id, **asked | changes)


def attempt(ledger, key, *, analyst="alice"):
    """What the driver does: look, and reserve if there is no answer. (payloads, receipt)."""
    found = ledger.attempt(analyst, key)
    if found.payloads:
        return found.payloads, None
    receipt = ledger.reserve(
        analyst=analyst,
        budget="alice",
        total="total",
        aggregates=priced(fingerprints=NAMES),
        sql="SELECT 1",
        data_version="2026-11",
        attempt=found,
    )
    return {}, receipt


def answer(ledger, receipt, *payloads):
    kept = [Release(n, p) for n, p in zip(NAMES, payloads or (b"1", b"2"), strict=True)]
    ledger.settle(receipt, "released", kept=kept)


def charges(ledger):
    return [entry for entry in ledger.entries() if entry.kind == "charge"]


def test_a_retry_gets_the_same_bytes_and_no_charge(either):
    _, receipt = attempt(either, key())
    answer(either, receipt)
    for _ in range(3):
        assert attempt(either, key()) == ({"f1": b"1", "f2": b"2"}, None)
    assert len(charges(either)) == 1
    assert either.verify().ok
    assert either.releases.list() == []  # kept for this request, free to no other


@pytest.mark.parametrize("outcome", ["failed", "timeout", "cancelled"])
def test_what_was_not_answered_is_charged_anew(ledger, outcome):
    _, first = attempt(ledger, key())
    ledger.settle(first, outcome)
    _, second = attempt(ledger, key())
    assert second.seq > first.seq
    answer(ledger, second)
    assert len(charges(ledger)) == 2
    assert ledger.spent("alice").epsilon == Fraction(4, 10)
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        {"sql": "SELECT 2"},
        {"budget": "bob"},
        {"total": None},
        {"data_version": "2026-12"},
        {"wanted": [("f1", Fraction(1, 10), Fraction(1, 10**8))]},
        {"wanted": [(name, Fraction(1, 5), Fraction(1, 10**8)) for name in NAMES]},
    ],
)
def test_the_same_id_for_another_request_is_refused(ledger, change):
    _, receipt = attempt(ledger, key())
    head = ledger.head()
    for settled in (False, True):
        if settled:
            answer(ledger, receipt)
            head = ledger.head()
        error = refused(attempt, ledger, key(**change), error=InvalidQuery)
        assert error.code == "request-id-reused"
        assert ledger.head() == head


def test_ids_are_each_analysts_own(ledger):
    _, receipt = attempt(ledger, key())
    answer(ledger, receipt)
    assert attempt(ledger, key(), analyst="bob")[1] is not None
    assert attempt(ledger, key("r2"))[1] is not None


def test_while_it_runs_a_retry_waits(ledger):
    attempt(ledger, key())
    assert refused(attempt, ledger, key(), error=LedgerError).code == "request-running"
    assert len(charges(ledger)) == 1


def test_answered_between_look_and_reserve_it_is_not_charged_again(ledger):
    early = ledger.attempt("alice", key())
    _, receipt = attempt(ledger, key())
    answer(ledger, receipt)
    error = refused(
        ledger.reserve, error=LedgerError, analyst="alice", budget="alice", total="total",
        aggregates=priced(fingerprints=NAMES), sql="SELECT 1", data_version="2026-11",
        attempt=early,
    )  # fmt: skip
    assert error.code == "request-running"
    assert len(charges(ledger)) == 1


def test_left_by_a_dead_process_it_is_forfeited_and_charged_anew(ledger, monkeypatch):
    attempt(ledger, key())
    monkeypatch.setattr(process, "gone", lambda _, **_more: True)
    _, second = attempt(ledger, key())
    assert [entry.kind for entry in ledger.entries()][-3:] == ["charge", "outcome", "charge"]
    answer(ledger, second)
    assert ledger.verify().ok


@both
def test_bytes_that_are_gone_are_paid_for_anew(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        _, receipt = attempt(ledger, key())
        answer(ledger, receipt)
        with tables(path) as connection:
            connection.execute("DELETE FROM dpsql_answers WHERE fingerprint = 'f2'")
        assert attempt(ledger, key())[1] is not None
        assert ledger.verify().ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE dpsql_answers SET payload = x'33' WHERE fingerprint = 'f1'",
        "UPDATE dpsql_answers SET payload = 'text' WHERE fingerprint = 'f1'",
        "UPDATE dpsql_answers SET payload = 5 WHERE fingerprint = 'f1'",
        "UPDATE dpsql_answers SET fingerprint = 'f9' WHERE fingerprint = 'f1'",
        # The two exchanged: both are bytes that this charge released, for the other aggregate.
        "UPDATE dpsql_answers SET payload = CASE fingerprint WHEN 'f1' THEN x'32' ELSE x'31' END",
    ],
)
@both
def test_bytes_that_were_changed_are_not_given_out(store, tmp_path, change):
    path = tmp_path / "ledger.db"
    if store != "sqlite":  # which holds nothing else in a column of bytes
        change = change.replace("= 5", "= '5'")
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        _, receipt = attempt(ledger, key())
        answer(ledger, receipt)
        with tables(path) as connection:
            connection.execute(change)
        assert refused(attempt, ledger, key(), error=LedgerError).code == "release-altered"
        report = ledger.verify()
        assert not report.ok
        assert report.first_bad is None
        assert "kept answer of entry 4" in str(report)


@both
def test_stored_releases_cannot_be_exchanged_either(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        pair = [Release("f2", b"2"), Release("f1", b"1")]  # in whatever order they come
        ledger.settle(ask(ledger, fingerprints=NAMES), "released", releases=pair)
        assert ledger.verify().ok
        swapped = "CASE fingerprint WHEN 'f1' THEN x'32' ELSE x'31' END"
        with tables(path) as connection:
            connection.execute(f"UPDATE dpsql_releases SET payload = {swapped}")
        assert not ledger.verify().ok
        assert refused(ledger.releases.list, error=LedgerError).code == "release-altered"


@pytest.mark.parametrize("spoil", [{"id": 5}, {"hash": "x"}, {"hash": "A" * 64}, {"more": "x"}])
@both
def test_a_forged_request_is_refused(tmp_path, spoil):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        attempt(ledger, key())
    body = charge_body(path)
    forge(path, **{**body, "request": {**body["request"], **spoil}})
    assert refused(Ledger.open, url(path), error=LedgerError).code == "ledger-broken"


@both
def test_verify_finds_a_request_that_ran_twice_and_an_id_used_twice(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        attempt(ledger, key())
    body = charge_body(path)
    forge(path, **body)
    forge(path, **{**body, "request": {"id": "r1", "hash": "0" * 64}})
    with Ledger.audit(url(path)) as ledger:
        report = ledger.verify()
    assert any("entry 5: charges the request of entry 4 again" in p for p in report.problems)
    assert any("entry 6: gives the id of entry 5 to another" in p for p in report.problems)
    assert report.first_bad == 5


@pytest.mark.parametrize("value", ["", " a", "a ", "a\nb", "é", "x" * 201, 7, None, b"x", True])
def test_ids_that_are_none(value):
    assert refused(read_id, value, error=InvalidQuery).code == "bad-request-id"


@pytest.mark.parametrize("value", ["a", "x" * 200, "7f0c-a b", "!"])
def test_ids(value):
    assert read_id(value) == value


def test_a_request_may_be_refused_by_the_budget_and_asked_again(ledger):
    for number in range(5):
        _, receipt = attempt(ledger, key(f"r{number}"))
        answer(ledger, receipt)
    assert refused(attempt, ledger, key("r9")).code == "budget-epsilon"
    ledger.ensure_budget("alice", "analyst", Fraction(2), MILLIONTH)
    assert attempt(ledger, key("r9"))[1] is not None
