"""The least Gaussian noise for one (epsilon, delta)-DP release, never a hair less.

Source: Balle, Wang 2018 (arXiv 1805.06530), Theorem 8: with mu = 1 / (std / L2),
delta = Phi(-z) - e^epsilon Phi(-z - mu), z = epsilon/mu - mu/2, necessary and sufficient. As
e^epsilon phi(z + mu) = phi(z), this is phi(z) [R(z) - R(z + mu)] with Mills' ratio
R(x) = Phi(-x) / phi(x), free of overflow; the difference is taken with 90 digits, of which at
epsilon = 2^-30 some 20 cancel. d delta / d mu = phi(z), so Newton's method on the log scale.
"""

from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from dpsql.accountant import convert
from dpsql.accountant.events import Gaussian
from dpsql.accountant.parameters import positive
from dpsql.accountant.rounding import as_decimal

_DIGITS = 90
_CONTEXT = decimal.Context(
    prec=_DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, rounding=decimal.ROUND_HALF_EVEN
)
_PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510"
    "58209749445923078164062862089986280348253421170679"
)
# An epsilon below this is calibrated as 0, which is more private.
_LEAST_EPSILON = Fraction(1, 2**100)
# log delta is known to far more than this; the noise is accepted only below it.
_CERTAIN = Decimal("1e-40")
_NEAR = Decimal("1e-12")
_BITS = 50


def gaussian_multiplier(epsilon: Fraction, delta: Fraction) -> Fraction:
    """The least std / L2 at which Gaussian noise is (epsilon, delta)-DP, rounded up.

    At most a relative 2^-48 above the exact value. Errors: ValueError unless epsilon > 0 and
    0 < delta < 1.
    """
    eps, chance = positive(epsilon, "epsilon"), positive(delta, "delta")
    if chance >= 1:
        raise ValueError("delta must be below 1")
    return _multiplier(eps if eps >= _LEAST_EPSILON else Fraction(0), chance)


@lru_cache(maxsize=4096)
def renyi_multiplier(epsilon: Fraction, delta: Fraction) -> Fraction:
    """A noise multiplier s at which all that is 1/(2s²)-zCDP is (epsilon, delta)-DP.

    For releases of several mechanisms, to which the theorem above does not apply: by the conversion
    of Rényi curves (`convert`), about 7 % above it. Within a relative 2^-20 of the least such s.
    Errors: ValueError unless epsilon > 0 and 0 < delta < 1.
    """
    target, chance = positive(epsilon, "epsilon"), positive(delta, "delta")
    if chance >= 1:
        raise ValueError("delta must be below 1")

    def fits(multiplier: Fraction) -> bool:
        found = convert.epsilon([Gaussian(multiplier)], delta=chance)
        return math.isfinite(found) and Fraction(found) <= target

    high = gaussian_multiplier(target, chance)  # the least for Gaussian noise alone
    while not fits(high):
        high *= 2
    low = high / 4
    while high - low > high / 2**20:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    unit = Fraction(2) ** (high.numerator.bit_length() - high.denominator.bit_length() - 30)
    return -(-high // unit) * unit


def is_private(square: Fraction, epsilon: Fraction, delta: Fraction) -> bool:
    """Certain that Gaussian noise with (L2 / std)^2 = `square` > 0 is (epsilon, delta)-DP."""
    with decimal.localcontext(_CONTEXT):
        mu = as_decimal(square).sqrt()
        return _log_delta(as_decimal(epsilon), mu) - as_decimal(delta).ln() <= -_CERTAIN


def gaussian_epsilon(square: Fraction, delta: Fraction) -> Fraction:
    """An epsilon at which Gaussian noise with (L2 / std)^2 = `square` is (epsilon, delta)-DP.

    The least one, rounded up to six significant digits; 0 where delta alone covers it. Errors:
    ValueError unless square > 0 and 0 < delta < 1.
    """
    whole, chance = positive(square, "square"), positive(delta, "delta")
    if chance >= 1:
        raise ValueError("delta must be below 1")
    low, high = Fraction(0), Fraction(1)
    if is_private(whole, low, chance):
        return low
    while not is_private(whole, high, chance):
        low, high = high, 2 * high
    while high - low > high / 2**24:
        middle = (low + high) / 2
        low, high = (low, middle) if is_private(whole, middle, chance) else (middle, high)
    unit = Fraction(10) ** (Decimal(high.numerator / high.denominator).adjusted() - 5)
    return -(-high // unit) * unit


@lru_cache(maxsize=4096)
def _multiplier(epsilon: Fraction, delta: Fraction) -> Fraction:
    with decimal.localcontext(_CONTEXT):
        eps, log_delta = as_decimal(epsilon), as_decimal(delta).ln()
        exact = 1 / _solve(eps, log_delta)
        unit = _unit(exact)
        noise = Fraction(int(exact / as_decimal(unit)) + 1) * unit
        while _log_delta(eps, 1 / as_decimal(noise)) - log_delta > -_CERTAIN:
            noise += unit
        return noise


def _solve(eps: Decimal, log_delta: Decimal) -> Decimal:
    """mu with log delta(mu) = log_delta to 40 digits, with fewer ones until it is near."""
    depth = (-2 * log_delta).sqrt()
    guess = max((depth * depth + 2 * eps).sqrt() - depth, 2 * log_delta.exp())
    with decimal.localcontext() as rough:
        rough.prec = _DIGITS // 2
        near = _newton(eps, log_delta, guess.ln(), _NEAR)
    return _newton(eps, log_delta, near, _CERTAIN).exp()


def _newton(eps: Decimal, log_delta: Decimal, log_mu: Decimal, within: Decimal) -> Decimal:
    """log mu by Newton's method kept in a bracket, until a step is shorter than `within`."""
    low, high = Decimal(0), Decimal("Infinity")
    for _ in range(200):
        mu = log_mu.exp()
        z = eps / mu - mu / 2
        spread = _spread(z, mu)
        gap = _log_density(z) + spread.ln() - log_delta
        low, high = (low, min(high, mu)) if gap > 0 else (max(low, mu), high)
        step = -gap * spread / mu
        if abs(step) < within:
            break
        log_mu += max(min(step, Decimal(2)), Decimal(-2))
        if not low < log_mu.exp() < high:
            log_mu = (low * high).sqrt().ln() if low > 0 and high.is_finite() else log_mu
    return log_mu


def _log_delta(eps: Decimal, mu: Decimal) -> Decimal:
    z = eps / mu - mu / 2
    return _log_density(z) + _spread(z, mu).ln()


def _log_density(z: Decimal) -> Decimal:
    return -z * z / 2 - (2 * _PI).ln() / 2


def _spread(z: Decimal, mu: Decimal) -> Decimal:
    """R(z) - R(z + mu) > 0."""
    return _mills(z) - _mills(z + mu)


def _mills(x: Decimal) -> Decimal:
    """Mills' ratio Phi(-x) / phi(x), to about 85 digits."""
    return _mills_fraction(x) if x > 6 else _mills_series(x)


def _mills_series(x: Decimal) -> Decimal:
    """sqrt(pi/2) e^{x^2/2} - sum of x^{2k+1} / (1 3 5 ... (2k+1)); at x = 6, 9 digits cancel."""
    total = term = x
    odd = 1
    least = Decimal(10) ** (-decimal.getcontext().prec - 2)
    while abs(term) > abs(total) * least:
        odd += 2
        term = term * x * x / odd
        total += term
    return (_PI / 2).sqrt() * (x * x / 2).exp() - total


def _mills_fraction(x: Decimal) -> Decimal:
    """Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/(x + ...)))) for x > 0.

    Its convergents lie alternately above and below, so two that agree are the value.
    """
    before, now = (Decimal(1), Decimal(0)), (Decimal(0), Decimal(1))
    k = 0
    ratio = previous = Decimal(0)
    close = Decimal(10) ** (5 - decimal.getcontext().prec)
    while k < 2 or abs(ratio - previous) > ratio * close:
        part = Decimal(max(k, 1))
        before, now = now, (x * now[0] + part * before[0], x * now[1] + part * before[1])
        k += 1
        previous, ratio = ratio, now[0] / now[1]
    return ratio


def _unit(value: Decimal) -> Fraction:
    """The power of two 2^-_BITS below the leading bit of `value`, about."""
    leading = int((value.ln() / Decimal(2).ln()).to_integral_value(decimal.ROUND_FLOOR))
    return Fraction(2) ** (leading - _BITS)
