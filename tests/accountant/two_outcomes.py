"""Mechanisms with two outcomes, adaptive trees of them, and their exact delta."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import mpmath as mp

from dpsql.accountant import PrivacyEvent
from dpsql.accountant.rounding import inflate


@dataclass(frozen=True, slots=True)
class TwoOutcome(PrivacyEvent):
    """Outcome 0 with probability p under D and q under D'; 0 < p, q < 1."""

    name: ClassVar[str] = "test_two_outcome"
    p: Fraction
    q: Fraction

    def _curve(self, order: float) -> float:
        with mp.workdps(60):
            p, q = (mp.mpf(x.numerator) / x.denominator for x in (self.p, self.q))
            a = mp.mpf(max(order, 1 + 2.0**-40))
            both = [
                mp.log(x**a * y ** (1 - a) + (1 - x) ** a * (1 - y) ** (1 - a)) / (a - 1)
                for x, y in ((p, q), (q, p))
            ]
            return inflate(float(max(0, *both)))

    def pure(self) -> Fraction:
        return _worst_loss(self.p, self.q)


@lru_cache(maxsize=4096)
def _worst_loss(p: Fraction, q: Fraction) -> Fraction:
    """log of the largest likelihood ratio, rounded up."""
    ratio = max(p / q, q / p, (1 - p) / (1 - q), (1 - q) / (1 - p))
    with mp.workdps(60):
        loss = mp.log(mp.mpf(ratio.numerator) / ratio.denominator)
        return Fraction(float(loss)) * (1 + Fraction(1, 2**50))


# What an adaptive analyst asks next, given the outcomes so far; None to stop.
Strategy = Callable[[tuple[int, ...]], TwoOutcome | None]


def true_delta(strategy: Strategy, epsilon: Fraction) -> float:
    """The exact hockey-stick divergence of the whole transcript, the worse direction."""
    factor = mp.e ** (mp.mpf(epsilon.numerator) / epsilon.denominator)
    forward = backward = mp.mpf(0)

    def walk(history: tuple[int, ...], p: Fraction, q: Fraction) -> None:
        nonlocal forward, backward
        event = strategy(history)
        if event is None:
            x, y = mp.mpf(p.numerator) / p.denominator, mp.mpf(q.numerator) / q.denominator
            forward += max(0, x - factor * y)
            backward += max(0, y - factor * x)
            return
        walk((*history, 0), p * event.p, q * event.q)
        walk((*history, 1), p * (1 - event.p), q * (1 - event.q))

    with mp.workdps(50):
        factor = mp.e ** (mp.mpf(epsilon.numerator) / epsilon.denominator)
        walk((), Fraction(1), Fraction(1))
        return float(max(forward, backward))
