"""Prices of private releases: events, their Rényi curves, budgets that hold under adaptivity.

`epsilon` and `delta` answer for a list of events fixed in advance. Budgets under adaptive choice
are `filter`; ledgers add up `charge`s.
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
