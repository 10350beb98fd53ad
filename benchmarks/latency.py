"""How much time dpsql takes: its own work per query, its import, and bounding against plain SQL.

    python benchmarks/latency.py [--rows 10000000] [--repeats 5] [--only work|import|bounding]

Ratios are measured side by side in one run: the statements of a shape take turns, and the medians
of CPU seconds (all threads of the process) are compared. `plain` is the question as an analyst
without dpsql would ask it; `floor` is the hash aggregation by (unit, key) that any user-level
answer needs. Absolute times depend on the machine; the ratios are what to read.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from latency_data import make_data, make_policy
from own_work import everyday, own_work, parse_to_sql


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("work", "import", "bounding"))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        if args.only in (None, "import"):
            import_time()
        if args.only in (None, "work"):
            own_work(Path(folder))
            everyday(Path(folder))
            parse_to_sql(Path(folder))
        if args.only in (None, "bounding"):
            for units in (100_000, 1_000_000):
                bounding(Path(folder), args.rows, units, args.repeats)
    return 0


def import_time() -> None:
    bare, ours = [], []
    for _ in range(9):
        for code, times in (("pass", bare), ("import dpsql", ours)):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
    extra = statistics.median(ours) - statistics.median(bare)
    print(f"import dpsql: {extra * 1000:.0f} ms beyond starting Python (goal: under 400 ms)\n")


# ---- bounding against plain ------------------------------------------------------------------


def bounding(folder: Path, rows: int, units: int, repeats: int) -> None:
    from dpsql.session import Session

    path = folder / f"events-{units}.duckdb"
    make_data(path, rows=rows, units=units)
    session = Session(make_policy(path, ledger=None), "bench")
    print(f"{rows:,} rows, {units:,} units, 50 keys: CPU seconds, medians of {repeats} turns")
    print(f"{'shape':34}{'dpsql':>8}{'against':>10}{'ratio':>8}   goal")
    for shape in shapes():
        ours = statement(session, shape["private"])
        times = take_turns(session, {"ours": ours, **shape["against"]}, repeats)
        mine = statistics.median(times["ours"])
        for (other, seconds), goal in zip(
            ((n, t) for n, t in times.items() if n != "ours"), shape["goals"], strict=True
        ):
            base = statistics.median(seconds)
            print(
                f"{shape['name']:34}{mine:8.2f}{base:10.2f}{mine / base:7.2f}x   {goal} of {other}"
            )
    session.close()
    path.unlink()
    print()


def shapes() -> list[dict[str, Any]]:
    plain = "SELECT key, SUM(amount), COUNT(*) FROM events GROUP BY key"
    floor = (
        "SELECT COUNT(*), SUM(s) FROM (SELECT uid, key, SUM(amount) AS s, COUNT(*) AS n"
        " FROM events GROUP BY uid, key)"
    )
    by_unit = "SELECT SUM(s) FROM (SELECT uid, SUM(amount) AS s FROM events GROUP BY uid)"
    # Sums of floats depend on the order of rows, so that one person's leaving moves other people's
    # sums: an exact bound needs integers. This is the least plan that has them, without any clamp.
    by_unit_exact = (
        "SELECT SUM(s) FROM (SELECT uid, SUM(TRY_CAST(amount * 131072.0::DOUBLE AS BIGINT)) AS s"
        " FROM events GROUP BY uid)"
    )
    cap = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 5) "
    return [
        {
            "name": "general, group cap of 5",
            "private": cap + "key, SUM(amount), COUNT(*) FROM events GROUP BY key",
            "against": {"floor": floor, "plain": plain},
            "goals": ["<= 2.5x", "(set by the data)"],
        },
        {
            "name": "no GROUP BY",
            "private": "SELECT SUM(amount) FROM events",
            "against": {
                "aggregation by unit": by_unit,
                "aggregation by unit, in integers": by_unit_exact,
            },
            "goals": ["<= 1.05x", "<= 1.05x"],
        },
        {
            "name": "one row per unit, enforced",
            "private": "SELECT sex, COUNT(*), SUM(income) FROM users GROUP BY sex",
            "against": {"plain": "SELECT sex, COUNT(*), SUM(income) FROM users GROUP BY sex"},
            "goals": ["<= 2.0x"],
        },
        {
            "name": "four aggregates together",
            "private": cap + "key, SUM(amount), COUNT(*), AVG(amount), VAR_POP(amount)"
            " FROM events GROUP BY key",
            "against": {"!one": cap + "key, SUM(amount) FROM events GROUP BY key"},
            "goals": ["<= 1.4x"],
        },
    ]


def statement(session: Any, sql: str) -> str:
    """The bounded statement of a query, as it would be sent."""
    from dpsql.pipeline.plan import Asked

    with session.engine.snapshot():
        prepared = session.prepare(sql, None, dialect="duckdb", asked=Asked())
    return str(prepared.certified[0].sql)


def take_turns(session: Any, statements: dict[str, str], repeats: int) -> dict[str, list[float]]:
    """CPU seconds of each statement; one warm-up, then turns. A leading ! marks a private one."""
    ready = {
        name.lstrip("!"): statement(session, sql) if name.startswith("!") else sql
        for name, sql in statements.items()
    }
    times: dict[str, list[float]] = {name: [] for name in ready}
    for turn in range(repeats + 1):
        for name, sql in ready.items():
            start = time.process_time()
            session.engine.fetch(sql)
            if turn:
                times[name].append(time.process_time() - start)
    return times


if __name__ == "__main__":
    sys.exit(main())
