"""What a statement shows of its releases: derivatives, against the engine by small steps."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from planning_world import World

from dpsql.binding.figures import uses
from dpsql.binding.release_names import release_table
from dpsql.planning.division import DECIDES, typical

SUMS = "SUM(income) AS s, SUM(hours) AS h, SUM(dues) AS d, COUNT(*) AS n, AVG(age) AS a FROM people"
RATIOS = [
    "SELECT SUM(income) / SUM(hours) FROM people",
    "SELECT 100.0 * SUM(income) / NULLIF(COUNT(*), 0) FROM people",
    "SELECT SUM(income) - SUM(dues) FROM people",
    "SELECT (SUM(income) - SUM(dues)) / SUM(hours) FROM people",
    "SELECT SUM(income) + 3 * SUM(dues) - SUM(hours) / 2 FROM people",
    "SELECT SUM(income * hours) / SUM(hours) + AVG(age) FROM people",
    "SELECT SUM(income) / (SUM(income) + SUM(dues)) FROM people",
    "SELECT ROUND(SUM(income) * 1.0 / COUNT(*), 9) FROM people",
    "SELECT CAST(SUM(income) AS DOUBLE) / COUNT(*) FROM people",
    "SELECT COALESCE(SUM(income), 0) * COUNT(*) FROM people",
    "SELECT sqrt(SUM(income)) / SUM(hours) FROM people",
    "SELECT ln(SUM(income)) - ln(SUM(dues)) FROM people",
    "SELECT pow(SUM(dues), 2) / SUM(income) FROM people",
    "SELECT -SUM(income) / SUM(dues) FROM people",
    f"SELECT s / h - d / n FROM (SELECT {SUMS})",
    f"WITH t AS (SELECT {SUMS}) SELECT x / n FROM (SELECT s - d AS x, n FROM t)",
    "WITH t(p, q) AS (SELECT SUM(income), SUM(dues) FROM people) SELECT p / q FROM t",
    "SELECT COUNT_IF(age < 50) * 1.0 / COUNT(*) FROM people",
    "SELECT COUNT_IF(age < 50) / (COUNT_IF(age < 50) + COUNT_IF(age > 70)) FROM people",
]


def importance(world: World, sql: str) -> dict[str, float]:
    bound = world.planned(sql).bound
    return dict(uses(bound.remainder, bound.private, bound.fed).of(0) or {})


@pytest.mark.parametrize("sql", RATIOS)
def test_elasticities_are_those_of_small_steps(world: World, sql: str) -> None:
    """Up to a common factor: a difference is told relative to its parts."""
    bound = world.planned(sql).bound
    calls = bound.private[0].aggregates
    sizes = {call.name: typical(call) for call in calls}

    def shown(**values: float) -> float:
        columns = ", ".join(f"{value!r}::DOUBLE AS {name}" for name, value in values.items())
        with duckdb.connect() as engine:
            engine.execute(f"CREATE TABLE {release_table(0)} AS SELECT {columns}")
            found: Any = engine.execute(bound.remainder.sql("duckdb")).fetchone()
        return float(found[0])

    slopes = {
        name: (shown(**{**sizes, name: size * 1.0001}) - shown(**{**sizes, name: size * 0.9999}))
        / 0.0002
        for name, size in sizes.items()
    }
    told = importance(world, sql)
    largest = max(slopes, key=lambda name: abs(slopes[name]))
    for name, slope in slopes.items():
        assert told.get(name, 0.0) == pytest.approx(
            (slope / slopes[largest]) ** 2 * told[largest], rel=1e-3, abs=1e-6
        )


def test_bare_columns_count_once_each(world: World) -> None:
    assert importance(world, "SELECT COUNT(*), SUM(income), AVG(age) FROM people") == {
        "a0": 1,
        "a1": 1,
        "a2": 1,
    }


@pytest.mark.parametrize(
    "tail",
    ["HAVING COUNT(*) > 100", "ORDER BY COUNT(*)", "QUALIFY row_number() OVER (ORDER BY n) < 3"],
)
def test_what_only_decides_counts_less(world: World, tail: str) -> None:
    sql = f"SELECT k, s, d FROM (SELECT kind AS k, SUM(cost) AS s, SUM(size) AS d, COUNT(*) AS n FROM visits GROUP BY kind) {tail.replace('HAVING COUNT(*)', 'WHERE n').replace('COUNT(*)', 'n')}"  # noqa: E501
    assert importance(world, sql) == pytest.approx({"a0": 1, "a1": 1, "a2": DECIDES})
    if not tail.startswith("QUALIFY"):
        plain = f"SELECT kind, SUM(cost), SUM(size) FROM visits GROUP BY kind {tail}"
        assert importance(world, plain) == pytest.approx({"a0": 1, "a1": 1, "a2": DECIDES})


def test_shares_of_a_total_hang_on_their_own_group(world: World) -> None:
    sql = "SELECT kind, SUM(cost) / SUM(SUM(cost)) OVER () AS p, SUM(size) FROM visits GROUP BY 1"
    found = importance(world, sql)
    assert found["a0"] == pytest.approx(1.1)
    assert found["a1"] == 1


def test_another_row_does_not_cancel(world: World) -> None:
    sql = "SELECT kind, SUM(cost) - LAG(SUM(cost)) OVER (ORDER BY kind), SUM(size) FROM visits GROUP BY 1"  # noqa: E501
    assert importance(world, sql)["a0"] == pytest.approx(1.0)


def test_both_sides_of_a_union_count(world: World) -> None:
    inner = "(SELECT SUM(income) AS i, SUM(dues) AS j FROM people)"
    sql = f"SELECT i FROM {inner} UNION ALL SELECT j FROM {inner}"
    planned = world.planned(sql)
    found = uses(planned.bound.remainder, planned.bound.private, ())
    assert found.of(0) == pytest.approx({"a0": 0.5})
    assert found.of(1) == pytest.approx({"a1": 0.5})
    assert len(set(planned.fingerprints)) == 1


def test_a_star_shows_all_columns(world: World) -> None:
    found = importance(world, f"SELECT * FROM (SELECT {SUMS})")
    assert found == pytest.approx(dict.fromkeys(["a0", "a1", "a2", "a3", "a4"], 1.0))


def test_what_feeds_a_chain_is_not_known(world: World) -> None:
    sql = (
        "SELECT (SELECT SUM(income) / COUNT(*) FROM people) AS m, COUNT(*), SUM(dues) FROM people"
        " WHERE income > (SELECT SUM(income) / COUNT(*) FROM people)"
    )
    planned = world.planned(sql)
    found = uses(planned.bound.remainder, planned.bound.private, planned.bound.fed)
    assert planned.bound.fed
    assert all(found.of(index) is None for index in planned.bound.fed)
    assert any(found.of(index) is not None for index in range(len(planned.plans)))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 0 * SUM(income) / COUNT(*) FROM people",
        "SELECT SUM(income) / (COUNT(*) - COUNT(*)) FROM people",
        "SELECT pow(SUM(income), COUNT(*)) FROM people",
    ],
)
def test_what_is_not_followed_is_planned_all_the_same(world: World, sql: str) -> None:
    (plan,) = world.planned(sql).plans
    assert plan.division is not None
    assert sum(count for _, count in plan.items) >= 1


def test_a_mean_of_pairs_is_as_large_as_what_it_is_the_mean_of(world: World) -> None:
    """REGR_AVGX is of its second argument, whose range says how large it is."""
    sql = "SELECT REGR_AVGX(income, age), AVG(age), REGR_AVGY(income, age) FROM people"
    second, same, first = map(typical, world.planned(sql).bound.private[0].aggregates)
    assert second == same != first
