"""Statements side by side: they take turns, and medians of CPU seconds are compared."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shape_list import PRIVATE


@dataclass(frozen=True)
class Taken:
    """CPU seconds of a statement, median, and how far this process's memory rose, in bytes."""

    seconds: float
    memory: int


def statement(session: Any, sql: str) -> str:
    """The bounded statement of a query, as it would be sent."""
    from dpsql.pipeline.plan import Asked

    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=Asked())
    return str(prepared.certified[0].sql)


def in_turns(
    session: Any, statements: Mapping[str, str], clock: Callable[[], float], repeats: int
) -> dict[str, Taken]:
    """Of each statement; one warm-up, then turns. Those marked as private go through dpsql."""
    ready = {
        name: statement(session, sql[1:]) if sql.startswith(PRIVATE) else sql
        for name, sql in statements.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in ready}
    memory = dict.fromkeys(ready, 0)
    for turn in range(repeats + 1):
        for name, sql in ready.items():
            before, start = low_water(), clock()
            session.engine.fetch(sql)
            if turn:
                seconds[name].append(clock() - start)
            memory[name] = max(memory[name], resident("VmHWM") - before)
    return {name: Taken(statistics.median(seconds[name]), memory[name]) for name in ready}


# ---- memory of this process, as Linux tells it --------------------------------------------------


def resident(name: str) -> int:
    """VmRSS, what is resident now, or VmHWM, the most that ever was, in bytes; 0 if not told."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def low_water() -> int:
    """Sets the most that ever was to what is resident now, and returns that."""
    marks = Path("/proc/self/clear_refs")
    if marks.exists():
        marks.write_text("5")
    return resident("VmRSS")
