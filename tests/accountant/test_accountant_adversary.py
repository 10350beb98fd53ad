"""No adaptive game found by optimisation breaks a promise of ours; the minimum over orders does.

Every search is repeatable (seeded), and every verdict is the exact delta of the game found.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction

import pytest
from adversary import (
    Filter,
    MinimumOverOrders,
    Ours,
    OursGaussian,
    Outcomes,
    as_strategy,
    best_last,
    divergence,
    search,
    worst_loss,
)
from two_outcomes import TwoOutcome, true_delta

from dpsql.accountant.filter import BudgetTerms
from dpsql.accountant.gdp import GaussianTerms

TINY, LARGE = Fraction(1, 10**6), Fraction(1, 100)
# Some of dp_accounting's default orders.
ORDERS = (*(1 + k / 10 for k in range(1, 100, 9)), 11.0, 16.0, 24.0, 32.0, 39.0, 63.0, 512.0)

OURS: dict[str, Filter] = {
    "mixture": Ours(BudgetTerms.create(Fraction(1), TINY, Fraction(0))),
    "mixture, large": Ours(BudgetTerms.create(Fraction(1, 2), LARGE, Fraction(0))),
    "one order": Ours(BudgetTerms.fixed_order(Fraction(1), TINY)),
    "one order, low": Ours(BudgetTerms.fixed_order(Fraction(2), LARGE, Fraction(3, 2))),
    "pure": Ours(BudgetTerms.pure(Fraction(1))),
    "gaussian": OursGaussian(GaussianTerms.create(Fraction(1), TINY)),
}
by_filter = pytest.mark.parametrize("name", OURS)


@dataclass(frozen=True)
class EitherOrder:
    """Two filters of one order each, joined by "or": each is valid, together they are not."""

    epsilon: float
    delta: float
    low: MinimumOverOrders
    high: MinimumOverOrders

    def admits(self, asked: list[Outcomes]) -> bool:
        return self.low.admits(asked) or self.high.admits(asked)


def either(low: float, high: float) -> EitherOrder:
    return EitherOrder(
        1.0, 1e-6, MinimumOverOrders(1.0, 1e-6, (low,)), MinimumOverOrders(1.0, 1e-6, (high,))
    )


def verdict(filter_: Filter, seed: int, rounds: int, steps: int) -> float:
    """The exact delta of the best game found, over the promise."""
    value, game = search(filter_, random.Random(seed), rounds, steps)
    exact = true_delta(as_strategy(game), Fraction(filter_.epsilon))
    assert exact >= value * (1 - 1e-6)
    return exact


@by_filter
def test_no_game_exceeds_the_promise(name: str) -> None:
    filter_ = OURS[name]
    assert verdict(filter_, 1, 1, 2) <= filter_.delta * (1 + 1e-12)


@by_filter
@pytest.mark.slow
def test_no_longer_search_exceeds_the_promise(name: str) -> None:
    filter_ = OURS[name]
    for seed, rounds, steps in ((1, 1, 20), (2, 2, 6), (3, 3, 2)):
        assert verdict(filter_, seed, rounds, steps) <= filter_.delta * (1 + 1e-12)


@pytest.mark.parametrize(("delta", "steps", "times"), [(1e-6, 15, 1.3), (1e-2, 40, 1.2)])
def test_the_same_search_breaks_the_minimum_over_orders(
    delta: float, steps: int, times: float
) -> None:
    filter_ = MinimumOverOrders(1.0, delta, ORDERS)
    assert verdict(filter_, 1, 1, steps) > times * delta


def test_two_valid_filters_joined_by_or_are_broken_too() -> None:
    assert verdict(either(39.0, 512.0), 1, 1, 15) > 1.3e-6


@pytest.mark.parametrize("order", [39.0, 512.0])
def test_each_of_them_alone_is_not(order: float) -> None:
    assert verdict(MinimumOverOrders(1.0, 1e-6, (order,)), 1, 1, 15) <= 1e-6 * (1 + 1e-12)


def test_one_round_alone_already_uses_most_of_the_promise() -> None:
    """The search is strong: Prop. 12 is nearly tight, and it finds that out."""
    filter_ = OURS["one order"]
    value, _ = best_last(filter_, [], 1.0, 1.0)
    assert 0.5 * filter_.delta < value <= filter_.delta


@pytest.mark.parametrize("pair", [(0.5, 0.3), (1e-7, 3e-8), (0.99, 0.999), (7e-4, 7.2e-4)])
def test_its_float_prices_are_never_below_the_exact_ones(pair: Outcomes) -> None:
    event = TwoOutcome(Fraction(pair[0]), Fraction(pair[1]))
    for order in (1.1, 3.0, 39.0, 512.0):
        assert divergence(pair, order) >= event.renyi(order) * (1 - 1e-14)
        assert divergence(pair, order) <= event.renyi(order) + 1e-11
    assert math.isclose(worst_loss(pair), float(event.pure()), rel_tol=1e-9)
