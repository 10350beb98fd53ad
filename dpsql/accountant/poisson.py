"""The Rényi curve of the Gaussian mechanism on a Poisson sample of the units.

A_a = E over z ~ N(0, s^2) of [(1-q) + q e^{(2z-1)/(2 s^2)}]^a, the curve is log A_a / (a-1);
removal against addition is the worse direction (Mironov, Talwar, Zhang 2019, arXiv 1908.10530).

- Integer orders: the binomial sum of its section 3.3, exact; minus 1 it has non-negative terms.
- Fractional orders: the integral by the trapezoidal rule. The integrand is analytic in
  |Im z| < pi s^2 and there at most e^{Im^2 / 2 s^2} times its real value, so a step h errs by
  2 e^{d^2 / 2 s^2 - 2 pi d / h} A_a for any d up to pi s^2 (Trefethen, Weideman 2014, Thm 5.1):
  the step is chosen for e^{-90}.
- Where that needs too many points (a > 2^15 h): log A_a is convex in a and 0 at 1, so its chords
  between integer orders are an upper bound, and log A_a / (a-1) still does not decrease.
- Orders above 2^14: sampling in the clear is worse, log(1 + q (e^{(a-1) a / 2 s^2} - 1)) / (a-1).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from dpsql.accountant.rounding import float_down, float_up, inflate

_LARGEST_SUM = 2**14
_MOST_POINTS = 2**15
_LEAST_ABOVE = 2.0**-10
# Binomials through lgamma, exponents of a thousand: more than the slack of `inflate`.
_SLACK, _SLACK_PER_ORDER = 2.0**-38, 2.0**-44
_ERROR_EXPONENT = 90.0


def curve(order: float, q: Fraction, noise_multiplier: Fraction) -> float:
    """The divergence at a finite order >= 1 in nats, rounded up; 0 < q < 1."""
    # Orders next to 1 are bounded by a larger one: curves are non-decreasing.
    a = max(order, 1 + _LEAST_ABOVE)
    # More sampling and less noise only raise the curve: keep the parameters where floats are safe.
    rate = max(float_up(q), 2.0**-200)
    noise = min(float_down(noise_multiplier), 2.0**100)
    if noise < 2.0**-400:
        return math.inf
    if a > _LARGEST_SUM or rate >= 1:
        return inflate(_in_the_clear(a, min(rate, 1.0), noise) / (a - 1))
    slack = 1 + _SLACK + a * _SLACK_PER_ORDER
    return inflate(_log_moment(a, rate, noise) * slack / (a - 1))


def _log_moment(a: float, q: float, s: float) -> float:
    """log A_a for 1 < a <= _LARGEST_SUM, or a little more."""
    if a == int(a):
        return _integer(int(a), q, s)
    if a <= _MOST_POINTS * _step(s):
        return _fractional(a, q, s)
    below = int(a)
    low = _integer(below, q, s) if below > 1 else 0.0
    return low + (a - below) * (_integer(below + 1, q, s) - low)


@lru_cache(maxsize=4096)
def _integer(a: int, q: float, s: float) -> float:
    """log sum_i C(a,i) q^i (1-q)^{a-i} e^{(i^2 - i) / 2 s^2}, from its excess over 1."""
    log_q, log_rest = math.log(q), math.log1p(-q)
    terms = []
    for i in range(2, a + 1):
        log_choose = math.lgamma(a + 1) - math.lgamma(i + 1) - math.lgamma(a - i + 1)
        gain = i * (i - 1) / 2 / s / s
        log_gain = math.log(math.expm1(gain)) if gain < 30 else gain + math.log1p(-math.exp(-gain))
        terms.append(log_choose + i * log_q + (a - i) * log_rest + log_gain)
    top = max(terms)
    log_excess = top + math.log(math.fsum(math.exp(term - top) for term in terms))
    return _log_one_plus_exp(log_excess)


def _fractional(a: float, q: float, s: float) -> float:
    """log A_a by the trapezoidal rule, from its excess over 1.

    The excess is E[f(r)], f(r) = r^a - 1 - a (r - 1) >= 0 (because E r = 1): on the log scale
    e^{a l} - 1 - a (e^l - 1), in which the linear terms cancel before they are rounded.
    """
    import numpy as np

    step = _step(s)
    log_q = math.log(q)
    reach = s * math.sqrt(2 * (_ERROR_EXPONENT + 40 - a * log_q))
    points = np.arange(math.floor(-40 * s / step), math.ceil((a + reach + 40 * s) / step) + 1)
    z = points * step
    lift = (2 * z - 1) / (2 * s * s)
    with np.errstate(over="ignore", under="ignore"):
        # log of 1 + q (e^u - 1), by whichever form does not cancel or overflow
        small = np.log1p(q * np.expm1(np.minimum(lift, 1.0)))
        large = np.logaddexp(math.log1p(-q), log_q + lift)
        loss = np.where(lift < 1.0, small, large)
        log_weight = -z * z / (2 * s * s) + math.log(step / s / math.sqrt(2 * math.pi))
        log_terms = _log_excess(a, loss) + log_weight
    top = float(log_terms.max())
    total = math.fsum(np.exp(log_terms - top).tolist())
    return _log_one_plus_exp(top + math.log(total))


def _step(s: float) -> float:
    """The largest step for which the rule's relative error is e^{-90}, see above."""
    widest = 2 * math.pi * s / math.sqrt(2 * _ERROR_EXPONENT)  # d = 2 pi s^2 / h, if allowed
    if widest >= 2:
        return widest
    strip = math.pi * s * s
    return 2 * math.pi * strip / (_ERROR_EXPONENT + strip * strip / (2 * s * s))


def _log_excess(a: float, loss: Any) -> Any:
    """log of e^{a l} - 1 - a (e^l - 1) for an array of l; -inf at 0."""
    import numpy as np

    near = np.clip(loss, -0.5 / a, 0.5 / a)
    series = np.zeros_like(near)
    for k in range(22, 1, -1):  # sum over k >= 2 of (a^k - a) l^k / k!
        series = series + (a**k - a) / math.factorial(k) * near**k
    middle = np.clip(loss, -800.0, 30.0 / a)
    plain = np.expm1(a * middle) - a * np.expm1(middle)
    far = np.maximum(loss, 30.0 / a)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = a * far + np.log1p(-(1 + a * np.expm1(np.minimum(far, 690.0))) * np.exp(-a * far))
        inner = np.where(np.abs(loss) <= 0.5 / a, series, plain)
        return np.where(loss > 30.0 / a, beyond, np.log(np.maximum(inner, 0.0)))


def _in_the_clear(a: float, q: float, s: float) -> float:
    gain = (a - 1) * a / 2 / s / s
    return _log_one_plus_exp(math.log(q) + gain)


def _log_one_plus_exp(x: float) -> float:
    """log(1 + e^x) for any x, inf included."""
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))
