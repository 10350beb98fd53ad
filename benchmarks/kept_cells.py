"""What kept cells cost to make and to read, against the plain query and the ordinary statement.

    python benchmarks/kept_cells.py FOLDER [--rows 10000000] [--units 1000000 100000] [--runs 7]

events(uid, key, amount) as in latency.py, 50 keys, a cap of 5 groups and 10 rows in each. One run
asks, one after the other, plain SQL, the bounded statement over rows and the one over cells; what
is shown is the median CPU time of the process, all threads together, and its ratio to plain in the
same run. `whole` is the wall time of a query through a session, parsing, ledger in memory and noise
included. The files lie in FOLDER, and are made where they are not there yet.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from latency_data import make_data, make_policy

from dpsql.cells.build import build
from dpsql.opening import open_engine
from dpsql.pipeline.stages import Certified
from dpsql.policy import load
from dpsql.session import Session

QUERIES = {
    "count, sum": (
        "SELECT key, COUNT(*), SUM(amount) FROM events GROUP BY key",
        "SELECT key, COUNT(*), SUM(amount) FROM events GROUP BY key",
    ),
    "count": (
        "SELECT key, COUNT(*) FROM events GROUP BY key",
        "SELECT key, COUNT(*) FROM events GROUP BY key",
    ),
    "mean": (
        "SELECT key, AVG(amount) FROM events GROUP BY key",
        "SELECT key, AVG(amount) FROM events GROUP BY key",
    ),
    "no keys": (
        "SELECT COUNT(*), SUM(amount) FROM events",
        "SELECT COUNT(*), SUM(amount) FROM events",
    ),
}
"""Plain, and asked."""


def policy(folder: Path, rows: int, units: int) -> dict[str, Any]:
    data = folder / f"events-{rows}-{units}.duckdb"
    if not data.exists():
        make_data(data, rows=rows, units=units)
    made = make_policy(data, "sqlite://")
    made["cells"] = str(folder / f"cells-{rows}-{units}.duckdb")
    made["bounds"] = {"max_groups": 5, "max_rows_per_group": 10}
    made["tables"]["events"]["kept"] = [
        {"by": ["key"], "values": ["amount"]},
        {"by": [], "values": ["amount"]},
    ]
    return made


def made(rules: dict[str, Any]) -> float:
    """Seconds that making the cells takes."""
    loaded, start = load(rules), time.perf_counter()
    with closing(open_engine(loaded)) as engine:
        build(loaded, engine, lambda name, cells: None)
    return time.perf_counter() - start


def prepared(session: Session, sql: str) -> Certified:
    with session.engine.snapshot():
        asked = session.asked_for(None, None)
        return session.prepare(sql, None, dialect="duckdb", asked=asked).certified[0]


def cpu(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def measured(session: Session, runs: int) -> Iterator[tuple[str, list[float]]]:
    """Of each query the median seconds: plain, over rows, over cells."""
    cells = session.cells.engine
    assert cells is not None
    for name, (plain, sql) in QUERIES.items():
        ready = prepared(session, sql)
        assert ready.kept is not None
        assert session.cells.readable(ready) is cells
        texts = [(session.engine, plain), (session.engine, ready.sql), (cells, ready.kept.sql)]
        taken: list[list[float]] = [[], [], []]
        for _ in range(runs + 1):  # the first warms the caches
            for place, (engine, text) in enumerate(texts):
                taken[place].append(cpu(lambda engine=engine, text=text: engine.fetch(text)))
        yield name, [statistics.median(one[1:]) for one in taken]


def whole(rules: dict[str, Any], runs: int) -> list[float]:
    """Median wall seconds of a query through a session: over rows, over cells."""
    sql, found = QUERIES["count, sum"][1], []
    for kept in (False, True):
        given = rules if kept else {**rules, "cells": rules["cells"] + ".none"}
        session, taken = Session(given, "bench"), []
        for _ in range(runs + 1):
            start = time.perf_counter()
            session.query(sql)
            taken.append(time.perf_counter() - start)
        session.close()
        found.append(statistics.median(taken[1:]))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--units", type=int, nargs="+", default=[1_000_000, 100_000])
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for units in given.units:
        rules = policy(given.folder, given.rows, units)
        print(f"{given.rows:,} rows, {units:,} units: cells made in {made(rules):.1f} s")
        session = Session(rules, "bench")
        heads = {"plain": 9, "rows": 9, "cells": 9, "rows/plain": 12, "cells/plain": 13}
        print(f"  {'query':<12}" + "".join(head.rjust(width) for head, width in heads.items()))
        for name, (plain, own, kept) in measured(session, given.runs):
            ratios = f"{own / plain:>12.1f}{kept / plain:>13.2f}"
            print(f"  {name:<12}{plain:>9.3f}{own:>9.3f}{kept:>9.3f}{ratios}")
        session.close()
        own, kept = whole(rules, given.runs)
        print(f"  whole query: {own:.3f} s over rows, {kept:.3f} s over cells")


if __name__ == "__main__":
    main()
