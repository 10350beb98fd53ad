"""What every peer's script does alike; standard library only, for it runs in each environment.

    python peer_NAME.py JOB.json RESULT.jsonl

A peer is a class with `about`, `asker`, `admitted` and, if it reads SQL, `answer`. Every result is
a line of JSON, written at once: a peer that dies leaves what it had.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any


class Refused(Exception):
    """The peer says by itself that it does not answer this."""


def plain(value: Any) -> Any:
    """A cell as JSON; dates as ISO text, numpy scalars as Python's."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day).isoformat()
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def pairs(rows: Any, question: dict[str, Any]) -> list[list[Any]]:
    """[[key, value], ...]; the key of a query without GROUP BY is None."""
    if question["key"] is None:
        return [[None, plain(row[0])] for row in rows]
    return [[plain(row[0]), plain(row[1])] for row in rows]


def run(make: Callable[[dict[str, Any]], Any]) -> None:
    """`make(job)` opens the peer. Exits 0 even if single questions failed: each says so itself."""
    with open(sys.argv[1]) as file:
        job = json.load(file)
    with open(sys.argv[2], "a") as out:

        def write(**line: Any) -> None:
            out.write(json.dumps(line) + "\n")
            out.flush()

        peer = make(job)
        write(kind="about", **peer.about())
        if "accuracy" in job["sections"]:
            for question in job["questions"]:
                _measure(peer, job, question, write)
        if "budget" in job["sections"]:
            _budget(peer, job, write)
        if "coverage" in job["sections"]:
            for case in job["cases"]:
                _cover(peer, case, write)


def _measure(peer: Any, job: dict[str, Any], question: dict[str, Any], write: Any) -> None:
    note(f"{question['id']}")
    runs, seconds = [], []
    try:
        ask = peer.asker(question)
        if not getattr(peer, "warm", False):
            ask()  # caches, compiled plans, the JVM
            peer.warm = hasattr(peer, "slow")  # where a query takes seconds, one is enough
        allowed = runs_of(peer, job, question)
        for _ in range(allowed):
            start = time.perf_counter()
            rows = ask()
            seconds.append(time.perf_counter() - start)
            runs.append(pairs(rows, question))
    except BaseException as error:  # a Rust panic is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        write(kind="failed", question=question["id"], error=brief(error))
        return
    write(kind="accuracy", question=question["id"], runs=runs, seconds=seconds)


def runs_of(peer: Any, job: dict[str, Any], question: dict[str, Any]) -> int:
    wanted = min(5, job["runs"]) if question["timed_only"] else job["runs"]
    return max(3, wanted // getattr(peer, "slow", 1))


def _budget(peer: Any, job: dict[str, Any], write: Any) -> None:
    for price in job["prices"]:
        note(f"COUNTs as good as Laplace noise at ε = {price} under one budget")
        try:
            for line in peer.admitted(price, math.sqrt(2) / price):
                write(kind="budget", price=price, **line)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            write(kind="budget", price=price, way="failed", error=brief(error))


def _cover(peer: Any, case: dict[str, Any], write: Any) -> None:
    outcome: dict[str, Any] = {"case": case["id"]}
    documented = getattr(peer, "documented", None)
    if documented is not None:
        outcome["documented"] = documented(case)
    try:
        names, rows = peer.answer(case)
        outcome.update(
            outcome="answered", names=names, rows=[[plain(c) for c in row] for row in rows]
        )
    except Refused as error:
        outcome.update(outcome="refused", error=brief(error))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        outcome.update(outcome="crashed", error=brief(error))
    write(kind="coverage", **outcome)


def brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]


def note(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
