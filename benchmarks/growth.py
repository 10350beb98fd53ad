"""How the cost of bounding grows with rows, people, groups and columns, two decades each.

    python benchmarks/shapes.py --growth [--svg docs/performance.svg]

DuckDB; from a middle point (1 M rows, 100 k people, 100 groups, one sum) one of them varies, of
columns over a tenth of the rows. Everybody has a cap of 5 groups. CPU seconds of the bounded
statement, of plain SQL and of the floor side by side; `own` is dpsql's own CPU time for the whole
query (from the text to the answer with noise, the database apart), and `slope` the exponent that
joins the two ends: 1 is linear.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from growth_plot import plot
from turns import in_turns


@dataclass(frozen=True)
class Size:
    rows: int = 1_000_000
    people: int = 100_000
    groups: int = 100
    columns: int = 1


@dataclass(frozen=True)
class Cost:
    """CPU seconds."""

    bounded: float
    plain: float
    floor: float
    own: float


BASE = Size()
NARROW = Size(rows=100_000, people=10_000)
DECADES: dict[str, tuple[Size, tuple[int, ...]]] = {
    "rows": (BASE, (100_000, 1_000_000, 10_000_000)),
    "people": (BASE, (10_000, 100_000, 1_000_000)),
    "groups": (BASE, (10, 100, 1_000)),
    "columns": (NARROW, (1, 10, 100)),
}


def make(path: Path, size: Size) -> None:
    sums = ", ".join(f"round(100 * random(), 2) AS a{at}" for at in range(size.columns))
    with duckdb.connect(str(path)) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            f"CREATE TABLE events AS SELECT CAST(floor({size.people} * pow(random(), 1.5)) AS"
            f" BIGINT) AS uid, CAST(floor({size.groups} * pow(random(), 2)) AS INTEGER) AS key,"
            f" {sums} FROM range({size.rows})"
        )


def policy(path: Path, size: Size) -> dict[str, Any]:
    ranges = {f"a{at}": {"min": 0, "max": 100} for at in range(size.columns)}
    return {
        "version": 1,
        "database": f"duckdb:///{path}",
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
        "bounds": {"max_groups": 5, "max_rows_per_group": 100},
        "tables": {
            "events": {
                "unit": "uid",
                "columns": {"key": {"min": 0, "max": size.groups - 1}, **ranges},
            }
        },
    }


def cost(folder: Path, size: Size, repeats: int) -> Cost:
    from dpsql.session import Session

    path = folder / "growth.duckdb"
    make(path, size)
    session = Session(policy(path, size), "bench")
    try:
        sums = ", ".join(f"SUM(a{at})" for at in range(size.columns))
        inner = ", ".join(f"SUM(a{at}) AS s{at}" for at in range(size.columns))
        outer = ", ".join(f"SUM(s{at})" for at in range(size.columns))
        plain = f"SELECT key, {sums} FROM events GROUP BY key"
        floor = f"SELECT {outer} FROM (SELECT uid, key, {inner} FROM events GROUP BY uid, key)"
        texts = {"bounded": "!" + plain, "plain": plain, "floor": floor}
        taken = in_turns(session, texts, time.process_time, repeats)
        found = {name: one.seconds for name, one in taken.items()}
        return Cost(**found, own=_own(session, plain, repeats))
    finally:
        session.close()
        path.unlink()


def _own(session: Any, sql: str, repeats: int) -> float:
    """CPU seconds of a whole query outside the owner's database."""
    inside = 0.0
    fetch = session.engine.fetch

    def timed(*args: Any, **kwargs: Any) -> Any:
        nonlocal inside
        start = time.process_time()
        table = fetch(*args, **kwargs)
        inside += time.process_time() - start
        return table

    session.engine.fetch = timed
    taken = []
    for _ in range(repeats + 1):
        inside, start = 0.0, time.process_time()
        session.query(sql)
        taken.append(time.process_time() - start - inside)
    return statistics.median(taken[1:])


def growth(folder: Path, repeats: int, svg: Path | None) -> None:
    print(f"how cost grows: CPU seconds, medians of {repeats} turns; own work in ms")
    found: dict[str, list[tuple[int, Cost]]] = {}
    for name, measured in _each(folder, repeats):
        found[name] = measured
    if svg is not None:
        svg.write_text(plot(found))


def _each(folder: Path, repeats: int) -> Iterator[tuple[str, list[tuple[int, Cost]]]]:
    for name, (base, values) in DECADES.items():
        print(f"{name:>12}{'bounded':>10}{'plain':>10}{'floor':>10}{'/ floor':>9}{'own ms':>9}")
        line = []
        for value in values:
            one = cost(folder, replace(base, **{name: value}), repeats)
            line.append((value, one))
            print(
                f"{value:>12,}{one.bounded:>10.3f}{one.plain:>10.3f}{one.floor:>10.3f}"
                f"{one.bounded / one.floor:>8.2f}x{one.own * 1000:>9.1f}",
                flush=True,
            )
        slopes = [_slope(line, part) for part in ("bounded", "plain", "floor")]
        print(f"{'slope':>12}" + "".join(f"{slope:>10.2f}" for slope in slopes) + "\n")
        yield name, line


def _slope(line: list[tuple[int, Cost]], part: str) -> float:
    (low, first), (high, last) = line[0], line[-1]
    return math.log(getattr(last, part) / getattr(first, part)) / math.log(high / low)
