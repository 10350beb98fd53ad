"""Prices, budgets and error bars through the Python face; threads."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

import dpsql

COUNT = "SELECT COUNT(*) FROM people"


def _charged(cursor: dpsql.Cursor) -> tuple[Fraction, Fraction]:
    assert cursor.privacy is not None
    return cursor.privacy.epsilon, cursor.privacy.delta


def test_report(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT city, COUNT(*), 1 AS one FROM people GROUP BY city", epsilon="0.5")
    report = cursor.privacy
    assert report is not None
    assert (report.analyst, report.epsilon) == ("alice", Fraction(1, 2))
    assert report.events
    assert [column.name for column in report.columns] == ["city", "count_star()", "one"]
    widths = report.columns[1].half_widths
    assert widths is not None
    assert len(widths) == cursor.rowcount
    assert all(width is not None and width > 0 for width in widths)
    assert report.columns[0].half_widths is report.columns[2].half_widths is None
    assert report.remaining is not None


@pytest.mark.parametrize("half", [0.5, "0.5", "5e-1", Decimal("0.5"), Fraction(1, 2)])
def test_numbers_are_read_exactly(cursor: dpsql.Cursor, half: Any) -> None:
    assert _charged(cursor.execute(COUNT, epsilon=half, delta="1e-7")) == (
        Fraction(1, 2),
        Fraction(1, 10**7),
    )


def test_price_precedence(connect: Callable[..., dpsql.Connection]) -> None:
    cursor = connect(epsilon=3, delta=1e-8).cursor()  # the least first: the others are not free
    options = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = 1.5) COUNT(*) FROM people"
    assert _charged(cursor.execute(options, epsilon=2)) == (Fraction(3, 2), Fraction(1, 10**8))
    assert _charged(cursor.execute(COUNT, epsilon=2)) == (2, Fraction(1, 10**8))
    assert _charged(cursor.execute(COUNT)) == (3, Fraction(1, 10**8))
    assert _charged(connect().cursor().execute(COUNT)) == (10**7, Fraction(1, 10**9))


@pytest.mark.parametrize("bad", [0, -1, 2**-31, "0x1", "null", "nan", True, float("inf"), 1e10])
def test_bad_epsilon(cursor: dpsql.Cursor, bad: Any) -> None:
    with pytest.raises(dpsql.InvalidQuery) as caught:
        cursor.execute(COUNT, epsilon=bad)
    assert caught.value.code == "bad-epsilon"
    assert cursor.connection.budget().share == 0


def test_a_repeat_is_free(cursor: dpsql.Cursor) -> None:
    first = cursor.execute(COUNT, epsilon=1).fetchall()
    share = cursor.connection.budget().share
    assert share > 0
    assert cursor.execute("select count(*) as c from people", epsilon=1).fetchall() == first
    assert _charged(cursor) == (0, 0)
    assert cursor.privacy is not None
    assert cursor.privacy.free
    assert cursor.connection.budget().share == share


def test_public_tables_are_free(cursor: dpsql.Cursor) -> None:
    cursor.execute("SELECT COUNT(*) FROM numbers")
    assert cursor.fetchall() == [(5_000,)]
    assert cursor.privacy is not None
    assert cursor.privacy.free
    assert cursor.privacy.remaining is None


def test_budget_exceeded(connect: Callable[..., dpsql.Connection]) -> None:
    poor = connect("poor", epsilon=0.75)
    poor.execute(COUNT)
    with pytest.raises(dpsql.BudgetExceeded) as caught:
        poor.execute(COUNT + " WHERE age > 30")
    assert caught.value.exit_code == 4
    assert poor.execute(COUNT).rowcount == 1  # the stored answer stays free
    assert poor.budget().epsilon == 1


def test_analysts_are_canonical(connect: Callable[..., dpsql.Connection]) -> None:
    assert connect("ALICE").analyst == connect("alice").analyst


def test_engine_argument(policy: dict[str, Any], people: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(people, copy)
    with duckdb.connect(str(copy)) as owner:
        policy["database"] = f"duckdb:///{copy}"
        with pytest.raises(dpsql.EngineFailed, match="this process has it open") as caught:
            dpsql.connect(policy, analyst="alice")
        assert "engine=" in caught.value.hint
        with dpsql.connect(policy, analyst="alice", engine=owner) as connection:
            assert connection.execute(COUNT).fetchall() == [(400,)]
        assert owner.execute("SELECT 1").fetchall() == [(1,)]  # still the owner's to use


def test_a_policy_without_ledger_warns_at_the_caller(policy: dict[str, Any]) -> None:
    del policy["ledger"]
    with pytest.warns(UserWarning, match="ledger") as caught:
        dpsql.connect(policy, analyst="alice").close()
    assert caught[0].filename == __file__
    # filters that turn warnings into errors (pytest's here) are the caller's business
    with pytest.raises(UserWarning):
        dpsql.connect(policy, analyst="alice")


def test_a_connection_that_fails_keeps_nothing_open(policy: dict[str, Any], people: Path) -> None:
    from dpsql.dialects.duckdb_open import _Shared

    before = {real: instance.users for real, instance in _Shared.open.items()}
    policy["ledger"] = "sqlite:////nonexistent/folder/ledger.db"
    with pytest.raises(dpsql.LedgerError):
        dpsql.connect(policy, analyst="alice")
    assert {real: instance.users for real, instance in _Shared.open.items()} == before


def test_threads_share_a_connection(connection: dpsql.Connection) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            cursor = connection.cursor()
            for step in range(4):
                age = 20 + (number + step) % 10
                rows = cursor.execute(f"{COUNT} WHERE age = ?", [age]).fetchall()
                small = cursor.execute("SELECT COUNT(*) FROM numbers WHERE n < ?", [age])
                if rows != [(8,)] or small.fetchall() != [(age,)]:
                    wrong.append(rows)
        except BaseException as problem:
            wrong.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_while_another_thread_asks(connection: dpsql.Connection) -> None:
    problems: list[BaseException] = []
    started = threading.Event()

    def work() -> None:
        try:
            for _ in range(1_000):
                connection.cursor().execute("SELECT COUNT(*) FROM numbers").fetchall()
                started.set()
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(30)
    connection.close()
    thread.join()
    assert [type(problem) for problem in problems] in ([], [dpsql.InterfaceError])
