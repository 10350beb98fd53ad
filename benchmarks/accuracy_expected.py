"""What the events charged for a plan imply: its price, its error, its groups lost. Closed forms.

Nothing here asks the engine what error it expects: scales come from the events' multipliers and
the plan's sensitivities, and the laws are written out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import exp, expm1, sqrt
from statistics import NormalDist
from typing import Any

from accuracy_setups import EPSILON, Case

from dpsql.mechanisms.threshold import GaussianThreshold
from dpsql.planning.types import BlockPlan, Plan

Key = Any


@dataclass(frozen=True)
class Truth:
    """One group as the plain engine has it."""

    value: float
    rows: int
    units: int


def price(plan: Plan) -> Fraction:
    """The δ at ε of all charged events together, by closed forms (inf if there is none)."""
    pure, mu_squared, delta = Fraction(0), 0.0, Fraction(0)
    for event, count in plan.items:
        name = type(event).__name__
        if name == "Laplace":
            pure += count / Fraction(event.noise_multiplier)
        elif name == "Gaussian":
            mu_squared += count / float(event.noise_multiplier) ** 2
        elif name == "Threshold":
            pure += count * event.count * event.epsilon
            delta += count * event.count * event.key_delta
        else:
            raise ValueError(f"no closed form for {name}")
    if pure > EPSILON or (pure and mu_squared):
        return Fraction(1)  # no closed form for a mixture; the planner makes none
    if mu_squared:
        mu, normal = sqrt(mu_squared), NormalDist()
        delta += Fraction(
            (normal.cdf(mu / 2 - EPSILON / mu) - exp(EPSILON) * normal.cdf(-mu / 2 - EPSILON / mu))
            * (1 - 1e-9)  # the calibration meets δ to more digits than this difference keeps
        )
    return delta


def is_pure(plan: Plan) -> bool:
    return {type(event).__name__ for event, _ in plan.items} == {"Laplace"}


def variance(part: BlockPlan, plan: Plan) -> float:
    """Of one coordinate's rounded noise, in rows: from the event's multiplier and sensitivity."""
    (event, count) = part.mechanism.items[0]
    multiplier = float(event.noise_multiplier)
    if plan.law == "laplace":
        scale = part.sensitivity.l1 / count * multiplier
        ratio = exp(-1 / scale)
        rounded = exp(-0.5 / scale) * (1 + ratio) / expm1(-1 / scale) ** 2
    else:
        rounded = multiplier**2 * part.sensitivity.l2_squared + 1 / 12
    return rounded / plan.weight**2


def expectation(case: Case, plan: Plan, truth: dict[Key, Truth]) -> tuple[float, float]:
    """(root mean squared error over released groups, share of groups lost)."""
    (column,) = plan.columns
    kept = {key: kept_law(plan, one.units) for key, one in truth.items()}
    lost = 1 - sum(chance for chance, _ in kept.values()) / len(truth)
    if column.block is None:
        squares = sum(second for _, second in kept.values())
    else:
        part = plan.blocks[column.block]
        one = variance(part, plan)
        squares = sum(
            kept[key][0] * one * factor(case, part, group) for key, group in truth.items()
        )
    return sqrt(squares / sum(chance for chance, _ in kept.values())), lost


def factor(case: Case, part: BlockPlan, group: Truth) -> float:
    """Variance of the answer over variance of one coordinate."""
    if case.value.startswith("COUNT"):
        return 1.0
    grid = part.block.grid
    unit = float(grid.unit)
    if case.value.startswith("SUM"):
        return unit**2
    # AVG: v/(u + v) of the pair (Σ(M-y), Σy), to first order in noise over rows.
    share = (group.value / unit - grid.lo) / grid.span
    return (unit / group.rows) ** 2 * ((1 - share) ** 2 + share**2)


def lost_own_error(plan: Plan, truth: dict[Key, Truth], runs: int) -> float:
    """One standard error of the share of groups lost."""
    chances = [kept_law(plan, one.units)[0] for one in truth.values()]
    return sqrt(sum(p * (1 - p) for p in chances) / runs) / len(chances)


def kept_law(plan: Plan, units: int) -> tuple[float, float]:
    """(chance that the key is shown, E[squared error of its unit count; shown])."""
    threshold = plan.threshold
    if threshold is None:
        return 1.0, 0.0
    if isinstance(threshold, GaussianThreshold):
        if units <= threshold.shift:
            return 0.0, 0.0
        sigma, normal = float(threshold.sigma), NormalDist()
        edge = (threshold.threshold - 0.5 - units) / sigma
        chance = normal.cdf(-edge)
        return chance, sigma**2 * (chance + edge * normal.pdf(edge))
    law = threshold.pmf(units, exp(-float(threshold.epsilon_per_key)))
    shown = {noisy: chance for noisy, chance in law.items() if noisy is not None}
    return sum(shown.values()), sum(p * (n - units) ** 2 for n, p in shown.items())
