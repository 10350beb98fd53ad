"""From Rényi curves to epsilon and delta, for lists of events fixed in advance.

`epsilon` and `delta` are what an auditor asks about a list that did not depend on answers. They
choose the best order with hindsight, so they never admit anything: admission is `filter`.
Conversion: Prop. 12 of Canonne, Kamath, Steinke 2020 (arXiv 2004.00010),
epsilon = D_a + log(1 - 1/a) - (log delta + log a)/(a - 1), and where delta^2 > 1 - e^{-D_a}
epsilon = 0 (Bretagnolle-Huber, any order >= 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from dpsql.accountant.compose import Composition, Item
from dpsql.accountant.parameters import non_negative, positive
from dpsql.accountant.rounding import float_down, float_up, inflate

# Where orders are sought, as log(a - 1). Prop. 12 is quasi-convex there: over a - 1, a convex
# function ((a-1) D_a is convex, and so is (a-1) log(a-1) - a log a).
_LOWEST, _HIGHEST = -30.0, 80.0
_GOLDEN = (math.sqrt(5) - 1) / 2
_DELTA_UNIT = 10**80


def epsilon(
    events: Iterable[Item], *, delta: object, orders: Iterable[float] | None = None
) -> float:
    """The epsilon of all events together at `delta`, in nats, rounded up; inf if there is none.

    The infimum over all real orders above 1, or over `orders`, and never more than the pure sum.
    delta = 0 gives the pure sum. The deltas of Threshold events are taken out of `delta` first.
    Errors: ValueError for an invalid item, order (<= 1) or delta (outside [0, 1]).
    """
    whole = Composition.of(events)
    left = _unit_interval(delta) - Fraction(whole.delta_units(_DELTA_UNIT), _DELTA_UNIT)
    fixed = _read_orders(orders)
    pure = whole.pure()
    bound = math.inf if pure is None else float_up(pure)
    if left < 0:
        return math.inf
    if left == 1 or bound == 0:
        return 0.0
    chance = float_down(left)
    if chance == 0:
        return bound
    if _is_nearly_closed(whole.renyi(1.0 if fixed is None else min(fixed)), chance):
        return 0.0
    log_delta = math.log(chance)

    def converted(order: float) -> float:
        return _epsilon_at(order, whole.renyi(order), log_delta)

    found = _least(converted) if fixed is None else min(converted(order) for order in fixed)
    return min(bound, max(0.0, found))


def delta(
    events: Iterable[Item], *, epsilon: object, orders: Iterable[float] | None = None
) -> float:
    """The delta of all events together at `epsilon`, rounded up, at most 1.

    The infimum over all real orders above 1, or over `orders`; 0 where the pure sum is within
    epsilon. The deltas of Threshold events are added.
    Errors: ValueError for an invalid item, order (<= 1) or epsilon (negative or not finite).
    """
    whole = Composition.of(events)
    target = non_negative(epsilon, "epsilon")
    selection = Fraction(whole.delta_units(_DELTA_UNIT), _DELTA_UNIT)
    fixed = _read_orders(orders)
    pure = whole.pure()
    if pure is not None and pure <= target:
        return min(1.0, float_up(selection))
    eps = float_down(target)

    def log_converted(order: float) -> float:
        return _log_delta_at(order, whole.renyi(order), eps)

    found = _least(log_converted) if fixed is None else min(map(log_converted, fixed))
    nearest = whole.renyi(1.0 if fixed is None else min(fixed))
    found = min(found, 0.0, _log_total_variation(nearest))
    converted = min(1.0, inflate(math.exp(found)))
    return min(1.0, float_up(Fraction(converted) + selection))


def _epsilon_at(order: float, divergence: float, log_delta: float) -> float:
    """Prop. 12 with the rounding of its terms added."""
    above = order - 1
    if divergence == math.inf or above == 0:
        return math.inf
    shift = math.log1p(1 / above)
    tail = (log_delta + math.log(order)) / above
    slack = 2.0**-50 * (divergence + shift + (abs(log_delta) + math.log(order)) / above)
    return divergence - shift - tail + slack


def _log_delta_at(order: float, divergence: float, eps: float) -> float:
    """Prop. 12 solved for log delta, with the rounding of its terms added."""
    above = order - 1
    if divergence == math.inf or above == 0:
        return math.inf
    terms = (above * (divergence - eps), -above * math.log1p(1 / above), -math.log(order))
    slack = 2.0**-50 * (above * (divergence + eps) - terms[1] - terms[2])
    return math.inf if math.isnan(slack) or slack == math.inf else math.fsum(terms) + slack


def _is_nearly_closed(divergence: float, delta: float) -> bool:
    """Whether total variation <= sqrt(1 - e^{-KL}) is below delta: epsilon is 0 then."""
    return -math.expm1(-divergence) < delta * delta * (1 - 2.0**-50)


def _log_total_variation(divergence: float) -> float:
    """log sqrt(1 - e^{-KL}), the Bretagnolle-Huber bound on delta at any epsilon >= 0."""
    return 0.5 * math.log(-math.expm1(-divergence)) + 2.0**-50 if divergence > 0 else -math.inf


def _least(value: Callable[[float], float]) -> float:
    """The least value over orders 1 + e^u, by golden sections of a quasi-convex function.

    Every order gives a valid bound, so that stopping early costs tightness only.
    """

    def at(u: float) -> float:
        return value(1 + math.exp(u))

    low, high = _LOWEST, _HIGHEST
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = at(left), at(right)
    best = min(at_left, at_right)
    while high - low > 1e-8:
        # on a plateau of infinities (overflow, far right) the minimum is to the left
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = at(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = at(right)
        best = min(best, at_left, at_right)
    return best


def _read_orders(orders: Iterable[float] | None) -> tuple[float, ...] | None:
    if orders is None:
        return None
    read = tuple(float_down(positive(order, "order")) for order in orders)
    if not read or min(read) <= 1:
        raise ValueError("orders are numbers above 1, and there is at least one")
    return read


def _unit_interval(value: object) -> Fraction:
    number = non_negative(value, "delta")
    if number > 1:
        raise ValueError("delta must be at most 1")
    return number
