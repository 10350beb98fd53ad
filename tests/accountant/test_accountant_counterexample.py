"""Why the minimum over orders is no filter (docs/proofs/filter.md, section 5)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from dp_accounting.rdp import RdpAccountant, compute_epsilon
from two_outcomes import TwoOutcome, true_delta

from dpsql.accountant import epsilon
from dpsql.accountant.charge import price
from dpsql.accountant.filter import BudgetTerms, admits, why_not

A = TwoOutcome(Fraction("7.401074e-4"), Fraction("7.174803e-4"))
B1 = TwoOutcome(Fraction("0.69012431"), Fraction("0.26137658"))
B2 = TwoOutcome(Fraction("3.87713e-5"), Fraction("1.38956e-5"))
EPSILON, DELTA = Fraction(1), Fraction(1, 10**6)
PATHS = ([A, B1], [A, B2])
GRID = [float(order) for order in RdpAccountant()._orders]


def strategy(history: tuple[int, ...]) -> TwoOutcome | None:
    return {(): A, (0,): B1, (1,): B2}.get(history)


def test_the_adaptive_pair_has_twice_the_promised_delta() -> None:
    assert true_delta(strategy, EPSILON) == pytest.approx(1.997e-6, rel=1e-3)


def test_the_minimum_over_orders_admits_both_paths() -> None:
    for path in PATHS:
        curve = [sum(event.renyi(order) for event in path) for order in GRID]
        theirs, _ = compute_epsilon(GRID, curve, float(DELTA))
        assert theirs <= 1 + 1e-6
        assert epsilon(path, delta=DELTA) <= theirs * (1 + 1e-9)
    best = [
        compute_epsilon(GRID, [sum(e.renyi(o) for e in p) for o in GRID], 1e-6)[1] for p in PATHS
    ]
    assert best[0] != best[1]  # the surviving order depends on the outcome


@pytest.mark.parametrize("split", [Fraction(0), Fraction(1, 2)])
def test_the_mixture_filter_refuses_one_path(split: Fraction) -> None:
    terms = BudgetTerms.create(EPSILON, DELTA, split=split)
    answers = [why_not(terms, price(path, terms.orders)) for path in PATHS]
    assert "epsilon" in answers
    assert admits(terms, price([A], terms.orders))


def test_even_with_the_whole_delta_promised_twice() -> None:
    """At (1, 2e-6), which the pair satisfies, refusing is not required; at 1e-6 it is."""
    terms = BudgetTerms.create(EPSILON, DELTA, split=Fraction(0))

    def filtered(history: tuple[int, ...]) -> TwoOutcome | None:
        spent = [A] if history else []
        event = strategy(history)
        if event is None or not admits(terms, price([*spent, event], terms.orders)):
            return None
        return event

    assert true_delta(filtered, EPSILON) <= float(DELTA)
