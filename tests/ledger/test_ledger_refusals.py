"""What was refused is counted beside the chain, and never grows it."""

from __future__ import annotations

import sqlite3

import pytest
from ledger_cases import budgets, tables, url

from dpsql.errors import LedgerError
from dpsql.ledger import Ledger
from dpsql.ledger.refusals import MOST

NOON = 1_795_867_200
GRACE = {"analyst": "grace", "budget": "analyst:grace", "code": "unit-in-result"}


@pytest.fixture
def counted(tmp_path):
    now = [NOON]
    with Ledger.open(url(tmp_path / "ledger.db"), clock=lambda: now[0]) as ledger:
        budgets(ledger)
        ledger.now = now
        yield ledger


def test_a_flood_is_one_row_and_no_entry(counted):
    before = counted.head()
    for number in range(500):
        counted.now[0] += 1
        counted.refusals.note(**GRACE, sql=f"SELECT {number}")
    (row,) = counted.refusals.list()
    assert (row.times, row.first, row.last, row.sql) == (500, NOON + 1, NOON + 500, "SELECT 499")
    assert counted.head() == before
    assert counted.verify().ok


def test_rows_by_day_analyst_budget_and_code(counted):
    for change in ({}, {"analyst": "ada"}, {"budget": "team:lab"}, {"code": "budget-epsilon"}, {}):
        counted.refusals.note(**{**GRACE, **change}, sql="SELECT 1")
    counted.now[0] += 86_400
    counted.refusals.note(**GRACE, sql="SELECT 2")
    found = counted.refusals.list()
    assert sorted(one.times for one in found) == [1, 1, 1, 1, 2]
    assert (found[-1].day, found[-1].sql) == ("2026-11-29", "SELECT 2")


def test_of_a_statement_no_more_than_a_part_is_kept(counted):
    counted.refusals.note(**GRACE, sql="x" * 90_000)
    counted.refusals.note(**{**GRACE, "code": "other"}, sql="\ud800 broken")
    longest, broken = sorted(counted.refusals.list(), key=lambda one: -len(one.sql))
    assert len(longest.sql) == MOST
    assert broken.sql == "\\ud800 broken"


def test_an_older_ledger_counted_none(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    with tables(path) as connection:
        connection.execute("DROP TABLE dpsql_refusals")
    with Ledger.audit(url(path)) as ledger:
        assert ledger.refusals.list() == []


def test_rows_of_odd_types_are_left_out(counted, tmp_path):
    counted.refusals.note(**GRACE, sql="SELECT 1")
    with tables(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE dpsql_refusals SET sql = x'ff'")
    assert counted.refusals.list() == []


def test_who_only_reads_counts_nothing(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(url(path)) as ledger:
        budgets(ledger)
    with Ledger.audit(url(path)) as ledger, pytest.raises(LedgerError):
        ledger.refusals.note(**GRACE, sql="SELECT 1")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM dpsql_refusals").fetchone() == (0,)
    connection.close()
