"""Keys on the owner's word: written once a version, in the chain, and of no other effect."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from ledger_cases import ask, budgets, rows, url

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger
from dpsql.ledger.chain import Entry, canonical, link, unseal
from dpsql.ledger.entries import Promised, kind_of, write
from dpsql.ledger.reading import read
from dpsql.ledger.state import State
from dpsql.ledger.verify import verify_rows

VISITS = ("visits", "visit_id")


@pytest.fixture
def path(tmp_path):
    """Two versions of one key, a key of another table, and a charge beside."""
    found = tmp_path / "ledger.db"
    with Ledger.open(url(found)) as ledger:
        budgets(ledger)
        assert ledger.promises.record(*VISITS, "1@aa")
        ledger.settle(ask(ledger), "released")
        assert ledger.promises.record("persons", "id", "1@aa")
        assert ledger.promises.record(*VISITS, "2@aa")
    return found


def test_a_promise_stands_for_its_version_alone(path):
    for opened in (Ledger.open, Ledger.audit):
        with closing(opened(url(path))) as ledger:
            assert ledger.promises.verified("1@aa") == {VISITS, ("persons", "id")}
            assert ledger.promises.verified("2@aa") == {VISITS}
            assert ledger.promises.verified("1@bb") == frozenset()


def test_it_is_written_once_by_whoever_comes_first(path):
    with Ledger.open(url(path)) as one, Ledger.open(url(path)) as other:
        before = one.head()
        assert not one.promises.record(*VISITS, "1@aa")
        assert one.head() == before
        assert other.promises.record(*VISITS, "3@aa")
        assert not one.promises.record(*VISITS, "3@aa")


def test_it_costs_nothing_and_verifies(path):
    with Ledger.open(url(path)) as ledger:
        spent = ledger.spent("alice")
        ledger.promises.record(*VISITS, "4@aa")
        assert ledger.spent("alice") == spent
        assert ledger.verify().ok


def test_a_ledger_that_is_only_read_takes_none(path):
    with Ledger.audit(url(path)) as ledger, pytest.raises(LedgerError) as caught:
        ledger.promises.record(*VISITS, "9@aa")
    assert caught.value.code == "ledger-read-only"


def test_every_changed_byte_of_one_is_found(path):
    stored = rows(path)
    (place,) = [n for n, row in enumerate(stored) if b'"2@aa"' in row[3]]
    seq, prev, digest, body = stored[place]
    for at in range(len(body)):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        edited = [*stored[:place], (seq, prev, digest, changed), *stored[place + 1 :]]
        assert not verify_rows(edited).ok


def forged(stored, **fields):
    """The rows with one more, well linked, that says `fields`."""
    seq, _, head, body = stored[-1]
    said = {**json.loads(body), **fields, "seq": seq + 1}
    raw = canonical(said)
    return [*stored, (seq + 1, head, link(head, raw), raw)]


def test_a_second_one_of_the_same_is_no_entry_of_ours(path):
    twice = forged(rows(path))
    assert "verifies a promise a second time" in " ".join(verify_rows(twice).problems)
    state = State()
    for row in twice[:-1]:
        state.follow(row)
    with pytest.raises(LedgerError) as caught:
        state.follow(twice[-1])
    assert caught.value.code == "ledger-broken"
    assert verify_rows(forged(rows(path), data_version="5@aa")).ok


@pytest.mark.parametrize("fields", [{"more": "x"}, {"key": 1}, {"table": []}])
def test_what_cannot_be_read_is_refused(path, fields):
    *_, last = forged(rows(path), **fields)
    with pytest.raises(LedgerError) as caught:
        read(unseal(last))
    assert caught.value.code == "ledger-broken"


def test_it_reads_back_as_it_was_written():
    record = Promised('odd "table"', "naïve key", "v@0")
    body = json.loads(write(7, 5, record))
    assert kind_of(record) == "promise"
    assert read(Entry(7, "promise", 5, body, "", "")) == record
