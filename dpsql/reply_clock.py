"""Replies on a coarse clock: how long a query took is told to the nearest quantum and no finer.

Whatever the database, the noise and what stands above it took, an answer or an error is handed
over q, 2q, 4q, 8q, ... seconds after the question came, q the policy's `limits.reply_quantum`.
Doubling tells less of a long time than multiples would: after t seconds an observer has seen one of
about log2(t / q) instants. The noise is drawn before the wait, and a stored answer waits as a
fresh one does (SECURITY.md, Time).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

Clock = Callable[[], float]
Wait = Callable[[float], None]


@contextlib.contextmanager
def on_the_clock(
    quantum_ms: int, *, clock: Clock = time.monotonic, wait: Wait = time.sleep
) -> Iterator[None]:
    """Leave, whether with a result or an error, at the next instant of the clock alone.

    `quantum_ms` 0: no clock. An interrupt (Ctrl-C) is the caller's own moment and leaves at once.
    """
    started = clock()
    try:
        yield
    except Exception:
        _until(started, quantum_ms, clock, wait)
        raise
    _until(started, quantum_ms, clock, wait)


def _until(started: float, quantum_ms: int, clock: Clock, wait: Wait) -> None:
    if quantum_ms <= 0:
        return
    end = instant(clock() - started, quantum_ms)
    while (left := started + end - clock()) > 0:  # a sleep may wake early
        wait(left)


def instant(seconds: float, quantum_ms: int) -> float:
    """The first of q, 2q, 4q, ... that is not before `seconds`."""
    end = quantum_ms / 1000
    while end < seconds:
        end *= 2
    return end
