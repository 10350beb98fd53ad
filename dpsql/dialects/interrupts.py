"""Ctrl-C while a statement runs: it is stopped in the engine, at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

AGAIN = 0.2
"""Seconds until the engine is told once more: it forgets what it is told before it has begun."""


class Stoppable(Protocol):
    def interrupt(self) -> None: ...


def heeding_interrupts(connection: Stoppable, run: Callable[[], T]) -> T:
    """What `run` gives, which keeps the connection busy; whatever a signal raises stops it first.

    DuckDB looks for signals between tasks of its own, which in a skewed join are minutes apart, and
    Python's handler waits until the call returns. So on the main thread, the one that signals
    reach, the statement runs on a thread of its own while this one waits.
    """
    if threading.current_thread() is not threading.main_thread():
        return run()
    results: list[T] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            results.append(run())
        except BaseException as problem:  # it is raised where it was waited for
            problems.append(problem)
        finally:
            done.set()

    stopped: BaseException | None = None
    worker = threading.Thread(target=work, name="dpsql-statement", daemon=True)
    try:
        worker.start()
    except BaseException as signal:
        if worker.ident is None:  # it never began
            raise
        stopped = signal
    while not done.is_set():
        try:
            if done.wait(None if stopped is None else AGAIN):
                break
            connection.interrupt()
        except BaseException as signal:
            stopped = stopped or signal
            connection.interrupt()
    if stopped is not None:
        raise stopped
    if problems:
        raise problems[0]
    return results[0]
