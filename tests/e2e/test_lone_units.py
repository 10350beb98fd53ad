"""A private key that one unit holds up alone: shown as often as the mechanism says, at most δ.

Each query has hundreds of such keys, and δ is large, so that the chance can be measured from
both sides: too often would be a leak, too seldom a threshold that wastes the budget.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from fractions import Fraction
from math import exp

import duckdb
from scipy import stats

from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold
from dpsql.session import Session

KEYS = 600
ASKED = 12
SURE = 1e-7  # chance that a right mechanism fails one comparison

ONE_KEY = "SELECT name, COUNT(DISTINCT id) FROM t GROUP BY name"
MANY_KEYS = "SELECT word, COUNT(DISTINCT id) FROM words GROUP BY word"


def database() -> duckdb.DuckDBPyConnection:
    """Every `name` is one person's; so is every `word`, of which each has twelve."""
    owner = duckdb.connect()
    owner.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)")
    owner.execute(f"INSERT INTO t SELECT range, 'n' || range FROM range({KEYS})")
    owner.execute("CREATE TABLE words (id BIGINT, word VARCHAR)")
    owner.execute(f"INSERT INTO words SELECT range // 12, 'w' || range FROM range({KEYS})")
    return owner


def session(groups: int) -> Session:
    """With a budget that covers one answer."""
    policy = {
        "budgets": {"default": {"epsilon": 1e9, "delta": 0.9}},
        "bounds": {"max_groups": groups, "max_rows_per_group": 1},
        "ledger": "sqlite://",
        "tables": {"t": {"unit": "id"}, "words": {"unit": "id"}},
    }
    return Session(policy, "a", engine=database(), epsilon=1, delta=Fraction(1, 5))


def threshold(groups: int, sql: str) -> TruncatedGeometricThreshold | GaussianThreshold | None:
    with closing(session(groups)) as found, found.engine.snapshot():
        [plan] = found.prepare(sql, None, dialect="duckdb", asked=found.asked).planned.plans
    return plan.threshold


def shown(groups: int, sql: str) -> Counter[int]:
    """How many lone keys one answer shows, by the count it shows for them."""
    with closing(session(groups)) as found:
        answer = found.query(sql).table
    names = answer.column(0).to_pylist()
    assert len(set(names)) == len(names) <= KEYS
    return Counter(answer.column(1).to_pylist())


def agrees(successes: int, trials: int, chance: float) -> bool:
    return stats.binomtest(successes, trials, chance).pvalue > SURE


def test_truncated_geometric() -> None:
    """Given its coin (which the shown count tells), a release shows each lone key by itself."""
    mechanism = threshold(1, ONE_KEY)
    assert isinstance(mechanism, TruncatedGeometricThreshold)
    assert mechanism.delta_per_key == Fraction(1, 5)
    ratio = exp(-float(mechanism.epsilon_per_key))
    chances = {c.bound + 1: (1 - c.pmf(1, ratio)[None], float(p)) for c, p in mechanism.cuts}
    mean = sum(chance * weight for chance, weight in chances.values())
    assert 0.999 * 0.2 < mean <= 0.2 * (1 + 1e-9)
    tossed: Counter[int] = Counter()
    for _ in range(ASKED):
        [(count, lone)] = shown(1, ONE_KEY).items()  # one count for all: the least that may pass
        assert agrees(lone, KEYS, chances[count][0])
        tossed[count] += 1
    for count, (_, weight) in chances.items():
        assert agrees(tossed[count], ASKED, weight)


def test_gaussian() -> None:
    mechanism = threshold(12, MANY_KEYS)
    assert isinstance(mechanism, GaussianThreshold)
    chance = float(stats.norm.sf((mechanism.threshold - 1.5) / float(mechanism.sigma)))
    some = 1 - (1 - chance) ** 12  # the chance that any of one person's twelve words is shown
    delta = float(mechanism.delta)
    assert 0.5 * delta < some <= delta < 0.2
    results = [shown(12, MANY_KEYS) for _ in range(ASKED)]
    assert all(count >= mechanism.threshold for result in results for count in result)
    assert agrees(sum(sum(result.values()) for result in results), ASKED * KEYS, chance)
