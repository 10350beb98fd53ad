"""Search for the outcome of a mechanism that tells two neighbours apart best (StatDP's idea).

The event is chosen on the first half of the samples, among single outcomes and both tails, and its
two probabilities are bounded by Clopper and Pearson on the second: a lower bound of ε.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpsql.accountant.calibrate import gaussian_epsilon
from dpsql.audit.estimates import epsilon_bound
from dpsql.core.exact import Exact
from dpsql.mechanisms import entropy
from dpsql.mechanisms.bound_choice import BoundChoice
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.distinct import CapChoice, DistinctMechanism
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.matching import Pairs
from dpsql.mechanisms.quantile import QuantileMechanism
from dpsql.mechanisms.quantile_interval import QuantileInterval
from dpsql.mechanisms.quantile_tree import QuantileTree
from dpsql.mechanisms.threshold import GaussianThreshold, TruncatedGeometricThreshold

WITHHELD = -(10**9)
Sample = Callable[[Any, int], NDArray[np.int64]]
"""(exact input, how often) → one integer for each release."""


@dataclass(frozen=True)
class Case:
    """A mechanism with two neighbouring inputs, and the (ε, δ) that one release is priced at."""

    sample: Sample
    inputs: tuple[Any, Any]
    epsilon: float
    delta: float = 0.0
    slow: bool = False  # one release at a time: fewer samples


def noised(mechanism: Any) -> Sample:
    return lambda value, n: mechanism.release(Exact(np.full(n, value, np.int64))).astype(np.int64)


def selected(mechanism: Any) -> Sample:
    """A draw of the threshold's own coin for each key."""
    parts = getattr(mechanism, "cuts", [(mechanism, Fraction(1))])

    def sample(count: int, n: int) -> NDArray[np.int64]:
        coin = entropy.words(n) / 2.0**64
        found, below = np.zeros(n, dtype=np.int64), 0.0
        for part, chance in parts:
            kept, noisy = part.release(Exact(np.full(n, count, np.int64)))
            mine = coin >= below
            found[mine] = np.where(kept, noisy, WITHHELD)[mine]
            below += float(chance)
        return found

    return sample


def chosen(mechanism: Any, *centre: int) -> Sample:
    """Several bins of one release as one number."""

    def sample(histogram: dict[int, int], n: int) -> NDArray[np.int64]:
        bins, weights = (np.array(part) for part in zip(*sorted(histogram.items()), strict=True))
        found = [mechanism.release(Exact((bins, weights)), *centre) for _ in range(n)]
        return np.array(found).reshape(n, -1) @ (100 ** np.arange(np.size(found[0])))

    return sample


def turned(mechanism: CentredGaussian) -> Sample:
    """The noised total and difference, weighted as one person moves them: all there is to see."""
    toward = np.array([mechanism.total, mechanism.difference])

    def sample(pair: tuple[int, int], n: int) -> NDArray[np.int64]:
        exact = Exact(np.repeat(np.array(pair, np.int64)[:, None], n, axis=1))
        return toward @ mechanism.release(exact).astype(np.int64)

    return sample


def placed(mechanism: BoundChoice) -> Sample:
    """The place that a choice marks."""

    def sample(units: tuple[int, ...], n: int) -> NDArray[np.int64]:
        exact = np.array([units], np.int64)
        return np.array([mechanism.release(Exact(exact)).argmax() for _ in range(n)])

    return sample


def counted(mechanism: DistinctMechanism) -> Sample:
    """The cap and, within what it leaves, the noisy count.

    A cap is drawn for all groups together, so one group a release; where it is given, many.
    """

    def release(held: tuple[tuple[int, int], ...], groups: int) -> NDArray[np.int64]:
        places = np.repeat(np.arange(groups, dtype=np.int64), len(held))
        units, values = np.tile(np.array(held, np.uint64), (groups, 1)).T
        cap, counts = mechanism.release(Pairs(groups, Exact(places), Exact(units), Exact(values)))
        return cap * 10**6 + counts.astype(np.int64)

    def sample(held: tuple[tuple[int, int], ...], n: int) -> NDArray[np.int64]:
        if mechanism.choice is None:
            return release(held, n)
        return np.concatenate([release(held, 1) for _ in range(n)])

    return sample


def cases(epsilon: float) -> dict[str, Case]:
    """Every mechanism at this price."""
    e, delta = Fraction(epsilon), Fraction(1, 10)
    gaussian = GaussianMechanism(Fraction(3) / e, 1)
    square = 1 / gaussian.noise_multiplier**2
    sigma = Fraction(3) / e
    passing = GaussianThreshold(sigma, delta / 2, 1)
    few, more = {1: 2, 4: 1, 6: 2}, {1: 2, 4: 2, 6: 2}
    half = Fraction(1, 2)
    centred = CentredGaussian(Fraction(15) / e, 25, 3, 4)
    caps = CapChoice(e / 2, (1, 3), 1, Fraction(1, 4), Fraction(0))
    of_one = ((1, 1), (2, 1))  # (unit, value)
    of_two = (*of_one, (3, 2), (3, 3), (3, 4))
    return {
        "Laplace": Case(noised(LaplaceMechanism(1 / e, 1, 1)), (0, 1), epsilon),
        "Laplace, sensitivity 5": Case(noised(LaplaceMechanism(5 / e, 5, 1)), (0, -5), epsilon),
        "Gaussian": Case(
            noised(gaussian), (0, 1), float(gaussian_epsilon(square, delta)), float(delta)
        ),
        **{
            f"threshold, {n} and {n + 1} units": Case(
                selected(TruncatedGeometricThreshold(e, delta, 1)),
                (n, n + 1), epsilon, float(delta),
            )
            for n in (0, 1, 3)
        },
        **{
            f"Gaussian threshold, {n} and {n + 1} units": Case(
                selected(passing), (n, n + 1),
                float(gaussian_epsilon(1 / sigma**2, delta / 2)), float(delta),
            )
            for n in (0, 1, 3)
        },
        "median": Case(
            chosen(QuantileMechanism(e, half, 1, 20)), ({19: 1}, {0: 1, 19: 1}), epsilon, slow=True,
        ),
        "minimum": Case(
            chosen(QuantileMechanism(e, Fraction(0), 1, 20)),
            ({19: 1}, {0: 1, 19: 1}), epsilon, slow=True,
        ),
        "interval": Case(
            chosen(QuantileInterval(e, half, 1, 8), 4), (few, more), 2 * epsilon, slow=True
        ),
        "tree of two rounds": Case(
            chosen(QuantileTree(e, (Fraction(1, 4), half), 1, 8)), (few, more), 2 * epsilon,
            slow=True,
        ),
        "centred": Case(
            turned(centred), ((0, 0), (0, 1)),
            float(gaussian_epsilon(centred.l2_squared / centred.sigma**2, delta)), float(delta),
        ),
        "bound": Case(placed(BoundChoice(e, 3)), ((2, 0, 0), (2, 0, 1)), epsilon, slow=True),
        "distinct, cap of 3": Case(
            counted(DistinctMechanism((3,), LaplaceMechanism(1 / e, 1, 1))),
            (of_one, of_two), epsilon,
        ),
        "distinct, cap drawn": Case(
            counted(DistinctMechanism((1, 3), LaplaceMechanism(2 / e, 1, 1), caps)),
            (of_one, of_two), epsilon, slow=True,
        ),
    }  # fmt: skip


def told(case: Case, samples: int, alpha: float) -> float:
    """The lower bound of ε, wrong with probability at most `alpha`."""
    outputs = [case.sample(value, samples) for value in case.inputs]
    half = samples // 2
    train, test = [o[:half] for o in outputs], [o[half:] for o in outputs]
    best, event, way = -1.0, None, 1
    for candidate in _events(np.concatenate(train)):
        hits = [int(candidate(part).sum()) for part in train]
        for direction in (1, -1):
            likely, rare = hits[::direction]
            found = epsilon_bound(likely, half, rare, half, delta=case.delta, alpha=0.05)
            if found > best:
                best, event, way = found, candidate, direction
    assert event is not None
    likely, rare = [int(event(part).sum()) for part in test][::way]
    return epsilon_bound(likely, half, rare, half, delta=case.delta, alpha=alpha)


def _events(seen: NDArray[np.int64]) -> list[Callable[[Any], Any]]:
    values = np.unique(seen)
    if len(values) > 60:
        values = np.unique(np.quantile(values, np.linspace(0, 1, 60)).astype(np.int64))
    return [
        test
        for v in values.tolist()
        for test in (
            lambda x, v=v: x == v,
            lambda x, v=v: x >= v,
            lambda x, v=v: (x <= v) & (x != WITHHELD),
            lambda x, v=v: (x >= v) | (x == WITHHELD),
        )
    ]
