"""A driver that is killed at a chosen step: `python ledger_killer.py FOLDER POINTS [FAULT]`.

A step is a line of `dpsql/ledger` (or of what it keeps in the user's state) or an instruction of
SQLite's virtual machine, so that transactions are cut in their middle too (in a server, whose URL
DPSQL_TEST_LEDGER_DATABASE gives, a line alone). For every point a child
is forked, which runs `drive` on a new ledger and kills itself with -9 at that step; then this
process looks at what is left (`examine`), and the requests are asked again. Prints a summary as
JSON; a broken promise is an AssertionError. With the fault `reply-first` the driver breaks one.

`python ledger_killer.py drive FOLDER` only drives, for whoever kills it from outside, and
`python ledger_killer.py examine FOLDER` looks at what was left, the driver's words on stdin.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

import ledger_stores
from ledger_cases import MILLIONTH, priced, url

from dpsql.accountant.events import Pure
from dpsql.ledger import Ledger, Release
from dpsql.ledger.requests import request_key
from dpsql.ledger.sqlite import SQLite

NAMES = ("f1", "f2")
REQUESTS = ("r1", "r2")
PRICE = Fraction(1, 10)
FAULT = sys.argv[3] if len(sys.argv) > 3 else ""
TRACED = (f"{os.sep}dpsql{os.sep}ledger{os.sep}", f"{os.sep}dpsql{os.sep}user_state.py")


def drive(folder: Path, say: Callable[..., object]) -> None:
    """What a driver does from an empty folder on: two requests with ids, two releases each."""
    path = folder / "ledger.db"
    seen = ledger_stores.seen(path, folder / "receipts")
    seen.require_ledger()
    with Ledger.open(url(path)) as ledger:
        seen.require_shown(ledger)
        ledger.forfeit_stale()
        ledger.ensure_budget("alice", "analyst", Fraction(1), MILLIONTH)
        ledger.ensure_budget("total", "total", Fraction(20), MILLIONTH)
        for id in REQUESTS:
            answer(ledger, id, say)
            seen.keep(ledger.anchor())


def answer(ledger: Ledger, id: str, say: Callable[..., object]) -> dict[str, bytes]:
    """One request: what was kept of it, or a charge and new bytes."""
    key = request_key(
        id, budget="alice", total="total", sql="SELECT 1", data_version="1",
        wanted=[(name, PRICE, MILLIONTH) for name in NAMES],
    )  # fmt: skip
    attempt = ledger.attempt("alice", key)
    if attempt.payloads:
        say("again", id)
        return dict(attempt.payloads)
    say("asked", id)
    receipt = ledger.reserve(
        analyst="alice", budget="alice", total="total", sql="SELECT 1", data_version="1",
        aggregates=priced(items=[[Pure(PRICE)]] * 2, fingerprints=NAMES), attempt=attempt,
    )  # fmt: skip
    say("charged", id, receipt.seq)
    payloads = {name: f"{id} {name} {receipt.seq} {os.getpid()}".encode() for name in NAMES}
    if FAULT == "reply-first":
        say("answered", id, *(payload.decode() for payload in payloads.values()))
    ledger.settle(receipt, "released", kept=[Release(*pair) for pair in payloads.items()])
    say("answered", id, *(payload.decode() for payload in payloads.values()))
    return payloads


class Steps:
    """Counts steps, and ends the process at the chosen one."""

    def __init__(self, fatal: int | None) -> None:
        self.count, self.fatal = 0, fatal

    def step(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not any(part in frame.f_code.co_filename for part in TRACED):
            return None
        if event == "line":
            self.step()
        return self.trace

    def watch(self) -> None:
        configure = SQLite._configure

        def watched(database: SQLite, raw: sqlite3.Connection, record: object) -> None:
            raw.set_progress_handler(self.step, 1)
            configure(database, raw, record)

        SQLite._configure = watched  # type: ignore[method-assign]
        sys.settrace(self.trace)


def child(folder: Path, fatal: int | None) -> tuple[list[list[str]], bool]:
    """What a child said, and whether it was killed."""
    folder.mkdir()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            steps = Steps(fatal)
            steps.watch()
            drive(folder, lambda *words: os.write(writer, (json.dumps(words) + "\n").encode()))
            sys.settrace(None)
            os.write(writer, (json.dumps(("steps", steps.count)) + "\n").encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        words = [json.loads(line) for line in said]
    _, status = os.waitpid(pid, 0)
    return words, os.WIFSIGNALED(status)


def examine(folder: Path, said: list[list[str]]) -> str:
    """Hold what is left against what the child was told; the last word that it said."""
    path = folder / "ledger.db"
    charged = {id: int(seq) for word, id, seq in (w for w in said if w[0] == "charged")}
    answered = {id: rest for word, id, *rest in (w for w in said if w[0] == "answered")}
    seen = ledger_stores.seen(path, folder / "receipts")
    if not seen.place.holds():
        assert not charged
    before = seen.here()
    drive(folder, lambda *_: None)  # opens, forfeits, and asks both again
    with Ledger.open(url(path)) as ledger:
        report = ledger.verify()
        assert report.ok, report.problems
        assert report.open_charges == 0
        assert before is None or ledger.losses.shows(before)
        entries = {entry.seq: entry for entry in ledger.entries()}
        charges = [entry for entry in entries.values() if entry.kind == "charge"]
        outcomes = [entry for entry in entries.values() if entry.kind == "outcome"]
        assert len(outcomes) == len(charges)
        for id, seq in charged.items():  # nothing that was told is lost
            assert entries[seq].kind == "charge"
            assert entries[seq].body["request"]["id"] == id
        for id in REQUESTS:
            paid = [entry for entry in charges if entry.body["request"]["id"] == id]
            assert len(paid) <= 2, "one kill can cost one charge"
            ends = [
                o.body["outcome"] for o in outcomes if o.body["charge"] in [p.seq for p in paid]
            ]
            assert ends.count("released") == 1, ends
            got = answer(ledger, id, lambda *_: None)
            if id in answered:  # durable before the reply: the same bytes, and no second charge
                assert [payload.decode() for payload in got.values()] == answered[id]
        assert ledger.spent("alice").epsilon == len(charges) * 2 * PRICE
    for file in folder.rglob("*"):
        assert file.is_dir() or file.stat().st_mode & 0o077 == 0, file
    return said[-1][0] if said else "nothing"


def main(folder: str, points: str) -> None:
    base = Path(folder)
    child(base / "warm", None)
    drive_here = base / "here"
    drive_here.mkdir()
    drive(drive_here, lambda *_: None)  # fills the caches that children inherit
    words, killed = child(base / "dry", None)
    assert not killed
    total = int(words[-1][1])
    examine(base / "dry", words[:-1])
    wanted = int(points)
    chosen = sorted({1 + index * (total - 1) // (wanted - 1) for index in range(wanted)})
    reached: list[str] = []
    for number, fatal in enumerate(chosen):
        said, killed = child(base / str(number), fatal)
        if killed:
            reached.append(examine(base / str(number), said))
    counts = {word: len(list(group)) for word, group in itertools.groupby(sorted(reached))}
    print(json.dumps({"steps": total, "killed": len(reached), "after": counts}))


def driven(folder: str) -> None:
    Path(folder).mkdir()
    drive(Path(folder), lambda *words: os.write(1, (json.dumps(words) + "\n").encode()))


def examined(folder: str) -> None:
    said = [json.loads(line) for line in sys.stdin]
    print(examine(Path(folder), said))


if __name__ == "__main__":
    ledger_stores.DATABASE += filter(None, [os.environ.get("DPSQL_TEST_LEDGER_DATABASE")])
    match sys.argv[1:]:
        case ["drive", folder]:
            driven(folder)
        case ["examine", folder]:
            examined(folder)
        case [folder, points, *_]:
            main(folder, points)
