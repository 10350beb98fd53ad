"""How much memory and time it takes to write a large answer, beyond the Arrow table that it is.

    python benchmarks/large_results.py                  # a million groups, every format
    python benchmarks/large_results.py csv --bars       # one of them
    python benchmarks/large_results.py --rows 300000 --json parquet

Each format is written to a file by a process of its own: the growth is that of the process's
peak resident size between the finished answer and the finished file (libraries already loaded).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dpsql.commands.options import BINARY_FORMATS, TEXT_FORMATS
from dpsql.commands.output import Output
from dpsql.commands.query import write_answer
from dpsql.error_bars import ColumnReport
from dpsql.ledger.anchor import Anchor
from dpsql.report import PrivacyReport
from dpsql.session import Answer


def answer(rows: int) -> Answer:
    """A key, a count and an average with their intervals, as `Session.query` returns them."""
    numbers = pa.array(range(rows), pa.int64())
    names = pc.binary_join_element_wise("group", numbers.cast(pa.string()), "-")
    half = pc.multiply(pc.add(numbers, 1), 0.01)
    average = pc.divide(numbers.cast(pa.float64()), 7.0)
    table = pa.table({"city": names, "n": numbers, "a": average})
    columns = (ColumnReport("city"), _bars("n", numbers, half), _bars("a", average, half))
    free = Fraction(0)
    receipt = Anchor("benchmark", 1, "0" * 64, 0)
    privacy = PrivacyReport("ann", "analyst:ann", free, free, (), columns, receipt)
    return Answer(table, ("city", "n", "a"), ("VARCHAR", "BIGINT", "DOUBLE"), privacy)


def _bars(name: str, value: pa.Array, half: pa.Array) -> ColumnReport:
    low, high = pc.subtract(value, half), pc.add(value, half)
    return ColumnReport(name, pa.chunked_array([low]), pa.chunked_array([high]))


def peak() -> int:
    """Highest resident size of this process so far, in bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(form: str, rows: int, bars: bool | None) -> dict[str, float]:
    whole = answer(rows)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"answer.{form}"
        binary = form in BINARY_FORMATS
        write_answer(answer(10), form, Output(str(file), binary=binary), bars=bars)  # loads all
        before, start = peak(), time.perf_counter()
        write_answer(whole, form, Output(str(file), binary=binary), bars=bars)
        seconds = time.perf_counter() - start
        return {
            "seconds": seconds,
            "growth": peak() - before,
            "table": whole.table.nbytes,
            "written": file.stat().st_size,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("form", nargs="?", choices=[*TEXT_FORMATS, *BINARY_FORMATS])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bars", action="store_true", default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.form is not None:
        found = measure(given.form, given.rows, given.bars)
        print(json.dumps(found) if given.json else _line(given.form, found))
        return
    for form in (*TEXT_FORMATS, *BINARY_FORMATS):
        command = [sys.executable, __file__, form, "--rows", str(given.rows)]
        subprocess.run(command, check=True)


def _line(form: str, found: dict[str, float]) -> str:
    growth, table, written = (found[name] / 1e6 for name in ("growth", "table", "written"))
    return (
        f"{form:<9} {found['seconds']:6.1f} s   {growth:6.1f} MB more than the table's"
        f" {table:.0f} MB   {written:.0f} MB written"
    )


if __name__ == "__main__":
    main()
