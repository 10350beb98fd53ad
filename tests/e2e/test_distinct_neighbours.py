"""One unit adds its own pairs and takes none of another's away, and moves counts within the caps.

The plan's own statement runs on a real engine, on D and on D less each unit; then without each
bounding rule, where the same check fails. docs/proofs/count_distinct.md.
"""

from __future__ import annotations

import importlib
from functools import partial

import e2e_neighbours as neighbours
import pytest
from distinct_pairs import pairs, problems
from e2e_shapes import databases, rules
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_shapes import MESSY
from sqlglot import exp

from dpsql.certify import certify_distinct
from dpsql.pipeline import rewrite
from dpsql.pipeline.certify import distinct_claims

TABLES = {name: name for name in neighbours.DDL}
QUERIES = (
    "SELECT COUNT(DISTINCT city) FROM persons",
    "SELECT city, COUNT(DISTINCT income), COUNT(DISTINCT age) FROM persons GROUP BY city",
    "SELECT COUNT(DISTINCT kind) FROM visits",
    "SELECT kind, COUNT(DISTINCT cost), COUNT(*) FROM visits GROUP BY kind",
    "SELECT kind, COUNT(DISTINCT score) FILTER (WHERE cost > 0) FROM visits GROUP BY kind",
    "SELECT kind, COUNT(DISTINCT n), SUM(n) FROM events GROUP BY kind",
    "SELECT kind, COUNT(DISTINCT kind) FROM events GROUP BY kind",
    "SELECT COUNT(DISTINCT x), COUNT(DISTINCT seen) FROM events",
    "SELECT date_trunc('month', seen), COUNT(DISTINCT kind) FROM events GROUP BY 1",
    "SELECT i.label, COUNT(DISTINCT i.qty) FROM items i JOIN visits v ON i.vid = v.vid GROUP BY 1",
    "SELECT COUNT(DISTINCT s) FROM (SELECT pid, SUM(n) AS s FROM events GROUP BY pid) t",
    "SELECT vip, kind, COUNT(DISTINCT age + n) FROM persons p"
    " JOIN events e ON p.pid = e.pid GROUP BY 1, 2",
)


def replay(world, sql, policy):
    """Assert it for every unit; the most values that one of them added to a group."""
    used = 0
    for plan in world.plan(sql, policy):
        for index, claim in enumerate(distinct_claims(plan)):
            text = rewrite.distinct_text(plan, index, world.catalog, TABLES, 7)
            certify_distinct(text, claim, policy=policy, catalog=world.catalog)
        used = max(used, moves(world, plan, sql))
    return used


def moves(world, plan, sql):
    used, whole = 0, pairs(world, plan, TABLES)
    for unit in (None, *world.units()):
        with world.without(unit):
            less = pairs(world, plan, TABLES)
        for part, before, after in zip(plan.distincts, whole, less, strict=True):
            found = list(problems(plan, part, before, after))
            if unit is None and before != after:
                found.append("rows of nobody count")
            if found:
                raise neighbours.Moved(f"{sql} without {unit}: {found}")
            used = max(used, len(before - after))
    return used


def all_moves(world, plans, sql):
    for plan in plans:
        moves(world, plan, sql)


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("bounds", [{}, {"max_groups": 1}, {"max_groups": 9, "max_rows": 5}])
def test_no_unit_moves_a_count_more_than_declared(sql, bounds, neighbour_world):
    neighbour_world.load(MESSY)
    assert replay(neighbour_world, sql, neighbours.policy(**bounds))  # and units add something


@settings(max_examples=40, derandomize=True)
@given(databases(), st.sampled_from(QUERIES), rules())
def test_generated_databases(neighbour_world, database, sql, bounds):
    neighbour_world.load(database)
    replay(neighbour_world, sql, neighbours.policy(**bounds))


# ---- without the rules -----------------------------------------------------------------------


def distinct_rule():
    return importlib.import_module("dpsql.rules.distinct")


class _With:
    """A module with other names in it."""

    def __init__(self, module, **changed):
        self._module, self._changed = module, changed

    def __getattr__(self, name):
        return self._changed.get(name) or getattr(self._module, name)


def capped_at(more, column):
    def fault(patch):
        def looser(this, expression):
            wide = int(expression.name) + (more if this.name == column else 0)
            return exp.LTE(this=this, expression=exp.Literal.number(wide))

        patch.setattr(distinct_rule(), "exp", _With(exp, LTE=looser))

    return fault


def ranked_over_all(kind):
    """Ranks over everybody's rows: who is kept depends on others."""

    def fault(patch):
        def window(**args):
            if isinstance(args["this"], kind):
                args["partition_by"] = args["partition_by"][1:]
            return exp.Window(**args)

        groups = importlib.import_module("dpsql.rules.groups")
        rule = groups if kind is exp.DenseRank else distinct_rule()
        patch.setattr(rule, "exp", _With(exp, Window=window))

    return fault


def unit_by_value(patch):
    """A pseudonym of unit and value: one unit is many."""
    rule = distinct_rule()
    real = rule._pseudonym

    def both(*parts):
        return real(*parts, exp.column("v")) if parts[0].name == "u" else real(*parts)

    patch.setattr(rule, "_pseudonym", both)


def rows_of_nobody(patch):
    source = importlib.import_module("dpsql.rules.source")
    patch.setattr(source, "is_not_null", lambda node: exp.true())


_BY_KIND = "SELECT kind, COUNT(DISTINCT n) FROM events GROUP BY kind"
_ALONE = "SELECT COUNT(DISTINCT n) FROM events"
FAULTS = {
    "one more value": (capped_at(1, "c"), _BY_KIND),
    "one more group": (capped_at(1, "rn"), _BY_KIND),
    "no cap on groups": (capped_at(99, "rn"), _BY_KIND),
    "values ranked over all": (ranked_over_all(exp.RowNumber), _ALONE),
    "groups ranked over all": (ranked_over_all(exp.DenseRank), _BY_KIND),
    "units by value": (unit_by_value, _ALONE),
    "NULL-unit filter": (rows_of_nobody, _ALONE),
}
SPREAD = {
    **MESSY,
    "events": [
        *MESSY["events"],
        *((unit, kind, 1.0, n, None) for unit in (8, 9) for kind in "uvwxyz" for n in range(6)),
    ],
}


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_rule_the_check_fails(name, neighbour_world, monkeypatch):
    fault, sql = FAULTS[name]
    neighbour_world.load(SPREAD)
    plans = neighbour_world.plan(sql, neighbours.policy(max_groups=2))
    check = partial(all_moves, neighbour_world, plans, sql)
    check()  # with the rule it holds
    fault(monkeypatch)
    with pytest.raises((neighbours.Moved, neighbours.EngineError)):
        check()
