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

import duckdb

OWN_WORK = (
    ("count", "SELECT COUNT(*) FROM events WHERE amount > 10"),
    ("group by, 4 aggregates", "SELECT key, COUNT(*), SUM(amount), AVG(amount), STDDEV(amount)"
     " FROM events GROUP BY key ORDER BY 2 DESC"),
    ("1,000 public groups", "SELECT bucket, COUNT(*) FROM events GROUP BY bucket"),
    ("join, CTE, HAVING", "WITH e AS (SELECT uid, key, amount FROM events WHERE amount > 1)"
     " SELECT u.sex, e.key, AVG(e.amount) AS a FROM users u JOIN e ON e.uid = u.uid"
     " GROUP BY ALL HAVING COUNT(*) > 10 ORDER BY a"),
)  # fmt: skip


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


# ---- own work --------------------------------------------------------------------------------


def own_work(folder: Path) -> None:
    """Wall time of a query less the owner's database and the ledger's commits."""
    from dpsql.session import Session

    path = folder / "small.duckdb"
    make_data(path, rows=20_000, units=2_000)
    policy = make_policy(path, ledger=f"sqlite:///{folder / 'ledger.db'}")
    session = Session(policy, "bench")
    clock = _Clock(session)
    print("own work per query (parse to result; database and ledger commit apart), goal < 10 ms")
    print(f"{'query':28}{'median ms':>11}{'CPU ms':>9}{'database':>10}{'ledger':>8}")
    for name, sql in OWN_WORK:
        for _ in range(5):
            session.query(sql)
        own, cpu, engine, ledger = [], [], [], []
        for _ in range(40):
            clock.reset()
            start, start_cpu = time.perf_counter(), time.process_time()
            session.query(sql)
            wall, used = time.perf_counter() - start, time.process_time() - start_cpu
            own.append(wall - clock.engine - clock.ledger)
            cpu.append(used - clock.engine_cpu - clock.ledger_cpu)
            engine.append(clock.engine)
            ledger.append(clock.ledger)
        row = [statistics.median(times) * 1000 for times in (own, cpu, engine, ledger)]
        print(f"{name:28}{row[0]:11.1f}{row[1]:9.1f}{row[2]:10.1f}{row[3]:8.1f}")
    session.close()
    print()


class _Clock:
    """Sums the time spent inside the owner's engine and the ledger."""

    def __init__(self, session: Any) -> None:
        self.reset()
        for owner, name, kind in (
            (session.engine, "fetch", "engine"),
            (session.engine, "binds", "engine"),
            (session.engine, "_run", "engine"),
            (session.ledger, "reserve", "ledger"),
            (session.ledger, "settle", "ledger"),
        ):
            setattr(owner, name, self._timed(getattr(owner, name), kind))

    def reset(self) -> None:
        self.engine = self.ledger = self.engine_cpu = self.ledger_cpu = 0.0

    def _timed(self, function: Any, kind: str) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start, cpu = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                setattr(self, kind, getattr(self, kind) + time.perf_counter() - start)
                name = f"{kind}_cpu"
                setattr(self, name, getattr(self, name) + time.process_time() - cpu)

        return timed


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
            "against": {"aggregation by unit": by_unit},
            "goals": ["<= 1.05x"],
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


# ---- data ------------------------------------------------------------------------------------


def make_data(path: Path, *, rows: int, units: int) -> None:
    """users(uid PK, sex, income) and events(uid, key, bucket, amount), skewed like real logs."""
    connection = duckdb.connect(str(path))
    connection.execute("SELECT setseed(0.5)")
    connection.execute("CREATE TABLE users (uid BIGINT PRIMARY KEY, sex VARCHAR, income DOUBLE)")
    connection.execute(
        "INSERT INTO users SELECT range, CASE WHEN random() < 0.5 THEN 'f' ELSE 'm' END,"
        f" round(exp(10 + random()), 2) FROM range({units})"
    )
    connection.execute(
        "CREATE TABLE events AS SELECT"
        f" CAST(floor({units} * pow(random(), 1.5)) AS BIGINT) AS uid,"
        " CAST(floor(50 * pow(random(), 2)) AS INTEGER) AS key,"
        " CAST(floor(1000 * random()) AS INTEGER) AS bucket,"
        " round(100 * random(), 2) AS amount"
        f" FROM range({rows})"
    )
    connection.close()


def make_policy(path: Path, ledger: str | None) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "version": 1,
        "database": f"duckdb:///{path}",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
        "bounds": {"max_groups": 50, "max_rows_per_group": 100},
        "tables": {
            "users": {
                "unit": "uid",
                "columns": {"sex": {"values": ["f", "m"]}, "income": {"min": 0, "max": 100_000}},
            },
            "events": {
                "unit": "uid",
                "columns": {
                    "key": {"min": 0, "max": 49},
                    "bucket": {"min": 0, "max": 999},
                    "amount": {"min": 0, "max": 100},
                },
            },
        },
    }
    if ledger is not None:
        policy["ledger"] = ledger
    return policy


if __name__ == "__main__":
    sys.exit(main())
