"""A second process: `python ledger_worker.py COMMAND URL ...`, started by the tests.

Prints one line for each thing done, flushed, so that whoever kills it knows how far it came.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ledger_cases import ask

from dpsql.errors import BudgetExceeded, Error
from dpsql.ledger import Ledger, Release


def say(word: object) -> None:
    print(word, flush=True)


def race(url: str, gate: str, epsilon: str, tries: str) -> None:
    """Wait for the gate file, then ask as often as told; one word an attempt."""
    with Ledger.open(url, patience=60) as ledger:
        say("ready")
        while not Path(gate).exists():
            time.sleep(0.001)
        for _ in range(int(tries)):
            try:
                ask(ledger, epsilon)
                say("admitted")
            except BudgetExceeded as error:
                say(error.code)


def hang(url: str) -> None:
    """Charge and never settle."""
    with Ledger.open(url) as ledger:
        say(ask(ledger).seq)
        time.sleep(600)


def work(url: str) -> None:
    """Charge, settle with a release, say so; until killed."""
    with Ledger.open(url) as ledger:
        number = 0
        while True:
            number += 1
            say("asked")
            receipt = ask(ledger, "1/1000", fingerprints=[f"w{number}"])
            say("charged")
            ledger.settle(receipt, "released", releases=[Release(f"w{number}", b"noisy")])
            say("answered")


def opened(url: str) -> None:
    """Open and charge; say `ok` or the code of the error."""
    try:
        with Ledger.open(url, patience=0.2) as ledger:
            ask(ledger)
        say("ok")
    except Error as error:
        say(error.code)


def audited(url: str) -> None:
    """Verify as a reader."""
    try:
        with Ledger.audit(url) as ledger:
            say("ok" if ledger.verify().ok else "problems")
    except Error as error:
        say(error.code)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
