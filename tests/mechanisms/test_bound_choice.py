"""The choice of a bound: its law by enumeration, its price on all neighbours, its draws."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from dpsql.accountant.events import Exponential
from dpsql.core.exact import Exact
from dpsql.mechanisms.bound_choice import STEP, BoundChoice


def law(counts: tuple[int, ...], epsilon: float) -> np.ndarray:
    """The stated law, worked out another way than the mechanism does."""
    above = np.array([sum(counts[i + 1 :]) for i in range(len(counts))], dtype=float)
    logs = -(epsilon * above + float(STEP) * np.arange(len(counts)))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def drawn(counts: tuple[int, ...], epsilon: Fraction, size: int) -> np.ndarray:
    mechanism = BoundChoice(epsilon, len(counts))
    exact = np.array([counts], dtype=np.int64)
    hits = np.zeros(len(counts), dtype=np.int64)
    for _ in range(size):
        mark = mechanism.release(Exact(exact))
        assert mark.shape == exact.shape
        assert sorted(mark.ravel())[-2:] == [0, 1]
        hits += mark[0]
    return hits


SMALL = list(itertools.product(range(4), repeat=4))


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 0.5, 1.0, 3.0])
def test_every_neighbour_is_within_the_price(epsilon: float) -> None:
    """Over all histograms of up to three units a place, and each place a unit can join."""
    worst = 0.0
    for counts in SMALL:
        here = law(counts, epsilon)
        for place in range(len(counts)):
            more = tuple(n + (at == place) for at, n in enumerate(counts))
            losses = np.log(here / law(more, epsilon))
            assert losses.max() - losses.min() <= epsilon * (1 + 1e-9)  # bounded range
            worst = max(worst, float(np.abs(losses).max()))
    assert worst <= epsilon * (1 + 1e-9)
    assert worst > 0.5 * epsilon  # it is no looser than it must be


@pytest.mark.parametrize("epsilon", [0.1, 1.0])
@pytest.mark.parametrize("order", [1.5, 2.0, 8.0, 64.0])
def test_the_event_covers_every_neighbour(epsilon: float, order: float) -> None:
    price = Exponential(Fraction(epsilon)).renyi(order)
    for counts in SMALL:
        here = law(counts, epsilon)
        for place in range(len(counts)):
            there = law(tuple(n + (at == place) for at, n in enumerate(counts)), epsilon)
            for p, q in ((here, there), (there, here)):
                divergence = math.log(float(np.sum(p**order * q ** (1 - order)))) / (order - 1)
                assert divergence <= price * (1 + 1e-9)


@pytest.mark.parametrize(
    ("counts", "epsilon"),
    [
        ((3, 2, 0, 1, 0), Fraction(1, 2)),
        ((40, 9, 4, 0, 0, 0), Fraction(1, 10)),
        ((0, 0, 0), Fraction(1)),
    ],
)
def test_draws_follow_the_law_and_no_other(counts: tuple[int, ...], epsilon: Fraction) -> None:
    """Fixed entropy; the same draws refuse a law whose ε is half as large or a step dearer."""
    size = 4_000
    hits = drawn(counts, epsilon, size)
    expected = law(counts, float(epsilon)) * size
    assert stats.chisquare(hits, expected).pvalue > 1e-4
    if any(counts):
        wrong = law(counts, float(epsilon) / 2) * size
        assert stats.chisquare(hits, wrong).pvalue < 1e-6


def test_far_beyond_the_data_is_never_drawn() -> None:
    """j steps above the last unit at most e^(-3j/4) times as likely as the step of that unit."""
    chances = law((500, 300, 20, 1, *[0] * 200), 0.01)
    last = 3
    for above in range(last, len(chances)):
        assert chances[above] <= chances[last] * math.exp(-0.75 * (above - last)) * (1 + 1e-9)


def test_items_and_scale() -> None:
    choice = BoundChoice(Fraction(1, 5), 10)
    assert choice.items == [(Exponential(Fraction(1, 5)), 1)]
    assert choice.scale == Fraction(15, 4)


def test_huge_epsilon_cuts_nobody() -> None:
    """At the limit no candidate that cuts a unit is chosen, whatever the steps cost."""
    counts = (5, 1, 0, 1, 0, 0)
    assert not drawn(counts, Fraction(10**6), 200)[:3].any()


@pytest.mark.parametrize(
    "arguments",
    [(Fraction(0), 3), (Fraction(-1), 3), (0.5, 3), (Fraction(1), 0), (Fraction(1), 2.0)],
)
def test_nonsense_is_refused(arguments: tuple[object, object]) -> None:
    with pytest.raises(ValueError, match=r"choice|candidate"):
        BoundChoice(*arguments)  # type: ignore[arg-type]
