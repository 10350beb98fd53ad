"""Ctrl-C while the engine is busy: it is stopped, and the interrupt stays one."""

from __future__ import annotations

import os
import signal
import threading

import duckdb
import pytest

from dpsql.dialects.duckdb import DuckDBEngine
from dpsql.dialects.interrupts import heeding_interrupts


class Busy:
    """Runs until it has been told to stop so many times."""

    def __init__(self, times=1):
        self._left = threading.Semaphore(0)
        self._times = times

    def interrupt(self):
        self._left.release()

    def run(self):
        for _ in range(self._times):
            assert self._left.acquire(timeout=60)
        raise ValueError("stopped")


def press_ctrl_c(after=0.3):
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_the_statements_own_ending_is_passed_on():
    assert heeding_interrupts(Busy(), lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        heeding_interrupts(Busy(), lambda: 1 // 0)


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_stops_it_even_if_it_must_be_told_again(times):
    busy = Busy(times)
    press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        heeding_interrupts(busy, busy.run)


def test_other_threads_get_no_signals_and_no_thread_more():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(heeding_interrupts(Busy(), threading.current_thread))
    )
    thread.start()
    thread.join()
    assert found == [thread]


def test_duckdb_is_stopped_in_the_middle_and_answers_again(clinic, slow):
    engine = DuckDBEngine.open(clinic / "clinic.duckdb")
    press_ctrl_c(1.0)
    with pytest.raises(KeyboardInterrupt):
        engine.fetch(slow)
    assert engine.fetch("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    engine.close()


def test_duckdb_still_raises_this_when_it_is_stopped(clinic, slow):
    """What `fetch` tells apart by name: an interrupt by deadline or by another thread."""
    with duckdb.connect(str(clinic / "clinic.duckdb"), read_only=True) as connection:
        threading.Timer(0.5, connection.interrupt).start()
        with pytest.raises(duckdb.InterruptException):
            connection.sql(slow).to_arrow_table()
