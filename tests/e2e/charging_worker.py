"""A second process with a session: `python charging_worker.py COMMAND POLICY ...`.

Prints one line for each thing done, flushed, so that whoever reads it knows how far it came.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from dpsql.errors import BudgetExceeded
from dpsql.session import Session

SQL = "SELECT COUNT(*) FROM users"


def say(word: object) -> None:
    print(word, flush=True)


def race(policy: str, gate: str, tries: str) -> None:
    """Wait for the gate file, then ask as often as told; one word an attempt."""
    session = Session(policy, "alice")
    say("ready")
    while not Path(gate).exists():
        time.sleep(0.001)
    for number in range(int(tries)):
        try:
            session.query(f"{SQL} WHERE age > {number}")
            say("answered")
        except BudgetExceeded as error:
            say(error.code)


def die(policy: str, where: str, request_id: str | None = None) -> None:
    """Kill ourselves -9 between reserve and settle: before the data is read, or after it was."""
    from dpsql.pipeline import execute, perturb

    stage = {"execute": execute, "perturb": perturb}[where]

    def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    stage.run = killed  # type: ignore[assignment]
    session = Session(policy, "alice")
    say("ready")
    session.query(SQL, request_id=request_id)
    say("answered")


CHAIN = "SELECT COUNT(*) AS n FROM users WHERE income > (SELECT AVG(income) FROM users)"


def die_between(policy: str) -> None:
    """Kill ourselves -9 when the first release of a chain is drawn, before the second is."""
    from dpsql.pipeline import chains

    def killed(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    chains.given = killed  # type: ignore[assignment]
    session = Session(policy, "alice")
    say("ready")
    session.query(CHAIN)
    say("answered")


AUTOMATIC = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(bounds = 'auto') COUNT(*) FROM orders"


def die_at_bounds(policy: str) -> None:
    """Kill ourselves -9 when the bounds of an answer are found, before the answer is drawn."""
    from dpsql import session as sessions

    def killed(*_: object, **__: object) -> None:
        say("found")
        os.kill(os.getpid(), signal.SIGKILL)

    sessions.with_bounds = killed  # type: ignore[assignment]
    session = Session(policy, "alice")
    say("ready")
    session.query(AUTOMATIC)
    say("answered")


COMMANDS = {
    "race": race,
    "die": die,
    "die-between": die_between,
    "die-at-bounds": die_at_bounds,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
