"""Privacy loss distributions, cut into cells: how much of P and of Q falls where.

For an event, P and Q are a pair of laws that dominates its mechanism in one direction: no
epsilon sees a larger hockey-stick divergence on any pair of neighbours. `Cells` lists, for
pieces of the outcome space, their mass under P, the ratio of Q to P, and an interval that holds
the loss log dP/dQ on the piece. `loss_grid` turns cells into atoms on a grid, never understating.

Pairs and their sources; `docs/proofs/pld.md` has what is not in them:
- Gaussian: N(mu, 1) against N(0, 1), mu = 1 / noise_multiplier. Rounded noise post-processes it.
- Laplace, DiscreteLaplace: the whole change in one coordinate dominates every split (pld.md, 5).
- DiscreteGaussian with sensitivity 1, which no vector can split; larger ones are refused.
- RandomizedResponse, Pure, Threshold: randomized response (Kairouz, Oh, Viswanath 2015).
- PoissonGaussian: N(0, s^2) against (1-q) N(0, s^2) + q N(1, s^2), one pair for each direction
  (Zhu, Dong, Wang 2022, arXiv 2106.08567, on Poisson sampling).
- Exponential: the supremum over t of the bounded-range pairs, in closed form (pld.md, 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr

from dpsql.accountant.events import (
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
from dpsql.accountant.rounding import float_down, float_up

Array = np.ndarray[Any, np.dtype[np.float64]]
Direction = Literal["remove", "add"]

# ndtr, exp and their arguments together: a relative error of a tail above e^-200, or of its
# complement where that is smaller; the subtraction that makes a tail of it adds some ulps.
TAIL_ERROR = 2.0**-42
_ULPS = 2.0**-50
# A loss at an exact edge is off by less than this, relative to 1 + the largest of its event.
LOSS_ERROR = 2.0**-44
# Below, floats lose digits: such a Q-mass is taken as 0, such a P-mass as this.
_FAINT = 1e-290
# Normal tails beyond are e^-204: they go to an infinite loss.
_REACH = 20.0
_MOST_CELLS, _MOST_OUTCOMES = 2**18, 2**20


@dataclass(frozen=True, slots=True)
class Cells:
    """Pieces of the outcome space. All bounds hold after rounding.

    `mass`: at least the P-mass. `other`: at most the Q-mass. `low`, `high`: the loss lies between.
    `infinite`: at least the P-mass that is in no piece.
    """

    mass: Array
    other: Array
    low: Array
    high: Array
    infinite: float = 0.0


@singledispatch
def cells(event: PrivacyEvent, width: float, direction: Direction) -> Cells:
    """The cells of one release, of losses about `width` apart.

    Errors: ValueError for an event without a known dominating pair, or one with too many cells.
    """
    raise ValueError(f"no privacy loss distribution is known for the event {event.name!r}")


@cells.register
def _gaussian(event: Gaussian, width: float, direction: Direction) -> Cells:
    return gaussian_cells(float_up(1 / event.noise_multiplier), width)


def gaussian_cells(mu: float, width: float) -> Cells:
    """P = N(mu, 1), Q = N(0, 1) at x: the loss is mu x - mu^2 / 2, and symmetric."""
    x = _edges(mu - _REACH, mu + _REACH, width / mu)
    return _monotone(_normal(x - mu), _normal(x), mu * x - mu * mu / 2)


@cells.register
def _laplace(event: Laplace, width: float, direction: Direction) -> Cells:
    """At x in [0, e] the loss is e - 2 x; both ends hold what lies beyond them."""
    e = float_up(1 / event.noise_multiplier)
    x = _edges(0.0, e, width / 2)
    x = x[::-1]
    inside_p = -np.expm1(-x) / 2  # P(0 < X < x), and the same under Q
    inner = _monotone(inside_p, -np.expm1(-x) * np.exp(x - e) / 2, e - 2 * x)
    ends = _atoms(np.array([e, -e]), np.array([0.5, math.exp(-e) / 2]))
    return _join(_without_rest(inner), ends)


@cells.register
def _discrete_laplace(event: DiscreteLaplace, width: float, direction: Direction) -> Cells:
    """At x in 0..D the loss is (D - 2 x) / scale; both ends hold what lies beyond them."""
    d, step = event.sensitivity, float_up(1 / event.scale)
    _few_enough(d)
    x = np.arange(d + 1, dtype=np.float64)
    inside = -math.expm1(-step) / (1 + math.exp(-step))
    mass = np.exp(-step * x) * inside
    mass[[0, -1]] = np.exp(-step * x[[0, -1]]) / (1 + math.exp(-step))
    return _atoms((d - 2 * x) * step, mass)


@cells.register
def _discrete_gaussian(event: DiscreteGaussian, width: float, direction: Direction) -> Cells:
    if event.sensitivity != 1:
        raise ValueError(
            "the loss distribution of a discrete Gaussian depends on how its L2 change is split "
            "over coordinates: only sensitivity 1 is supported"
        )
    s = float_down(event.sigma)
    reach = _REACH * s + 2
    _few_enough(2 * reach)
    x = np.arange(-math.ceil(reach), math.ceil(reach) + 1, dtype=np.float64)
    weight = np.exp(-x * x / (2 * s * s))
    mass = weight / math.fsum(weight.tolist())
    return _atoms((1 - 2 * x) / (2 * s * s), mass, 4 * math.exp(-_REACH * _REACH / 2))


@cells.register(Pure)
@cells.register(RandomizedResponse)
def _response(event: Pure | RandomizedResponse, width: float, direction: Direction) -> Cells:
    return _response_cells(float_up(event.epsilon))


@cells.register
def _threshold(event: Threshold, width: float, direction: Direction) -> Cells:
    """One key of `count`; its delta is counted apart (`repeats`)."""
    return _response_cells(float_up(event.epsilon))


def repeats(event: PrivacyEvent) -> int:
    """How many independent pairs one release is."""
    return event.count if isinstance(event, Threshold) else 1


@cells.register
def _exponential(event: Exponential, width: float, direction: Direction) -> Cells:
    """One pair for every mechanism with losses in an interval of length eps: loose under
    composition (its variance is 4/3 of the worst mechanism's), so that few releases gain.

    P(L > l) = (1 - u) / (1 - e^-eps), Q(L > l) = e^-l u (1 - u) / (1 - e^-eps), u = e^(l-eps)/2.

    With l = eps - 2 v: u = e^-v and e^-l u = e^(v - eps), for v in [0, eps].
    """
    eps = float_up(event.epsilon)
    v = _edges(0.0, eps, width / 2)[::-1]
    whole = -math.expm1(-eps)
    above_p = -np.expm1(-v) / whole
    above_q = -np.expm1(-v) * np.exp(v - eps) / whole
    return _without_rest(_monotone(above_p, above_q, eps - 2 * v))


@cells.register
def _poisson_gaussian(event: PoissonGaussian, width: float, direction: Direction) -> Cells:
    """In units of s at z: the mixture over N(0, 1) is 1 - q + q e^(mu z - mu^2/2), mu = 1/s."""
    q, mu = min(1.0, float_up(event.q)), float_up(1 / event.noise_multiplier)
    if q == 1:
        return gaussian_cells(mu, width)
    # the loss rises by at most mu for a unit of z
    z = _edges(-_REACH, mu + _REACH, width / mu)
    plain, moved = _normal(z), _normal(z - mu)
    mixed = (1 - q) * plain + q * moved
    lift = mu * z - mu * mu / 2
    large = np.logaddexp(math.log1p(-q), math.log(q) + lift)
    loss = np.where(lift < 1, np.log1p(q * np.expm1(np.minimum(lift, 1.0))), large)
    if direction == "remove":
        return _monotone(mixed, plain, loss)
    # tails on the other side, with the order of z turned round so that the loss rises
    below_plain, below_mixed = _normal(-z), (1 - q) * _normal(-z) + q * _normal(mu - z)
    return _monotone(below_plain[::-1], below_mixed[::-1], -loss[::-1])


def _monotone(above_p: Array, above_q: Array, loss: Array) -> Cells:
    """Cells between edges at which the loss rises, from tails P(> edge), Q(> edge).

    What lies below the first edge joins the first cell's lower end: its loss is raised. What
    lies beyond the last is infinite. Differences carry the error of the tails they come from.
    """
    doubt = TAIL_ERROR * np.minimum(above_p[:-1], 1 - above_p[1:]) + _ULPS * above_p[:-1]
    mass = np.maximum(above_p[:-1] - above_p[1:], 0.0) + doubt
    doubt_q = TAIL_ERROR * np.minimum(above_q[:-1], 1 - above_q[1:]) + _ULPS * above_q[:-1]
    other = np.maximum(above_q[:-1] - above_q[1:] - doubt_q, 0.0)
    other[above_q[:-1] < _FAINT] = 0.0
    slack = LOSS_ERROR * (1 + float(np.abs(loss).max()))
    low, high = loss[:-1] - slack, loss[1:] + slack
    rest = _atoms(loss[:1], np.maximum(1 - above_p[:1], 0.0) + TAIL_ERROR)
    beyond = float(above_p[-1]) * (1 + TAIL_ERROR)
    return _join(Cells(mass, other, low, high, beyond), rest)


def _without_rest(whole: Cells) -> Cells:
    """Of a law with bounded losses: nothing lies below the first edge or beyond the last."""
    return Cells(whole.mass[:-1], whole.other[:-1], whole.low[:-1], whole.high[:-1])


def _response_cells(epsilon: float) -> Cells:
    truth = 1 / (1 + math.exp(-epsilon))
    return _atoms(np.array([epsilon, -epsilon]), np.array([truth, math.exp(-epsilon) * truth]))


def _atoms(loss: Array, mass: Array, infinite: float = 0.0) -> Cells:
    """Single losses: raised by their rounding error, which overstates."""
    raised = loss + LOSS_ERROR * (1 + np.abs(loss))
    up = np.maximum(mass * (1 + TAIL_ERROR), _FAINT)
    with np.errstate(over="ignore", under="ignore"):
        other = np.minimum(up * np.exp(-raised) * (1 - LOSS_ERROR * (2 + np.abs(raised))), 1.0)
    other[other < _FAINT] = 0.0
    return Cells(up, other, raised, raised, infinite)


def _join(*parts: Cells) -> Cells:
    def all_of(read: Callable[[Cells], Array]) -> Array:
        return np.concatenate([read(part) for part in parts])

    return Cells(
        all_of(lambda c: c.mass),
        all_of(lambda c: c.other),
        all_of(lambda c: c.low),
        all_of(lambda c: c.high),
        math.fsum(part.infinite for part in parts),
    )


def _edges(start: float, stop: float, step: float) -> Array:
    """Exact edges; fewer than asked where that would be too many (any number is sound)."""
    count = int(min(max(1.0, math.ceil((stop - start) / step)), _MOST_CELLS))
    return np.linspace(start, stop, count + 1)


def _few_enough(count: float) -> None:
    if not count <= _MOST_OUTCOMES:
        raise ValueError("a discrete mechanism with this many outcomes is not supported")


def _normal(x: Array) -> Array:
    """P(N(0, 1) > x)."""
    tail: Array = ndtr(-x)
    return tail
