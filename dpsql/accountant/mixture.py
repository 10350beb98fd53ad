"""The supremum g(S) of the mixture filter, bounded from above.

g(S) = sup over y > 0 of (1 - e^{-y}) / den(y), den(y) = sum_i w_i e^{c_i (epsilon + y - S_i)},
c_i = a_i - 1. On the log scale h(y) = log(1 - e^{-y}) - log den(y) is concave (log(1 - e^{-y})
is, and log-sum-exp of affine functions is convex), with
h'(y) = 1/(e^y - 1) - m(y), m(y) the den-weighted mean of the c_i. So once h'(left) >= 0 >=
h'(right) is *certified*, the supremum lies in [left, right], and on each interval [l, r] of a
partition of it h <= log(1 - e^{-r}) - log den(l). Every float below carries a margin far above
its rounding error, on the side that refuses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from dpsql.accountant.rounding import float_down
from dpsql.accountant.terms import BudgetTerms

# 2^8 ulps: exp, log, log1p and expm1 err by about one, sums of a few terms by a few.
_MARGIN = 2.0**-44
# Terms of den this far (on the log scale) below the largest are dropped, which lowers den.
_NEGLIGIBLE = 60.0
# Brackets around the maximiser, relative, and intervals in each: refined until decided.
_WIDTHS = (2.0**-4, 2.0**-10, 2.0**-16, 2.0**-22)
_INTERVALS = 64


@dataclass(frozen=True, slots=True)
class Mixture:
    """den(y) = sum exp(base + slope * y), with every base rounded down."""

    bases: tuple[float, ...]
    slopes: tuple[float, ...]

    @classmethod
    def at(
        cls, terms: BudgetTerms, spent: Sequence[Fraction | None], epsilon: Fraction | None = None
    ) -> Mixture:
        """The mixture after `spent` (one divergence for each order) at `epsilon`, or the budget's.

        The exponents are differences of numbers as large as 10^12: they are formed exactly. An
        order with infinite divergence, or one beyond all floats, contributes 0.
        """
        target = terms.epsilon if epsilon is None else epsilon
        bases, slopes = [], []
        for order, weight, divergence in zip(terms.orders, terms.weights, spent, strict=True):
            if divergence is None:
                continue
            exponent = float_down((order - 1) * (target - divergence))
            log_weight = math.log(float_down(weight))
            if math.isfinite(exponent):
                bases.append(exponent + log_weight - _MARGIN * (1 + abs(exponent) - log_weight))
                slopes.append(float_down(order - 1))
        return cls(tuple(bases), tuple(slopes))

    def log_den_from_below(self, y: float) -> float:
        """A lower bound of log den(y); -inf if no order is left."""
        if not self.bases:
            return -math.inf
        exponents = [base + slope * y for base, slope in zip(self.bases, self.slopes, strict=True)]
        top = max(exponents)
        if not math.isfinite(top):
            return -math.inf if top < 0 else math.nextafter(math.inf, 0.0)
        total = math.log(math.fsum(math.exp(exponent - top) for exponent in exponents))
        return top + total - self._error(y)

    def log_supremum_from_above(self, decided: float) -> float:
        """An upper bound of log g, refined until it is at most `decided` or cannot be.

        +inf if the maximiser cannot be certified; never NaN.
        """
        if not self.bases or not all(map(math.isfinite, self.bases)):
            return math.inf
        best = -self.log_den_from_below(0.0)  # the numerator is below 1, den increases
        active = self._without_negligible()
        peak = active._peak()
        for width in _WIDTHS:
            if best <= decided:
                break
            left, right = peak * (1 - width), peak * (1 + width)
            if not (active._rises(left) and active._falls(right)):
                break
            best = min(best, active._over(left, right))
        return best if not math.isnan(best) else math.inf

    def log_supremum_about(self) -> float:
        """h at its maximiser, not directed: for reports, never for admission."""
        if not self.bases:
            return math.inf
        active = self._without_negligible()
        peak = active._peak()
        return _log_one_minus_exp(peak) - active.log_den_from_below(peak)

    def _over(self, left: float, right: float) -> float:
        """An upper bound of h on [left, right], by intervals."""
        ends = [left + (right - left) * k / _INTERVALS for k in range(_INTERVALS)] + [right]
        return max(
            _log_one_minus_exp(stop) + self._error(stop) - self.log_den_from_below(start)
            for start, stop in pairwise(ends)
        )

    def _error(self, y: float) -> float:
        """Bounds the rounding error of an exponent and of the log of the sum."""
        largest = max(abs(base) for base in self.bases) + max(self.slopes) * y
        return _MARGIN * (2 + largest)

    def _without_negligible(self) -> Mixture:
        """Drop terms that matter nowhere near the maximiser; den only gets smaller."""
        farthest = math.log1p(1 / min(self.slopes))
        top = max(self.bases)
        kept = [
            (base, slope)
            for base, slope in zip(self.bases, self.slopes, strict=True)
            if base + slope * farthest >= top - _NEGLIGIBLE
        ]
        return Mixture(tuple(b for b, _ in kept), tuple(s for _, s in kept))

    def _mean_slope(self, y: float) -> float:
        exponents = [base + slope * y for base, slope in zip(self.bases, self.slopes, strict=True)]
        top = max(exponents)
        shares = [math.exp(exponent - top) for exponent in exponents]
        return math.fsum(
            slope * share for slope, share in zip(self.slopes, shares, strict=True)
        ) / math.fsum(shares)

    def _peak(self) -> float:
        """About where h' = 0: 1/(e^y - 1) falls, the mean slope rises with y."""
        low, high = math.log1p(1 / max(self.slopes)), math.log1p(1 / min(self.slopes))
        for _ in range(60):
            middle = math.sqrt(low * high)
            if 1 / math.expm1(middle) > self._mean_slope(middle):
                low = middle
            else:
                high = middle
        return math.sqrt(low * high)

    def _rises(self, y: float) -> bool:
        """Certain that h'(y) >= 0: each share is off by a factor e^{2 error} at most."""
        doubt = 2 * self._error(y) + _MARGIN
        return doubt < 1 and 1 / math.expm1(y) * (1 - _MARGIN) > self._mean_slope(y) * (
            1 + 2 * doubt
        )

    def _falls(self, y: float) -> bool:
        """Certain that h'(y) <= 0."""
        doubt = 2 * self._error(y) + _MARGIN
        return doubt < 1 and 1 / math.expm1(y) * (1 + _MARGIN) < self._mean_slope(y) * (1 - doubt)


def _log_one_minus_exp(y: float) -> float:
    """log(1 - e^{-y}) <= 0 for y > 0, to a few ulps of 1 or of itself, whichever is more."""
    return math.log(-math.expm1(-y))
