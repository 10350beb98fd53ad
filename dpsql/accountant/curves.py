"""Rényi curves in closed form, evaluated without cancellation and rounded up.

Every function takes the order a >= 1 (a = 1 is KL) and a parameter that the caller has rounded
up; all curves increase with it. The textbook forms lose all digits where the loss is small
(a result of a e^2 / 2 as a difference of terms of size e), so each is rewritten as
log1p(E) / (a - 1) with E a sum of non-negative terms.
"""

from __future__ import annotations

import math

from dpsql.accountant.rounding import inflate

# exp() of more than this is computed on the log scale.
_LARGE = 700.0
_LOSSLESS = 1e300
# Losses below are raised to it: their squares must not underflow. exp(1e-120) is 1 to 120 digits.
_TINY = 1e-120


def gaussian(order: float, rho: float) -> float:
    """a rho: Gaussian noise (rho = 1 / (2 m^2)) and any rho-zCDP mechanism."""
    return inflate(order * rho)


def pure(order: float, epsilon: float) -> float:
    """Randomized response with odds e^eps, the worst epsilon-DP mechanism.

    (1/(a-1)) log[(e^{a eps} + e^{(1-a) eps}) / (1 + e^eps)] = log[cosh(x) / cosh(y)] / (a-1)
    with x = (a - 1/2) eps, y = eps/2, and with d = (a-1) eps/2
    cosh x / cosh y - 1 = 2 sinh(y + d) sinh(d) / cosh(y) = 2 sinh(d) [sinh(d) + tanh(y) cosh(d)],
    in which no two large numbers are divided. At a = 1: eps tanh(eps/2).
    """
    if epsilon == math.inf:
        return math.inf
    eps, above = max(epsilon, _TINY), order - 1
    if above == 0:
        return inflate(eps * math.tanh(eps / 2))
    if order * eps > _LARGE:
        tails = math.log1p(math.exp(-(2 * order - 1) * eps)) - math.log1p(math.exp(-eps))
        return inflate(eps + tails / above)
    half = above * eps / 2
    excess = 2 * math.sinh(half) * (math.sinh(half) + math.tanh(eps / 2) * math.cosh(half))
    return inflate(math.log1p(excess) / above)


def laplace(order: float, epsilon: float) -> float:
    """Continuous Laplace noise moved by eps scales (Mironov 2017, Prop. 6).

    (1/(a-1)) log[a/(2a-1) e^{(a-1) eps} + (a-1)/(2a-1) e^{-a eps}]; subtracting 1 inside, the
    linear terms cancel exactly: [a f((a-1) eps) + (a-1) f(-a eps)] / (2a-1), f(x) = e^x - 1 - x.
    """
    if epsilon == math.inf:
        return math.inf
    eps, above = max(epsilon, _TINY), order - 1
    if above == 0:
        return inflate(_exp_remainder(-eps))
    if above * eps > _LARGE:
        rest = above * math.expm1((1 - 2 * order) * eps) / (2 * order - 1)
        return inflate(eps + math.log1p(rest) / above)
    # weights with a - 1 kept exact: near order 1 the second weight is small but not rounded off
    up = order / (2 * order - 1) * _exp_remainder(above * eps)
    down = above / (2 * order - 1) * _exp_remainder(-order * eps)
    return inflate(math.log1p(up + down) / above)


def bounded_range(order: float, epsilon: float) -> float:
    """The worst mechanism whose privacy losses lie in an interval of length eps.

    sup over t in [0, eps] of (1/(a-1)) log[w e^{a t} + (1-w) e^{a (t - eps)}],
    w = (e^{-t} - e^{-eps}) / (1 - e^{-eps}) (Dong, Durfee, Rogers 2020). Setting the derivative in
    e^t to zero gives t* = eps/2 + l(a eps) - l((a-1) eps) and the value
    a l(a eps) - (a-1) l((a-1) eps) - l(eps), over a-1, with l(x) = log[sinh(x/2) / (x/2)].
    Here as l(a eps) - l((a-1) eps) + [l(a eps) - l(eps)] / (a-1).
    """
    if order * epsilon > _LOSSLESS:  # the curve is epsilon to all digits; the caller caps it there
        return math.inf
    eps, above = max(epsilon, _TINY), order - 1
    if above == 0:
        return inflate(_log_sinhc(eps) + eps * _log_sinhc_slope(eps))
    # Both differences are non-negative and computed as such.
    first = _log_sinhc_step((order - 1) * eps, order * eps, eps)
    second = _log_sinhc_step(eps, order * eps, above * eps)
    return inflate(inflate(first + second / above))


def _exp_remainder(x: float) -> float:
    """e^x - 1 - x >= 0, to a few ulps."""
    if abs(x) > 1:
        return math.expm1(x) - x
    total = 0.0
    for k in range(20, 1, -1):  # Horner; the first term left out is below 1e-19 of the sum
        total = (1 + total) * x / k if k > 2 else (1 + total) * x * x / 2
    return total


# Coefficients of log(sinh(x/2)/(x/2)) in powers of x^2: B_{2k} / (2k (2k)!), radius 2 pi.
_SERIES = (
    1 / 24,
    -1 / 2880,
    1 / 181440,
    -1 / 9676800,
    1 / 479001600,
    -691 / 15692092416000,
    1 / 1046139494400,
    -3617 / 170729965486080000,
    43867 / 91963695909076992000,
    -174611 / 16057153253965824000000,
)


def _log_sinhc(x: float) -> float:
    """log[sinh(x/2) / (x/2)] for x >= 0: x^2/24 near 0, x/2 - log x far out."""
    if x <= 1:
        return sum(c * x ** (2 * k) for k, c in reversed([*enumerate(_SERIES, 1)]))
    return x / 2 + math.log1p(-math.exp(-x)) - math.log(x)


def _log_sinhc_slope(x: float) -> float:
    """The derivative of `_log_sinhc`: coth(x/2)/2 - 1/x."""
    if x <= 1:
        return sum(2 * k * c * x ** (2 * k - 1) for k, c in reversed([*enumerate(_SERIES, 1)]))
    return 0.5 + 1 / math.expm1(x) - 1 / x if x < _LARGE else 0.5 - 1 / x


def _log_sinhc_step(low: float, high: float, gap: float) -> float:
    """_log_sinhc(high) - _log_sinhc(low) for 0 < low < high, gap = high - low given exactly."""
    if high <= 1:
        ratio = math.log1p(gap / low) if gap < low else math.log(high / low)
        return sum(
            c * low ** (2 * k) * math.expm1(2 * k * ratio)
            for k, c in reversed([*enumerate(_SERIES, 1)])
        )
    if gap > low:
        return _log_sinhc(high) - _log_sinhc(low)
    # log sinh(high/2) - log sinh(low/2) - log(high/low), each without large terms
    bend = 0.0 if low > _LARGE else -math.expm1(-gap) / math.expm1(low)
    return gap / 2 + math.log1p(bend) - math.log1p(gap / low)
