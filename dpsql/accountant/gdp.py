"""Budgets in Gaussian differential privacy: the exact filter for Gaussian releases alone.

mu_i = 1 / noise_multiplier of each Gaussian release, chosen adaptively; as long as the sum of the
mu_i^2 stays within mu^2, all of them together are mu-GDP, and so (epsilon, delta_conv)-DP for every
pair on Balle and Wang's curve. No filter admits more: mu-GDP is what one Gaussian release is.
At (1, 1e-6) that is 1.15 times the Gaussians of any Rényi filter.

Source: Smith, Thakurta 2022 (arXiv 2210.17520); Koskela, Tobaben, Honkela 2023 (arXiv
2209.15596); proof: docs/proofs/filter.md, 10. Valid for continuous and rounded Gaussian
noise, not for the discrete Gaussian. `Threshold(0, ...)` events, the selection of Gaussian
thresholding, are counted on delta_thr. Anything else is refused.

A budget of the library only: the ledger and the policy know `BudgetTerms`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dpsql.accountant.calibrate import gaussian_multiplier, is_private
from dpsql.accountant.charge import DELTA_UNIT
from dpsql.accountant.compose import Composition, Item
from dpsql.accountant.events import Gaussian, PrivacyEvent, Threshold
from dpsql.accountant.parameters import parse_rational, positive, write_rational
from dpsql.accountant.rounding import ceil_units, float_up
from dpsql.errors import LedgerError

# One unit of spend: sums of mu^2 are exact in it, each summand rounded up once.
SQUARE_UNIT = 10**40


@dataclass(frozen=True, slots=True)
class GaussianTerms:
    """A promise of (epsilon, delta_conv + delta_thr), held by a sum of squares.

    Errors: ValueError unless epsilon > 0, delta_conv > 0, delta_thr >= 0, and their sum is below 1.
    """

    epsilon: Fraction
    delta_conv: Fraction
    delta_thr: Fraction

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive")
        if self.delta_conv <= 0 or self.delta_thr < 0 or self.delta_conv + self.delta_thr >= 1:
            raise ValueError("delta_conv > 0 and delta_thr >= 0 must sum to less than 1")

    @classmethod
    def create(
        cls, epsilon: Fraction, delta: Fraction, split: Fraction = Fraction(0)
    ) -> GaussianTerms:
        """`split` of delta goes to key selection. ValueError unless 0 <= split < 1."""
        chance = positive(delta, "delta")
        if not 0 <= split < 1:
            raise ValueError("split must lie in [0, 1)")
        return cls(positive(epsilon, "epsilon"), chance * (1 - split), chance * split)

    @property
    def square(self) -> Fraction:
        """The largest mu^2 that is (epsilon, delta_conv)-DP, rounded down by at most 2^-47.

        In whole units, up where that is certified, so that the one release with the least noise
        of all (`gaussian_multiplier`) fits.
        """
        exact = 1 / gaussian_multiplier(self.epsilon, self.delta_conv) ** 2
        above = ceil_units(exact, SQUARE_UNIT)
        if is_private(Fraction(above, SQUARE_UNIT), self.epsilon, self.delta_conv):
            return Fraction(above, SQUARE_UNIT)
        return Fraction(above - 1, SQUARE_UNIT)

    def to_json(self) -> dict[str, str]:
        """Exact decimal text."""
        names = [field.name for field in dataclasses.fields(self)]
        return {name: write_rational(getattr(self, name)) for name in names}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> GaussianTerms:
        """Exact inverse of `to_json`. Errors: LedgerError, code `bad-terms`."""
        names = [field.name for field in dataclasses.fields(cls)]
        try:
            if set(data) != {*names}:
                raise ValueError("missing or extra fields")
            return cls(**{name: parse_rational(data[name], name) for name in names})
        except (ValueError, LedgerError):
            raise LedgerError("malformed budget terms", code="bad-terms") from None


@dataclass(frozen=True, slots=True)
class GaussianCharge:
    """The price of some Gaussian releases: exact sums, in any order.

    `square` is the sum of the mu^2 in 1/SQUARE_UNIT, `delta` that of key selection in
    1/DELTA_UNIT. Errors: ValueError if negative.
    """

    square: int = 0
    delta: int = 0

    def __post_init__(self) -> None:
        if self.square < 0 or self.delta < 0:
            raise ValueError("a charge is not negative")

    def __add__(self, other: GaussianCharge) -> GaussianCharge:
        return GaussianCharge(self.square + other.square, self.delta + other.delta)


def price(items: Iterable[Item]) -> GaussianCharge:
    """The charge of some releases together.

    Errors: ValueError for any event but Gaussian and Threshold with epsilon 0.
    """
    whole = Composition.of(items)
    square = sum(
        (ceil_units(count * _square(event), SQUARE_UNIT) for event, count in whole.parts), 0
    )
    return GaussianCharge(square, whole.delta_units(DELTA_UNIT))


def why_not(terms: GaussianTerms, spent: GaussianCharge) -> Literal["epsilon", "delta"] | None:
    """None if `spent`, the new charge included, keeps the promise, else which part ran out."""
    if Fraction(spent.delta, DELTA_UNIT) > terms.delta_thr:
        return "delta"
    return None if Fraction(spent.square, SQUARE_UNIT) <= terms.square else "epsilon"


def admits(terms: GaussianTerms, spent: GaussianCharge) -> bool:
    """Whether `spent`, the new charge included, keeps the promise."""
    return why_not(terms, spent) is None


def share(terms: GaussianTerms, spent: GaussianCharge) -> float:
    """The share of mu^2 that is used, in [0, 1], rounded up; n equal releases of N are n/N."""
    return min(1.0, float_up(Fraction(spent.square, SQUARE_UNIT) / terms.square))


def _square(event: PrivacyEvent) -> Fraction:
    if isinstance(event, Gaussian):
        return 1 / event.noise_multiplier**2
    if isinstance(event, Threshold) and event.epsilon == 0:
        return Fraction(0)
    raise ValueError(f"a Gaussian budget cannot price the event {event.name!r}")
