"""How much time dpsql takes: its own work per query, its import, and bounding against plain SQL.

    python benchmarks/latency.py [--rows 10000000] [--repeats 5] [--only work|import|bounding]

Bounding is that of shapes.py, which has other engines and sizes, too.
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

from own_work import everyday, own_work, parse_to_sql
from shape_engines import DuckDB
from shapes import show


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
                show(DuckDB(), Path(folder), args.rows, units, args.repeats)
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


if __name__ == "__main__":
    sys.exit(main())
