"""Each rule of bounding and noise taken away: the audit, which sees answers alone, says so."""

from __future__ import annotations

import importlib
from dataclasses import replace
from fractions import Fraction

import pytest
from audit_world import POLICY
from sqlglot import exp

from dpsql.core.exact import Exact

SUM, COUNT, AVG = "SUM(cost)", "COUNT(*)", "AVG(cost)"
KEYS = "keys of one unit shown"


def module(name):
    return importlib.import_module(name)


def first(node, *_):
    return node


def no_row_clamp(patch):
    values = module("dpsql.rules.values")
    patch.setattr(values, "_within", first)
    patch.setattr(values, "_stepwise", lambda block: False)


def no_sum_clamp(patch):
    patch.setattr(module("dpsql.rules.bound"), "clamp", first)


def no_count_cap(patch):
    patch.setattr(module("dpsql.rules.bound"), "least", first)


def no_group_cap(patch):
    patch.setattr(module("dpsql.rules"), "groups", lambda plan, cells, salt, ranked: cells)


def one_more_group(patch):
    groups = module("dpsql.rules.groups")
    patch.setattr(groups, "integer", lambda value: exp.Literal.number(value + 1))


def half_the_noise(patch):
    laplace = module("dpsql.mechanisms.laplace")
    real = laplace.rounded_laplace
    patch.setattr(laplace, "rounded_laplace", lambda scale, n: real(Fraction(scale) / 2, n))


def scale_of_one_group(patch):
    """U / ε where k U / ε is needed: ε spent for each group."""
    noise = module("dpsql.planning.noise")
    real = noise._laplace

    def laplace(block, s, epsilon):
        part = real(block, s, epsilon)
        small = replace(part.mechanism, scale=part.mechanism.scale / part.mechanism.cells)
        return replace(part, mechanism=small)

    patch.setattr(noise, "_laplace", laplace)


def threshold_too_low(patch):
    """By three units: a lone unit is shown as if a few others were there."""
    cut = module("dpsql.mechanisms.threshold").Cut
    real = cut.release

    def release(self, exact):
        counts = exact.open_for_noise() + 3
        return real(self, Exact(counts))

    patch.setattr(cut, "release", release)


def units_counted_by_rows(patch):
    """Private selection counts rows: one person makes a crowd."""
    rules = module("dpsql.rules")
    real = rules.totals

    def totals(plan, bounded):
        result = real(plan, bounded)
        for column in result.expressions:
            if column.alias == "units":
                column.set("this", exp.Sum(this=exp.column("n0")))
        return result

    patch.setattr(rules, "totals", totals)


ROOMY = POLICY | {"bounds": {"max_groups": 2, "max_rows_per_group": 12}}

FAULTS = {
    "no row clamp, one row a person": (no_row_clamp, "people", "SUM(income)", 2000),
    "no row clamp in an average": (no_row_clamp, "people", "AVG(income)", 2000),
    "no clamp of a person's sum": (no_sum_clamp, "visits", SUM, 2000),
    "no cap on rows": (no_count_cap, "visits", COUNT, 2000),
    "no cap on groups": (no_group_cap, "visits", COUNT, 4000),
    "one group more": (one_more_group, "visits", COUNT, 12_000),
    "half the noise": (half_the_noise, "people", COUNT, 4000),
    "half the noise, several rows": (half_the_noise, "visits", SUM, 8000),
    "noise for one group": (scale_of_one_group, "visits", COUNT, 8000),
    "threshold too low": (threshold_too_low, "people", KEYS, 4000),
    "units counted by rows": (units_counted_by_rows, "visits", KEYS, 4000),
}


SLOW = {"one group more", "half the noise, several rows", "noise for one group"}
"""Small errors need many blocks."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FAULTS],
)
def test_the_audit_sees_it(name, found, monkeypatch, uncertified):
    fault, table, question, blocks = FAULTS[name]
    fault(monkeypatch)
    options = {"policy": ROOMY} if name == "units counted by rows" else {}
    finding = found(blocks, table, question, **options)
    assert finding.broken, finding


@pytest.mark.parametrize(
    ("table", "question"), sorted({(table, question) for _, table, question, _ in FAULTS.values()})
)
def test_without_faults_it_stays_below(table, question, found):
    finding = found(1000, table, question)
    assert finding.measured is not None
    assert not finding.broken, finding


@pytest.mark.parametrize("name", ["no row clamp, one row a person", "half the noise"])
def test_one_run_sees_it_too(name, found, monkeypatch, uncertified):
    _, table, question, _ = FAULTS[name]
    right = found(3000, table, question, method="one-run")
    assert not right.broken, right
    FAULTS[name][0](monkeypatch)
    wrong = found(3000, table, question, method="one-run")
    assert wrong.broken, wrong
