"""The block gate on distinct values, through the public path: the cap on them, and their noise.

Three rows of a unit count in a group here, so the cap is three and nobody draws one: a cap drawn
for all groups together would make the blocks depend on each other.
"""

from __future__ import annotations

import importlib

import gates
import pytest
from sqlglot import exp

from dpsql.mechanisms.distinct import DistinctMechanism

OF_MANY = {"table": "visits", "question": "COUNT(DISTINCT vid)", "blocks": 2000}


def noise_of_one_value(patch):
    """The noise is that of a cap of 1, whatever the cap."""
    patch.setattr(DistinctMechanism, "at", lambda self, cap: self.noise)


def no_cap(patch):
    """Every value of a unit counts."""
    rule = importlib.import_module("dpsql.rules.distinct")
    plan = importlib.import_module("dpsql.pipeline.perturb")
    stage = importlib.import_module("dpsql.pipeline.certify")
    patch.setattr(stage, "certify_distinct", lambda *_, **__: None)
    patch.setattr(rule.exp, "LTE", lambda this, expression: exp.true())
    real = plan.Pairs

    def apart(count, places, units, values):
        return real(count, places, values, values)  # each value is a unit's own

    patch.setattr(plan, "Pairs", apart)


def groups_not_capped(patch):
    rule = importlib.import_module("dpsql.rules.distinct")
    stage = importlib.import_module("dpsql.pipeline.certify")
    patch.setattr(stage, "certify_distinct", lambda *_, **__: None)
    real = exp.LTE

    def looser(this, expression):
        return exp.true() if this.name == "rn" else real(this=this, expression=expression)

    patch.setattr(rule.exp, "LTE", looser)


def test_counts_of_values_stay_below_the_claim(bench):
    gates.block(bench, **OF_MANY)


@pytest.mark.parametrize("seed", [noise_of_one_value, no_cap, groups_not_capped])
def test_a_fault_is_seen(bench, monkeypatch, seed):
    seed(monkeypatch)
    with pytest.raises(gates.Red):
        gates.block(bench, **OF_MANY)
