"""dpsql's own work per query: from the text to the result, database and ledger commits apart."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from latency_data import make_data, make_policy

TESTS = Path(__file__).resolve().parent.parent / "tests"

OWN_WORK = (
    ("count", "SELECT COUNT(*) FROM events WHERE amount > 10"),
    ("group by, 4 aggregates", "SELECT key, COUNT(*), SUM(amount), AVG(amount), STDDEV(amount)"
     " FROM events GROUP BY key ORDER BY 2 DESC"),
    ("1,000 public groups", "SELECT bucket, COUNT(*) FROM events GROUP BY bucket"),
    ("join, CTE, HAVING", "WITH e AS (SELECT uid, key, amount FROM events WHERE amount > 1)"
     " SELECT u.sex, e.key, AVG(e.amount) AS a FROM users u JOIN e ON e.uid = u.uid"
     " GROUP BY ALL HAVING COUNT(*) > 10 ORDER BY a"),
)  # fmt: skip


def own_work(folder: Path) -> None:
    """Wall time of a query less the owner's database and the ledger's commits."""
    from dpsql.session import Session

    path = folder / "small.duckdb"
    make_data(path, rows=20_000, units=2_000)
    policy = make_policy(path, ledger=f"sqlite:///{folder / 'ledger.db'}")
    session = Session(policy, "bench")
    clock = _Clock(session)
    print("own work per query (parse to result; database and ledger commit apart)")
    print(f"{'query':28}{'median ms':>11}{'CPU ms':>9}{'database':>10}{'ledger':>8}")
    for name, sql in OWN_WORK:
        for _ in range(5):
            session.query(sql)
        times = [clock.measure(sql) for _ in range(40)]
        row = [statistics.median(column) * 1000 for column in zip(*times, strict=True)]
        print(f"{name:28}{row[0]:11.1f}{row[1]:9.1f}{row[2]:10.1f}{row[3]:8.1f}")
    session.close()
    print()


def everyday(folder: Path) -> None:
    """The same over everyday queries (tests/cases/good.jsonl, tier 1), each paid afresh."""
    sys.path.insert(0, str(TESTS / "e2e"))
    import e2e_world as world

    from dpsql.session import Session

    path = world.folder(folder, *world.make_data().build(5000, 7, False))
    policy = world.policy_dict() | {
        "database": f"duckdb:///{path.parent / 'cases.duckdb'}",
        "ledger": f"sqlite:///{folder / 'everyday.db'}",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 1, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
    }
    session = Session(policy, "bench")
    clock = _Clock(session)
    queries = [case for case in world.cases("good.jsonl") if case["tier"] == 1]
    wall, cpu = [], []
    for case in queries:
        sql, parameters = case["sql"], case.get("params")
        for _ in range(2):
            session.query(sql, parameters)
        times = [clock.measure(sql, parameters) for _ in range(9)]
        wall.append(statistics.median(one[0] for one in times) * 1000)
        cpu.append(statistics.median(one[1] for one in times) * 1000)
    session.close()
    low, *_, high = statistics.quantiles(wall, n=10)
    print(f"everyday queries ({len(queries)} of good.jsonl), own work in ms, goal: median under 10")
    print(f"median {statistics.median(wall):.1f} (CPU {statistics.median(cpu):.1f}),", end=" ")
    print(f"10 % under {low:.1f}, 90 % under {high:.1f}, slowest {max(wall):.1f}\n")


def parse_to_sql(folder: Path, *, most: int | None = None) -> float:
    """Milliseconds from the text to the certified statements, median over good.jsonl.

    All queries that are answered or refused, each the median of 9 after 2 for warming up; the
    owner's database is asked for its catalog alone. Goal: under 15 ms. Returns the median of CPU,
    which a busy machine does not change. `most`: of that many queries only.
    """
    sys.path.insert(0, str(TESTS / "e2e"))
    import e2e_world as world

    from dpsql.errors import Error
    from dpsql.session import Session

    (folder / "parse").mkdir()
    path = world.folder(folder / "parse", *world.make_data().build(200, 7, False))
    session = Session(path, "bench")

    def once(sql: str, parameters: Any) -> bool:
        try:
            session.prepare(sql, parameters, dialect="duckdb", asked=session.asked)
        except Error:
            return False
        return True

    wall, cpu, answered = [], [], 0
    cases = [case for case in world.cases("good.jsonl") if "duckdb" in case["dialects"]][:most]
    with session.engine.snapshot():
        for case in cases:
            sql, parameters = case["sql"], case.get("params")
            answered += once(sql, parameters)
            once(sql, parameters)
            times = []
            for _ in range(9):
                start, used = time.perf_counter(), time.process_time()
                once(sql, parameters)
                times.append((time.perf_counter() - start, time.process_time() - used))
            wall.append(statistics.median(one[0] for one in times) * 1000)
            cpu.append(statistics.median(one[1] for one in times) * 1000)
    session.close()
    low, *_, high = statistics.quantiles(wall, n=10)
    print(f"parse to SQL ({len(cases)} of good.jsonl, {answered} answered), ms, goal: median < 15")
    print(f"median {statistics.median(wall):.1f} (CPU {statistics.median(cpu):.1f}),", end=" ")
    print(f"10 % under {low:.1f}, 90 % under {high:.1f}, slowest {max(wall):.1f}\n")
    return statistics.median(cpu)


class _Clock:
    """Sums the time spent inside the owner's engine and the ledger."""

    def __init__(self, session: Any) -> None:
        self._session = session
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

    def measure(self, sql: str, parameters: Any = None) -> tuple[float, float, float, float]:
        """Seconds of one query: our own, our own CPU, the database's, the ledger's."""
        self.reset()
        start, start_cpu = time.perf_counter(), time.process_time()
        self._session.query(sql, parameters)
        wall, used = time.perf_counter() - start, time.process_time() - start_cpu
        own_cpu = used - self.engine_cpu - self.ledger_cpu
        return wall - self.engine - self.ledger, own_cpu, self.engine, self.ledger

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


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        parse_to_sql(Path(place))
