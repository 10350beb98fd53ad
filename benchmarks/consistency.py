"""Totals that add up: the error of ROLLUP, CUBE and repeated margins, drawn and reconciled.

Run: python -m benchmarks.consistency [runs]. Against the truth, over made-up people; each run is a
session of its own. `rmse` is over all cells of a set, `held` the share of 95 % bars that hold it.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from dataclasses import dataclass, field

import duckdb

from dpsql.session import Session

RUNS = 60
PEOPLE = 20_000


@dataclass(frozen=True)
class Case:
    """`sql` shows g (which set), keys, n with lo and hi; `modes` to compare, the first as drawn."""

    name: str
    sql: str
    modes: tuple[str, ...] = ("none", "auto")
    epsilon: float = 0.5


_BARS = "COUNT(*) AS n, DP_LOW(n) AS lo, DP_HIGH(n) AS hi"
CASES = (
    Case(
        "ROLLUP of two keys (7, 8 groups)",
        f"SELECT GROUPING(a, b) AS g, a, b, {_BARS} FROM t GROUP BY ROLLUP(a, b)",
    ),
    Case(
        "ROLLUP of three keys (7, 8, 3)",
        f"SELECT GROUPING(a, b, c) AS g, a, b, c, {_BARS} FROM t GROUP BY ROLLUP(a, b, c)",
    ),
    Case(
        "CUBE of three keys (7, 8, 3)",
        f"SELECT GROUPING(a, b, c) AS g, a, b, c, {_BARS} FROM t GROUP BY CUBE(a, b, c)",
    ),
    Case(
        "repeated margins: by a, then by b, then in all",
        f"SELECT GROUPING(a, b) AS g, a, b, {_BARS} FROM t GROUP BY GROUPING SETS((a), (b), ())",
    ),
    Case(
        "sparse table (7 x 8, most cells empty), CUBE",
        f"SELECT GROUPING(a, b) AS g, a, b, {_BARS} FROM t WHERE rare GROUP BY CUBE(a, b)",
        ("none", "auto", "consistent"),
        0.1,
    ),
)
_KEYS = {
    "a": "CASE WHEN x < 40 THEN 0 WHEN x < 60 THEN 1 WHEN x < 70 THEN 2 WHEN x < 80 THEN 3"
    " WHEN x < 90 THEN 4 WHEN x < 99 THEN 5 ELSE 6 END",
    "b": "CASE WHEN y < 20 THEN 0 WHEN y < 40 THEN 1 WHEN y < 55 THEN 2 WHEN y < 70 THEN 3"
    " WHEN y < 80 THEN 4 WHEN y < 90 THEN 5 WHEN y < 99 THEN 6 ELSE 7 END",
    "c": "CASE WHEN z < 50 THEN 0 WHEN z < 90 THEN 1 ELSE 2 END",
}


def people() -> duckdb.DuckDBPyConnection:
    owner = duckdb.connect()
    owner.execute(
        "CREATE TABLE people (id BIGINT PRIMARY KEY, x INT NOT NULL, y INT NOT NULL,"
        " z INT NOT NULL, rare BOOLEAN NOT NULL)"
    )
    owner.execute(
        "INSERT INTO people SELECT r, (r * 7919) % 100, (r * 104729 // 7) % 100,"
        " (r * 31 // 3) % 100,"
        f" r % 37 = 0 AND (r * 7919) % 100 < 60 FROM range({PEOPLE}) s(r)"
    )
    return owner


@dataclass
class Found:
    squares: float = 0.0
    held: int = 0
    width: float = 0.0
    cells: int = 0


@dataclass
class Figures:
    """By mode and set."""

    of: dict[tuple[str, int], Found] = field(default_factory=lambda: defaultdict(Found))
    adds_up: dict[str, bool] = field(default_factory=dict)

    def rmse(self, mode: str, which: int) -> float:
        found = self.of[mode, which]
        return math.sqrt(found.squares / found.cells)


def written(case: Case) -> str:
    inside = ", ".join(f"{expr} AS {name}" for name, expr in _KEYS.items())
    return case.sql.replace("FROM t", f"FROM (SELECT {inside}, rare FROM people) t")


def measure(case: Case, runs: int) -> Figures:
    owner, figures = people(), Figures()
    policy = {
        "budgets": {"default": {"epsilon": 1e6, "delta": 0.5}},
        "bounds": {"max_groups": 1, "max_rows_per_group": 1},
        "ledger": "sqlite://",
        "tables": {"people": {"unit": "id", "columns": {}}},
    }
    sql = written(case)
    plain = sql.replace(_BARS, "COUNT(*) AS n")
    names = [name for name in _KEYS if f" {name}," in case.sql]
    truth = {tuple(row): n for *row, n in owner.execute(plain).fetchall()}
    for _ in range(runs):
        session = Session(policy, "a", engine=owner, epsilon=case.epsilon, delta=1e-6)
        for mode in case.modes:
            rows = session.query(sql, post_process=mode).table.to_pylist()
            sums: dict[int, int] = defaultdict(int)
            for row in rows:
                exact = truth.get((row["g"], *(row[name] for name in names)), 0)
                one = figures.of[mode, row["g"]]
                one.squares += (row["n"] - exact) ** 2
                one.held += row["lo"] <= exact <= row["hi"]
                one.width += (row["hi"] - row["lo"]) / 2
                one.cells += 1
                sums[row["g"]] += row["n"]
            figures.adds_up[mode] = len(set(sums.values())) == 1
        session.close()
    return figures


def main(runs: int) -> None:
    for case in CASES:
        figures = measure(case, runs)
        print(f"\n{case.name}, ε = {case.epsilon} a set, {runs} runs")
        print(f"{'set':>5} {'cells':>6} " + "".join(f"{mode:>34}" for mode in case.modes))
        for which in sorted({which for _, which in figures.of}):
            cells = figures.of[case.modes[0], which].cells // runs
            line = f"{which:>5} {cells:>6} "
            for mode in case.modes:
                one = figures.of[mode, which]
                line += (
                    f"  rmse {figures.rmse(mode, which):7.2f} ± {one.width / one.cells:6.1f}"
                    f" held {one.held / one.cells:6.1%}"
                )
            print(line)
        print(
            "adds up: "
            + ", ".join(f"{m} {'yes' if y else 'no'}" for m, y in figures.adds_up.items())
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
