"""Error of COUNT(DISTINCT x), beside the cap in plain SQL and the truth, on four kinds of data.

    python benchmarks/distinct.py [runs]

Each data set is one table of (person, value), asked through the whole pipeline at ε = 1 and 0.1;
`m` is its max_rows_per_group. Errors are mean |answer - true number of values| over the runs.

greedy    dpsql: greedy matching, the cap drawn privately
SQL cap   the first l values of each person by a salted hash of both, then COUNT(DISTINCT): also
          of sensitivity l. Caps drawn by the very same choice, the same noise
known     both at the cap that is best for them, as if it were known and nothing paid for it
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np

import dpsql
from dpsql.core.exact import Exact
from dpsql.mechanisms.distinct import DistinctMechanism
from dpsql.mechanisms.matching import Pairs, matched


def data(scale: float) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Name, m, people, values; `scale`: of the number of people."""
    rng = np.random.default_rng(4)
    many, more = int(20_000 * scale), int(50_000 * scale)
    people = np.repeat(np.arange(many), rng.integers(1, 4, many))
    yield "few values a person", 20, people, rng.integers(0, 30_000, len(people))
    sizes = np.minimum((rng.pareto(1.2, many) * 3).astype(np.int64) + 1, 2_000)
    people = np.repeat(np.arange(many), sizes)
    yield "heavy tails", 512, people, rng.integers(0, 200_000, len(people))
    people = np.repeat(np.arange(more), rng.integers(1, 30, more))
    shared = np.minimum((rng.pareto(0.7, len(people)) * 5).astype(np.int64), 20_000)
    yield "popular values shared", 64, people, shared
    people = np.repeat(np.arange(300), rng.integers(1, 12, 300))
    yield "300 people", 20, people, rng.integers(0, 800, len(people))


def connect(people: np.ndarray, values: np.ndarray, most: int) -> dpsql.Connection:
    import pyarrow as pa

    database = duckdb.connect(":memory:")
    database.register("given", pa.table({"person": people, "v": values}))
    database.execute("CREATE TABLE t AS SELECT * FROM given")
    policy: dict[str, Any] = {
        "version": 1,
        "unit": "person",
        "releases": {"reuse": "off"},
        "ledger": "sqlite://",
        "budgets": {
            "per_query": {"epsilon": 1, "delta": "1e-6"},
            "default": {"epsilon": "1e9", "delta": "0.5"},
            "total": {"epsilon": "1e9", "delta": "0.9"},
        },
        "bounds": {"max_rows_per_group": most},
        "tables": {"t": {"unit": "person"}},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dpsql.connect(policy, analyst="bench", engine=database)


def mechanism(connection: dpsql.Connection, epsilon: str) -> DistinctMechanism:
    """What dpsql plans for the question."""
    session = connection._session
    with session.engine.snapshot():
        asked = session.asked_for(epsilon, None)
        prepared = session.prepare(QUESTION, None, dialect="duckdb", asked=asked)
    (plan,) = prepared.planned.plans
    return plan.distincts[0].mechanism


QUESTION = "SELECT COUNT(DISTINCT v) FROM t"


def sampled(people: np.ndarray, values: np.ndarray, most: int) -> Any:
    """Distinct pairs, at most `most` of a person, and each one's place among the person's."""
    rng = np.random.default_rng(9)
    pairs = np.unique(np.stack([people, values]), axis=1)
    pairs = pairs[:, rng.permutation(pairs.shape[1])]
    pairs = pairs[:, np.argsort(pairs[0], kind="stable")]
    starts = np.concatenate(([True], pairs[0, 1:] != pairs[0, :-1]))
    at = np.arange(pairs.shape[1])
    rank = at - np.maximum.accumulate(np.where(starts, at, 0))
    kept = rank < most
    return pairs[0, kept], pairs[1, kept], rank[kept]


def sql_counts(values: np.ndarray, rank: np.ndarray, caps: tuple[int, ...]) -> np.ndarray:
    return np.array([[len(np.unique(values[rank < cap]))] for cap in caps])


def greedy_counts(people: np.ndarray, values: np.ndarray, caps: tuple[int, ...]) -> np.ndarray:
    words = [(x.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) for x in
             (people, values)]  # fmt: skip
    places = Exact(np.zeros(len(people), dtype=np.int64))
    return matched(Pairs(1, places, Exact(words[0]), Exact(words[1])), caps)


def known(counts: np.ndarray, caps: tuple[int, ...], truth: int, epsilon: str) -> tuple[float, int]:
    """The least bias and mean noise of a cap that nothing was paid for."""
    errors = [
        truth - int(row[0]) + cap / float(epsilon) for row, cap in zip(counts, caps, strict=True)
    ]
    best = int(np.argmin(errors))
    return errors[best], caps[best]


def main(runs: int, scale: float = 1) -> None:
    print(f"{'data':24}{'m':>4}{'ε':>5}{'truth':>9}{'greedy':>9}{'SQL cap':>9}"
          f"{'greedy, known':>19}{'SQL, known':>19}{'seconds':>9}")  # fmt: skip
    for name, most, people, values in data(scale):
        truth = len(np.unique(values))
        connection = connect(people, values, most)
        mine, theirs, rank = sampled(people, values, most)
        for epsilon in ("1", "0.1"):
            law = mechanism(connection, epsilon)
            cursor = connection.cursor()
            start, errors = time.perf_counter(), []
            for _ in range(runs):
                cursor.execute(QUESTION, epsilon=epsilon)
                errors.append(abs(cursor.fetchall()[0][0] - truth))
            each = (time.perf_counter() - start) / runs
            plain = sql_counts(theirs, rank, law.caps)
            others = []
            assert law.choice is not None
            for _ in range(10 * runs):
                place = law.choice.draw(plain)
                noisy = law.at(law.caps[place]).release(Exact(plain[place]))
                others.append(abs(int(noisy[0]) - truth))
            best = known(greedy_counts(mine, theirs, law.caps), law.caps, truth, epsilon)
            other = known(plain, law.caps, truth, epsilon)
            shown = [f"{error:,.0f} (l = {cap})" for error, cap in (best, other)]
            print(f"{name:24}{most:>4}{epsilon:>5}{truth:>9,}{np.mean(errors):>9,.0f}"
                  f"{np.mean(others):>9,.0f}{shown[0]:>19}{shown[1]:>19}{each:>9.2f}")  # fmt: skip
        connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
