"""The private cap and the noisy count: laws, privacy over all outcomes of all neighbours, error."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import combinations, product

import mpmath as mp
import numpy as np
import pytest
from scipy import stats
from test_matching import pairs

from dpsql.accountant.events import Exponential, Laplace
from dpsql.mechanisms import exponential
from dpsql.mechanisms.distinct import CapChoice, DistinctMechanism
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.mechanisms.matching import matched

CAPS = (1, 2, 4)
COUNTS = np.array([[5, 3], [8, 4], [9, 4]])


def choice(epsilon: Fraction, cells: int = 1, caps: tuple[int, ...] = CAPS) -> CapChoice:
    return CapChoice(epsilon, caps, cells, Fraction(1, 2), Fraction(1, 4))


def law(mechanism: CapChoice, counts: np.ndarray) -> list[mp.mpf]:
    """The probability of each cap, by the docstring's formula in 40 digits."""
    groups, k = counts.shape[1], mechanism.cells
    a = [
        int(row.sum()) - mechanism.cost * groups * cap - mechanism.reserve * k * cap
        for row, cap in zip(counts, mechanism.caps, strict=True)
    ]
    weights = []
    with mp.workdps(40):
        for here, cap in zip(a, mechanism.caps, strict=True):
            gaps = [
                Fraction(there - here, k * (cap + other))
                for there, other in zip(a, mechanism.caps, strict=True)
            ]
            exponent = mechanism.epsilon * max(gaps) / 2
            chance = mp.e ** -(mp.mpf(exponent.numerator) / exponent.denominator)
            weights.append(mechanism.caps[-1] // cap * chance)
        return [weight / mp.fsum(weights) for weight in weights]


@pytest.mark.parametrize("margin", [exponential.MARGIN, 1.0])  # 1: always by exact arithmetic
def test_the_law_is_the_formula(monkeypatch, margin: float) -> None:
    """Fixed words: no false alarm. An ε 20 % off fails, so the test has power."""
    monkeypatch.setattr(exponential, "MARGIN", margin)
    mechanism = choice(Fraction(4), cells=2)
    times = 12_000 if margin < 1 else 2_000
    drawn = np.bincount([mechanism.draw(COUNTS) for _ in range(times)], minlength=3)

    def p(of: CapChoice) -> float:
        expected = np.array([float(x) for x in law(of, COUNTS)]) * times
        return float(stats.chisquare(drawn, expected * times / expected.sum()).pvalue)

    assert p(mechanism) > 1e-4
    if margin < 1:
        assert p(choice(Fraction(32, 10), cells=2)) < 1e-4
        assert p(choice(Fraction(48, 10), cells=2)) < 1e-4


def worst(mechanism: CapChoice, *, merged: bool) -> float:
    """Largest loss range over all graphs of three units and three values, less each unit.

    `merged`: units 0 and 1 have one pseudonym.
    """
    some = [c for size in range(4) for c in combinations(range(3), size)]
    found = 0.0

    @cache
    def losses(whole: tuple[int, ...], less: tuple[int, ...]) -> float:
        one, other = (law(mechanism, np.array(counts)[:, None]) for counts in (whole, less))
        each = [float(mp.log(x / y)) for x, y in zip(one, other, strict=True)]
        return max(max(each) - min(each), *map(abs, each))

    @cache
    def counts(rows: tuple[tuple[int, int, int], ...]) -> tuple[int, ...]:
        shown = [(0, 0 if merged and unit == 1 else unit, value) for _, unit, value in rows]
        return tuple(matched(pairs(sorted(set(shown)), 1), mechanism.caps)[:, 0].tolist())

    for lists in product(some, repeat=3):
        rows = tuple((0, unit, value) for unit, values in enumerate(lists) for value in values)
        for unit in range(3):
            less = tuple(row for row in rows if row[1] != unit)
            found = max(found, losses(counts(rows), counts(less)))
    return found


def test_the_choice_has_bounded_range_over_all_small_neighbours() -> None:
    """Where no two units have one pseudonym all counts move one way, and a half is not used."""
    mechanism = choice(Fraction(1), caps=(1, 2, 3))
    assert 0.2 < worst(mechanism, merged=False) <= 0.5 + 1e-12
    assert 0.2 < worst(mechanism, merged=True) <= 1 + 1e-12


def test_the_bound_is_reached_by_counts_that_move_both_ways() -> None:
    """What the precondition allows: cap 1 loses its 1 while cap 3 gains its 3."""
    mechanism = choice(Fraction(1), caps=(1, 3))
    before, after = np.array([[50], [50]]), np.array([[49], [53]])
    one, other = law(mechanism, before), law(mechanism, after)
    losses = [float(mp.log(x / y)) for x, y in zip(one, other, strict=True)]
    assert 0.45 < max(losses) - min(losses) <= 1 + 1e-12


def test_scores_divided_by_too_little_break_it() -> None:
    """With every cap's sensitivity taken for that of a cap of 1 the loss is beyond ε."""
    mechanism = choice(Fraction(6), caps=(1, 3))
    whole = np.array([[0], [3]])  # one unit of three values more than nobody

    def careless(counts: np.ndarray) -> list[mp.mpf]:
        a = [int(row[0]) - cap * Fraction(1, 2) for row, cap in zip(counts, (1, 3), strict=True)]
        weights = [mp.e ** (mp.mpf(float(mechanism.epsilon * x)) / 2) for x in a]
        return [w / mp.fsum(weights) for w in weights]

    losses = [
        float(mp.log(x / y))
        for x, y in zip(careless(whole), careless(np.zeros((2, 1), int)), strict=True)
    ]
    assert max(losses) - min(losses) > 6
    true = [
        float(mp.log(x / y))
        for x, y in zip(law(mechanism, whole), law(mechanism, whole * 0), strict=True)
    ]
    assert max(true) - min(true) <= 6


def test_a_unit_in_more_groups_than_claimed_breaks_the_bound() -> None:
    alone = choice(Fraction(1), cells=1)
    counts = np.array([[1] * 6, [2] * 6, [4] * 6])  # one unit, four values in six groups
    losses = [
        float(mp.log(x / y))
        for x, y in zip(law(alone, counts), law(alone, counts * 0), strict=True)
    ]
    assert max(losses) - min(losses) > 1.2
    six = choice(Fraction(1), cells=6)
    losses = [
        float(mp.log(x / y)) for x, y in zip(law(six, counts), law(six, counts * 0), strict=True)
    ]
    assert max(losses) - min(losses) <= 1


# ---- the count -------------------------------------------------------------------------------

LAWS = {
    "laplace": LaplaceMechanism(Fraction(3, 2), 1, 1),
    "gaussian": GaussianMechanism(Fraction(3, 2), 1),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_price_is_that_of_choice_and_noise_whatever_cap_comes(name: str) -> None:
    k = 3
    noise = LaplaceMechanism(Fraction(7), 1, k) if name == "laplace" else None
    noise = noise or GaussianMechanism(Fraction(7), k)
    mechanism = DistinctMechanism(CAPS, noise, choice(Fraction(1, 5), cells=k))
    added = [(Laplace(Fraction(7)), k)] if name == "laplace" else noise.items
    assert mechanism.items == [(Exponential(Fraction(1, 5)), 1), *added]
    for cap in CAPS:
        (event, count), (charged, paid) = mechanism.at(cap).items[0], noise.items[0]
        assert count == paid
        # σ / √(k l²) is rounded down at 2^-95: what is charged holds for the real ratio.
        assert abs(event.noise_multiplier / charged.noise_multiplier - 1) < 2**-90
    assert DistinctMechanism((3,), noise).items == added


def chance(drawn: np.ndarray, kind: str, scale: float, cap: int) -> float:
    """p of a chi-square test against the continuous law, rounded; both tails lumped."""
    shape = stats.laplace if kind == "laplace" else stats.norm
    edges = np.arange(-4 * cap, 4 * cap + 1) + 0.5
    expected = np.diff(shape.cdf(np.concatenate(([-np.inf], edges, [np.inf])), scale=scale))
    observed = np.bincount(np.searchsorted(edges, drawn), minlength=len(edges) + 1)
    return float(stats.chisquare(observed, expected * len(drawn)).pvalue)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("cap", [1, 3])
def test_the_noise_is_that_of_the_law_scaled_by_the_cap(name: str, cap: int) -> None:
    """60,000 groups, fixed words. A scale 5 % off fails in either direction."""
    count = 60_000
    rows = [(place, 0, value) for place in range(count) for value in range(3)]
    mechanism = DistinctMechanism((cap,), LAWS[name])
    got, counts = mechanism.release(pairs(rows, count))
    assert got == cap
    drawn = counts - cap  # the one unit of a group counts for as many values as it may
    assert chance(drawn, name, 1.5 * cap, cap) > 1e-4
    for off in (0.95, 1.05):
        assert chance(drawn, name, 1.5 * cap * off, cap) < 1e-6


@pytest.mark.parametrize("choice_", [None, choice(Fraction(1))])
def test_what_does_not_fit_together_is_no_mechanism(choice_: CapChoice | None) -> None:
    noise = LAWS["laplace"]
    with pytest.raises(ValueError):
        DistinctMechanism((1, 3) if choice_ is None else (4,), noise, choice_)
    with pytest.raises(ValueError):
        DistinctMechanism((1, 2, 4), LaplaceMechanism(Fraction(1), 1, 2), choice(Fraction(1)))
    with pytest.raises(ValueError):
        DistinctMechanism((1,), LaplaceMechanism(Fraction(1), 2, 1))
    for caps in ((), (0, 1), (2, 1), (1, 1)):
        with pytest.raises(ValueError):
            DistinctMechanism(caps, noise)


def test_the_choice_leans_to_the_cap_of_least_error() -> None:
    """Nobody has more than 2 values: higher caps gain nothing; all have 4: caps below lose."""
    two = [(0, unit, value) for unit in range(300) for value in (2 * unit, 2 * unit + 1)]
    four = [(0, unit, 4 * unit + i) for unit in range(300) for i in range(4)]
    mechanism = CapChoice(Fraction(1, 2), (1, 2, 4, 8, 16), 1, Fraction(2), Fraction(12))
    for rows, best in ((two, 2), (four, 4)):
        counts = matched(pairs(rows, 1), mechanism.caps)
        p = [float(x) for x in law(mechanism, counts)]
        assert mechanism.caps[int(np.argmax(p))] == best
        assert max(p) > 0.6
