"""Bounds that are found first: the audit's own world for them, and the faults that it sees."""

from __future__ import annotations

import importlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from audit_world import POLICY

from dpsql.audit.found import runs

COUNT, SUM = "COUNT(*), rows found", "SUM(cost), total found"


def module(name):
    return importlib.import_module(name)


def place_without_noise(patch):
    """The data's own bound, read exactly: a second use of the units by place, unpaid."""
    choice = module("dpsql.mechanisms.bound_choice")

    def exact(scores, ones, unit):
        step = scores[-1] // (len(scores) - 1)  # nobody lies beyond the last place
        return next(at for at, score in enumerate(scores) if score == step * at)

    patch.setattr(choice, "choose_index", exact)


def counts_without_noise(patch):
    """Whom the bound cuts, told exactly."""
    choice = module("dpsql.mechanisms.bound_choice").BoundChoice
    real = choice.counting.fget
    exact = property(lambda law: replace(real(law), scale=Fraction(1, 50)))
    patch.setattr(choice, "counting", exact)


def whole_price_twice(patch):
    """The split: all of ε for the choice, and all of it for the answer."""
    plan = module("dpsql.pipeline.plan")
    patch.setattr(plan, "division", lambda epsilon, choices: (epsilon, epsilon))


def half_the_answer_noise(patch):
    narrowing = module("dpsql.planning.resolved")
    real = narrowing._scaled

    def scaled(*given):
        made = real(*given)
        return replace(made, scale=made.scale / 2)

    patch.setattr(narrowing, "_scaled", scaled)


FAULTS = {
    "the place without noise": (place_without_noise, COUNT),
    "counts without noise": (counts_without_noise, COUNT),
    "half the answer's noise": (half_the_answer_noise, COUNT),
    "half the answer's noise, of a sum": (half_the_answer_noise, SUM),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_audit_sees_it(name, found, monkeypatch, uncertified):
    fault, question = FAULTS[name]
    fault(monkeypatch)
    finding = found(2500, "visits", question)
    assert finding.problem is None
    assert finding.broken, finding


ONE_GROUP = POLICY | {"bounds": {"max_groups": 1, "max_rows_per_group": 3}}


@pytest.mark.slow
def test_a_price_that_is_spent_twice_is_seen(found, monkeypatch, uncertified):
    """At ε = 4, of which the choice shows the half; without the fault it stays below."""
    given = {"epsilon": 4, "policy": ONE_GROUP}
    right = found(12_000, "visits", COUNT, **given)
    assert 2 < right.measured < 4
    whole_price_twice(monkeypatch)
    wrong = found(12_000, "visits", COUNT, **given)
    assert wrong.broken, wrong


@pytest.mark.parametrize("question", [COUNT, SUM])
def test_without_faults_it_stays_below_and_is_no_weak_attack(question, found):
    """A third of ε at least is told of the canary: there would be no use in one that sees none."""
    finding = found(2500, "visits", question)
    assert not finding.broken, finding
    assert finding.measured > 0.33


def test_asked_wherever_a_unit_may_have_many_rows(audit):
    made = audit(60)
    asked = {t.question.shown for t in made._trials("visits") if t.runs}
    assert asked == {COUNT, SUM}
    assert not any(t.runs for t in made._trials("people"))  # one row each: nothing is found
    refused = audit(60, policy=POLICY | {"bounds": POLICY["bounds"] | {"undeclared": "refuse"}})
    assert not any(t.runs for t in refused._trials("visits"))


def test_a_run_is_the_place_the_counts_and_the_answer(audit):
    """What is known of all others is taken off: without the canary nothing but noise is left."""
    (trial, *_) = [t for t in audit(60)._trials("visits") if t.question.shown == COUNT]
    without, within = runs(trial.world, trial.question, trial.canaries[-1], count=300)
    groups = trial.world.groups
    assert without.shape == within.shape == (300, 3 + groups)
    assert np.abs(np.median(without[:, 1:], axis=0)).max() < 0.2
    assert (np.median(within[:, 3:], axis=0) > 0.25).all()
