"""Windows of budgets: which one a charge falls in, what a clock can do, what verify recomputes."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_cases import MILLIONTH, ask, charge_body, forge, priced, refused, stored, url
from ledger_stores import both

from dpsql.accountant.terms import BudgetTerms
from dpsql.core.refresh import DAY, LAST, REFRESH, window
from dpsql.errors import LedgerError
from dpsql.ledger import Ledger, Release

TENTH = Fraction(1, 10)


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp())


class Clock:
    def __init__(self, text: str = "2026-11-28T12:00") -> None:
        self.now = float(at(text))

    def __call__(self) -> float:
        return self.now

    def set(self, text: str) -> None:
        self.now = float(at(text))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def monthly(clock, tmp_path):
    """Bob has ε = 0.3 a month, on a file, beside a total of 20."""
    with Ledger.open(url(tmp_path / "l.db"), clock=clock) as ledger:
        open_bob(ledger)
        ledger.ensure_budget("total", "total", Fraction(20), 10 * MILLIONTH)
        yield ledger


def open_bob(ledger, epsilon="3/10", refresh="monthly"):
    ledger.ensure_budget("bob", "analyst", Fraction(epsilon), MILLIONTH, refresh=refresh)


def pay(ledger, times, price="1/10"):
    for _ in range(times):
        ask(ledger, price, analyst="bob")


def full(ledger):
    return refused(ask, ledger, "1/1000", analyst="bob")


# --- the calendar ---


@pytest.mark.parametrize(
    ("refresh", "time", "start", "end"),
    [
        ("daily", "2026-11-28T00:00", "2026-11-28", "2026-11-29"),
        ("daily", "2026-11-28T23:59:59", "2026-11-28", "2026-11-29"),
        ("weekly", "2026-11-29T23:59:59", "2026-11-23", "2026-11-30"),
        ("weekly", "2026-11-30T00:00", "2026-11-30", "2026-12-07"),
        ("monthly", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
        ("monthly", "2028-02-29T12:00", "2028-02-01", "2028-03-01"),
        ("yearly", "2028-12-31T23:59:59", "2028-01-01", "2029-01-01"),
    ],
)
def test_windows_are_those_of_the_calendar_in_utc(refresh, time, start, end):
    found = window(refresh, at(time))
    assert (found.start, found.end) == (at(f"{start}T00:00"), at(f"{end}T00:00"))
    assert str(found) == f"{refresh} {start}"
    assert found.next_start == f"{end} 00:00 UTC"


@given(st.sampled_from(REFRESH), st.integers(0, LAST - 1))
def test_windows_cover_every_time_once(refresh, time):
    found = window(refresh, time)
    assert found.start <= time
    assert found.start % DAY == 0
    assert window(refresh, max(found.start, 0)) == found  # 1970 begins on a Thursday
    if found.end is None:
        assert refresh == "never"
        return
    assert time < found.end
    assert window(refresh, min(found.end, LAST) - 1) == found
    if found.end < LAST:
        assert window(refresh, found.end).start == found.end


@pytest.mark.parametrize("time", [-1, LAST, 10**30])
def test_a_time_that_no_calendar_knows(time):
    with pytest.raises(ValueError, match="calendar"):
        window("daily", time)


# --- spending by windows ---


def test_a_window_is_filled_and_the_next_is_whole(monthly, clock):
    pay(monthly, 3)
    error = full(monthly)
    assert error.code == "budget-epsilon"
    assert "the budget of 'bob' for 2026-11" in error.message
    assert "wait for 2026-12-01 00:00 UTC" in error.hint
    clock.set("2026-11-30T23:59:59")
    full(monthly)
    clock.set("2026-12-01T00:00")
    assert monthly.spent("bob").epsilon == 0
    pay(monthly, 3)
    full(monthly)
    assert monthly.spent("total").epsilon == Fraction(6, 10)  # total has no windows
    report = monthly.verify()
    assert report.ok
    assert {name: spent.epsilon for name, spent in report.windows.items()} == {
        ("bob", "monthly 2026-11-01"): 3 * TENTH,
        ("bob", "monthly 2026-12-01"): 3 * TENTH,
    }


def test_total_bounds_all_windows_and_never_refreshes(monthly, clock):
    monthly.ensure_budget("total", "total", Fraction(1, 2), 10 * MILLIONTH)
    pay(monthly, 3)
    clock.set("2027-01-15T00:00")
    pay(monthly, 2)
    error = full(monthly)
    assert "the total budget of all analysts together does not" in error.message
    assert "wait" not in error.hint
    clock.set("2037-01-15T00:00")
    full(monthly)
    refused(
        monthly.ensure_budget, "total", "total", Fraction(9), MILLIONTH, refresh="daily",
        error=ValueError,
    )  # fmt: skip


def test_a_clock_set_back_opens_no_window_again(monthly, clock):
    pay(monthly, 3)
    clock.set("2026-12-10T00:00")
    pay(monthly, 3)
    clock.set("2026-11-05T00:00")
    full(monthly)
    assert monthly.account("bob").window.start == at("2026-12-01T00:00")
    clock.set("1970-01-01T00:00")
    full(monthly)
    clock.set("2026-12-31T23:59:59")
    full(monthly)
    assert monthly.verify().ok


def test_a_clock_set_forward_and_back_gains_nothing(monthly, clock):
    """One window is opened early; it is the one that holds until the true clock is past it."""
    pay(monthly, 3)
    clock.set("2027-06-15T00:00")
    pay(monthly, 3)
    for later in ("2026-11-28", "2026-12-24", "2027-03-01", "2027-06-30"):
        clock.set(f"{later}T12:00")
        full(monthly)
    clock.set("2027-07-01T00:00")
    pay(monthly, 3)
    full(monthly)


@both
def test_another_process_with_another_clock_finds_the_same_window(monthly, clock, tmp_path):
    clock.set("2027-01-10T00:00")
    pay(monthly, 3)
    slow = Clock("2026-12-10T00:00")
    with Ledger.open(url(tmp_path / "l.db"), clock=slow) as other:
        full(other)
        slow.set("2027-01-31T23:59:59")
        full(other)


def test_the_price_of_the_refused_is_not_spent_in_the_next_window(monthly, clock):
    pay(monthly, 3)
    head = monthly.head()
    full(monthly)
    assert monthly.head() == head
    clock.set("2026-12-01T00:00")
    assert monthly.spent("bob").epsilon == 0


def test_stored_releases_stay_free_in_later_windows(monthly, clock):
    receipt = ask(monthly, "3/10", analyst="bob")
    monthly.settle(receipt, "released", releases=[Release("f1", b"noisy")])
    clock.set("2028-02-01T00:00")
    (one,) = priced("3/10")
    found = stored(monthly, "bob", "2026-11", "f1", one.epsilon, one.delta)
    assert found == b"noisy"
    assert monthly.spent("bob").epsilon == 0


# --- the calendar changes ---


@both
def test_changing_the_calendar_forgets_nothing(monthly, clock):
    pay(monthly, 2)
    clock.set("2026-12-05T00:00")
    pay(monthly, 2)
    for refresh, spent in [
        ("daily", 2), ("weekly", 2), ("yearly", 4), ("never", 4), ("monthly", 2),
    ]:  # fmt: skip
        open_bob(monthly, refresh=refresh)
        assert monthly.spent("bob").epsilon == spent * TENTH, refresh
        assert monthly.account("bob").window.refresh == refresh
    open_bob(monthly, refresh="never")
    full(monthly)
    clock.set("2027-12-05T00:00")
    full(monthly)
    open_bob(monthly, refresh="daily")
    pay(monthly, 3)
    assert monthly.verify().ok
    assert [e.kind for e in monthly.entries()].count("refresh") == 7


def test_orders_and_weights_outlive_every_change(monthly, clock):
    first = monthly.terms("bob")
    open_bob(monthly, "7", "yearly")
    monthly.grant("bob", epsilon=Fraction(90), delta=Fraction(1, 100), by="o", why="w")
    now = monthly.terms("bob")
    assert (now.orders, now.weights) == (first.orders, first.weights)
    assert now.orders != BudgetTerms.create(now.epsilon, now.delta).orders


# --- what the file can claim ---


def test_a_charge_that_names_another_window_does_not_verify(monthly, tmp_path):
    pay(monthly, 1)
    path = tmp_path / "l.db"
    body = charge_body(path)
    assert body["windows"] == {"bob": "monthly 2026-11-01"}
    for wrong in ({"bob": "monthly 2026-10-01"}, {"bob": "never"}, {"total": "daily 2026-11-28"}):
        forged = tmp_path / f"{len(wrong)}{abs(hash(str(wrong)))}.db"
        forged.write_bytes(copy_of(path))
        forge(forged, **{**body, "windows": wrong})
        with Ledger.audit(url(forged)) as audit:
            assert any("another window" in problem for problem in audit.verify().problems)
        assert refused(Ledger.open, url(forged), error=LedgerError).code == "ledger-broken"


@both
def test_overspending_a_window_does_not_verify(monthly, clock, tmp_path):
    """Each window alone is judged: the forged charge breaks November, which December hides not."""
    pay(monthly, 3)
    path = tmp_path / "l.db"
    forge(path, **charge_body(path))
    clock.set("2026-12-05T00:00")
    with Ledger.open(url(path), clock=clock) as other:
        pay(other, 1)
        (problem,) = other.verify().problems
    assert "spends more than budget 'bob' admits in window monthly 2026-11-01" in problem


@pytest.mark.parametrize("refresh", ["hourly", "never", 3])
def test_a_calendar_that_is_none(monthly, tmp_path, refresh):
    path = tmp_path / "l.db"
    terms = monthly.terms("bob").to_json()
    forge(path, kind="refresh", budget="bob", holder="analyst", terms=terms, refresh=refresh)
    assert refused(monthly.head, error=LedgerError).code == "ledger-broken"


@pytest.mark.parametrize("now", [float("nan"), float("inf"), -1.0, 1e30])
def test_a_clock_without_a_time_stops_the_ledger(monthly, clock, now):
    clock.now = now
    assert refused(ask, monthly, analyst="bob", error=LedgerError).code == "bad-clock"


def copy_of(path):
    """The file with all that its journal holds."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection:
        return connection.serialize()


def test_no_terms_bound_a_budget_that_ever_had_windows(ledger):
    """`check` claims nothing for it: it may have been filled once a day."""
    assert ledger.account("alice").reached == ledger.terms("alice")
    for refresh in ("daily", "never"):
        ledger.ensure_budget("alice", "analyst", Fraction(1), MILLIONTH, refresh=refresh)
        assert ledger.account("alice").reached is None
