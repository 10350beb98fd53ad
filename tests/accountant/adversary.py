"""An adaptive analyst who looks for a game whose true delta exceeds what a filter promised.

A game: some first mechanisms with two outcomes, then, after every outcome, the last mechanism
that is best there. It is found by exact optimisation up to a grid: for each chance p under D, the
smallest chance q under D' that the filter still admits after that history; refused mechanisms
are skipped, and asking goes on. Searches run on floats; what they find is then computed exactly
by recursion over all histories (`two_outcomes.true_delta`).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from scipy.special import ndtri
from two_outcomes import Strategy, TwoOutcome

from dpsql.accountant.charge import PURE_UNIT, RENYI_UNIT, Charge
from dpsql.accountant.convert import _epsilon_at
from dpsql.accountant.filter import BudgetTerms, admits
from dpsql.accountant.gdp import SQUARE_UNIT, GaussianCharge, GaussianTerms
from dpsql.accountant.gdp import admits as gaussian_admits

Outcomes = tuple[float, float]
"""(p, q): chances of outcome 0 under D and D'."""

# Floats below are exact to about 1e-15: prices are raised by more.
_SLACK = 1e-13


class Filter(Protocol):
    """What an analyst meets: asks are admitted or refused, from the history of admitted ones."""

    epsilon: float
    delta: float

    def admits(self, asked: list[Outcomes]) -> bool: ...


@dataclass(frozen=True)
class Ours:
    """The filter of the library at any terms: mixture, one order, or pure."""

    terms: BudgetTerms

    @property
    def epsilon(self) -> float:
        return float(self.terms.epsilon)

    @property
    def delta(self) -> float:
        return float(self.terms.delta)

    def admits(self, asked: list[Outcomes]) -> bool:
        orders = [float(order) for order in self.terms.orders]
        renyi = [sum(divergence(pair, a) for pair in asked) for a in orders]
        charge = Charge(
            self.terms.orders,
            tuple(math.ceil(value * RENYI_UNIT) for value in renyi),
            math.ceil(sum(Fraction(worst_loss(pair)) for pair in asked) * PURE_UNIT),
            0,
        )
        return admits(self.terms, charge)


@dataclass(frozen=True)
class OursGaussian:
    """The Gaussian budget: (p, q) post-processes a Gaussian of mu = |ndtri(p) - ndtri(q)|."""

    terms: GaussianTerms

    @property
    def epsilon(self) -> float:
        return float(self.terms.epsilon)

    @property
    def delta(self) -> float:
        return float(self.terms.delta_conv)

    def admits(self, asked: list[Outcomes]) -> bool:
        squares = sum(float(ndtri(p) - ndtri(q)) ** 2 * (1 + 1e-12) for p, q in asked)
        return gaussian_admits(self.terms, GaussianCharge(math.ceil(squares * SQUARE_UNIT)))


@dataclass(frozen=True)
class MinimumOverOrders:
    """What dp_accounting's and Opacus's figures invite: some order converts to at most epsilon."""

    epsilon: float
    delta: float
    orders: tuple[float, ...]

    def admits(self, asked: list[Outcomes]) -> bool:
        log_delta = math.log(self.delta)
        return any(
            _epsilon_at(a, sum(divergence(pair, a) for pair in asked), log_delta) <= self.epsilon
            for a in self.orders
        )


def divergence(pair: Outcomes, order: float) -> float:
    """The Rényi divergence in the worse direction, rounded up."""
    p, q = pair
    logs = (math.log(p), math.log(q), math.log1p(-p), math.log1p(-q))
    worst = 0.0
    for x, y, u, v in (logs, (logs[1], logs[0], logs[3], logs[2])):
        first, second = order * x + (1 - order) * y, order * u + (1 - order) * v
        top = max(first, second)
        total = top + math.log1p(math.exp(min(first, second) - top))
        worst = max(worst, total / (order - 1))
    return worst * (1 + _SLACK) + _SLACK * (1 + 1 / (order - 1))


def worst_loss(pair: Outcomes) -> float:
    p, q = pair
    losses = (math.log(p / q), math.log((1 - p) / (1 - q)))
    return max(map(abs, losses)) * (1 + _SLACK) + _SLACK


def best_last(filter_: Filter, asked: list[Outcomes], p: float, q: float) -> tuple[float, Outcomes]:
    """The admitted last mechanism with the largest hockey stick at path masses p and q."""
    factor = math.exp(filter_.epsilon)
    best, found = max(0.0, p - factor * q), (0.5, 0.5)
    for chance in _CHANCES:
        other = _least_admitted(filter_, asked, chance)
        value = max(0.0, p * chance - factor * q * other)
        value += max(0.0, p * (1 - chance) - factor * q * (1 - other))
        if value > best:
            best, found = value, (chance, other)
    return best, found


_CHANCES = [10.0**-k for k in np.arange(9, 0.3, -0.5)] + [0.5, 0.7, 0.9, 0.99]


def _least_admitted(filter_: Filter, asked: list[Outcomes], chance: float) -> float:
    """The smallest q below p = chance that is admitted, by bisection of log(p / q)."""
    low, high = 0.0, 4 * filter_.epsilon + 12
    for _ in range(22):
        middle = (low + high) / 2
        if filter_.admits([*asked, (chance, chance * math.exp(-middle))]):
            low = middle
        else:
            high = middle
    return chance * math.exp(-low)


Game = dict[tuple[int, ...], Outcomes]
"""What is asked after each history."""


def play(filter_: Filter, first: list[Outcomes]) -> tuple[float, Game]:
    """Ask `first` in turn, whatever the outcomes (refused ones are skipped), then the best last."""
    game: Game = {}

    def walk(history: tuple[int, ...], asked: list[Outcomes], p: float, q: float, k: int) -> float:
        while k < len(first) and not filter_.admits([*asked, first[k]]):
            k += 1
        if k == len(first):
            value, game[history] = best_last(filter_, asked, p, q)
            return value
        a, b = game[history] = first[k]
        yes = walk((*history, 0), [*asked, (a, b)], p * a, q * b, k + 1)
        no = walk((*history, 1), [*asked, (a, b)], p * (1 - a), q * (1 - b), k + 1)
        return yes + no

    return walk((), [], 1.0, 1.0, 0), game


def search(filter_: Filter, dice: random.Random, rounds: int, steps: int) -> tuple[float, Game]:
    """Random starts, then hill climbing on the first `rounds` mechanisms."""

    def draw() -> tuple[float, float]:
        return dice.uniform(-12, -0.1), dice.uniform(-1, 1) * dice.choice([0.03, 0.3, 1])

    def pairs(point: list[tuple[float, float]]) -> list[Outcomes]:
        return [(math.exp(u), min(0.999, math.exp(u - loss))) for u, loss in point]

    def judge(point: list[tuple[float, float]]) -> float:
        return play(filter_, pairs(point))[0]

    starts = [[draw() for _ in range(rounds)] for _ in range(max(1, steps // 3))]
    point = max(starts, key=judge)
    value, width = judge(point), 1.0
    for _ in range(steps - len(starts)):
        moved = [
            (min(-1e-3, u + dice.gauss(0, width)), loss + dice.gauss(0, 0.2 * width))
            for u, loss in point
        ]
        there = judge(moved)
        if there > value:
            point, value = moved, there
        else:
            width *= 0.93
    return play(filter_, pairs(point))


def as_strategy(game: Game) -> Strategy:
    """The game in exact numbers, for `true_delta`."""

    def ask(history: tuple[int, ...]) -> TwoOutcome | None:
        pair = game.get(history)
        return None if pair is None else TwoOutcome(Fraction(pair[0]), Fraction(pair[1]))

    return ask
