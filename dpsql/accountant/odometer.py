"""How much of a budget is used, for reports: never for admission (see `filter`)."""

from __future__ import annotations

import math
from fractions import Fraction

from dpsql.accountant.charge import Charge
from dpsql.accountant.filter import check_orders, log_from_below
from dpsql.accountant.mixture import Mixture
from dpsql.accountant.rounding import float_up, inflate
from dpsql.accountant.terms import BudgetTerms


def share(terms: BudgetTerms, spent: Charge) -> float:
    """The share of the promised epsilon that is used, in [0, 1]; 1 means nothing more fits.

    The smaller of the tracks' shares: the pure sum over epsilon, and the least t > 0 such that
    the curve divided by t is just admitted (so n equal releases out of N that fit are n/N). The
    deltas of key selection have their own cap: `selection_share`.
    Errors: ValueError if `spent` was not priced at the orders of `terms`.
    """
    check_orders(terms, spent)
    pure = math.inf if spent.epsilon is None else float_up(spent.epsilon / terms.epsilon)
    return min(1.0, pure, _curve_share(terms, spent))


def selection_share(terms: BudgetTerms, spent: Charge) -> float:
    """The share of delta_thr that key selection has used, in [0, 1]."""
    if spent.delta == 0:
        return 0.0
    if terms.delta_thr == 0:
        return 1.0
    return min(1.0, float_up(spent.selection_delta / terms.delta_thr))


def odometer(terms: BudgetTerms, spent: Charge) -> float:
    """An epsilon_t that holds at all times at once, rounded up; inf if there is none.

    Source: Ville's inequality on the filter's martingale: with probability 1 - delta_conv, at
    every time t, the privacy loss is at most the solution of
    sum_a w_a e^{(a-1)(epsilon_t - S_t(a))} = 1/delta_conv (an odometer in the sense of Rogers et
    al. 2016). The minimum with the pure sum. The deltas of key selection come on top.
    Errors: ValueError if `spent` was not priced at the orders of `terms`.
    """
    check_orders(terms, spent)
    pure = math.inf if spent.epsilon is None else float_up(spent.epsilon)
    target = -log_from_below(terms)
    finite = [float_up(d) for d in spent.divergences if d is not None]
    if not math.isfinite(target) or not finite:
        return pure
    low, high = 0.0, min(pure, min(finite) + 1)
    while math.isfinite(high) and not _reaches(terms, spent, high, target):
        low, high = high, 2 * high + 1
    if low >= pure or not math.isfinite(high):
        return pure
    for _ in range(100):
        middle = (low + high) / 2
        if not low < middle < high or high - low <= high * 2.0**-40:
            break
        if _reaches(terms, spent, middle, target):
            high = middle
        else:
            low = middle
    return min(high, pure)


def _reaches(terms: BudgetTerms, spent: Charge, epsilon: float, target: float) -> bool:
    """Certain that the mixture at `epsilon` is at least e^target."""
    mixture = Mixture.at(terms, spent.divergences, Fraction(epsilon))
    return mixture.log_den_from_below(0.0) >= target


def _curve_share(terms: BudgetTerms, spent: Charge) -> float:
    """The least t in (0, 1] such that the curve over t has g <= delta_conv; 1 if none has."""
    curve, target = spent.divergences, log_from_below(terms)
    if all(value == 0 for value in curve):
        return 0.0
    if any(value is None for value in curve) or not math.isfinite(target):
        return 1.0

    def fits(t: float) -> bool:
        scaled = [None if value is None else value / Fraction(t) for value in curve]
        return Mixture.at(terms, scaled).log_supremum_about() <= target

    low, high = 0.0, 1.0
    while high > 2.0**-100 and fits(high / 2):
        high /= 2
    low = high / 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return inflate(high)
