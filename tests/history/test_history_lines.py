"""The statement of account: filters, balances, and the same entries exported whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from fractions import Fraction

import pytest

from dpsql.history.export import COLUMNS, records
from dpsql.history.filters import Days, Filter
from dpsql.history.lines import FIELDS, lines_of, steps
from dpsql.ledger.chain import FORMAT


def shown(months, **wanted):
    days = wanted.pop("days", None)
    found = Filter(**wanted, days=None if days is None else Days.read(days))
    return [line.entry for line in lines_of(months.ledger, wanted=found)]


# Entries: 1 genesis, 2 to 4 budgets, charges 5, 7, 9, 11, 13, outcomes between; 13 is open.


@pytest.mark.parametrize(
    ("wanted", "entries"),
    [
        ({}, [2, 3, 4, 5, 7, 9, 11, 13]),
        ({"analyst": "grace"}, [2, 5, 11, 13]),
        ({"analyst": "mei"}, [7]),
        ({"analyst": "nobody"}, []),
        ({"table": "persons"}, [5, 7, 11]),
        ({"table": "VISITS"}, [7, 9]),
        ({"table": "main.visits"}, [7, 9]),
        ({"table": "other.visits"}, [7]),
        ({"outcome": "released"}, [5, 7, 11]),
        ({"outcome": "timeout"}, [9]),
        ({"outcome": "open"}, [13]),
        ({"days": "2025-12-01"}, [2, 3, 4, 5]),
        ({"days": "2025-12"}, [2, 3, 4, 5, 7]),
        ({"days": "2025-12-11..2026-01-10"}, [7, 9]),
        ({"days": "2026-01-11.."}, [11, 13]),
        ({"days": "..2025-12-10"}, [2, 3, 4, 5]),
        ({"analyst": "grace", "table": "persons", "days": "2026-02"}, [11]),
    ],
)
def test_filters(months, wanted, entries):
    assert shown(months, **wanted) == entries


@pytest.mark.parametrize(
    "text",
    ["", "..", "2026", "2026-13", "2026-02-30", "today", "2026-02-02..2026-02-01", "x.."],
)
def test_days_that_are_none(text):
    with pytest.raises(ValueError):
        Days.read(text)


def test_a_month_ends_where_it_ends():
    assert Days.read("2024-02").last == dt.date(2024, 2, 29)
    assert Days.read("2025-12").last == dt.date(2025, 12, 31)


def test_last_keeps_the_newest_of_those_wanted(months):
    found = lines_of(months.ledger, wanted=Filter(analyst="grace"), last=2)
    assert [line.entry for line in found] == [11, 13]


def test_balances_are_those_of_the_ledger(months):
    line = lines_of(months.ledger)[-1]
    assert line.account == months.ledger.account("analyst:grace")
    record = line.record()
    assert tuple(record) == FIELDS
    assert record["tables"] == ["cities"]
    assert record["used"] == pytest.approx(0.2, rel=1e-6)  # (0.1 + 0.2 + 0.1) / 2


def test_steps_end_at_the_state_of_the_ledger(months):
    *_, (_, _, state) = steps(months.ledger)
    found = {name: book.account(state.moment).spent for name, book in state.books.items()}
    assert found == {one.name: one.spent for one in months.ledger.budgets()}


# --- export ---


def test_an_export_holds_every_entry_and_its_chain(months):
    rows = list(records(months.ledger, Filter()))
    assert [row["entry"] for row in rows] == [*range(1, months.ledger.head()[0] + 1)]
    previous = bytes(32)
    for row in rows:
        assert tuple(row) == COLUMNS
        body = row["body"].encode()
        assert row["prev"] == previous.hex()
        previous = hashlib.sha256(
            FORMAT.encode() + previous + len(body).to_bytes(8, "big") + body
        ).digest()
        assert row["hash"] == previous.hex()
        assert json.loads(body)["kind"] == row["kind"]
    assert previous.hex() == months.ledger.head()[1]


def test_values_are_exact_text(months):
    rows = {row["entry"]: row for row in records(months.ledger, Filter())}
    assert (rows[2]["epsilon"], rows[2]["delta"]) == ("2", "1/1000000")
    assert (rows[9]["epsilon"], rows[9]["delta"]) == ("5/4", "1/50000000")
    assert Fraction(rows[9]["epsilon"]) == Fraction(5, 4)
    assert (rows[9]["outcome"], rows[9]["settled_by"], rows[9]["charge"]) == ("timeout", 10, None)
    assert (rows[10]["outcome"], rows[10]["settled_by"], rows[10]["charge"]) == ("timeout", None, 9)
    assert (rows[13]["outcome"], rows[13]["settled_by"]) == ("open", None)
    assert rows[7]["tables"] == ["persons", "visits"]
    assert rows[5]["time"] == "2025-12-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("wanted", "entries"),
    [
        (Filter(analyst="grace"), [2, 5, 6, 11, 12, 13]),
        (Filter(outcome="timeout"), [9, 10]),
        (Filter(table="visits"), [7, 8, 9, 10]),
        (Filter(days=Days.read("2025-12-01")), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_an_outcome_is_exported_with_its_charge(months, wanted, entries):
    assert [row["entry"] for row in records(months.ledger, wanted)] == entries


def test_an_export_is_read_as_it_is_written(months, monkeypatch):
    """Not all entries are held at once: the first rows come before the last are read."""
    read = []
    whole = months.ledger.entries

    def watched(*args, **more):
        for entry in whole(*args, **more):
            read.append(entry.seq)
            yield entry

    monkeypatch.setattr(months.ledger, "entries", watched)
    first = list(itertools.islice(records(months.ledger, Filter()), 3))
    assert [row["entry"] for row in first] == read == [1, 2, 3]
