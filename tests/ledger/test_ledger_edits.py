"""Every column of every table set to hostile values: found, or of no use to who set it.

Whatever is edited, the ledger is refused, or it shows no less spent and promises no more, gives no
byte that was not released, and fails by errors of dpsql alone.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from fractions import Fraction

import pytest
from ledger_cases import MILLIONTH, ask, budgets, priced, tables, url

from dpsql.errors import Error, LedgerError
from dpsql.ledger import Ledger, Release
from dpsql.ledger.requests import request_key

NOW = 1_700_000_000
FEW = (None, "x", b"x", 1, -1, 2**63 - 1, 1.5)
MANY = (
    *("", b"", 0, 7, -(2**63), 1e308, float("inf"), "é\x00", "1/0", "nan", "9" * 5000),
    *(b"\xff" * 40, "f1", "f2", "alice", "total", "r1", "r2", 4, 5, 6),
)
WANTED = [("f1", Fraction(1, 10), Fraction(1, 10**8))]


def key(id):
    return request_key(
        id, budget="alice", total="total", sql="SELECT 1", data_version="2026-11", wanted=WANTED
    )


def fill(path):
    """Something of everything."""
    with Ledger.open(url(path), clock=lambda: NOW) as ledger:
        budgets(ledger)
        ledger.ensure_budget("team:t", "team", Fraction(1), MILLIONTH, refresh="daily")
        ledger.grant("alice", epsilon=Fraction(2), by="owner", why="w")
        first = ask(ledger, fingerprints=["f1", "f2"])
        pair = [Release("f1", b"one"), Release("f2", b"two")]
        ledger.settle(first, "released", releases=pair)
        named = ledger.reserve(
            analyst="alice", budget="alice", total="total", aggregates=priced(), sql="SELECT 1",
            data_version="2026-11", attempt=ledger.attempt("alice", key("r1")),
        )  # fmt: skip
        ledger.settle(named, "released", kept=[Release("f1", b"three")])
        found = ledger.releases.find("alice", "2026-11", ["f1"]).found["f1"]
        ledger.answer_free("alice", ledger.attempt("alice", key("r2")), {"f1": found[0]})
        ledger.settle(ask(ledger, budget="team:t"), "failed")
        ledger.promises.record("visits", "visit_id", "2026-11")
        ledger.refusals.note(analyst="alice", budget="alice", code="c", sql="s")
        ledger.losses.accept(99, "0" * 64, "cd" * 16)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    fill(path)
    return path


def columns():
    from dpsql.ledger.schema import metadata

    return [(table.name, one.name) for table in metadata.sorted_tables for one in table.columns]


def standing(ledger):
    """What decides: by budget what is spent and promised; the answers that are given out."""
    accounts = {one.name: one for one in ledger.budgets()}
    given = set()
    for name in ("r1", "r2"):
        attempt = ledger.attempt("alice", key(name))
        given |= set(attempt.payloads.values()) | {one.payload for one in attempt.found.values()}
    found = ledger.releases.find("alice", "2026-11", ["f1", "f2"]).found
    return accounts, given | {one.payload for some in found.values() for one in some}


@pytest.mark.parametrize(("table", "column"), columns())
def test_an_edited_column_gains_nothing(whole, tmp_path, table, column):
    edit(whole, tmp_path, table, column, FEW)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), columns())
def test_an_edited_column_gains_nothing_at_length(whole, tmp_path, table, column):
    edit(whole, tmp_path, table, column, MANY)


def edit(whole, tmp_path, table, column, values):
    with Ledger.open(url(whole), clock=lambda: NOW) as ledger:
        before, _ = standing(ledger)
        assert ledger.verify().ok
    path = tmp_path / "ledger.db"
    quiet = 0
    for value in values:
        shutil.copy(whole, path)
        try:
            with tables(path) as connection:
                place = f"SELECT min(rowid) FROM {table} WHERE {column} IS NOT ?"
                update = f"UPDATE {table} SET {column} = ? WHERE rowid = ({place})"
                changed = connection.execute(update, (value, value)).rowcount
        except sqlite3.Error:  # the file's own rules refuse it
            continue
        if not changed:
            continue
        quiet += gains_nothing(path, before)
    if table == "dpsql_entries":
        assert not quiet


def gains_nothing(path, before) -> bool:
    """Whether the edit went unnoticed, by opening and by `verify`."""
    noticed = False
    try:
        with Ledger.audit(url(path)) as ledger:
            noticed = not ledger.verify().ok
    except LedgerError:
        noticed = True
    try:
        with Ledger.open(url(path), clock=lambda: NOW) as ledger:
            ledger.refusals.list()
            accounts, given = standing(ledger)
            assert accounts.keys() == before.keys()
            for name, account in accounts.items():
                assert account.spent == before[name].spent, name
                assert account.terms == before[name].terms, name
            assert given <= {b"one", b"two", b"three"}
    except Error:
        return False
    return not noticed
