"""Does each analyst's own guarantee hold, or only the one of all together?"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dpsql.accountant.filter import BudgetTerms

MARGIN = Fraction(1, 2**8)
"""Relative slack over rounding of charges: see `filled_together`."""


def filled_together(budgets: Sequence[BudgetTerms], total: BudgetTerms) -> bool:
    """True only if `total` admits whatever the `budgets` admit, all filled at once.

    Why it matters: a query is refused when its own budget or `total` is exceeded. The first
    depends on what this budget's holder saw; the second on everybody's spending, which depends on
    answers that others saw. If `total` can never be the one to refuse, the transcript of one
    budget is that of its own filter alone and has its (ε, δ). Otherwise only `total`'s holds.

    Argument. Let budget i have ε_i, δ_i = delta_conv, orders A_i, weights w (sum 1), and let S be
    charges it admits. S(a), the sum of Rényi curves, does not decrease in a.
    (1) Either S(∞) ≤ ε_i, or sup_{y>0} (1-e^-y) / Σ_a w_a e^{(a-1)(ε_i+y-S(a))} ≤ δ_i (the
        mixture filter, docs/proofs/filter.md). In the second case take y with 1-e^-y = δ_i: then
        Σ_a w_a e^{(a-1)(ε_i+y-S(a))} ≥ 1, a weighted mean, so some order a of A_i has
        S(a) ≤ ε_i + y = ε_i - ln(1-δ_i).
        Which order that is depends on the answers, so only what all of them imply is used:
        S(b) ≤ C_i := ε_i - ln(1-δ_i) for every b ≤ min A_i. The first case implies it too.
    (2) At every order b of `total` with b ≤ min_i min A_i the sum over all budgets is at most
        Σ C_i; at the others nothing is assumed (infinite), and the pure sum is infinite.
    (3) The threshold δ's of budget i sum to at most its delta_thr, all to at most Σ delta_thr.
    (4) `admits` falls when a charge grows, so if `total` admits (2) and (3) it admits everything.

    Rounding: `admits` reads curves that each charge rounded up to units of 2^-40. (1) and (2) hold
    for the rounded curves as they are where rounding keeps S monotone in a. Two exceptions: a
    float curve may dip by an ulp between orders where it is flat, near a pure ε; and S(∞) has a
    finer unit, so a rounded S(b) may exceed it by 2^-40 a charge. A charge on the pure track is
    a query's whole ε ≥ 2^-30 (`read_epsilon`), of which 2^-40 is 2^-10. MARGIN covers both.

    Holds for budgets whose orders are the ones given, without windows, and if the ledger knows no
    other budgets. Looser than the truth, never stricter than it may be: False proves nothing.
    """
    from dpsql.accountant.charge import DELTA_UNIT, RENYI_UNIT, Charge
    from dpsql.accountant.filter import admits

    if not budgets:
        return True
    safe_order = min(min(terms.orders) for terms in budgets)
    most = sum((_most(terms) for terms in budgets), Fraction(0))
    rounded = ceil(most * RENYI_UNIT)
    worst = Charge(
        orders=total.orders,
        renyi=tuple(rounded if order <= safe_order else None for order in total.orders),
        pure=None,
        delta=sum(floor(terms.delta_thr * DELTA_UNIT) for terms in budgets),
    )
    return admits(total, worst)


def _most(terms: BudgetTerms) -> Fraction:
    """C_i from above: -ln(1-δ) ≤ δ/(1-δ)."""
    delta = terms.delta_conv
    return (terms.epsilon + delta / (1 - delta)) * (1 + MARGIN)
