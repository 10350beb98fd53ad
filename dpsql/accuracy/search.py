"""The least price that meets a target, where the error falls as the price rises.

Errors go nearly as 1/ε (as the Gaussian multiplier does, as 1/ε or slower), so each trial says
about where the next should be; a bracket of one price that does not meet and one that does keeps
it sure. What is returned was tried and meets; the price one place below was tried and does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from dpsql.accuracy.prices import Prices

Ratio = Callable[[int], float]
"""Expected error over the target at a place among the prices: met where at most 1; inf: no use."""

_STEPS = 64
_NEAR = 3  # trials by the errors' own law; then the bracket is halved


def least(prices: Prices, ratio: Ratio, start: int, high: int | None = None) -> int | None:
    """The place of the least price that meets; None where none does.

    `start`: where to try first. `high`: a place known to meet, if there is one.
    """
    low, last = prices.first - 1, prices.last
    met, width = high, 1
    place = min(max(start, prices.first), last if high is None else high - 1)
    if place < prices.first:
        return met
    for step in range(_STEPS):
        found = ratio(place)
        if found <= 1:
            met = place
        else:
            low = place
            if place == last:
                return met
        if met is not None and met - low == 1:
            return met
        width = width * 2 if step else 1
        place = _next(prices, found, place, low, met, width, step)
    return met


def _next(
    prices: Prices, found: float, place: int, low: int, met: int | None, width: int, step: int
) -> int:
    """Where to try next: strictly between `low` and `met`."""
    top = prices.last + 1 if met is None else met
    if not math.isfinite(found):
        wanted = float(prices.at(place)) * 16
    elif step < _NEAR:
        wanted = float(prices.at(place)) * found
    else:
        wanted = -1.0
    if wanted > 0:
        guess = prices.near(wanted)
        if found <= 1 and guess >= place:  # at the target, by steps of the rounded law: look below
            guess = place - width
        if found > 1 and guess <= place:
            guess = place + 1
        return max(low + 1, min(guess, top - 1))
    if met is None or low < prices.first:  # no bracket yet: gallop
        return max(low + 1, min(place + (width if found > 1 else -width), top - 1))
    return (low + met) // 2
