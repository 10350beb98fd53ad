"""The choice of a bound: its law by enumeration, its price on all neighbours, its draws."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from dpsql.accountant.events import Exponential, Laplace
from dpsql.core.exact import Exact
from dpsql.mechanisms.bound_choice import BoundChoice, Cut, holds, read
from dpsql.mechanisms.bound_size import COUNTED, STEP, enough


def law(counts: tuple[int, ...], epsilon: float) -> np.ndarray:
    """The stated law, worked out another way than the mechanism does."""
    above = np.array([sum(counts[i + 1 :]) for i in range(len(counts))], dtype=float)
    logs = -(epsilon * above + float(STEP) * np.arange(len(counts)))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def cuts(counts: tuple[int, ...], choosing: Fraction, size: int, first: int = 0) -> list[Cut]:
    mechanism = BoundChoice(choosing / (1 - COUNTED), len(counts), first)
    assert mechanism.choosing == choosing
    exact = np.array([counts], dtype=np.int64)
    found = []
    for _ in range(size):
        told = mechanism.release(Exact(exact))
        assert told.shape == exact.shape
        found.append(read(told[0].tolist()))
    return found


def drawn(counts: tuple[int, ...], epsilon: Fraction, size: int) -> np.ndarray:
    places = [cut.place for cut in cuts(counts, epsilon, size)]
    return np.bincount(places, minlength=len(counts))


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
    (chosen, once), (counted, twice) = choice.items
    assert (chosen, once, twice) == (Exponential(Fraction(3, 20)), 1, 1)
    assert counted == Laplace(noise_multiplier=Fraction(20))
    assert chosen.epsilon + choice.counting.epsilon == Fraction(1, 5)
    assert choice.scale == 5


# ---- whom it cuts ----------------------------------------------------------------------------


def test_the_counts_are_those_of_the_place_with_the_noise_that_is_charged() -> None:
    """Σ|noise|/b of n Laplace draws is Gamma(n); 5 % more or less is refused. False alarm 1e-5."""
    counts, choosing = (400, 300, 200, 50, 20, 0, 0), Fraction(1, 50)
    found = cuts(counts, choosing, 12_000, 1)
    assert len({cut.place for cut in found}) > 2
    pairs = [
        (cut.within - sum(counts[1 : cut.place + 1]), cut.beyond - sum(counts[cut.place + 1 :]))
        for cut in found
        if cut.place < len(counts) - 1
    ]
    scale = float((1 - COUNTED) / (COUNTED * choosing))
    sizes = np.abs(pairs).ravel()
    for factor, right in ((1.0, True), (1.05, False), (0.95, False)):
        total = float(sizes.sum()) / (scale * factor)
        law_ = stats.gamma(len(sizes))
        assert bool(2 * min(law_.cdf(total), law_.sf(total)) > 1e-5) is right
    assert abs(stats.pearsonr(*np.transpose(pairs)).statistic) < 0.05  # 5 σ: apart


@pytest.mark.parametrize("first", [0, 1])
def test_units_without_anything_to_bound_are_not_counted(first: int) -> None:
    counts = (40, 7, 5, 0, 0)
    (cut,) = cuts(counts, Fraction(10**9), 1, first)
    assert cut == Cut(2, sum(counts[first:]), 0)


def test_nobody_is_beyond_the_last_place() -> None:
    law_ = BoundChoice(Fraction(10**6), 3)
    told = law_.release(Exact(np.array([[0, 0, 5]], dtype=np.int64)))
    assert read(told[0].tolist()) == Cut(2, 5, 0)


def test_what_holds_cuts_no_large_share() -> None:
    """Where a fifth and more are cut, it says that it holds in 5 % of all runs at the most."""
    rng = np.random.Generator(np.random.PCG64(5))
    law_ = BoundChoice(Fraction(1), 9)
    for laws in ([law_], [law_, law_]):
        wrong, right, size = 0, 0, 4_000
        for _ in range(size):
            noise = rng.laplace(0, float(law_.counting.scale), (2, 2)).round()
            parts = len(laws)
            bad = [Cut(3, 799 + int(a), 201 + int(b)) for a, b in noise[:parts]]
            good = [Cut(3, 799 + int(a), 21 + int(b)) for a, b in noise[:parts]]
            wrong += holds(laws, bad)
            right += holds(laws, good)
        assert stats.binomtest(wrong, size, 0.05, alternative="greater").pvalue > 1e-5
        assert right == size


@pytest.mark.parametrize("ends", [1, 2])
def test_enough_units_are_enough(ends: int) -> None:
    """So many with a few of them cut: it holds mostly; with half as many seldom."""
    rng = np.random.Generator(np.random.PCG64(6))
    law_ = BoundChoice(Fraction(1, 20), 9, 1)
    laws = [law_] * ends
    people, cut = enough([one.epsilon for one in laws]), 4 * float(law_.scale)

    def share(units: float) -> float:
        hits = 0
        for _ in range(500):
            noise = rng.laplace(0, float(law_.counting.scale), (ends, 2)).round()
            each = [Cut(3, int(units / ends - cut + a), int(cut + b)) for a, b in noise]
            hits += holds(laws, each)
        return hits / 500

    assert share(1.2 * people) > 0.5
    assert share(people / 2) < 0.2
    assert share(2 * people) > 0.97


def test_huge_epsilon_cuts_nobody() -> None:
    """At the limit no candidate that cuts a unit is chosen, whatever the steps cost."""
    counts = (5, 1, 0, 1, 0, 0)
    assert not drawn(counts, Fraction(10**6), 200)[:3].any()


@pytest.mark.parametrize(
    "arguments",
    [
        (Fraction(0), 3),
        (Fraction(-1), 3),
        (0.5, 3),
        (Fraction(1), 0),
        (Fraction(1), 2.0),
        (Fraction(1), 3, 2),
    ],
)
def test_nonsense_is_refused(arguments: tuple[object, object]) -> None:
    with pytest.raises(ValueError, match=r"choice|candidate"):
        BoundChoice(*arguments)  # type: ignore[arg-type]
