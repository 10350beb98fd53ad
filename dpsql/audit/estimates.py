"""Lower bounds on ε from samples of an attacker's score, with and without the canary.

All bounds hold with the stated confidence for whatever the distributions are: the score and its
threshold are chosen on samples of their own, and the counts on the others are binomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Score = Callable[[Array], Array]

TRAINING_PART = 4
"""One block in so many chooses the score and its threshold."""

_THRESHOLDS = np.concatenate([np.linspace(0.5, 0.95, 10), 1 - np.geomspace(0.04, 0.002, 10)])


@dataclass(frozen=True, slots=True)
class Event:
    """What the attacker looks for: `sign * score > threshold`, likelier under `first`."""

    sign: int
    threshold: float

    def count(self, scores: Array) -> int:
        return int(np.count_nonzero(self.sign * scores > self.threshold))


def block_bound(without: Array, within: Array, *, delta: float, alpha: float) -> float:
    """A lower bound on ε, wrong with probability at most `alpha`; 0 where nothing was seen.

    `without`, `within`: (blocks, numbers), the answers about each block without and with its own
    canary; blocks are independent. For every event E and (ε, δ)-DP answers
    P[E with] <= e^ε P[E without] + δ, and the other way round; both probabilities are bounded by
    Clopper and Pearson at alpha / 2 each.
    """
    cut = len(without) - held_out(len(without))
    trained = without[:cut], within[:cut]
    _, score, event = max(
        (_best_event(score, *trained, delta) for score in scores(*trained)),
        key=lambda found: found[0],
    )
    low, high = score(without[cut:]), score(within[cut:])
    likely, rare = (high, low) if event.sign > 0 else (low, high)
    return epsilon_bound(
        event.count(likely), len(likely), event.count(rare), len(rare), delta=delta, alpha=alpha
    )


def held_out(blocks: int) -> int:
    """How many blocks of each world are counted; the others choose what to look for."""
    return blocks - max(2, blocks // TRAINING_PART)


def coin_guesses(blocks: int) -> tuple[int, int]:
    """Of one run: how many coins are guessed, the clearest two fifths, and of how many."""
    canaries = blocks - blocks // TRAINING_PART
    return 2 * (canaries // 5), canaries


def scores(without: Array, within: Array) -> tuple[Score, Score]:
    """What might tell the two apart: the best for Gaussian noise, and the best for Laplace's."""
    return linear_score(without, within), clipped_score(without, within)


def linear_score(without: Array, within: Array) -> Score:
    """Fisher's discriminant between two samples: the likelihood ratio of shifted Gaussians."""
    fill = _Filler(without, within)
    low, high = fill(without), fill(within)
    apart = np.concatenate([low - low.mean(0), high - high.mean(0)])
    spread = np.atleast_2d(np.cov(apart.T, ddof=2))
    ridge = 1e-9 * max(float(np.trace(spread)) / len(spread), 1e-300)
    shift = high.mean(0) - low.mean(0)
    weights = np.linalg.solve(spread + ridge * np.eye(len(spread)), shift)
    return lambda sample: fill(sample) @ weights


def clipped_score(without: Array, within: Array) -> Score:
    """The likelihood ratio of shifted Laplace noise: each number counts between its two centres."""
    fill = _Filler(without, within)
    low, high = fill(without), fill(within)
    ends = np.sort(np.stack([np.median(low, 0), np.median(high, 0)]), 0)
    scale = np.abs(low - np.median(low, 0)).mean(0)
    signs = np.sign(np.median(high, 0) - np.median(low, 0))
    weights = np.divide(signs, scale, out=np.zeros_like(scale), where=scale > 0)
    return lambda sample: np.clip(fill(sample), *ends) @ weights


class _Filler:
    """A missing answer (an AVG over no rows, a group not shown) counts as the middle one."""

    def __init__(self, *samples: Array) -> None:
        known = [column[np.isfinite(column)] for column in np.concatenate(samples).T]
        self.middle = np.array([float(np.median(c)) if len(c) else 0.0 for c in known])

    def __call__(self, sample: Array) -> Array:
        return np.where(np.isfinite(sample), sample, self.middle)


def _best_event(
    score: Score, without: Array, within: Array, delta: float
) -> tuple[float, Score, Event]:
    """The tail that would tell most, by the training samples alone, and how much."""
    found, best = Event(1, 0.0), -math.inf
    low, high = score(without), score(within)
    for sign, likely, rare in ((1, high, low), (-1, low, high)):
        for threshold in np.unique(np.quantile(sign * rare, _THRESHOLDS)):
            event = Event(sign, float(threshold))
            seen = event.count(likely), len(likely), event.count(rare), len(rare)
            told = epsilon_bound(*seen, delta=delta, alpha=0.05)
            if told > best:
                found, best = event, told
    return best, score, found


def epsilon_bound(
    likely: int, of_likely: int, rare: int, of_rare: int, *, delta: float, alpha: float
) -> float:
    """max(0, ln((p - δ) / q)) with p bounded from below and q from above."""
    p = proportion_above(likely, of_likely, alpha / 2)
    q = proportion_below(rare, of_rare, alpha / 2)
    return max(0.0, math.log((p - delta) / q)) if p > delta else 0.0


def proportion_above(seen: int, tried: int, alpha: float) -> float:
    """Clopper and Pearson (1934): the true proportion lies below this with chance <= alpha."""
    return float(stats.beta.ppf(alpha, seen, tried - seen + 1)) if seen else 0.0


def proportion_below(seen: int, tried: int, alpha: float) -> float:
    """Clopper and Pearson (1934): the true proportion lies above this with chance <= alpha."""
    return float(stats.beta.ppf(1 - alpha, seen + 1, tried - seen)) if seen < tried else 1.0


def one_run_bound(
    correct: int, guesses: int, canaries: int, *, delta: float, alpha: float
) -> float:
    """A lower bound on ε from one run: `correct` of `guesses` about `canaries` fair coins.

    Steinke, Nasr and Jagielski, "Privacy Auditing with One (1) Training Run", Theorem 5.2: under
    (ε, δ)-DP, with f(v) = P[Bin(r, e^ε/(1+e^ε)) >= v],
    P[correct >= v] <= f(v) + 2 m δ max_{1<=i<=v} (f(v-i) - f(v)) / i.
    """
    if not guesses:
        return 0.0
    low, high = 0.0, 50.0
    if one_run_chance(0.0, correct, guesses, canaries, delta) > alpha:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        if one_run_chance(middle, correct, guesses, canaries, delta) <= alpha:
            low = middle
        else:
            high = middle
    return low


def one_run_chance(
    epsilon: float, correct: int, guesses: int, canaries: int, delta: float
) -> float:
    """How likely so many right guesses are at most, if the answers are (ε, δ)-DP."""
    rate = 1 / (1 + math.exp(-epsilon))
    tail = stats.binom.sf(np.arange(-1, correct), guesses, rate)  # f(0), ..., f(correct)
    reached = float(tail[-1])
    if not delta or correct < 1:
        return reached
    steps = np.arange(correct, 0, -1)  # tail[:-1] holds f(0) .. f(correct - 1)
    worst = float(np.max((tail[:-1] - reached) / steps))
    return reached + 2 * canaries * delta * worst
