"""The least violation that an audit of so many experiments could show: from public numbers alone.

Of two worlds under (ε, 0)-DP nothing tells more than randomized response at ε (Kairouz, Oh and
Viswanath, "The Composition Theorem for Differential Privacy", 2015: all others are made of it). So
what half of all audits show of it is the most that they show of anything that gives away ε: an
excess below that is not seen, whatever the cause.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy import stats

from dpsql.audit.estimates import coin_guesses, held_out, one_run_chance, proportion_above

_MOST = 50.0
_STEPS = 40
_EVENTS = np.concatenate([np.geomspace(1e-4, 0.1, 30), np.linspace(0.11, 0.5, 40)])
"""Probabilities of what the attacker looks for, in the world where it is rare."""


@cache
def block_epsilon(claimed: float, blocks: int, *, delta: float, alpha: float) -> float:
    """The least ε that the block audit shows above the claim; infinity where it can show none."""
    n = held_out(blocks)

    def shown(epsilon: float) -> bool:
        return _block_bound(epsilon, n, delta, alpha) > claimed

    return _least(claimed, shown)


def _block_bound(epsilon: float, n: int, delta: float, alpha: float) -> float:
    """The bound from the expected counts of the event that tells most, as `epsilon_bound`."""
    q = _EVENTS
    p = np.minimum(np.exp(epsilon) * q, 1 - np.exp(-epsilon) * (1 - q))  # all that (ε, 0) allows
    likely, rare = np.floor(p * n), np.ceil(q * n)
    low = stats.beta.ppf(alpha / 2, likely, n - likely + 1)
    high = stats.beta.ppf(1 - alpha / 2, rare + 1, n - rare)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.log((np.nan_to_num(low) - delta) / high)
    return float(np.max(np.nan_to_num(told, nan=0.0, neginf=0.0)))


@cache
def one_run_epsilon(claimed: float, blocks: int, *, delta: float, alpha: float) -> float:
    """The same of the audit in one run, by how many right guesses pass under the claim."""
    guesses, canaries = coin_guesses(blocks)

    def shown(epsilon: float) -> bool:
        correct = math.floor(guesses / (1 + math.exp(-epsilon)))
        return one_run_chance(claimed, correct, guesses, canaries, delta) <= alpha

    return _least(claimed, shown)


@cache
def keys_delta(claimed: float, blocks: int, *, alpha: float) -> float:
    """The least δ that shows of private keys: a proportion of blocks whose keys are seen."""

    def shown(seen: int) -> bool:
        return proportion_above(seen, blocks, alpha) > claimed

    low, high = 0, blocks
    if not shown(blocks):
        return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high / blocks


def _least(claimed: float, shown: Callable[[float], bool]) -> float:
    low, high = claimed, claimed + _MOST
    if not shown(high):
        return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
