"""Every choice of the planner against its alternatives: expected and measured error of figures.

    python benchmarks/division.py [--runs 200] [--only TEXT]

For each everyday query the plan as chosen, and every plan that is forced to one law, one strategy,
one basis, or to equal parts for all blocks (`planning/search.Alternatives`). All are rewritten,
certified and scanned; then their noise is drawn again and again over the exact cells, and the
query above the noise line is run over each release.

expected   root mean squared relative error of the figures, as the planner reckons it: groups of
           1,000 rows, values in the middle of what public ranges allow
measured   the same of the answers, over all figures and groups, on data drawn to lie there

Fails (exit code 1) where, with four standard errors for what is measured,
WORSE   the chosen plan's error is more than 2 % above that of the best alternative
NO GAIN a query that is named to gain over equal parts does not
PRICE   a plan's events, composed by the accountant, do not cost what was asked
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, isfinite, log, nan, sqrt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from dpsql.accountant.events import Gaussian, Laplace, Threshold
from dpsql.binding.release_names import release_table
from dpsql.dialects.sealed import TypedTable
from dpsql.errors import RefusedQuery
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.pipeline import certify, execute, perturb, rewrite
from dpsql.pipeline.plan import Asked
from dpsql.planning.noise import SELECTION, spread
from dpsql.planning.search import Alternatives
from dpsql.planning.types import Plan
from dpsql.session import Session

EPSILON, DELTA = 1, Fraction(1, 10**6)
MARGIN = 1.02
PEOPLE = 20_000
KINDS = [f"k{place:02}" for place in range(12)]


@dataclass(frozen=True)
class Query:
    """`gains`: by how much the chosen division must beat equal parts, as a factor of error."""

    label: str
    sql: str
    gains: float = 0.0
    measured: bool = True


QUERIES = (
    Query("count and sum", "SELECT COUNT(*) AS n, SUM(income) AS s FROM people"),
    Query("ratio of sums", "SELECT SUM(income) / SUM(hours) AS r FROM people"),
    Query(
        "difference of sums, ranges 1 : 100",
        "SELECT SUM(income) - SUM(dues) AS d FROM people",
        1.5,
    ),
    Query(
        "share of rows",
        "SELECT COUNT_IF(age < 58) * 1.0 / COUNT(*) AS p FROM people",
    ),
    Query(
        "pivot of counts",
        "SELECT COUNT_IF(age < 38) AS a, COUNT_IF(age BETWEEN 38 AND 57) AS b,"
        " COUNT_IF(age BETWEEN 58 AND 77) AS c, COUNT(*) AS n FROM people",
        measured=False,
    ),
    Query(
        "overlapping conditions",
        "SELECT COUNT_IF(age < 58) AS a, COUNT_IF(income < 50000) AS b, COUNT(*) AS n FROM people",
    ),
    Query("weighted average", "SELECT SUM(income * hours) / SUM(hours) AS w FROM people"),
    Query("two averages", "SELECT AVG(income) AS a, AVG(hours) AS b FROM people"),
    Query("mean and deviation", "SELECT AVG(income) AS a, STDDEV_POP(income) AS s FROM people"),
    Query(
        "sum beside a count that only decides",
        "SELECT kind, SUM(dues) + 2 * SUM(income) AS s FROM people GROUP BY kind"
        " HAVING COUNT(*) > 3 ORDER BY SUM(dues)",
        1.03,
        measured=False,
    ),
    Query(
        "share of total by group",
        "SELECT kind, SUM(income) / SUM(SUM(income)) OVER () AS share, SUM(hours) AS h"
        " FROM people GROUP BY kind",
        measured=False,
    ),
    Query(
        "sums of one sign and of two, many groups",
        "SELECT kind, SUM(cost) AS c, SUM(balance) AS b, COUNT(*) AS n FROM visits GROUP BY kind",
        measured=False,
    ),
    Query(
        "ratio by group, many groups",
        "SELECT kind, SUM(cost) / SUM(size) AS r FROM visits GROUP BY kind",
    ),
    Query(
        "difference by group, many groups",
        "SELECT kind, SUM(cost) - SUM(size) AS r FROM visits GROUP BY kind",
        1.2,
    ),
    Query(
        "average by group", "SELECT kind, AVG(cost) AS a, COUNT(*) AS n FROM visits GROUP BY kind"
    ),
    Query(
        "three averages by group",
        "SELECT kind, AVG(cost) AS a, AVG(size) AS b, AVG(balance + 600)"
        " AS c FROM visits GROUP BY kind",
    ),
    Query(
        "private keys",
        "SELECT city, SUM(income) AS s, SUM(hours) AS h FROM people GROUP BY city",
        measured=False,
    ),
)

ALTERNATIVES = {
    "Laplace": Alternatives(laws=("laplace",)),
    "Gaussian": Alternatives(laws=("gaussian",)),
    "cap": Alternatives(strategies=("cap", "row")),
    "weights": Alternatives(strategies=("weights", "row")),
    "joint basis": Alternatives(bases=("joint",)),
    "single coordinates": Alternatives(bases=("single",)),
    "centred": Alternatives(laws=("gaussian",), bases=("centred",)),
    "equal parts": Alternatives(even=True),
    "equal parts, single": Alternatives(bases=("single",), even=True),
    "equal parts, Gaussian": Alternatives(laws=("gaussian",), even=True),
}


def build(path: Path) -> None:
    """Values uniform over their declared ranges, kinds and cities of equal size."""
    rng = np.random.default_rng(7)
    rows = 4 * PEOPLE
    with duckdb.connect(str(path)) as connection:
        people = {
            "pid": np.arange(PEOPLE),
            "income": rng.integers(0, 100_001, PEOPLE),
            "hours": rng.integers(0, 61, PEOPLE),
            "dues": rng.integers(0, 1_001, PEOPLE),
            "age": rng.integers(18, 98, PEOPLE),
            "kind": rng.choice(KINDS, PEOPLE),
            "city": rng.choice([f"c{place}" for place in range(20)], PEOPLE),
        }
        visits = {
            "pid": rng.integers(0, PEOPLE, rows),
            "cost": rng.integers(0, 301, rows),
            "size": rng.integers(0, 10, rows),
            "balance": rng.integers(0, 501, rows),
            "kind": rng.choice(KINDS, rows),
        }
        for name, columns in {"people": people, "visits": visits}.items():
            key = "BIGINT PRIMARY KEY" if name == "people" else "BIGINT NOT NULL"
            types = {
                one: "VARCHAR NOT NULL" if one in ("kind", "city") else "INTEGER NOT NULL"
                for one in columns
            }
            types["pid"] = key
            listed = ", ".join(f"{one} {kind}" for one, kind in types.items())
            connection.execute(f"CREATE TABLE {name} ({listed})")
            frame = {one: values.tolist() for one, values in columns.items()}
            connection.register("given", _arrow(frame))
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM given")
            connection.unregister("given")


def _arrow(columns: dict[str, list[Any]]) -> Any:
    import pyarrow as pa

    return pa.table(columns)


def policy(database: Path) -> dict[str, Any]:
    price = {"epsilon": EPSILON, "delta": str(float(DELTA))}
    plenty = {"epsilon": 1_000_000_000, "delta": "0.5"}
    return {
        "version": 1,
        "database": f"duckdb:///{database}",
        "releases": {"reuse": "off"},
        "budgets": {
            "per_query": price,
            "max_per_query": price,
            "default": plenty,
            "total": plenty,
        },
        "bounds": {"max_groups": 12, "max_rows_per_group": 4},
        "tables": {
            "people": {
                "unit": "pid",
                "columns": {
                    "income": {"min": 0, "max": 100_000},
                    "hours": {"min": 0, "max": 60},
                    "dues": {"min": 0, "max": 1_000},
                    "age": {"min": 18, "max": 97},
                    "kind": {"values": KINDS},
                },
            },
            "visits": {
                "unit": "pid",
                "max_rows_per_unit": 24,
                "columns": {
                    "cost": {"min": 0, "max": 300},
                    "size": {"min": 0, "max": 9},
                    "balance": {"min": -500, "max": 500},
                    "kind": {"values": KINDS},
                },
            },
        },
    }


# ---- planning and measuring ------------------------------------------------------------------


class World:
    def __init__(self, folder: Path) -> None:
        build(folder / "division.duckdb")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no ledger file: nothing is charged here
            self.session = Session(policy(folder / "division.duckdb"), "benchmark")
        self._asked = Asked(Fraction(EPSILON), DELTA)

    def planned(self, sql: str, alternatives: Alternatives) -> Any:
        """None where an alternative has no plan."""
        session = self.session
        with session.engine.snapshot():
            try:
                bound = session.bind(sql, None, dialect="duckdb")
                return session.plan(bound, asked=self._asked, alternatives=alternatives)
            except RefusedQuery:
                return None

    def truth(self, sql: str) -> list[list[float]]:
        return _figures(self.session.engine.fetch(sql))

    def errors(self, planned: Any, sql: str, runs: int) -> np.ndarray:
        """Relative errors: runs by figures."""
        session, truth = self.session, np.array(self.truth(f"{sql} ORDER BY ALL"), dtype=float)
        (plan,) = planned.plans
        with session.engine.snapshot():
            rewritten = rewrite.run(planned, policy=session.policy)
            (certified,) = certify.run(rewritten, policy=session.policy, engine=session.engine)
            cells = execute.run(certified, session.engine, timeout=None)
        text = planned.bound.remainder.sql("duckdb")
        found = []
        for _ in range(runs):
            release = perturb.run(plan, cells)
            given = {release_table(0): TypedTable(release.table, release.types)}
            table = session._sealed.run(f"SELECT * FROM ({text}) ORDER BY ALL", given).table
            found.append((np.array(_figures(table), dtype=float) / truth - 1).ravel())
        return np.array(found)


def _figures(table: Any) -> list[list[float]]:
    columns = [column.to_pylist() for column in table.columns]
    numbers = [values for values in columns if not isinstance(values[0], str)]
    return [[nan if v is None else float(v) for v in values] for values in numbers]


def expected(plan: Plan) -> float:
    """Root mean squared relative error of the figures; with private keys also the threshold's,
    weighed as the planner weighs it."""
    assert plan.division is not None
    error = plan.division.error([spread(part) / plan.weight for part in plan.blocks])
    if plan.threshold is None:
        return error
    weight = float(SELECTION / plan.division.whole)
    return error * exp(weight * log(plan.threshold.threshold))


def price(plan: Plan) -> tuple[Fraction | float, float]:
    """(ε, δ) of all events together: pure sums exactly, Gaussians by the accountant."""
    pure, delta, gaussians = Fraction(0), Fraction(0), []
    for event, count in plan.items:
        if isinstance(event, Laplace):
            pure += count / Fraction(event.noise_multiplier)
        elif isinstance(event, Threshold):
            pure += count * event.count * event.epsilon
            delta += count * event.count * event.key_delta
        else:
            assert isinstance(event, Gaussian)
            gaussians.append((event, count))
    if gaussians:
        multiplier = 1 / sqrt(sum(c / float(e.noise_multiplier) ** 2 for e, c in gaussians))
        return EPSILON, float(delta) + analytic_delta(multiplier, EPSILON)
    return pure, float(delta)


def analytic_delta(multiplier: float, epsilon: float) -> float:
    from statistics import NormalDist

    law, half, far = NormalDist(), 1 / (2 * multiplier), epsilon * multiplier
    return law.cdf(half - far) - exp(epsilon) * law.cdf(-half - far)


def fits(plan: Plan) -> bool:
    pure, delta = price(plan)
    return pure <= EPSILON and delta <= float(DELTA) * (1 + 1e-6)


# ---- the table -------------------------------------------------------------------------------


@dataclass
class Row:
    query: str
    names: list[str]
    plan: Plan
    expected: float
    measured: float | None
    own: float
    failures: list[str]


def rows_of(world: World, query: Query, runs: int) -> Iterator[Row]:
    """The chosen plan, and each other plan once, under all names that lead to it."""
    names: dict[str, list[str]] = {}
    plans: dict[str, Any] = {}
    for name, alternatives in {"chosen": Alternatives(), **ALTERNATIVES}.items():
        planned = world.planned(query.sql, alternatives)
        if planned is not None:
            (fingerprint,) = planned.fingerprints
            names.setdefault(fingerprint, []).append(name)
            plans[fingerprint] = planned
    found = []
    for fingerprint, planned in plans.items():
        (plan,) = planned.plans
        measured, own = None, 0.0
        if query.measured:
            errors = world.errors(planned, query.sql, runs)
            squares = np.nanmean(errors**2, axis=1)
            measured = sqrt(squares.mean())
            own = float(squares.std() / sqrt(runs) / (2 * measured))
        row = Row(query.label, names[fingerprint], plan, expected(plan), measured, own, [])
        found.append(row)
    judge(query, found)
    yield from found


def judge(query: Query, found: Sequence[Row]) -> None:
    chosen, *others = found
    for row in found:
        if not fits(row.plan):
            row.failures.append("PRICE")
    for row in others:
        if chosen.expected > MARGIN * row.expected:
            row.failures.append("WORSE (expected)")
        if chosen.measured is not None and row.measured is not None:
            slack = 4 * sqrt(chosen.own**2 + (MARGIN * row.own) ** 2)
            if chosen.measured > MARGIN * row.measured + slack:
                row.failures.append("WORSE (measured)")
    equal = next((row for row in found if "equal parts" in row.names), None)
    if equal is not None and equal.expected < query.gains * chosen.expected:
        equal.failures.append("NO GAIN")


def shape(plan: Plan) -> str:
    kinds = [
        ("centred " if isinstance(part.mechanism, CentredGaussian) else "")
        + type(part.block).__name__.removesuffix("Block").lower()
        for part in plan.blocks
    ]
    return f"{plan.law}, {plan.strategy}: {' + '.join(kinds)}"


def table(rows: Sequence[Row]) -> str:
    lines = [("query", "plan", "expected", "beside chosen", "measured", "± own", "what", "verdict")]
    best = {row.query: row.expected for row in rows if "chosen" in row.names}
    for row in rows:
        measured = "-" if row.measured is None else f"{row.measured:.3g}"
        lines.append(
            (
                row.query if "chosen" in row.names else "",
                "chosen" if "chosen" in row.names else ", ".join(row.names),
                f"{row.expected:.3g}",
                f"{row.expected / best[row.query]:.2f}",
                measured,
                "-" if row.measured is None else f"{row.own:.1g}",
                shape(row.plan),
                " ".join(row.failures) or "ok",
            )
        )
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    shown = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="the planner's choices beside their alternatives")
    parser.add_argument("--runs", type=int, default=200, help="draws of each plan (200)")
    parser.add_argument("--only", default="", help="queries whose label holds this text")
    options = parser.parse_args(arguments)
    chosen = [query for query in QUERIES if options.only.lower() in query.label.lower()]
    if options.runs < 2 or not chosen:
        parser.error("--runs is at least 2, and --only names a query")
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            rows = [row for query in chosen for row in rows_of(world, query, options.runs)]
        finally:
            world.session.close()
    assert all(isfinite(row.expected) for row in rows)
    print(table(rows))
    failed = [row for row in rows if row.failures]
    for row in failed:
        print(f"FAILED {row.query}: {row.names[0]}: {', '.join(row.failures)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
