"""What a budget promises, and the orders and weights it was created with."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dpsql.accountant.parameters import parse_rational, positive, write_rational
from dpsql.accountant.rounding import float_down
from dpsql.errors import LedgerError

# Around the order that is best for Gaussians alone; the two larger ones serve pure-ish events.
# Measured: .86 to .99 of the queries that hindsight would admit (docs/proofs/filter.md, section 6).
_SPREAD = (1, 3, 10)
_WEIGHTS = (Fraction(9, 10), Fraction(1, 20), Fraction(1, 20))


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """(epsilon, delta_conv + delta_thr) with the filter's orders and weights.

    Orders and weights are fixed when the budget is created and never change: a choice made after
    the first answer would void the theorem (docs/proofs/filter.md). epsilon and the two deltas
    may be raised; the guarantee is then that of the largest reached.
    Errors: ValueError unless epsilon > 0, 0 <= deltas, delta_conv + delta_thr < 1, orders > 1
    and different, weights > 0 with sum 1.
    """

    epsilon: Fraction
    delta_conv: Fraction
    delta_thr: Fraction
    orders: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if self.epsilon <= 0:
            raise ValueError("epsilon must be positive")
        if self.delta_conv < 0 or self.delta_thr < 0 or self.delta_conv + self.delta_thr >= 1:
            raise ValueError("delta_conv and delta_thr must be at least 0 and sum to less than 1")
        if not self.orders or len(self.weights) != len(self.orders):
            raise ValueError("a budget has one weight for each order")
        if any(order <= 1 for order in self.orders) or len({*self.orders}) < len(self.orders):
            raise ValueError("the orders of a budget are above 1 and different")
        if any(weight <= 0 for weight in self.weights) or sum(self.weights) != 1:
            raise ValueError("the weights of a budget are positive and sum to 1")

    @classmethod
    def create(
        cls, epsilon: Fraction, delta: Fraction, split: Fraction = Fraction(1, 2)
    ) -> BudgetTerms:
        """Terms for a promise of (epsilon, delta); `split` of delta goes to key selection.

        Errors: ValueError unless epsilon > 0, 0 < delta < 1, 0 <= split <= 1.
        """
        promised, chance = positive(epsilon, "epsilon"), positive(delta, "delta")
        if not (chance < 1 and 0 <= split <= 1):
            raise ValueError("delta must lie in (0, 1) and split in [0, 1]")
        delta_thr = chance * split
        delta_conv = chance - delta_thr
        best = gaussian_order(promised, delta_conv or chance)
        orders = tuple(1 + step * best for step in _SPREAD)
        return cls(promised, delta_conv, delta_thr, orders, _WEIGHTS)

    @classmethod
    def fixed_order(
        cls,
        epsilon: Fraction,
        delta: Fraction,
        order: Fraction | None = None,
        split: Fraction = Fraction(0),
    ) -> BudgetTerms:
        """Terms of the Rényi filter at one order, by default the one best for Gaussians.

        Source: Feldman, Zrnic 2021 (arXiv 2008.11193), Thm 3.1, with Prop. 12 of Canonne, Kamath,
        Steinke 2020: the mixture of one order. 1 % more Gaussians than `create`, a quarter fewer
        releases where a few large Laplace ones are among them.
        Errors: as for `create`, and ValueError for an order of at most 1.
        """
        made = cls.create(epsilon, delta, split)
        chosen = made.orders[0] if order is None else positive(order, "order")
        return dataclasses.replace(made, orders=(chosen,), weights=(Fraction(1),))

    @classmethod
    def pure(cls, epsilon: Fraction) -> BudgetTerms:
        """Terms that promise (epsilon, 0): the sum of the pure losses, and nothing else, counts.

        Source: basic composition, which holds under full adaptivity (docs/proofs/filter.md, 3).
        Errors: ValueError unless epsilon > 0.
        """
        promised = positive(epsilon, "epsilon")
        return cls(promised, Fraction(0), Fraction(0), (Fraction(2),), (Fraction(1),))

    @property
    def delta(self) -> Fraction:
        """The whole delta that is promised."""
        return self.delta_conv + self.delta_thr

    def to_json(self) -> dict[str, object]:
        """Exact decimal text throughout."""
        return {
            "epsilon": write_rational(self.epsilon),
            "delta_conv": write_rational(self.delta_conv),
            "delta_thr": write_rational(self.delta_thr),
            "orders": [write_rational(order) for order in self.orders],
            "weights": [write_rational(weight) for weight in self.weights],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> BudgetTerms:
        """Exact inverse of `to_json`. Errors: LedgerError, code `bad-terms`."""
        bad = LedgerError("the ledger holds malformed budget terms", code="bad-terms")
        orders, weights = data.get("orders"), data.get("weights")
        fields = {f.name for f in dataclasses.fields(cls)}
        if set(data) != fields or not isinstance(orders, list) or not isinstance(weights, list):
            raise bad
        try:
            return cls(
                parse_rational(data["epsilon"], "epsilon"),
                parse_rational(data["delta_conv"], "delta_conv"),
                parse_rational(data["delta_thr"], "delta_thr"),
                tuple(parse_rational(order, "order") for order in orders),
                tuple(parse_rational(weight, "weight") for weight in weights),
            )
        except (ValueError, LedgerError):
            raise bad from None


def gaussian_order(epsilon: Fraction, delta: Fraction) -> Fraction:
    """a* - 1 for the order a* at which the largest zCDP rho is (epsilon, delta)-DP.

    Prop. 12 of Canonne, Kamath, Steinke 2020 allows
    rho(a) = [epsilon - log(1 - 1/a) + (log delta + log a) / (a - 1)] / a; a* maximises it. The
    result is a short dyadic number: any order is valid, a near-best one is 1 % from the optimum,
    and dyadic orders are floats exactly.
    """
    eps, log_delta = float_down(epsilon), math.log(float_down(delta))

    def allowed(u: float) -> float:
        above = math.exp(u)
        order = 1 + above
        shift = math.log1p(1 / above) + (log_delta + math.log1p(above)) / above
        return (eps + shift) / order

    coarse = [step / 4 for step in range(-160, 321)]
    centre = max(coarse, key=allowed)
    fine = [centre + step / 64 for step in range(-16, 17)]
    mantissa, exponent = math.frexp(math.exp(max(fine, key=allowed)))
    return Fraction(round(mantissa * 64), 64) * Fraction(2) ** exponent
