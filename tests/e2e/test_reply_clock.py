"""Replies come at q, 2q, 4q, ... whatever the rows took: by a fake clock; the timing gate."""

from __future__ import annotations

import time
from collections.abc import Iterator

import duckdb
import pytest

import dpsql
from dpsql import session as session_module
from dpsql.reply_clock import instant, on_the_clock
from dpsql.session import Session


@pytest.mark.parametrize(
    ("seconds", "end"),
    [(0, 0.25), (0.1, 0.25), (0.25, 0.25), (0.26, 0.5), (0.9, 1), (1.01, 2), (70, 128)],
)
def test_instants_double(seconds: float, end: float) -> None:
    assert instant(seconds, 250) == end


class FakeClock:
    """A clock that a sleep moves, a little short each time, as a real one may."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds * 0.75 if seconds > 1e-3 else seconds


@pytest.mark.parametrize("took", [0.001, 0.2, 0.3, 1.7])
def test_leaves_at_an_instant_with_a_result_and_with_an_error(took: float) -> None:
    for failing in (False, True):
        clock = FakeClock()
        try:
            with on_the_clock(250, clock=clock, wait=clock.wait):
                clock.now += took
                if failing:
                    raise dpsql.EngineFailed("x", code="engine-failed")
        except dpsql.EngineFailed:
            assert failing
        assert clock.now - 100 == pytest.approx(instant(took, 250), abs=1e-9)


def test_an_interrupt_does_not_wait_and_no_quantum_is_no_clock() -> None:
    clock = FakeClock()
    with pytest.raises(KeyboardInterrupt), on_the_clock(250, clock=clock, wait=clock.wait):
        raise KeyboardInterrupt
    with on_the_clock(0, clock=clock, wait=clock.wait):
        clock.now += 0.1
    assert clock.now == pytest.approx(100.1)


# ---- through a session -----------------------------------------------------------------------

SLOW = "SELECT COUNT(*) FROM t WHERE UPPER(LOWER(UPPER(LOWER(city)))) LIKE '%QQB%'"
ROWS = 300


def session(*, slow_row: bool, quantum: str) -> Session:
    """`slow_row`: one person's text is long, and long to look through."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, city VARCHAR)")
    connection.execute(f"INSERT INTO t SELECT range, 'c' || range FROM range({ROWS})")
    if slow_row:
        connection.execute("INSERT INTO t SELECT -1, repeat('qqa', 2000000)")
    policy = {
        "budgets": {"default": {"epsilon": 1000, "delta": 0.5}},
        "releases": {"reuse": "off"},
        "limits": {"reply_quantum": quantum},
        "ledger": "sqlite://",
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {"t": {"unit": "id"}},
    }
    return Session(policy, "a", engine=connection, epsilon=0.5, delta=1e-6)


@pytest.fixture
def quick() -> Iterator[Session]:
    with_clock = session(slow_row=False, quantum="100ms")
    yield with_clock
    with_clock.close()


def test_answers_errors_and_free_repeats_wait(quick: Session, monkeypatch) -> None:
    waited: list[int] = []

    def watched(quantum_ms: int):
        waited.append(quantum_ms)
        return on_the_clock(quantum_ms)

    monkeypatch.setattr(session_module, "on_the_clock", watched)
    for sql in (SLOW, SLOW, "SELECT COUNT(*) FROM nowhere", "SELECT 1"):
        began = time.monotonic()
        try:
            quick.query(sql)
        except dpsql.RefusedQuery:
            assert "nowhere" in sql
        assert time.monotonic() - began >= 0.1  # never sooner; later is the machine's own
    assert waited == [100] * 4


def test_the_noise_is_drawn_and_the_charge_settled_before_the_wait(monkeypatch) -> None:
    order: list[str] = []
    found = session(slow_row=False, quantum="10ms")
    settle, perturb = found.ledger.settle, session_module.perturb.run
    monkeypatch.setattr(
        session_module.perturb, "run", lambda *a: (order.append("noise"), perturb(*a))[1]
    )
    monkeypatch.setattr(
        found.ledger, "settle", lambda *a, **k: (order.append("settle"), settle(*a, **k))[1]
    )

    def clock(quantum_ms: int):
        return on_the_clock(quantum_ms, wait=lambda s: (order.append("wait"), time.sleep(s))[1])

    monkeypatch.setattr(session_module, "on_the_clock", clock)
    found.query(SLOW)
    found.close()
    assert order[:3] == ["noise", "settle", "wait"]


def auc(a: list[float], b: list[float]) -> float:
    """How well a time tells the two apart: 1/2 not at all, 1 surely."""
    pairs = [(x > y) + (x == y) / 2 for x in a for y in b]
    share = sum(pairs) / len(pairs)
    return max(share, 1 - share)


@pytest.mark.slow
@pytest.mark.parametrize(("quantum", "told"), [("0ms", True), ("1500ms", False)])
def test_timing_gate(quantum: str, told: bool) -> None:
    """120 interleaved runs with and without one slow row; what an observer could see of each is
    the time to 10 ms. AUC over 0.8 without the clock, at most 0.6 with it.

    The clock makes nearly all times equal, and ties count 1/2; what is left are runs that the
    machine delayed, with the row as without it: 0.6 takes a fifth of the runs delayed on one side
    alone. The quantum is far above what the row takes even on a busy machine.
    """
    sessions = [session(slow_row=slow, quantum=quantum) for slow in (False, True)]
    times: list[list[float]] = [[], []]
    for one in sessions:
        one.query(SLOW)  # warm
    for _ in range(60):
        for which, one in enumerate(sessions):
            began = time.perf_counter()
            one.query(SLOW)
            times[which].append(round(time.perf_counter() - began, 2))
    for one in sessions:
        one.close()
    found = auc(times[1], times[0])
    assert found > 0.8 if told else found <= 0.6
