"""One million released groups: noise, selection and delivery beyond the database's own time.

    python benchmarks/released.py [--groups 1000000] [--repeats 3]
    python benchmarks/shapes.py --released                the same

Each shape is asked through a session, in a process of its own, ledger in memory. `own` is the wall
time (and CPU time) of a query less the time inside the database; `extra` is how far the process's
resident memory rose above what it was when the database had handed over the exact groups; `answer`
is the size of the Arrow table that is handed out and of its error bars, a part of `extra`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GOAL = 1.5
TEXT = "'customer-' || key"
SHAPES: dict[str, tuple[str, str]] = {
    "public keys, COUNT": ("key", "key, COUNT(*)"),
    "private keys, COUNT": ("code", "code, COUNT(*)"),
    "private text, COUNT and SUM": ("name", "name, COUNT(*), SUM(amount)"),
    "private text, COUNT, SUM and AVG": ("name", "name, COUNT(*), SUM(amount), AVG(amount)"),
    "public keys, COUNT, SUM and AVG": ("key", "key, COUNT(*), SUM(amount), AVG(amount)"),
}
"""The key and the list of a SELECT; `key` is public, `code` and `name` are not."""


def make(path: Path, groups: int) -> None:
    """Four people in each group: at a large ε all groups pass the threshold."""
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE wide AS SELECT range AS uid, range % ? AS key, range % ? AS code,"
            " 'customer-' || (range % ?) AS name, round(100 * random(), 2) AS amount FROM range(?)",
            [groups, groups, groups, 4 * groups],
        )


def policy(path: Path, groups: int) -> dict[str, Any]:
    return {
        "version": 1,
        "database": f"duckdb:///{path}",
        "ledger": "sqlite://",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": {"epsilon": 60, "delta": 1e-6},
            "default": {"epsilon": 1_000_000, "delta": 0.5},
        },
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "tables": {
            "wide": {
                "unit": "uid",
                "columns": {
                    "key": {"min": 0, "max": groups - 1},
                    "amount": {"min": 0, "max": 100},
                },
            }
        },
    }


# ---- memory of this process ------------------------------------------------------------------


def _status(name: str) -> int:
    """VmRSS or VmHWM in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise OSError(f"this system tells no {name}")


def _peak_from_here() -> int:
    """Sets the high-water mark back to what is resident now, and returns that."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


# ---- one shape -------------------------------------------------------------------------------


def measure(path: Path, groups: int, shape: str, repeats: int) -> dict[str, float]:
    from dpsql.session import Session

    key, listed = SHAPES[shape]
    sql = f"SELECT {listed} FROM wide GROUP BY {key}"
    session = Session(policy(path, groups), "bench")
    spent = {"wall": 0.0, "cpu": 0.0, "resident": 0.0}
    fetch = session.engine.fetch

    def timed(*args: Any, **kwargs: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        table = fetch(*args, **kwargs)
        spent["wall"] += time.perf_counter() - wall
        spent["cpu"] += time.process_time() - cpu
        spent["resident"] = _peak_from_here()
        return table

    session.engine.fetch = timed  # type: ignore[method-assign]
    runs: list[dict[str, float]] = []
    for _ in range(repeats + 1):  # the first loads libraries
        spent.update(wall=0.0, cpu=0.0)
        wall, cpu = time.perf_counter(), time.process_time()
        answer = session.query(sql)
        runs.append(
            {
                "own": time.perf_counter() - wall - spent["wall"],
                "cpu": time.process_time() - cpu - spent["cpu"],
                "database": spent["wall"],
                "extra": _status("VmHWM") - spent["resident"],
                "answer": _size(answer),
                "rows": answer.table.num_rows,
            }
        )
        del answer
    session.close()
    found = {name: statistics.median(run[name] for run in runs[1:]) for name in runs[0]}
    found["extra"] = max(run["extra"] for run in runs)  # later runs find memory that was kept
    return found


def _size(answer: Any) -> int:
    """Bytes of the table and of the error bars beside it."""
    ends = (end for column in answer.privacy.columns for end in (column.low, column.high))
    return int(answer.table.nbytes + sum(end.nbytes for end in ends if end is not None))


def released(groups: int, repeats: int) -> list[tuple[str, dict[str, float]]]:
    """Each shape in a process of its own, printed as it comes."""
    print(f"{groups:,} released groups: seconds and MB beyond the database's, goal {GOAL} s")
    heads = ("own", "CPU", "database", "extra", "answer", "rows")
    print(f"{'shape':34}" + "".join(f"{head:>10}" for head in heads))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.duckdb"
        make(path, groups)
        for shape in SHAPES:
            command = [sys.executable, __file__, "--one", shape, "--at", str(path)]
            command += ["--groups", str(groups), "--repeats", str(repeats)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            one = json.loads(said)
            found.append((shape, one))
            print(
                f"{shape:34}{one['own']:10.2f}{one['cpu']:10.2f}{one['database']:10.2f}"
                f"{one['extra'] / 1e6:10.0f}{one['answer'] / 1e6:10.0f}{one['rows']:10,.0f}"
            )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=SHAPES, help=argparse.SUPPRESS)
    parser.add_argument("--at", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if given.one is not None:
        print(json.dumps(measure(given.at, given.groups, given.one, given.repeats)))
        return
    released(given.groups, given.repeats)


if __name__ == "__main__":
    main()
