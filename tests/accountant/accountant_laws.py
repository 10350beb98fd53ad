"""The laws of every event's own mechanism, written down independently of its curve.

For each event some examples and, for each, pairs (P, Q) of output laws: densities for mpmath, or
finite tables of (p, q). The curve must bound the divergence of every pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import exp

import mpmath as mp

from dpsql.accountant import (
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

Table = list[tuple[mp.mpf, mp.mpf]]

EXAMPLES: list[PrivacyEvent] = [
    Gaussian("0.3"),
    Gaussian(2),
    Gaussian(40),
    Laplace("0.05"),
    Laplace(1),
    Laplace(300),
    DiscreteGaussian("0.4", 1),
    DiscreteGaussian(3, 2),
    DiscreteLaplace(1, 1),
    DiscreteLaplace("0.7", 3),
    DiscreteLaplace(50, 12),
    RandomizedResponse("0.01"),
    RandomizedResponse(3),
    Pure("0.2"),
    Pure(12),
    ZCDP("0.5"),
    PoissonGaussian("0.01", 1),
    PoissonGaussian("0.4", "0.6"),
    PoissonGaussian("0.2", 6),
    PoissonGaussian(1, 2),
    Exponential("0.1"),
    Exponential(1),
    Exponential(9),
    Threshold("0.3", "1e-6", 2),
    Threshold(0, "1e-9", 5),
]


def number(value: object) -> mp.mpf:
    return mp.mpf(str(value).partition("/")[0]) / mp.mpf(str(value).partition("/")[2] or 1)


def divergence(pairs: Table, order: float) -> mp.mpf:
    """D_a(P || Q) of a finite table, or KL at order 1."""
    if order == 1:
        return mp.fsum(p * mp.log(p / q) for p, q in pairs if p > 0)
    total = mp.fsum(p**order * q ** (1 - order) for p, q in pairs)
    return mp.log(total) / (order - 1)


def tables(event: PrivacyEvent) -> Iterator[Table]:
    """Finite pairs of laws (both directions are the reader's business)."""
    if isinstance(event, RandomizedResponse | Pure):
        yield _response(number(event.epsilon))
    if isinstance(event, Pure):
        yield _geometric(1 / number(event.epsilon), 1)
        e = mp.e ** number(event.epsilon)
        yield [(e / (e + 9), mp.mpf(1) / 10), (9 / (e + 9), mp.mpf(9) / 10)]
    if isinstance(event, DiscreteLaplace):
        yield _geometric(number(event.scale), event.sensitivity)
    if isinstance(event, DiscreteGaussian):
        s, d = number(event.sigma), event.sensitivity
        reach = range(int(-40 * s) - 5, int(40 * s) + d + 5)
        weights = [mp.e ** (-(mp.mpf(x) ** 2) / (2 * s * s)) for x in reach]
        shifted = [mp.e ** (-(mp.mpf(x - d) ** 2) / (2 * s * s)) for x in reach]
        whole = mp.fsum(weights)
        yield [(p / whole, q / whole) for p, q in zip(weights, shifted, strict=True)]
    if isinstance(event, Exponential):
        yield from _bounded_range(number(event.epsilon))
    if isinstance(event, Threshold):
        one = _response(number(event.epsilon))
        joint = product(one, repeat=event.count)
        yield [(mp.fprod(p for p, _ in row), mp.fprod(q for _, q in row)) for row in joint]


def integral(event: PrivacyEvent, order: float) -> mp.mpf | None:
    """D_a for a mechanism with a density, by quadrature of p^a q^{1-a}."""
    a = mp.mpf(order)
    if isinstance(event, Laplace):
        e = 1 / number(event.noise_multiplier)  # unit scale, moved by e
        inside = mp.quad(lambda x: mp.e ** (-a * x - (1 - a) * (e - x)) / 2, [0, e])
        return mp.log(inside + mp.e ** ((a - 1) * e) / 2 + mp.e ** (-a * e) / 2) / (a - 1)
    if isinstance(event, Gaussian):
        return _gaussian(1 / number(event.noise_multiplier), a)
    if isinstance(event, ZCDP):
        return _gaussian(mp.sqrt(2 * number(event.rho)), a)
    if isinstance(event, PoissonGaussian):
        q, s = number(event.q), number(event.noise_multiplier)

        def ratio(z: mp.mpf) -> mp.mpf:
            return 1 - q + q * mp.e ** ((2 * z - 1) / (2 * s * s))

        points = sorted({-30 * s, -8 * s, -2 * s, mp.mpf(0), mp.mpf(1), a / 2, a, a + 3 * s})
        points += [a + 8 * s, a + 40 * s]
        excess = mp.quad(lambda z: mp.npdf(z, 0, s) * (ratio(z) ** a - 1), points)
        return mp.log1p(excess) / (a - 1)
    return None


def _gaussian(shift: mp.mpf, a: mp.mpf) -> mp.mpf:
    centre = a * shift
    total = mp.quad(
        lambda x: mp.npdf(x, shift) ** a * mp.npdf(x) ** (1 - a),
        [centre - 12, centre - 3, centre, centre + 3, centre + 12],
    )
    return mp.log(total) / (a - 1)


def _response(epsilon: mp.mpf) -> Table:
    truth = 1 / (1 + mp.e**-epsilon)
    lie = mp.e**-epsilon / (1 + mp.e**-epsilon)  # not 1 - truth, which loses its digits
    return [(truth, lie), (lie, truth)]


def _geometric(scale: mp.mpf, shift: int) -> Table:
    """Two-sided geometric with everything beyond the shifts lumped (same ratio there)."""
    p = mp.e ** (-1 / scale)
    at = (1 - p) / (1 + p)
    tail = 1 / (1 + p)  # P(X <= 0)
    table = [(tail, tail * p**shift), (tail * p**shift, tail)]
    return table + [(at * p**x, at * p ** (shift - x)) for x in range(1, shift)]


def _bounded_range(epsilon: mp.mpf) -> Iterator[Table]:
    """The two-outcome pairs with losses t, t - epsilon, and a real exponential mechanism."""
    for k in range(1, 40):
        t = epsilon * k / 40
        w = (mp.e**-t - mp.e**-epsilon) / (1 - mp.e**-epsilon)
        yield [(w * mp.e**t, w), ((1 - w) * mp.e ** (t - epsilon), 1 - w)]
    scores, moved = [0, 1, 2, 5], [1, 0, 2, 4]
    p = [exp(float(epsilon) * u / 2) for u in scores]
    q = [exp(float(epsilon) * u / 2) for u in moved]
    yield [(mp.mpf(x) / sum(p), mp.mpf(y) / sum(q)) for x, y in zip(p, q, strict=True)]
