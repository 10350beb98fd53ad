"""filled_together() never says yes where total would refuse what the budgets admit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from dpsql.accountant import Gaussian, Laplace, Pure, Threshold
from dpsql.accountant.charge import Charge, price
from dpsql.accountant.compose import Item
from dpsql.accountant.filter import BudgetTerms, admits
from dpsql.policy.together import filled_together

MILLIONTH = Fraction(1, 10**6)


def fill(terms: BudgetTerms, event: Item) -> int:
    """How many of `event` the budget admits."""
    low, high = 0, 1
    while admits(terms, price([(event, high)], terms.orders)):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if admits(terms, price([(event, middle)], terms.orders)):
            low = middle
        else:
            high = middle
    return low


@pytest.mark.parametrize(
    ("total", "parts"),
    [(4, (1,)), (10, (2, 1)), (16, (4, 1, 1)), (30, (10, 5)), (1000, (300, 200, 100))],
)
def test_yes_is_true_for_every_kind_of_spending(total: int, parts: tuple[int, ...]) -> None:
    budgets = [BudgetTerms.create(Fraction(e), MILLIONTH) for e in parts]
    whole = BudgetTerms.create(Fraction(total), MILLIONTH * 10)
    assert filled_together(budgets, whole)
    events: list[Item] = [
        Gaussian(noise_multiplier=10),
        Gaussian(noise_multiplier=Fraction(1, 2)),
        Laplace(noise_multiplier=3),
        Pure(epsilon="0.07"),
        Threshold("0.01", "1e-9", 1),
    ]
    for shift in range(len(events)):
        spent = Charge.zero(whole.orders)
        for i, terms in enumerate(budgets):
            event = events[(i + shift) % len(events)]
            count = fill(terms, event)
            if count:
                spent = spent + price([(event, count)], whole.orders)
        assert admits(whole, spent)


def test_yes_is_true_of_budgets_raised_by_grants() -> None:
    """A grant keeps the first day's orders, so a raised budget is none that `create` makes."""
    first = [BudgetTerms.create(Fraction(e), MILLIONTH) for e in ("1/2", "4")]
    raised = [replace(t, epsilon=t.epsilon + 8, delta_conv=MILLIONTH * 3) for t in first]
    old = BudgetTerms.create(Fraction(20), MILLIONTH * 10)
    small, whole = (replace(old, epsilon=Fraction(e), delta_thr=MILLIONTH * 5) for e in (12, 60))
    assert not filled_together(raised, small)
    assert filled_together(raised, whole)
    for event in [Gaussian(noise_multiplier=5), Laplace(noise_multiplier=3), Pure(epsilon="0.3")]:
        spent = Charge.zero(whole.orders)
        for terms in raised:
            spent = spent + price([(event, fill(terms, event))], whole.orders)
        assert admits(whole, spent)


def test_no_where_the_sum_is_too_much() -> None:
    half = BudgetTerms.create(Fraction(1), MILLIONTH)
    assert not filled_together([half], BudgetTerms.create(Fraction(1, 2), MILLIONTH * 10))
    assert not filled_together([half, half], BudgetTerms.create(Fraction(1), MILLIONTH * 10))
    assert not filled_together([half, half], BudgetTerms.create(Fraction(20), MILLIONTH))
    assert filled_together([], half)


def test_extreme_budgets_are_decided() -> None:
    huge = BudgetTerms.create(Fraction(10**12), Fraction(1, 2))
    tiny = BudgetTerms.create(Fraction(1, 2**30), Fraction(1, 10**30))
    assert not filled_together([huge], BudgetTerms.create(Fraction(10**12), Fraction(9, 10)))
    assert filled_together([tiny, tiny], BudgetTerms.create(Fraction(1), MILLIONTH))
