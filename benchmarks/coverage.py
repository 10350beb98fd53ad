"""How often dpsql's 95 % intervals hold the truth, kind by kind and group size by group size.

    python benchmarks/coverage.py [--runs 4000] [--only TEXT] [--law laplace|gaussian]

Every question goes the library's own way: bind, plan (one noise law allowed), rewrite, certify and
execute once; then `perturb` draws noise and works out answers and bars again and again over the
same exact cells, and `postprocess` runs the remainder over each release. Without keys one pass is
of many copies of the one group, side by side. `--whole N` asks N times through a Session instead:
each run is charged, executed and drawn anew.

The truth is what the plain query gives; all data lies within its bounds unless a row says
"clipped", where it is what the bounded query gives without noise (asked at epsilon = 10^9): bars
are for noise alone. epsilon = 1 for each query, delta = 1e-6.

A cell shows the percentage of bars that hold the truth, and in brackets the percentage of runs
whose bar lacks an end: nothing is claimed then, and nothing missed. `-`: no run has a bar. Groups
behind a threshold are counted where they are shown. `!` stands above 97 % and `<` below 94 %, by
more than three standard errors of this many runs. "by law": below counts of whole numbers, what
their bars hold as worked out from the law (`coverage_law.py`). No shorter bar of whole numbers
holds 95 %, so less cannot be had.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

import duckdb
import numpy as np
from coverage_law import by_law

from dpsql.core.exact import Exact
from dpsql.pipeline import execute, perturb, postprocess
from dpsql.pipeline.plan import Asked
from dpsql.pipeline.stages import Bound, ExactCells, Planned
from dpsql.planning.noise import LAWS, Laws
from dpsql.policy.schema import Policy
from dpsql.session import Session

SIZES = (1, 5, 20, 100, 1_000, 10_000)
EPSILON, DELTA = 1, Fraction(1, 10**6)
WITHIN = (0.94, 0.97)
COPIES = 1_000
"""Groups drawn in one pass."""


@dataclass(frozen=True)
class Question:
    """One row of the table: what is asked of the rows of one size."""

    name: str
    value: str
    source: str = "people"
    key: str = ""
    truth: str = ""
    """What the plain engine is to be asked instead of `value`; `noiseless`: ask at 10^9."""
    share: float = 1.0
    """Of the runs: histograms are drawn group by group."""
    sizes: Sequence[int] = SIZES
    options: str = ""


QUESTIONS = (
    Question("COUNT", "COUNT(*)"),
    Question("SUM of whole numbers", "SUM(x)"),
    Question("SUM of decimals", "SUM(c)"),
    Question("AVG", "AVG(x)"),
    Question("VAR_POP", "VAR_POP(x)"),
    Question("VAR_SAMP", "VAR_SAMP(x)"),
    Question("STDDEV_SAMP", "STDDEV_SAMP(x)"),
    Question("COVAR_POP", "COVAR_POP(y, x)"),
    Question("COVAR_SAMP", "COVAR_SAMP(y, x)"),
    Question("CORR", "CORR(y, x)"),
    Question("REGR_SLOPE", "REGR_SLOPE(y, x)"),
    Question("REGR_INTERCEPT", "REGR_INTERCEPT(y, x)"),
    Question("REGR_R2", "REGR_R2(y, x)"),
    Question("SUM(a) / SUM(b)", "SUM(y) / SUM(x)"),
    Question("SUM(a) / COUNT(*)", "SUM(x) / COUNT(*)"),
    Question("share: COUNT_IF / COUNT", "100.0 * COUNT_IF(x > 50) / COUNT(*)"),
    Question("SUM(a) - 2 * SUM(b)", "SUM(y) - 2 * SUM(x)"),
    Question("ratio of averages", "AVG(y) / AVG(x)"),
    Question("COUNT, capped (4 rows of 2)", "COUNT(*)", "visits", truth="noiseless"),
    Question("AVG, clipped and capped", "AVG(LEAST(w, 40))", "visits", truth="noiseless"),
    Question("MEDIAN, spread evenly", "MEDIAN(u)", share=0.25),
    Question("MEDIAN, lognormal", "MEDIAN(z)", share=0.25),
    Question("0.95-quantile, lognormal", "QUANTILE_CONT(z, 0.95)", share=0.25),
    Question("0.1-quantile, narrow", "QUANTILE_CONT(v, 0.1)", share=0.25),
    Question("MEDIAN, four values", "QUANTILE_DISC(s, 0.5)", share=0.25),
    Question("MIN", "MIN(u)", share=0.25),
    Question("MAX", "MAX(z)", share=0.25),
    Question(
        "one of 19 quantiles",
        "MEDIAN(u) AS a, "
        + ", ".join(f"QUANTILE_CONT(u, {i / 20})" for i in range(1, 20) if i != 10),
        truth="MEDIAN(u)",
        share=0.05,
        sizes=SIZES[:-1],
    ),
    Question(
        "users behind a threshold",
        "COUNT(DISTINCT id)",
        key="town",
        sizes=(5, 10, 15, 20, 25, 30, 40, 100, 1_000),
    ),
    Question(
        "COUNT behind a threshold",
        "COUNT(*)",
        key="town",
        sizes=(5, 10, 15, 20, 25, 30, 40, 100, 1_000),
    ),
)


class OneLaw(Session):
    """A session that plans with one noise law."""

    law: Laws = LAWS

    def plan(
        self, bound: Bound, *, asked: Asked, policy: Policy | None = None, laws: Laws = LAWS
    ) -> Planned:
        return super().plan(bound, asked=asked, policy=policy, laws=self.law)


def data(engine: duckdb.DuckDBPyConnection) -> None:
    """Groups of every size; a person has one row in `people` and up to four in `visits`."""
    import pyarrow as pa

    rng = np.random.default_rng(7)
    sizes = sorted({*SIZES, *(size for one in QUESTIONS for size in one.sizes)})
    n = np.repeat(sizes, sizes)
    count = len(n)
    x = rng.binomial(100, 0.3, count)
    columns = {
        "id": np.arange(count),
        "n": n,
        "town": np.array([f"town {size}" for size in n]),
        "x": x,
        "y": np.clip(np.rint(0.5 * x + rng.normal(0, 8, count)), 0, 60).astype(np.int64),
        "u": rng.uniform(0, 1_000, count),
        "v": rng.uniform(400, 402, count),
        "z": np.minimum(rng.lognormal(3, 1, count), 1_000),
        "s": rng.choice([100.0, 200.0, 250.0, 900.0], count),
    }
    engine.register("given", pa.table(columns))
    engine.execute(
        "CREATE TABLE people(id BIGINT PRIMARY KEY, n INTEGER, town VARCHAR, x INTEGER NOT NULL,"
        " y INTEGER NOT NULL, u DOUBLE NOT NULL, v DOUBLE NOT NULL, z DOUBLE NOT NULL,"
        " s DOUBLE NOT NULL, c DECIMAL(7,2) NOT NULL)"
    )
    engine.execute("INSERT INTO people SELECT *, CAST(u AS DECIMAL(7,2)) FROM given")
    engine.execute("CREATE TABLE visits(id BIGINT, n INTEGER, w INTEGER NOT NULL)")
    engine.execute("INSERT INTO visits SELECT id, n, x + i FROM people, range(0, 1 + id % 4) r(i)")


def policy() -> dict[str, Any]:
    wide = {"min": 0, "max": 1_000}
    return {
        "version": 1,
        "unit": "person",
        "releases": {"reuse": "off"},
        "ledger": "sqlite://",
        "budgets": {
            "per_query": {"epsilon": EPSILON, "delta": str(float(DELTA))},
            "default": {"epsilon": "1e12", "delta": "0.5"},
            "total": {"epsilon": "1e12", "delta": "0.9"},
        },
        "bounds": {"max_rows_per_group": 2, "max_groups": 1},
        "tables": {
            "people": {
                "unit": "id",
                "columns": {
                    "x": {"min": 0, "max": 100},
                    "y": {"min": 0, "max": 60},
                    **dict.fromkeys("uvzsc", wide),
                },
            },
            "visits": {"unit": "id", "columns": {"w": {"min": 0, "max": 103}}},
        },
    }


# ---- asking ----------------------------------------------------------------------------------

Told = list[tuple[Any, Any, Any]]
"""(value, low, high); an end is None where there is none."""


def sql_of(one: Question, size: int, value: str) -> str:
    grouped = f" GROUP BY {one.key}" if one.key else ""
    return f"SELECT {value} FROM {one.source} WHERE n = {size}{grouped}"


def truth(session: OneLaw, one: Question, size: int) -> Any:
    """Of the plain query, or of the bounded one without noise."""
    if one.truth == "noiseless":
        answer = session.query(sql_of(one, size, one.value), epsilon=10**9, delta="1e-6")
        return answer.table.column(0).to_pylist()[0]
    found = session.engine.fetch(sql_of(one, size, one.truth or one.value))
    return found.column(0).to_pylist()[0]


def copies(cells: ExactCells, count: int) -> ExactCells:
    """The one group of these cells many times, side by side."""
    blocks = tuple(
        Exact(np.repeat(block.open_for_noise(), count, axis=1)) for block in cells.blocks
    )
    units = cells.units
    if units is not None:
        units = Exact(np.repeat(units.open_for_noise(), count))
    keys = Exact(tuple(column.take([0] * count) for column in cells.keys.open_for_noise()))
    return ExactCells(keys, units, blocks, cells.histograms)


def asked(session: OneLaw, one: Question, size: int, runs: int) -> Told:
    """Noise drawn `runs` times over the cells of one execution."""
    price = Asked(Fraction(EPSILON), DELTA)
    with session.engine.snapshot():
        sql = sql_of(one, size, one.value)
        prepared = session.prepare(sql, None, dialect="duckdb", asked=price)
        cells = [execute.run(each, session.engine, timeout=None) for each in prepared.certified]
    told: Told = []
    while len(told) < runs:
        releases, passes = [], 1
        for plan, exact in zip(prepared.planned.plans, cells, strict=True):
            if not plan.histograms:
                # The coin of a threshold is tossed once a release: fewer copies, more of them.
                passes = COPIES if plan.threshold is None else 20
                exact = copies(exact, passes)
            releases.append(perturb.run(plan, exact))
        result = postprocess.run(
            prepared.outer, releases, {}, session._sealed, prepared.planned.plans
        )
        told += rows(result.table, result.columns[0].ends)
        if one.key:
            runs -= passes - len(told[-passes:])
            if not told and runs < -50 * COPIES:
                break
    return told


def rows(table: Any, ends: tuple[int | None, int | None]) -> Told:
    values = table.column(0).to_pylist()
    low, high = (
        [None] * len(values) if at is None else table.column(at).to_pylist() for at in ends
    )
    return list(zip(values, low, high, strict=True))


def whole(session: OneLaw, one: Question, size: int, runs: int) -> Told:
    """Each run a query of its own."""
    told: Told = []
    for _ in range(runs):
        answer = session.query(sql_of(one, size, one.value))
        (column,) = answer.privacy.columns
        intervals = list(column.intervals or [None] * answer.table.num_rows)
        values = answer.table.column(0).to_pylist()
        told += [
            (value, *(ends or (None, None))) for value, ends in zip(values, intervals, strict=True)
        ]
    return told


# ---- judging ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """What was seen of one question at one size. `none`: of all `bars`, those without an end."""

    held: int
    bars: int
    none: int

    @property
    def share(self) -> float:
        return self.held / self.bars

    @property
    def own_error(self) -> float:
        return sqrt(0.95 * 0.05 / max(self.bars, 1))

    @property
    def verdict(self) -> str:
        slack = 3 * self.own_error
        if self.bars and self.share < WITHIN[0] - slack:
            return "<"
        return "!" if self.bars and self.share > WITHIN[1] + slack else ""

    def __str__(self) -> str:
        if not self.bars:
            return "-"
        left = f" ({100 * self.none / self.bars:.0f})" if self.none else ""
        return f"{100 * self.share:.1f}{self.verdict}{left}"


def judged(told: Told, exact: Any) -> Cell:
    bars = [(low, high) for _, low, high in told if low is not None and high is not None]
    right = float(exact)
    dust = 1e-9 * max(1.0, abs(right))
    none = len(told) - len(bars)
    if not bars:
        return Cell(0, 0, none)
    held = sum(float(low) - dust <= right <= float(high) + dust for low, high in bars)
    return Cell(held + none, len(told), none)


def measure(session: OneLaw, one: Question, runs: int, many: int) -> Iterator[Cell | None]:
    for size in one.sizes:
        exact = truth(session, one, size)
        if exact is None or float(exact) != float(exact):
            yield None
        elif many:
            yield judged(whole(session, one, size, many), exact)
        else:
            yield judged(asked(session, one, size, max(int(runs * one.share), 20)), exact)


def laws(session: OneLaw, one: Question) -> list[float | None]:
    """What the bars hold by their law, at each size; None where only draws can tell."""
    price = Asked(Fraction(EPSILON), DELTA)
    found: list[float | None] = []
    for size in one.sizes:
        with session.engine.snapshot():
            bound = session.bind(sql_of(one, size, one.value), None, dialect="duckdb")
            plan = session.plan(bound, asked=price).plans[0]
        found.append(by_law(plan, size))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="coverage of dpsql's error bars")
    parser.add_argument("--runs", type=int, default=4_000, help="draws of each question (4000)")
    parser.add_argument("--only", default="", help="questions whose name holds this text")
    parser.add_argument("--law", choices=LAWS, help="one of the two noise laws (both)")
    parser.add_argument("--whole", type=int, default=0, help="whole queries instead, so many")
    options = parser.parse_args(arguments)
    if options.runs < 20:
        parser.error("--runs is at least 20")
    chosen = [one for one in QUESTIONS if options.only.lower() in one.name.lower()]
    if not chosen:
        parser.error(f"no question is called like {options.only!r}")
    engine = duckdb.connect(":memory:")
    data(engine)
    below = 0
    print(f"95 % intervals, epsilon = {EPSILON}, delta = {float(DELTA):g}; {options.runs:,} draws")
    print(f"Monte Carlo error (one standard error of 95 %): {_error(options.runs)}")
    for law in [options.law] if options.law else LAWS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a ledger in memory may be forgotten
            session = OneLaw(policy(), "benchmark", engine=engine)
        session.law = (law,)
        try:
            for keyed in (False, True):
                asked_now = [one for one in chosen if bool(one.key) is keyed]
                if asked_now:
                    print(f"\n{law:32}" + "".join(f"{n:>12,}" for n in asked_now[0].sizes))
                for one in asked_now:
                    found = list(measure(session, one, options.runs, options.whole))
                    below += sum(cell is not None and cell.verdict == "<" for cell in found)
                    shown = ["-" if cell is None else str(cell) for cell in found]
                    print(f"{one.name:32}" + "".join(f"{cell:>12}" for cell in shown), flush=True)
                    known = laws(session, one)
                    if any(share is not None for share in known):
                        told = ("-" if share is None else f"{100 * share:.1f}" for share in known)
                        print(f"{'  by law':32}" + "".join(f"{share:>12}" for share in told))
        finally:
            session.close()
    return 1 if below else 0


def _error(runs: int) -> str:
    shares = sorted({one.share for one in QUESTIONS}, reverse=True)
    return ", ".join(f"{100 * Cell(0, int(runs * s), 0).own_error:.2f} points" for s in shares)


if __name__ == "__main__":
    sys.exit(main())
