"""Any single-byte change, deletion, swap or truncation is found: over rows, stores and the file.

A cut at the end shows only against something kept elsewhere: here every receipt and a head.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_cases import ask, budgets, refused, rows, tables, url
from ledger_stores import both, both_slow

from dpsql.errors import BudgetExceeded, LedgerError
from dpsql.ledger import Ledger, Release
from dpsql.ledger.heads import Head
from dpsql.ledger.requests import request_key
from dpsql.ledger.verify import verify_rows

NAMES = ("f1", "f2")


def filled(path, charges):
    """A ledger with so many charges: released, kept for a request, failed or open, in turn."""
    with Ledger.open(url(path)) as ledger:
        budgets(ledger, epsilon=10**6, total=10**6)
        for number in range(charges):
            names = [f"{name}-{number}" for name in NAMES]
            pair = [Release(name, f"noisy {name}".encode()) for name in names]
            if number % 4 == 1:
                key = request_key(
                    f"r{number}", budget="alice", total="total", sql="", data_version="1",
                    wanted=[],
                )  # fmt: skip
                attempt = ledger.attempt("alice", key)
                receipt = ask(ledger, fingerprints=names, attempt=attempt)
                ledger.settle(receipt, "released", kept=pair)
                continue
            receipt = ask(ledger, fingerprints=names)
            if number % 4 == 0:
                ledger.settle(receipt, "released", releases=pair)
            elif number % 4 == 2:
                ledger.settle(receipt, "failed")
            elif number % 8 == 7:
                ledger.ensure_budget("alice", "analyst", 10**6 + number, 1)
        return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("small") / "ledger.db", 6)


@pytest.fixture(scope="module")
def stored(small):
    return tuple(rows(small))


@pytest.fixture
def path(store, small, tmp_path):
    if store != "sqlite":
        return filled(tmp_path / "ledger.db", 6)
    return shutil.copy(small, tmp_path / "ledger.db")


def audit(path, *heads):
    with Ledger.audit(url(path)) as ledger:
        return ledger.verify(heads=heads)


def receipts(stored):
    return [Head(f"receipt {seq}", seq, digest.hex()) for seq, _, digest, _ in stored]


# ---- the entries -------------------------------------------------------------------------------


def exchanged(row, column, place, mask):
    value = bytearray(row[column])
    value[place] ^= mask
    return (*row[:column], bytes(value), *row[column + 1 :])


@given(st.data())
@settings(max_examples=300)
def test_any_changed_byte_is_found_and_named(stored, data):
    index = data.draw(st.integers(0, len(stored) - 1))
    column = data.draw(st.sampled_from((1, 2, 3)))
    place = data.draw(st.integers(0, len(stored[index][column]) - 1))
    row = exchanged(stored[index], column, place, data.draw(st.integers(1, 255)))
    report = verify_rows([*stored[:index], row, *stored[index + 1 :]])
    assert not report.ok
    assert report.first_bad == index + 1


@given(st.data())
@settings(max_examples=200)
def test_any_byte_put_in_or_taken_out_is_found(stored, data):
    index = data.draw(st.integers(0, len(stored) - 1))
    column = data.draw(st.sampled_from((1, 2, 3)))
    value = stored[index][column]
    place = data.draw(st.integers(0, len(value)))
    more = data.draw(st.binary(max_size=1))
    other = value[:place] + more + value[place + (not more) :]
    row = (*stored[index][:column], other, *stored[index][column + 1 :])
    report = verify_rows([*stored[:index], row, *stored[index + 1 :]])
    assert report.ok == (other == value)
    assert report.first_bad == (None if other == value else index + 1)


def test_any_deletion_is_found_and_named(stored):
    """All but the last: that is a cut."""
    for index in range(len(stored) - 1):
        report = verify_rows([*stored[:index], *stored[index + 1 :]])
        assert report.first_bad == index + 2, index


def test_any_swap_is_found(stored):
    """Of two rows whole, of their bodies, of bodies with hashes, of all but the numbers."""
    for one, other in itertools.combinations(range(len(stored)), 2):
        a, b = stored[one], stored[other]
        for columns in ((0, 1, 2, 3), (3,), (2, 3), (1, 2, 3), (1,), (2,)):
            changed = list(stored)
            changed[one] = tuple(b[c] if c in columns else a[c] for c in range(4))
            changed[other] = tuple(a[c] if c in columns else b[c] for c in range(4))
            report = verify_rows(changed)
            assert report.first_bad == one + 1 + (columns == (0, 1, 2, 3)) * (b[0] - one - 1), (
                columns
            )


def test_any_repetition_is_found(stored):
    for one, other in itertools.product(range(len(stored)), repeat=2):
        changed = [*stored[: other + 1], stored[one], *stored[other + 1 :]]
        assert not verify_rows(changed).ok


def test_any_truncation_is_found_with_a_receipt(stored):
    """By itself each beginning is a ledger that verifies; each receipt beyond it says otherwise."""
    seen = receipts(stored)
    for length in range(1, len(stored)):
        cut = stored[:length]
        assert verify_rows(cut).ok
        for head in seen[length:]:
            report = verify_rows(cut, heads=[head])
            assert not report.ok
            assert report.first_bad is None
            assert head.name in report.problems[0]
        assert verify_rows(cut, heads=seen[:length]).ok


def test_a_ledger_written_anew_is_found_with_a_receipt(stored, tmp_path):
    """By whoever can compute SHA-256: every link is right, and no receipt is shown."""
    other = tuple(rows(filled(tmp_path / "other.db", 6)))
    assert verify_rows(other).ok
    for head in receipts(stored):
        assert not verify_rows(other, heads=[head]).ok


# ---- the stores of answers ---------------------------------------------------------------------

STORES = {
    "dpsql_releases": ("budget", "data_version", "fingerprint", "epsilon", "delta"),
    "dpsql_answers": ("seq", "fingerprint"),
}


def content(path, table):
    with tables(path) as connection:
        found = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        return [column[0] for column in found.description], found.fetchall()


@pytest.mark.parametrize("table", STORES)
@both_slow
def test_any_changed_byte_of_a_store_is_found(path, table):
    """In whatever column; a release moved to another place is no longer what was paid for."""
    names, found = content(path, table)
    assert len(found) >= 4
    for row, name in itertools.product(found[:3], names):
        value = row[names.index(name)]
        for place in range(len(value) if isinstance(value, (str, bytes)) else 8):
            where = " AND ".join(f"{key} = ?" for key in STORES[table])
            given_ = [row[names.index(key)] for key in STORES[table]]
            with tables(path) as connection:
                connection.execute(
                    f"UPDATE {table} SET {name} = ? WHERE {where}", [flipped(value, place), *given_]
                )
            report = audit(path)
            assert not report.ok, (name, place)
            assert report.first_bad is None
            with tables(path) as connection:
                connection.execute(f"DELETE FROM {table}")
                marks = ", ".join("?" * len(names))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
    assert audit(path).ok


def flipped(value, place):
    if isinstance(value, int):
        return value ^ 1 << place
    if isinstance(value, bytes):
        return value[:place] + bytes([value[place] ^ 0x10]) + value[place + 1 :]
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


@pytest.mark.parametrize("table", STORES)
@both
def test_any_swap_in_a_store_is_found(path, table):
    names, found = content(path, table)
    payload = names.index("payload")

    def put(row, other):
        where = " AND ".join(f"{key} = ?" for key in STORES[table])
        given_ = [row[names.index(key)] for key in STORES[table]]
        with tables(path) as connection:
            connection.execute(
                f"UPDATE {table} SET payload = ? WHERE {where}", [other[payload], *given_]
            )

    for one, other in itertools.combinations(found, 2):
        put(one, other)
        put(other, one)
        assert not audit(path).ok, (one, other)
        put(one, one)
        put(other, other)
    assert audit(path).ok


@pytest.mark.parametrize("table", STORES)
@both
def test_a_deleted_answer_costs_a_charge_and_no_more(path, table):
    """What is gone cannot be given out wrongly: the ledger verifies, and a repeat is paid for."""
    with tables(path) as connection:
        connection.execute(f"DELETE FROM {table}")
    assert audit(path).ok


# ---- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [b"dpsql_releases", b"2026-11", b"fingerprint"])
def test_bytes_that_are_no_text_are_reported(path, old):
    """In a stored text and in the file's own schema, whose words SQLite repeats in its messages."""
    whole, before = path.read_bytes(), everything(path)
    assert whole.count(old) > 2
    place = -1
    while (place := whole.find(old, place + 1)) >= 0:
        path.write_bytes(whole[:place] + b"\xf3" + whole[place + 1 :])
        assert not passes(path) or everything(path) == before
        with contextlib.suppress(LedgerError):  # and no other error
            Ledger.open(url(path)).close()


def test_any_changed_byte_of_the_file_is_found_or_without_effect(path):
    """Every 41st byte of the SQLite file: an error, a report, or the same rows as before."""
    damaged_everywhere(path, 41)


@pytest.mark.slow
def test_any_changed_byte_of_the_file_is_found_at_length(path):
    damaged_everywhere(path, 7)


def damaged_everywhere(path, step):
    whole = path.read_bytes()
    before = everything(path)
    harmless = 0
    for place in range(0, len(whole), step):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        if passes(path):
            harmless += 1
            assert everything(path) == before, place
        for left in ("-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
    assert harmless < len(whole) / step  # free space, SQLite's own marks


def passes(path, *heads):
    """Verified; what cannot be read at all is a LedgerError, and nothing else."""
    try:
        return audit(path, *heads).ok
    except LedgerError:
        return False


def everything(path):
    """The rows of entries and answers, as SQLite reads them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
            for table in ("dpsql_entries", *STORES)
        ]


def test_any_shorter_file_is_found(path):
    heads, whole = receipts(rows(path))[-1:], path.read_bytes()
    for length in range(0, len(whole), 509):
        path.write_bytes(whole[:length])
        assert not passes(path, *heads), length


# ---- decisions ---------------------------------------------------------------------------------


@both
def test_the_first_charge_that_was_not_admissible_is_named(tmp_path, monkeypatch):
    """Of a ledger that admitted all: each decision is recomputed, and the first bad one named."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        good = [ask(ledger).seq for _ in range(10)]
        assert refused(ask, ledger, error=BudgetExceeded).code == "budget-epsilon"
        monkeypatch.setattr("dpsql.ledger.admission.admits", lambda *_: True)
        bad = [ask(ledger).seq for _ in range(15)]
        report = ledger.verify()
    assert report.first_bad == bad[0] == good[-1] + 1
    assert report.problems == (f"entry {bad[0]}: spends more than budget 'alice' admits",)
    assert f"the first bad entry is {bad[0]}" in str(report)


@both
def test_decisions_are_judged_by_the_terms_of_their_time(tmp_path, monkeypatch):
    """Raised later, a budget does not excuse what came before; lowered, it blames nothing."""
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        monkeypatch.setattr("dpsql.ledger.admission.admits", lambda *_: True)
        bad = [ask(ledger, "2/3").seq for _ in range(3)][1]
        ledger.ensure_budget("alice", "analyst", Fraction(50), Fraction(1, 10**6))
        ask(ledger)
        ledger.ensure_budget("alice", "analyst", Fraction(1), Fraction(1, 10**6))
        report = ledger.verify()
    assert report.problems == (f"entry {bad}: spends more than budget 'alice' admits",)
