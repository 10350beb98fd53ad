"""One unit moves a histogram by no more than the quantiles drawn from it were made for.

The plan's own statement runs on a real engine, on D and on D less each unit; then without each
bounding rule, where the same check fails. docs/proofs/quantile.md.
"""

from __future__ import annotations

import importlib
from functools import partial

import e2e_neighbours as neighbours
import pytest
from e2e_shapes import databases, rules
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_shapes import MESSY
from sqlglot import exp

from dpsql.certify import certify_histogram
from dpsql.pipeline import rewrite
from dpsql.pipeline.certify import histogram_claims

QUERIES = (
    "SELECT MEDIAN(age) FROM persons",
    "SELECT city, MEDIAN(income), QUANTILE_CONT(income, 0.9) FROM persons GROUP BY city",
    "SELECT MEDIAN(born), MIN(born) FROM persons",
    "SELECT MEDIAN(cost) FROM visits",
    "SELECT kind, MEDIAN(cost), COUNT(*) FROM visits GROUP BY kind",
    "SELECT kind, MEDIAN(score) FILTER (WHERE cost > 0) FROM visits GROUP BY kind",
    "SELECT kind, QUANTILE_DISC(n, 0.25), MAX(x) FROM events GROUP BY kind",
    "SELECT date_trunc('month', seen), MEDIAN(n) FROM events GROUP BY 1",
    "SELECT MEDIAN(seen) FROM events",
    "SELECT i.label, MEDIAN(i.qty) FROM items i JOIN visits v ON i.vid = v.vid GROUP BY 1",
    "SELECT MEDIAN(s) FROM (SELECT pid, SUM(n) AS s FROM events GROUP BY pid) t",
    "SELECT vip, kind, MEDIAN(LEAST(GREATEST(age + n, 0), 50)) FROM persons p"
    " JOIN events e ON p.pid = e.pid GROUP BY 1, 2",
)


def replay(world, sql, policy):
    """Assert it for every unit; the largest share of the sensitivity that one of them used."""
    used = 0.0
    for plan in world.plan(sql, policy):
        tables = {name: name for name in neighbours.DDL}
        for index, claim in enumerate(histogram_claims(plan)):
            text = rewrite.histogram_text(plan, index, world.catalog, tables, 7)
            certify_histogram(text, claim, policy=policy, catalog=world.catalog)
        used = max(used, moves(world, plan, sql))
    return used


def moves(world, plan, sql):
    used, whole = 0.0, world.histograms(plan)
    for unit in (None, *world.units()):
        with world.without(unit):
            less = world.histograms(plan)
        for part, before, after in zip(plan.histograms, whole, less, strict=True):
            problems = neighbours.histogram_moved(part, before, after)
            if unit is None and before != after:
                problems.append("rows of nobody count")
            if problems:
                raise neighbours.Moved(f"{sql} without {unit}: {problems}")
            used = max(used, (sum(before.values()) - sum(after.values())) / part.sensitivity)
    return used


def all_moves(world, plans, sql):
    for plan in plans:
        moves(world, plan, sql)


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("bounds", [{}, {"max_groups": 1}, {"max_groups": 9, "max_rows": 5}])
def test_no_unit_moves_a_histogram_more_than_declared(sql, bounds, neighbour_world):
    neighbour_world.load(MESSY)
    used = replay(neighbour_world, sql, neighbours.policy(**bounds))
    assert used >= 0.5  # and a unit uses it (the one group it keeps may hold one row of two)


@settings(max_examples=40, derandomize=True)
@given(databases(), st.sampled_from(QUERIES), rules())
def test_generated_databases(neighbour_world, database, sql, bounds):
    neighbour_world.load(database)
    replay(neighbour_world, sql, neighbours.policy(**bounds))


# ---- without the rules -----------------------------------------------------------------------


def histogram_rule():
    return importlib.import_module("dpsql.rules.histogram")


def no_share(patch):
    """Every row weighs W, however many the unit has."""
    patch.setattr(histogram_rule(), "when", lambda test, then, otherwise: otherwise)


def share_of_the_bin(patch):
    """The rows of the bin are taken for those of the group."""
    rule = histogram_rule()
    real = rule.exp.Window

    def window(**args):
        if isinstance(args["this"], exp.Sum):
            args["partition_by"] = [*args["partition_by"], exp.column("bin")]
        return real(**args)

    patch.setattr(rule, "exp", _With(rule.exp, Window=window))


def no_group_cap(patch):
    patch.setattr(histogram_rule().exp, "LTE", lambda this, expression: exp.true())


def one_more_group(patch):
    patch.setattr(
        histogram_rule().exp,
        "LTE",
        lambda this, expression: exp.LTE(
            this=this, expression=exp.Literal.number(int(expression.name) + 1)
        ),
    )


def rows_ranked(patch):
    """Ranks of rows, not of groups: a group's bins may be cut, which is no cap on groups."""
    groups = importlib.import_module("dpsql.rules.groups")
    patch.setattr(groups, "exp", _With(exp, DenseRank=lambda: exp.Literal.number(1)))


def no_clamp(patch):
    values = importlib.import_module("dpsql.rules.values")
    patch.setattr(values, "_within", lambda node, *_: node)
    patch.setattr(values, "_stepwise", lambda block: False)


def rows_of_nobody(patch):
    source = importlib.import_module("dpsql.rules.source")
    patch.setattr(source, "is_not_null", lambda node: exp.true())


class _With:
    """A module with other names in it."""

    def __init__(self, module, **changed):
        self._module, self._changed = module, changed

    def __getattr__(self, name):
        return self._changed.get(name) or getattr(self._module, name)


_BY_KIND = "SELECT kind, MEDIAN(n) FROM events GROUP BY kind"
FAULTS = {
    "share": (no_share, _BY_KIND),
    "share of the group": (share_of_the_bin, "SELECT MEDIAN(n) FROM events"),
    "group cap": (no_group_cap, _BY_KIND),
    "one more group": (one_more_group, _BY_KIND),
    "rank": (rows_ranked, _BY_KIND),
    "clamp": (no_clamp, "SELECT MEDIAN(n) FROM events"),
    "NULL-unit filter": (rows_of_nobody, "SELECT MEDIAN(n) FROM events"),
}
SPREAD = {
    **MESSY,
    "events": [*MESSY["events"], *((9, "x", 1.0, n, None) for n in range(9) for _ in range(3))],
}


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_rule_the_check_fails(name, neighbour_world, monkeypatch):
    fault, sql = FAULTS[name]
    neighbour_world.load(SPREAD)
    policy = neighbours.policy(max_groups=2)
    plans = neighbour_world.plan(sql, policy)
    check = partial(all_moves, neighbour_world, plans, sql)
    check()  # with the rule it holds
    rule = histogram_rule()
    monkeypatch.setattr(rule, "exp", _With(rule.exp))
    fault(monkeypatch)
    with pytest.raises((neighbours.Moved, neighbours.EngineError)):
        check()
