"""Error of dpsql's answers at ε = 1, δ = 1e-6, beside the best peer and what is reachable.

    python benchmarks/accuracy.py [--runs 200] [--size 1] [--only TEXT] [--choices]

`--choices`: each choice of the planner (law, strategy, basis, division of ε) beside its
alternatives, too: benchmarks/division.py.

Every question is a whole query through a real Session with `releases: off`, so each run is paid
for and drawn anew. Set-ups of a million rows are asked once that way; then their certified
statement is scanned once more and `perturb`, the stage that draws the noise, is repeated on the
same exact cells (marked * in the table). Data, bounds, reachable errors: accuracy_setups.py.

What can fail, at three or four standard errors of this many runs; the exit code is then 1.
ABOVE  the measured error exceeds the reachable one
LOST   so does the share of groups lost
NOISE  the error differs, up or down, from what the events charged to the ledger imply (computed in
       accuracy_expected.py by closed forms, not by the engine)
PRICE  those events cost more than (ε, δ)
BARS   fewer than 95 % of the true values lie within the error bars
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import division
import numpy as np
from accuracy_expected import Key, Truth, expectation, is_pure, lost_own_error, price
from accuracy_setups import DELTA, EPSILON, SETUPS, Case, SetUp

from dpsql.pipeline import execute, perturb
from dpsql.pipeline.plan import Asked
from dpsql.planning.types import Plan
from dpsql.session import Session

ABOVE, APART = 3, 4  # standard errors
KURTOSIS = {"laplace": 6.5, "gaussian": 3.0}  # of continuous Laplace 6, rounded at scale 1 6.5

Run = dict[Key, tuple[float, float | None]]
"""One execution: key → (answer, half-width of its error bar)."""


@dataclass
class Row:
    """A line of the table. `failures` are what makes the exit code 1."""

    setup: SetUp
    case: Case
    truth: dict[Key, Truth]
    error: float
    expected: float
    own_error: float
    covered: float
    lost: float
    lost_expected: float
    plan: Plan
    failures: list[str] = field(default_factory=list)


# ---- measuring -------------------------------------------------------------------------------


def sql_of(case: Case, *more: str, options: str = "") -> str:
    columns = ", ".join([*([case.key] if case.key else []), case.value, *more])
    grouped = f" GROUP BY {case.key}" if case.key else ""
    private = f"WITH DIFFERENTIAL_PRIVACY OPTIONS({options}) " if options else ""
    return f"SELECT {private}{columns} FROM {case.source}{grouped}"


def truths(setup: SetUp, case: Case, session: Session) -> dict[Key, Truth]:
    """The same query without privacy (the benchmark plays the owner)."""
    sql = sql_of(case, "COUNT(*)", f"COUNT(DISTINCT {setup.unit})")
    found = [column.to_pylist() for column in session.engine.fetch(sql).columns]
    keys = found[0] if case.key else [None]
    return {
        key: Truth(float(value), rows, units)
        for key, value, rows, units in zip(keys, *found[-3:], strict=True)
    }


def from_session(session: Session, case: Case) -> Run:
    answer = session.query(sql_of(case, options=case.options), epsilon=EPSILON, delta=case.delta)
    columns = [column.to_pylist() for column in answer.table.columns]
    bars = answer.privacy.columns[-1].half_widths or [None] * len(columns[-1])
    keys = columns[0] if case.key else [None] * len(columns[-1])
    return shown(keys, columns[-1], bars)


def shown(keys: Sequence[Key], values: Sequence[Any], bars: Sequence[float | None]) -> Run:
    """The groups that have an answer: an AVG over a noisy count of 0 or less has none."""
    found = zip(keys, values, bars, strict=True)
    return {key: (float(value), bar) for key, value, bar in found if value is not None}


def prepared(session: Session, case: Case) -> tuple[Plan, Any]:
    """The one plan of a question, and its certified statement."""
    asked = Asked(Fraction(EPSILON), Fraction(case.delta))
    with session.engine.snapshot():
        sql = sql_of(case, options=case.options)
        done = session.prepare(sql, None, dialect="duckdb", asked=asked)
    (plan,), (certified,) = done.planned.plans, done.certified
    return plan, certified


def from_cells(session: Session, case: Case, runs: int) -> Iterator[Run]:
    """Noise drawn again and again over the exact cells of one scan."""
    plan, certified = prepared(session, case)
    with session.engine.snapshot():
        cells = execute.run(certified, session.engine, timeout=None)
    for _ in range(runs):
        table = perturb.run(plan, cells).table
        columns = [column.to_pylist() for column in table.columns]
        value, low, high = columns[-3:]
        keys = columns[0] if case.key else [None] * len(value)
        yield shown(keys, value, [(b - a) / 2 for a, b in zip(low, high, strict=True)])


def measure(setup: SetUp, case: Case, session: Session, runs: int) -> Row:
    plan, _ = prepared(session, case)
    truth = truths(setup, case, session)
    done = [from_session(session, case)] if setup.scanned_once else []
    if setup.scanned_once:
        done += from_cells(session, case, runs - len(done))
    else:
        done += [from_session(session, case) for _ in range(runs)]
    return judge(setup, case, plan, truth, done)


# ---- judging ---------------------------------------------------------------------------------


def judge(
    setup: SetUp, case: Case, plan: Plan, truth: dict[Key, Truth], runs: Sequence[Run]
) -> Row:
    exact = {key: one.value for key, one in truth.items()}
    missed = [
        (value - exact.get(key, 0.0), bar) for run in runs for key, (value, bar) in run.items()
    ]
    errors = np.array([error for error, _ in missed])
    # What clamping took is no noise: a set-up measured by its bias is compared around its mean.
    noise = around_mean(runs) if case.measure == "bias" else errors
    spread = float(np.sqrt(np.mean(noise**2)))
    expected, lost_expected = expectation(case, plan, truth)
    kurtosis = KURTOSIS[plan.law]
    own = expected * sqrt((kurtosis - 1) / (4 * max(len(noise), 1)))
    covered = float(np.mean([bar is None or abs(error) <= bar for error, bar in missed]))
    lost = 1 - sum(key in run for run in runs for key in truth) / (len(truth) * len(runs))
    row = Row(setup, case, truth, spread, expected, own, covered, lost, lost_expected, plan)
    if case.measure == "bias":
        row.error = float(np.mean([v / exact[k] - 1 for run in runs for k, (v, _) in run.items()]))
        row.own_error = expected / sqrt(len(noise)) / float(np.mean(list(exact.values())))
    if case.reachable is not None and above(row, case.reachable):
        row.failures.append("ABOVE")
    if case.lost is not None and lost > case.lost + ABOVE * lost_own_error(plan, truth, len(runs)):
        row.failures.append("LOST")
    if abs(spread / expected - 1) > APART * sqrt((kurtosis - 1) / (4 * len(noise))):
        row.failures.append("NOISE")
    if price(plan) > Fraction(case.delta) or (case.pure and not is_pure(plan)):
        row.failures.append("PRICE")
    if case.measure == "rmse" and covered < 0.95 - APART * sqrt(0.95 * 0.05 / len(missed)):
        row.failures.append("BARS")
    return row


def above(row: Row, reachable: float) -> bool:
    if row.case.measure == "bias":
        return row.error < reachable - ABOVE * row.own_error
    return row.error > reachable + ABOVE * row.own_error


def around_mean(runs: Sequence[Run]) -> np.ndarray:
    values = np.array([[value for value, _ in run.values()] for run in runs])
    return (values - values.mean(axis=0)).ravel() * sqrt(len(runs) / max(len(runs) - 1, 1))


# ---- the table -------------------------------------------------------------------------------

HEAD = (
    "set-up",
    "query",
    "truth",
    "dpsql",
    "± own error",
    "expected",
    "reachable",
    "best peer",
    "verdict",
    "groups lost (expected)",
    "in 95 % bars",
    "noise",
)


def number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def cells(row: Row) -> tuple[str, ...]:
    case, bias = row.case, row.case.measure == "bias"
    name = row.setup.name + (" *" if row.setup.scanned_once else "")
    show = (lambda x: f"{100 * x:+.2f} %") if bias else number
    reachable = "-" if case.reachable is None else show(case.reachable)
    reachable += "" if case.lost is None else f", {case.lost:.0%} lost"
    grouped = f"{len(row.truth)} groups" if case.key else number(row.truth[None].value)
    return (
        name,
        case.label,
        grouped,
        show(row.error) + (" bias" if bias else ""),
        show(row.own_error).lstrip("+"),
        "-" if bias else number(row.expected),
        reachable,
        case.peer,
        verdict(row),
        f"{row.lost:.1%} ({row.lost_expected:.1%})" if case.key else "-",
        "-" if bias else f"{row.covered:.1%}",
        f"{row.plan.law}, {row.plan.strategy}",
    )


def verdict(row: Row) -> str:
    if row.failures:
        return " ".join(row.failures)
    if row.case.reachable is None:
        return "shown only"
    if row.case.measure == "bias":
        return "reached" if row.error >= row.case.reachable else "reached, within own error"
    return "reached" if row.error <= row.case.reachable else "reached, within own error"


def table(rows: Sequence[Row]) -> str:
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    shown = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def notes(runs: int) -> str:
    return f"""
dpsql: root mean squared error over {runs} runs (and all released groups), at ε = {EPSILON} and \
δ = {DELTA}; "pure": asked at δ = 1e-30 and answered by Laplace noise alone.
± own error: one standard error of that figure. expected: from the events charged, by closed forms.
Peers: as measured by running each on its own draw of the set-up; quoted, not run here.
All data but RAND HIE is generated; "like PUMS" has that sample's group sizes by educ, its mean
income and its bounds. RAND HIE has no peer's figure: reachable is the same arithmetic.
COUNT of one row a person: noise is rounded to whole rows, so its exact error is 1.441, not √2.
* one full Session query, then noise drawn again on the exact cells of one scan."""


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(setup: SetUp, runs: int, size: float, folder: Path) -> Iterator[Row]:
    database = folder / f"{SETUPS.index(setup)}.duckdb"
    note(f"{setup.name}: building")
    setup.build(database, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no ledger file: the benchmark's budget may be forgotten
        session = Session(setup.policy(database), "benchmark")
    try:
        for case in setup.cases:
            if setup.scanned_once and case.value.startswith("AVG"):  # its error falls with rows
                case = replace(case, reachable=case.reachable / size)
            note(f"{setup.name}: {case.label}")
            yield measure(setup, case, session, runs)
    finally:
        session.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="accuracy of dpsql beside its peers")
    parser.add_argument("--runs", type=int, default=200, help="executions of each query (200)")
    parser.add_argument("--size", type=float, default=1.0, help="share of the million rows (1)")
    parser.add_argument("--only", default="", help="set-ups whose name holds this text")
    parser.add_argument("--choices", action="store_true", help="the planner's choices, too")
    options = parser.parse_args(arguments)
    if options.runs < 2 or not 0 < options.size <= 1:
        parser.error("--runs is at least 2, --size in (0, 1]")
    chosen = [setup for setup in SETUPS if options.only.lower() in setup.name.lower()]
    if not chosen:
        parser.error(f"no set-up is called like {options.only!r}")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row for setup in chosen for row in run(setup, options.runs, options.size, Path(folder))
        ]
    print(table(rows))
    print(notes(options.runs))
    failed = [row for row in rows if row.failures]
    for row in failed:
        note(f"FAILED {row.setup.name}: {row.case.label}: {', '.join(row.failures)}")
    worse = division.main(["--runs", str(options.runs)]) if options.choices else 0
    return 1 if failed else worse


if __name__ == "__main__":
    sys.exit(main())
