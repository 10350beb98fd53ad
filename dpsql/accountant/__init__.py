"""Prices of private releases: events, their Rényi curves, budgets that hold under adaptivity.

`epsilon` and `delta` answer for a list of events fixed in advance; `accountant.pld` has the same
two, tighter and slower. Budgets that hold under adaptive choice: make `filter.BudgetTerms`
(`create` for the mixture of orders, `fixed_order`, `pure`), add up what `charge.price` returns,
ask `filter.admits` before each release, and report by `odometer`:

    terms = BudgetTerms.create(Fraction(1), Fraction(1, 10**6))
    spent = Charge.zero(terms.orders)
    after = spent + price([Gaussian(20), (Laplace(50), 3)], terms.orders)
    if admits(terms, after):
        spent = after

`gdp` is the exact budget for Gaussian releases alone. Needs no SQL: nothing here imports an
engine, and this module no numpy. Proofs: docs/proofs/filter.md and pld.md.
"""

from __future__ import annotations

from dpsql.accountant.convert import delta, epsilon
from dpsql.accountant.events import (
    ZCDP,
    DiscreteGaussian,
    DiscreteLaplace,
    Exponential,
    Gaussian,
    Laplace,
    PoissonGaussian,
    PrivacyEvent,
    Pure,
    RandomizedResponse,
    Threshold,
)

__all__ = [
    "epsilon",
    "delta",
    "PrivacyEvent",
    "Gaussian",
    "Laplace",
    "DiscreteGaussian",
    "DiscreteLaplace",
    "RandomizedResponse",
    "Pure",
    "ZCDP",
    "PoissonGaussian",
    "Exponential",
    "Threshold",
]
