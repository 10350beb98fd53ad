"""How much bounding costs, for every shape of a query, beside plain SQL and the floor.

    python benchmarks/shapes.py [--engine duckdb|postgres|spark] [--rows 10M] [--units 100k,1M]
    python benchmarks/shapes.py --tpch FOLDER       TPC-H, customer the unit (see shape_tpch.py)
    python benchmarks/shapes.py --growth [--svg FILE]   with rows, units, groups and columns
    python benchmarks/shapes.py --released          a million groups: what dpsql adds (released.py)

Ratios are measured side by side in one run: the statements of a shape take turns, and the medians
of CPU seconds (the database's processes and threads, all together) are compared. `plain` is the
question as an analyst without dpsql would ask it; `floor` the aggregation by (person, group) that
any user-level answer needs; `plain + people` counts each group's people beside. All run in dpsql's
own session, with its settings. Seconds depend on the machine; the ratios are what to read.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from shape_engines import ENGINES, Engine
from shape_list import PRIVATE, SHAPES, Against, Shape
from turns import Taken, in_turns

_SUFFIXES = {"k": 10**3, "M": 10**6}


def number(text: str) -> int:
    """10M, 100k, 5000."""
    factor = _SUFFIXES.get(text[-1:], 1)
    return int(float(text[:-1] if text[-1:] in _SUFFIXES else text) * factor)


def numbers(text: str) -> list[int]:
    return [number(part) for part in text.split(",")]


# ---- one shape ---------------------------------------------------------------------------------

Row = tuple[Shape, Taken, list[tuple[Against, Taken]]]


def measured(
    engine: Engine, folder: Path, rows: int, units: int, repeats: int, only: str = ""
) -> Iterator[Row]:
    """Each shape of an engine with what it is measured against."""
    from dpsql.session import Session

    with engine.loaded(folder, rows, units) as policy:
        session = Session(policy, "bench")
        try:
            for shape in SHAPES:
                if engine.name not in shape.engines or only not in shape.name:
                    continue
                texts = {"": PRIVATE + shape.sql}
                for one in shape.against:
                    private = one.sql.startswith(PRIVATE)
                    texts[one.name] = one.sql if private else engine.plain(one.sql)
                taken = in_turns(session, texts, engine.cpu, repeats)
                yield shape, taken[""], [(one, taken[one.name]) for one in shape.against]
        finally:
            session.close()


def show(engine: Engine, folder: Path, rows: int, units: int, repeats: int, only: str = "") -> None:
    print(
        f"{engine.name}, {rows:,} rows, {units:,} units, 50 keys: CPU seconds, medians of"
        f" {repeats} turns; MB above what was resident"
    )
    print(f"{'shape':28}{'dpsql':>8}{'MB':>7}  {'against':22}{'s':>8}{'MB':>7}{'ratio':>8}   goal")
    for shape, mine, others in measured(engine, folder, rows, units, repeats, only):
        for one, taken in others:
            ratio, goal = mine.seconds / taken.seconds, one.goal(engine.name, rows, units)
            told = "" if goal is None else f"<= {goal}" + ("" if ratio <= goal else "  missed")
            print(
                f"{shape.name:28}{mine.seconds:8.2f}{mine.memory / 1e6:7.0f}  {one.name:22}"
                f"{taken.seconds:8.2f}{taken.memory / 1e6:7.0f}{ratio:7.2f}x   {told}",
                flush=True,
            )
    print()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=ENGINES, default="duckdb")
    parser.add_argument("--rows", type=number, default=10_000_000)
    parser.add_argument("--units", type=numbers, default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="shapes with this in their name")
    parser.add_argument("--tpch", type=Path, metavar="FOLDER")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--svg", type=Path, help="with --growth: draw it")
    parser.add_argument("--released", action="store_true")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if given.released:
        from released import released

        released(1_000_000, given.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.tpch is not None:
            from shape_tpch import tpch

            tpch(given.tpch, Path(folder), given.repeats)
        elif given.growth:
            from growth import growth

            growth(Path(folder), given.repeats, given.svg)
        else:
            for units in given.units:
                engine = ENGINES[given.engine]()
                show(engine, Path(folder), given.rows, units, given.repeats, given.only)


if __name__ == "__main__":
    main()
