"""The three kinds of terms, and the example of the package's own docstring."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

import dpsql.accountant as accountant
from dpsql.accountant import Gaussian, Laplace, Pure, Threshold
from dpsql.accountant.charge import Charge, price
from dpsql.accountant.filter import BudgetTerms, admits

ONE, DELTA = Fraction(1), Fraction(1, 10**6)


def test_one_order_is_prop_12_at_that_order() -> None:
    terms = BudgetTerms.fixed_order(ONE, DELTA, Fraction(22))
    a, log_delta = 22, math.log(1e-6)
    allowed = 1 - math.log1p(-1 / a) + (log_delta + math.log(a)) / (a - 1)
    for factor, fits in ((1 - 1e-6, True), (1 + 1e-6, False)):
        noise = math.sqrt(a / (2 * allowed * factor))
        assert admits(terms, price([Gaussian(noise)], terms.orders)) == fits


def test_the_default_order_is_best_for_gaussians() -> None:
    def most(terms: BudgetTerms) -> int:
        return sum(admits(terms, price([(Gaussian(80), n)], terms.orders)) for n in range(400))

    best = most(BudgetTerms.fixed_order(ONE, DELTA))
    for order in ("11", "16", "30", "45"):
        assert most(BudgetTerms.fixed_order(ONE, DELTA, Fraction(order))) <= best
    assert most(BudgetTerms.create(ONE, DELTA, Fraction(0))) <= best


def test_a_pure_budget_takes_pure_releases_alone() -> None:
    terms = BudgetTerms.pure(ONE)
    assert terms.delta == 0
    assert admits(terms, price([(Pure("0.1"), 10)], terms.orders))
    assert admits(terms, price([(Laplace(20), 10), Pure("0.5")], terms.orders))
    assert not admits(terms, price([(Pure("0.1"), 10), Pure("1e-9")], terms.orders))
    assert not admits(terms, price([Gaussian(10**9)], terms.orders))
    assert not admits(terms, price([Threshold(0, "1e-12", 1)], terms.orders))


@pytest.mark.parametrize("order", [1, 0, "0.5", -3])
def test_orders_at_most_one_are_refused(order: object) -> None:
    with pytest.raises(ValueError):
        BudgetTerms.fixed_order(ONE, DELTA, order)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        BudgetTerms.pure(Fraction(0))


def test_the_example_of_the_docstring_runs() -> None:
    text = accountant.__doc__ or ""
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    names = dict(
        vars(accountant),
        BudgetTerms=BudgetTerms,
        Charge=Charge,
        Fraction=Fraction,
        admits=admits,
        price=price,
    )
    exec("\n".join(lines), names)
    assert names["spent"] == names["after"] != Charge.zero(names["terms"].orders)
