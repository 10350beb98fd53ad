"""Admission: the one place that says whether a budget covers what was spent.

The mixture filter with the pure track and a separate cap on selection deltas. Theorem and proof:
docs/proofs/filter.md. Under fully adaptive choice of mechanisms and parameters, refusing and
going on, whatever is admitted is (epsilon, delta_conv + delta_thr)-DP together. The minimum over
orders of the converted epsilon is *not* used: it admits twice the promised delta.
"""

from __future__ import annotations

import math
from typing import Literal

from dpsql.accountant.charge import Charge
from dpsql.accountant.mixture import Mixture
from dpsql.accountant.rounding import float_down
from dpsql.accountant.terms import BudgetTerms

__all__ = ["BudgetTerms", "admits", "log_failure_from_above", "why_not"]


def admits(terms: BudgetTerms, spent: Charge) -> bool:
    """Whether `spent`, the new charge included, stays within the promise. Undecided is False.

    Errors: ValueError if `spent` was not priced at the orders of `terms`.
    """
    return why_not(terms, spent) is None


def why_not(terms: BudgetTerms, spent: Charge) -> Literal["epsilon", "delta"] | None:
    """None if `spent` is admitted, else which part of the promise ran out.

    `delta` is key selection's part (delta_thr); `epsilon` the privacy loss: neither the pure sum
    is within epsilon nor the mixture's failure probability within delta_conv.
    """
    check_orders(terms, spent)
    if spent.selection_delta > terms.delta_thr:
        return "delta"
    if spent.epsilon is not None and spent.epsilon <= terms.epsilon:
        return None
    if terms.delta_conv == 0:
        return "epsilon"
    target = log_from_below(terms)
    # `<=` and not `not >`: a NaN would fail it
    return None if log_failure_from_above(terms, spent) <= target else "epsilon"


def log_failure_from_above(terms: BudgetTerms, spent: Charge) -> float:
    """An upper bound of log g(S), refined as far as deciding against delta_conv takes."""
    check_orders(terms, spent)
    mixture = Mixture.at(terms, spent.divergences)
    return mixture.log_supremum_from_above(log_from_below(terms))


def log_from_below(terms: BudgetTerms) -> float:
    """log delta_conv, rounded down; -inf for 0 or a delta below all floats."""
    delta = float_down(terms.delta_conv)
    return math.log(delta) - 2.0**-50 * (1 - math.log(delta)) if delta > 0 else -math.inf


def check_orders(terms: BudgetTerms, spent: Charge) -> None:
    """ValueError for a charge that cannot be held against the budget."""
    if spent.orders != terms.orders:
        raise ValueError("the charge was not priced at the orders of the budget")
