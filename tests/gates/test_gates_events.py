"""The event search over every mechanism: no event tells more of one unit than is priced."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from event_search import cases, noised, told

from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.quantile import QuantileMechanism

ALPHA = 1e-9  # of one case, where entropy is fresh: below 1e-7 for all of a slow run
NAMES = list(cases(1.0))


def test_the_search_covers_every_mechanism():
    """A new module of mechanisms with a `release` needs a case."""
    import pkgutil

    import dpsql.mechanisms as package

    searched = {"laplace", "gaussian", "threshold", "quantile", "quantile_interval"}
    searched |= {"quantile_tree", "bound_choice", "centred", "distinct"}
    found = set()
    for part in pkgutil.iter_modules(package.__path__):
        module = __import__(f"dpsql.mechanisms.{part.name}", fromlist=["x"])
        for value in vars(module).values():
            own = getattr(value, "__module__", "") == module.__name__
            if own and isinstance(value, type) and hasattr(value, "release"):
                found.add(part.name)
    assert found == searched


@pytest.mark.parametrize("name", NAMES)
def test_no_event_tells_more_than_the_price(name):
    case = cases(1.0)[name]
    assert told(case, 2000 if case.slow else 30_000, ALPHA) <= case.epsilon


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("name", NAMES)
def test_a_million_samples(name, epsilon):
    case = cases(epsilon)[name]
    assert told(case, 40_000 if case.slow else 1_000_000, ALPHA) <= case.epsilon


# ---- the search can fail -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("Laplace", 2),
        ("minimum", 2),
        ("median", 4),
        ("threshold, 0 and 1 units", 2),
        ("bound", 4),
        ("distinct, cap of 3", 4),
        ("distinct, cap drawn", 8),
    ],
)
def test_too_little_noise_is_seen(name, times):
    """The mechanism of `times` ε against the claim of ε (δ, for the threshold: of a fiftieth).

    A median tells half of its price: its utility moves one way only for one person.
    """
    claim = replace(cases(float(times))[name], epsilon=1.0)
    if name.startswith("threshold"):
        claim = replace(claim, delta=0.002)
    assert told(claim, 8000 if claim.slow else 30_000, 1e-6) > claim.epsilon


def test_an_open_end_is_seen():
    """Output that only one of two neighbours has: the event of ε without bound."""
    even = noised(LaplaceMechanism(Fraction(1), 1, 1))
    case = replace(cases(1.0)["Laplace"], sample=lambda v, n: 2 * (even(0, n) // 2) + v)
    assert told(case, 30_000, ALPHA) > 5


def test_a_swapped_utility_is_seen(monkeypatch):
    """Penalties at half the sensitivity: the exponential mechanism spends twice its price."""
    real = QuantileMechanism.rate.fget
    monkeypatch.setattr(QuantileMechanism, "rate", property(lambda self: 2 * real(self)))
    assert told(cases(1.0)["minimum"], 8000, 1e-6) > 1


@pytest.mark.slow
def test_a_million_samples_see_three_percent():
    case = replace(cases(1.03)["Laplace"], epsilon=1.0)
    assert told(case, 8_000_000, 1e-6) > 1
