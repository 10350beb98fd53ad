"""What an ε promises, in words an owner can decide by."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import exp


def meaning(epsilon: str) -> str:
    """What a budget of ε promises, as odds and as a suspicion that grows.

    Odds move by at most e^ε between the data with and without a person (Dwork and Roth 2014,
    section 2.3), so a belief of probability p becomes at most p e^ε / (1 - p + p e^ε).
    Figures are rounded up.
    """
    odds, suspicion = _odds(epsilon)
    return (
        f"ε = {epsilon}: whatever somebody believes about one person, answers change the odds by "
        f"at most e^{epsilon} = {odds}; a suspicion of 10 % becomes at most {suspicion} %"
    )


def short_meaning(epsilon: str) -> str:
    """The same in a few words, for a list."""
    odds, suspicion = _odds(epsilon)
    most = "" if odds.startswith("more") else "at most "
    return f"ε = {epsilon}: odds change {most}{odds}-fold, 10 % becomes at most {suspicion} %"


def _odds(epsilon: str) -> tuple[str, str]:
    """e^ε, and in percent what a probability of 10 % can become."""
    value = float(Fraction(epsilon))
    if value > 20:
        return "more than 400 million", "100"
    factor = exp(value)
    after = 0.1 * factor / (0.9 + 0.1 * factor)
    return _up(factor, 2 if factor < 1000 else 0), _up(100 * after, 0)


def _up(value: float, places: int) -> str:
    step = Decimal(1).scaleb(-places)
    rounded = Decimal(value).quantize(step, ROUND_CEILING)
    return format(rounded, ",f")
