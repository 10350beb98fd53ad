"""A server that hangs is not waited for: the connection is cut once the time is up.

A dead network is found out by libpq (`tcp_user_timeout`, keepalives). A server that was stopped, or
that waits for a standby, still answers for its kernel; nothing in libpq ends that wait.
"""

from __future__ import annotations

import contextlib
import operator
import os
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

ANSWER_SECONDS = 30.0
"""How long the server may take for what no lock delays: a COMMIT, a word that it is there."""
STATEMENT_SECONDS = 300.0
"""How long it may take for a statement, with all that it reads."""


@contextlib.contextmanager
def answered_within(raw: Any, seconds: float) -> Iterator[None]:
    """Cut the psycopg2 connection `raw` if the block still runs after so many seconds.

    What waits on it fails then, as when the network goes: `raw` is closed. What was sent before may
    still arrive, and be done: after COMMIT nobody knows (`doubts.InDoubt`). Postcondition: nothing
    is cut after the block has ended, and no other connection ever.
    """
    if raw.closed:
        yield  # it fails by itself
        return
    # A socket of its own on the same wire: its number stays ours, whatever becomes of `raw`.
    wire = socket.socket(fileno=os.dup(raw.fileno()))

    def cut() -> None:
        with contextlib.suppress(OSError):  # it may have gone by itself
            wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # `cut` does not wait for anything
        wire.close()


def bound(dialect: Any, patience: float) -> None:
    """Cut what runs too long of all that this dialect's engine says before COMMIT.

    A ping and a ROLLBACK have ANSWER_SECONDS, a statement STATEMENT_SECONDS and the `patience` for
    its locks.
    """
    of_cursor = operator.attrgetter("connection")
    for name in ("do_ping", "do_rollback"):
        setattr(dialect, name, _bounded(getattr(dialect, name), _raw, lambda: ANSWER_SECONDS))
    for name in ("do_execute", "do_execute_no_params", "do_executemany"):
        run = getattr(dialect, name)
        setattr(dialect, name, _bounded(run, of_cursor, lambda: STATEMENT_SECONDS + patience))


def _raw(connection: Any) -> Any:
    """psycopg2's own, of what a pool may have wrapped."""
    return getattr(connection, "dbapi_connection", connection)


def _bounded(
    run: Callable[..., Any], wire_of: Callable[[Any], Any], seconds: Callable[[], float]
) -> Callable[..., Any]:
    def bounded(first: Any, *given: Any, **named: Any) -> Any:
        with answered_within(wire_of(first), seconds()):
            return run(first, *given, **named)

    return bounded
