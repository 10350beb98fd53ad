"""The Rényi curve of two-sided geometric noise, from its own law.

P(x) ~ p^|x|, Q(x) ~ p^|x - D|, p = exp(-1/scale), D >= 2 an integer. With e = D/scale the
likelihood ratio is e^{+e} for x <= 0, e^{-e} for x >= D and p^{2x - D} between; on 0..D the
geometric mean of P and Q is the constant tanh(1/(2 scale)) e^{-e/2}. Hence, P and Q being mirror
images, sum P^a Q^{1-a} = t cosh(k e) + c sinh((D-1) k/scale) / sinh(k/scale) with k = a - 1/2,
t = 2 e^{-e/2} / (1 + p) the mass of both tails and c that constant; k = 1/2 gives 1.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction

from dpsql.accountant.rounding import as_decimal, inflate

# Beyond these the pure bound is the curve to 1e-6, 1e-12: exact evaluation is pointless.
_LARGE_LOSS, _LARGE_EXPONENT = 10**6, 10**15


def curve(order: float, scale: Fraction, sensitivity: int) -> float:
    """The divergence at a finite order >= 1 in nats, rounded up. Exact up to that rounding."""
    loss = sensitivity / scale
    if loss > _LARGE_LOSS or Fraction(order) * loss > _LARGE_EXPONENT:
        return math.inf  # the caller takes the minimum with D_inf
    # Order 1 is bounded by an order close to it: curves are non-decreasing.
    exact_order = max(Fraction(order), 1 + Fraction(1, 2**30))
    lost = _digits(loss) * 2 + _digits(1 / scale) + _digits(exact_order - 1)
    context = decimal.Context(
        prec=50 + lost, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]
    )
    with decimal.localcontext(context):
        a, s, d = as_decimal(exact_order), 1 / as_decimal(scale), Decimal(sensitivity)
        half = Decimal("0.5")
        excess = _moment(a - half, s, d) - _moment(half, s, d)
        value = (1 + excess).ln() / (a - 1)
        return inflate(float(value))


def _moment(k: Decimal, s: Decimal, d: Decimal) -> Decimal:
    """t cosh(k e) + c sinh((D-1) k s) / sinh(k s); 1 at k = 1/2."""
    damp = (-d * s / 2).exp()
    p = (-s).exp()
    tails = 2 * damp / (1 + p) * _cosh(k * d * s)
    between = damp * (1 - p) / (1 + p) * _sinh((d - 1) * k * s) / _sinh(k * s)
    return tails + between


def _cosh(x: Decimal) -> Decimal:
    grown = x.exp()
    return (grown + 1 / grown) / 2


def _sinh(x: Decimal) -> Decimal:
    grown = x.exp()
    return (grown - 1 / grown) / 2


def _digits(value: Fraction) -> int:
    """How many decimal digits a number below 1 is away from 1."""
    return max(0, (value.denominator.bit_length() - value.numerator.bit_length()) * 3 // 10 + 1)
