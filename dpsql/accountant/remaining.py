"""How many more of the same a budget admits."""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.accountant.charge import Charge, price
from dpsql.accountant.compose import Item
from dpsql.accountant.filter import admits
from dpsql.accountant.terms import BudgetTerms


def repeats(terms: BudgetTerms, spent: Charge, items: Sequence[Item], most: int) -> int:
    """The largest n, at most `most`, such that n times these events fit on top of `spent`.

    A charge grows with n and `admits` falls with it, so doubling and bisection find it.
    Errors: ValueError for an event or count that is none, or other orders than the budget's.
    """
    counted = [item if isinstance(item, tuple) else (item, 1) for item in items]

    def fits(n: int) -> bool:
        more = price([(event, count * n) for event, count in counted], terms.orders)
        return admits(terms, spent + more)

    low, high = 0, 1
    while high < most and fits(high):
        low, high = high, high * 2
    if high >= most and fits(most):
        return most
    high = min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
