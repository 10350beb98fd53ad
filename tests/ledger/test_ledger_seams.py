"""Faults at the lowest seams: a database of limited size, files swapped under it, prices of NaN.

In each the ledger says so with a code of its own, charges nothing by halves, and goes on where it
can. (Locks, permissions and damaged files: test_ledger_faults.py; kills: test_ledger_kills.py.)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest
from ledger_cases import ask, budgets, url
from ledger_stores import both_slow

from dpsql.accountant import charge as charges
from dpsql.accountant.charge import Charge
from dpsql.accountant.events import Pure
from dpsql.errors import Error, InternalError, LedgerError
from dpsql.ledger import Ledger, Release, prices
from dpsql.ledger.journal import Draft
from dpsql.ledger.remembered import Remembered
from dpsql.ledger.sqlite import SQLite


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def code(call, *args) -> str:
    """The code of the error, or nothing where there is none."""
    try:
        call(*args)
    except Error as error:
        return error.code
    return ""


def code_of(call, *args, **kwargs):
    with pytest.raises(Error) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


# ---- the disk is full --------------------------------------------------------------------------


@pytest.fixture
def limited(monkeypatch):
    """`limited(pages)`: SQLite refuses to let the database grow beyond so many."""
    pages = [0]
    configure = SQLite._configure

    def limit(database, raw, record):
        configure(database, raw, record)
        if pages[0]:
            raw.execute(f"PRAGMA max_page_count = {pages[0]}")

    monkeypatch.setattr(SQLite, "_configure", limit)

    def set_to(number):
        pages[0] = number

    return set_to


def size(path):
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("PRAGMA page_count").fetchone()[0]


def charged_and_answered(ledger, name, told):
    receipt = ask(ledger, sql="x" * 9000, fingerprints=[name])
    told.append("charged")
    ledger.settle(receipt, "released", releases=[Release(name, b"noisy" * 5000)])
    told.append("answered")


def test_a_full_disk_at_every_size(path, limited):
    """From the size at which nothing more fits to that at which all does, page by page.

    Whichever step fails, the ledger verifies, what was charged stands, and a charge whose answer
    could not be stored is not answered.
    """
    with Ledger.open(url(path)) as ledger:
        budgets(ledger, epsilon=1000, total=1000)
    smallest, seen, base = size(path), set(), path.read_bytes()
    for pages in range(smallest, smallest + 20):
        limited(pages)
        path.write_bytes(base)
        told = []
        with Ledger.open(url(path)) as ledger:
            said = code(charged_and_answered, ledger, "f1", told)
            assert said == ("" if len(told) == 2 else "ledger-disk")
            assert ledger.verify().ok
            kinds = [entry.kind for entry in ledger.entries(4)]
            assert kinds == ["charge", "outcome"][: len(told)]
            assert len(ledger.releases.list()) == (len(told) == 2)
        limited(0)
        with Ledger.open(url(path)) as ledger:  # with room again it goes on
            ask(ledger)
        seen.add(tuple(told))
    assert seen == {(), ("charged",), ("charged", "answered")}


def test_a_disk_too_small_to_begin(path, limited):
    """Creating fails at one size after the other, until it does not; nothing half made is left."""
    codes = []
    for pages in range(1, 40):
        limited(pages)
        try:
            with Ledger.open(url(path)) as ledger:
                assert ledger.verify().entries == 1
            break
        except LedgerError as error:
            codes.append(error.code)
            assert path.stat().st_size <= 4096
    assert len(codes) > 5
    assert set(codes) == {"ledger-disk"}


# ---- other files in its place ------------------------------------------------------------------


def elsewhere(tmp_path):
    other = tmp_path / "other.db"
    with Ledger.open(url(other)) as ledger:
        budgets(ledger)
    return other


def deleted(path, _):
    path.unlink()


def moved(path, tmp_path):
    path.rename(tmp_path / "moved.db")


def replaced(path, tmp_path):
    os.replace(elsewhere(tmp_path), path)


def replaced_by_its_copy(path, tmp_path):
    shutil.copy(path, tmp_path / "copy.db")
    os.replace(tmp_path / "copy.db", path)


def replaced_by_a_link(path, tmp_path):
    path.unlink()
    path.symlink_to(elsewhere(tmp_path))


def gone_with_its_folder(path, tmp_path):
    path.parent.rename(tmp_path / "away")


@pytest.mark.parametrize(
    "change",
    [deleted, moved, replaced, replaced_by_its_copy, replaced_by_a_link, gone_with_its_folder],
)
def test_changed_under_an_open_ledger(tmp_path, change):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        receipt = ask(ledger)
        change(path, tmp_path)
        for call in (
            lambda: ask(ledger),
            lambda: ledger.settle(receipt, "released"),
            lambda: ledger.spent("alice"),
            lambda: ledger.verify(),
            ledger.forfeit_stale,
        ):
            assert code_of(call) == "ledger-replaced"


def overwrite(path, content):
    """As `cp` does: the same file, other bytes; the log beside it goes, as a restore does it."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()


def overwrite_alone(path, content):
    """The same, and the newer log is left beside the older file."""
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()


@pytest.mark.parametrize("how", [overwrite, overwrite_alone])
@pytest.mark.parametrize("other", [False, True])
def test_overwritten_in_place_while_open(tmp_path, path, how, other):
    """An older copy or another ledger, written over the open file: nothing is admitted on it.

    Where the newer log still lies beside it SQLite may put the newer pages back over it: then the
    ledger is what it was. In no case is a charge forgotten.
    """
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        ask(ledger)
    old = (elsewhere(tmp_path) if other else path).read_bytes()
    with Ledger.open(url(path)) as ledger:
        for _ in range(4):
            ask(ledger)
        seq, head = ledger.head()
        how(path, old)
        codes = [code(ask, ledger) for _ in range(8)]
        assert set(codes) <= {"", *REFUSALS}
        if how is overwrite:
            assert codes == ["ledger-replaced"] * 8
        elif "" in codes:  # the log brought back what was there
            assert codes.count("") <= 5
            assert ledger.verify(f"{seq}:{head}").ok


REFUSALS = ("ledger-rolled-back", "ledger-replaced", "ledger-broken", "ledger", "budget-epsilon")


def test_a_log_that_was_deleted_takes_no_charge_along(path):
    """SQLite goes on writing to the unlinked file; its commits would end with the process."""
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        ask(ledger)
        path.with_name("ledger.db-wal").unlink()
        assert code(ask, ledger) == "ledger-replaced"


def test_a_log_deleted_during_the_commit_is_told(path, monkeypatch):
    """Charged perhaps, and lost perhaps: in no case answered."""
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        append = Draft.append

        def then_unlinked(draft, record):
            path.with_name("ledger.db-wal").unlink()
            return append(draft, record)

        monkeypatch.setattr(Draft, "append", then_unlinked)
        assert code(ask, ledger) == "ledger-replaced"


def interrupted(ledger):
    with contextlib.suppress(KeyboardInterrupt), ledger._database.write() as connection:
        connection.invalidate()
        raise KeyboardInterrupt


def test_a_log_that_went_with_the_last_connection_is_no_fault(path):
    """Ctrl-C in the middle of a statement closes its connection, and SQLite deletes the log."""
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
        for _ in range(3):
            interrupted(ledger)
            assert not path.with_name("ledger.db-wal").exists()
            ask(ledger)
        ledger._database._engine.dispose()
        ask(ledger)
        assert ledger.verify().ok


def test_rolled_back_between_runs(tmp_path, path):
    """A chain that verifies; only a receipt shows it, and the driver keeps one."""
    seen = Remembered(str(path), tmp_path / "receipts")
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    old = path.read_bytes()
    with Ledger.open(url(path)) as ledger:
        ask(ledger)
        seen.keep(ledger.anchor())
    path.write_bytes(old)
    with Ledger.open(url(path)) as ledger:
        assert ledger.verify().ok
        assert code_of(seen.require_shown, ledger) == "ledger-shows-less"
        assert not ledger.verify(heads=seen.heads(ledger.name())).ok


# ---- prices that are none ----------------------------------------------------------------------

NONE = {
    "nan": float("nan"),
    "infinite": float("inf"),
    "negative": -1,
    "float": 1.0,
    "true": True,
    "fraction": Fraction(1, 2),
    "text": "1",
}


def forced(monkeypatch, make):
    """`price` gives what `make` says, at every place that calls it."""

    def price(items, orders):
        return make(charges.price(items, orders))

    monkeypatch.setattr(prices, "price", price)
    prices.priced.cache_clear()


def spoil(good, track, value):
    """A charge with one amount exchanged, past its own constructor's checks."""
    bad = object.__new__(Charge)
    amounts = {"orders": good.orders, "renyi": good.renyi, "pure": good.pure, "delta": good.delta}
    if track == "renyi":
        amounts["renyi"] = (value, *good.renyi[1:])
    else:
        amounts[track] = value
    for name, amount in amounts.items():
        object.__setattr__(bad, name, amount)
    return bad


@pytest.mark.parametrize("track", ["renyi", "pure", "delta"])
@pytest.mark.parametrize("value", NONE.values(), ids=NONE.keys())
def test_a_price_that_is_none_charges_and_answers_nothing(ledger, monkeypatch, track, value):
    """NaN passes every comparison with a budget, a negative one is a refund: both are refused."""
    ask(ledger)
    head, spent = ledger.head(), ledger.spent("alice")
    forced(monkeypatch, lambda good: spoil(good, track, value))
    with pytest.raises(InternalError) as caught:
        ask(ledger, items=[[Pure(Fraction(1, 7))]])
    assert caught.value.code == "bad-price"
    monkeypatch.undo()
    prices.priced.cache_clear()
    assert ledger.head() == head
    assert ledger.spent("alice") == spent
    assert ledger.verify().ok


@pytest.mark.parametrize(
    "make",
    [
        lambda good: Charge.zero(good.orders),  # for nothing
        lambda good: Charge.zero(good.orders[:-1]),
        lambda good: Charge.zero((*good.orders[:-1], good.orders[-1] + 1)),
        lambda _: None,
        lambda _: 1 / 0,
    ],
)
def test_a_price_of_nothing_or_at_other_orders(ledger, monkeypatch, make):
    head = ledger.head()
    forced(monkeypatch, make)
    with pytest.raises((InternalError, AttributeError)):
        ask(ledger, items=[[Pure(Fraction(1, 7))]])
    monkeypatch.undo()
    prices.priced.cache_clear()
    assert ledger.head() == head


@pytest.mark.parametrize("said", [None, 1, "yes", float("nan"), [True]])
def test_a_filter_that_does_not_plainly_say_yes_refuses(ledger, monkeypatch, said):
    head = ledger.head()
    monkeypatch.setattr("dpsql.ledger.admission.admits", lambda *_: said)
    assert code_of(ask, ledger) == "budget-epsilon"
    assert ledger.head() == head


# ---- the clock ---------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-1, -(10**6), -19 * 10**8, 10**6])
@both_slow
def test_a_clock_that_jumps_moves_time_forward_alone(path, jump):
    now = [1_900_000_000.0]
    with Ledger.open(url(path), clock=lambda: now[0]) as ledger:
        budgets(ledger)
        ask(ledger)
        now[0] += jump
        ask(ledger)
        times = [entry.time for entry in ledger.entries()]
    assert times == sorted(times)
    with Ledger.open(url(path), clock=lambda: 0.0) as ledger:
        ask(ledger)
        assert [entry.time for entry in ledger.entries()][-1] == times[-1]
        assert ledger.verify().ok
