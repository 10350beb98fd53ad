"""The exponential mechanism: its law, its privacy by all outcomes of all neighbours, its error."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from dpsql.accountant.events import Exponential
from dpsql.core.exact import Exact
from dpsql.mechanisms import exponential, quantile
from dpsql.mechanisms.exponential import choose_index, uniform_below
from dpsql.mechanisms.quantile import QuantileMechanism

HALF = Fraction(1, 2)
HISTOGRAM = {2: 3, 3: 1, 7: 5, 9: 1}


def penalties(histogram: dict[int, int], bins: int, q: Fraction) -> list[Fraction]:
    """p(j) by its definition, bin by bin."""
    n = sum(histogram.values())
    found = []
    for j in range(bins):
        below = sum(w for bin, w in histogram.items() if bin < j)
        upto = sum(w for bin, w in histogram.items() if bin <= j)
        found.append(max(below - q * n, q * n - upto, Fraction(0)))
    return found


def law(mechanism: QuantileMechanism, histogram: dict[int, int]) -> list[mp.mpf]:
    """The exact probability of every bin, by the docstring's formula."""
    q = mechanism.quantile
    delta = mechanism.sensitivity * max(q, 1 - q)
    factor = mechanism.epsilon / ((1 if q in (0, 1) else 2) * delta)
    with mp.workdps(40):
        weights = []
        for p in penalties(histogram, mechanism.bins, q):
            exponent = factor * p
            weights.append(mp.e ** -(mp.mpf(exponent.numerator) / exponent.denominator))
        total = mp.fsum(weights)
        return [w / total for w in weights]


def draw(mechanism: QuantileMechanism, histogram: dict[int, int], times: int) -> np.ndarray:
    positions = np.array(sorted(histogram), dtype=np.int64)
    weights = np.array([histogram[p] for p in sorted(histogram)], dtype=np.int64)
    exact = Exact((positions, weights))
    return np.array([mechanism.release(exact) for _ in range(times)])


def chi_square(observed: np.ndarray, law: list[mp.mpf]) -> float:
    """The p-value, cells of less than 5 expected lumped together."""
    counts = np.bincount(observed, minlength=len(law)).astype(float)
    expected = np.array([float(p) for p in law]) * len(observed)
    rare = expected < 5
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    kept = expected > 0
    return float(
        stats.chisquare(counts[kept], expected[kept] * counts.sum() / expected.sum()).pvalue
    )


@pytest.mark.parametrize("q", [Fraction(0), Fraction(1, 10), HALF, Fraction(2, 3), Fraction(1)])
@pytest.mark.parametrize("margin", [exponential.MARGIN, 1.0])  # 1: always by exact arithmetic
def test_the_law_is_the_formula(monkeypatch, q: Fraction, margin: float) -> None:
    """Fixed words: no false alarm. An epsilon 20 % off fails, so the test has power."""
    monkeypatch.setattr(exponential, "MARGIN", margin)
    mechanism = QuantileMechanism(Fraction(3), q, 2, 12)
    times = 20_000 if margin < 1 else 4_000
    observed = draw(mechanism, HISTOGRAM, times)
    assert chi_square(observed, law(mechanism, HISTOGRAM)) > 1e-4
    if margin < 1:
        for other in (Fraction(12, 5), Fraction(18, 5)):
            wrong = QuantileMechanism(other, q, 2, 12)
            assert chi_square(observed, law(wrong, HISTOGRAM)) < 1e-6


@pytest.mark.slow
def test_the_law_five_percent_off_fails_with_fresh_entropy() -> None:
    """400,000 draws. False alarm 1e-9."""
    mechanism = QuantileMechanism(Fraction(3), HALF, 2, 12)
    observed = draw(mechanism, HISTOGRAM, 400_000)
    assert chi_square(observed, law(mechanism, HISTOGRAM)) > 1e-9
    for other in (Fraction(285, 100), Fraction(315, 100)):
        assert chi_square(observed, law(QuantileMechanism(other, HALF, 2, 12), HISTOGRAM)) < 1e-9


def neighbours(bins: int, most: int):
    """Pairs of histograms: a base of up to 2 a bin, and what one unit of weight <= most adds."""
    for base in product(range(3), repeat=bins):
        for added in product(range(most + 1), repeat=bins):
            if 0 < sum(added) <= most:
                yield base, tuple(a + b for a, b in zip(base, added, strict=True))


def as_dict(weights: tuple[int, ...]) -> dict[int, int]:
    return {bin: w for bin, w in enumerate(weights) if w}


def worst_range(mechanism: QuantileMechanism, most: int) -> float:
    """The largest range of log-ratios over all outcomes, over all small neighbours."""
    worst = 0.0
    for one, other in neighbours(mechanism.bins, most):
        p, r = law(mechanism, as_dict(one)), law(mechanism, as_dict(other))
        losses = [float(mp.log(x / y)) for x, y in zip(p, r, strict=True)]
        worst = max(worst, max(losses) - min(losses), *map(abs, losses))
    return worst


@pytest.mark.parametrize("q", [Fraction(0), Fraction(1, 4), HALF, Fraction(2, 3), Fraction(1)])
def test_bounded_range_over_all_small_neighbours(q: Fraction) -> None:
    """Every histogram of 3 bins, every unit of weight <= 2: range and loss at most epsilon."""
    mechanism = QuantileMechanism(Fraction(1), q, 2, 3)
    found = worst_range(mechanism, 2)
    assert found <= 1 + 1e-12
    assert found > 0.7  # and the bound is used


@pytest.mark.parametrize("q", [HALF, Fraction(1)])
def test_a_unit_heavier_than_the_sensitivity_breaks_the_bound(q: Fraction) -> None:
    assert worst_range(QuantileMechanism(Fraction(1), q, 1, 3), 2) > 1.2


def test_the_factor_of_the_monotone_ends_is_not_for_the_middle(monkeypatch) -> None:
    mechanism = QuantileMechanism(Fraction(1), HALF, 2, 3)
    doubled = QuantileMechanism(Fraction(2), HALF, 2, 3)  # what exp(-eps p / Δ) would be
    assert worst_range(doubled, 2) > 1.2 >= worst_range(mechanism, 2)


def test_segments_have_the_penalties_of_their_bins() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        bins = int(rng.integers(1, 12))
        chosen = sorted(rng.choice(bins, size=int(rng.integers(0, bins + 1)), replace=False))
        histogram = {int(p): int(rng.integers(1, 9)) for p in chosen}
        q = Fraction(int(rng.integers(0, 8)), 7)
        mechanism = QuantileMechanism(Fraction(1), q, 1, bins)
        positions = np.array(list(histogram), dtype=np.int64)
        weights = np.array(list(histogram.values()), dtype=np.int64)
        found, starts, widths = mechanism._segments(positions, weights)
        flat = [p for p, w in zip(found.tolist(), widths.tolist(), strict=True) for _ in range(w)]
        wanted = [p * q.denominator for p in penalties(histogram, bins, q)]
        assert flat == wanted
        assert starts.tolist() == np.cumsum([0, *widths[:-1].tolist()]).tolist()


def test_huge_weights_are_exact() -> None:
    """Weights beyond 64 bits are Python integers; two bins a hair apart keep their ratio."""
    weights = np.array([2**70, 2**70 + 1], dtype=object)
    mechanism = QuantileMechanism(Fraction(1), HALF, 2**70, 2)
    exact = Exact((np.array([0, 1]), weights))
    observed = np.array([mechanism.release(exact) for _ in range(2_000)])
    # p(0) = 1/2 of a weight unit, of 2 · 2^70 · 1/2: the chance is 1/2 to 70 bits.
    assert abs(observed.mean() - 0.5) < 0.05


def test_an_empty_histogram_is_uniform_over_the_grid() -> None:
    mechanism = QuantileMechanism(Fraction(1), HALF, 1, 5)
    observed = draw(mechanism, {}, 5_000)
    assert chi_square(observed, [mp.mpf(1) / 5] * 5) > 1e-4


def test_the_price_is_one_event_for_each_group_touched() -> None:
    mechanism = QuantileMechanism(Fraction(1, 3), HALF, 7, 9, cells=4)
    assert mechanism.items == [(Exponential(Fraction(1, 3)), 4)]


def test_uniform_below_is_uniform() -> None:
    for bound in (1, 2, 3, 1000, 2**64 + 3):
        drawn = [uniform_below(bound) for _ in range(300)]
        assert min(drawn) >= 0
        assert max(drawn) < bound
    observed = np.array([uniform_below(6) for _ in range(6_000)])
    assert chi_square(observed, [mp.mpf(1) / 6] * 6) > 1e-4


def test_widths_of_nothing_are_never_chosen() -> None:
    huge = np.array([-5, 0, 1], dtype=object)
    widths = np.array([0, 1, 1])
    drawn = {choose_index(huge, widths, Fraction(1)) for _ in range(200)}
    assert drawn == {1, 2}


@pytest.mark.parametrize("kind", ["uniform", "lognormal", "spiky"])
def test_rank_error_is_that_of_the_literature(kind: str) -> None:
    """Mean |rank error| of 1 to 3 rows at rho = 0.0244 (accounting note, 65,536 bins): at most
    twice that. Fixed words."""
    rng = np.random.default_rng(7)
    values = {
        "uniform": rng.uniform(0, 1, 10_000),
        "lognormal": np.minimum(rng.lognormal(0, 1, 10_000) / 50, 1),
        "spiky": rng.choice([0.1, 0.2, 0.25, 0.9], 10_000),
    }[kind]
    bins = 65_536
    placed = np.minimum((values * bins).astype(np.int64), bins - 1)
    positions, weights = np.unique(placed, return_counts=True)
    epsilon = Fraction(44, 100)  # epsilon^2 / 8 = 0.0242
    errors = []
    for q in (Fraction(1, 10), HALF, Fraction(9, 10)):
        mechanism = QuantileMechanism(epsilon, q, 1, bins)
        for _ in range(60):
            chosen = mechanism.release(Exact((positions, weights)))
            below, upto = (placed < chosen).sum(), (placed <= chosen).sum()
            target = float(q) * len(placed)
            errors.append(max(below - target, target - upto, 0))
    assert np.mean(errors) <= 6


@pytest.mark.parametrize(
    "arguments",
    [
        (Fraction(0), HALF, 1, 1),
        (0.5, HALF, 1, 1),
        (Fraction(1), Fraction(3, 2), 1, 1),
        (Fraction(1), 0.5, 1, 1),
        (Fraction(1), HALF, 0, 1),
        (Fraction(1), HALF, 1, 0),
        (Fraction(1), HALF, 1, quantile.MAX_BINS + 1),
        (Fraction(1), HALF, 1, 1, 0),
    ],
)
def test_wrong_parameters_are_refused(arguments) -> None:
    with pytest.raises(ValueError):
        QuantileMechanism(*arguments)


def test_choose_index_refuses_nonsense() -> None:
    none = np.array([], dtype=object)
    for penalties_, widths, rate in [
        (none, np.array([], dtype=np.int64), Fraction(1)),
        (np.array([1], dtype=object), np.array([0]), Fraction(1)),
        (np.array([1], dtype=object), np.array([-1]), Fraction(1)),
        (np.array([1], dtype=object), np.array([1]), Fraction(-1)),
    ]:
        with pytest.raises(ValueError):
            choose_index(penalties_, widths, rate)
    with pytest.raises(ValueError):
        uniform_below(0)


# ---- extremes --------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [Fraction(0), Fraction(1)])
@pytest.mark.parametrize("inward", [HALF, Fraction(3, 2), Fraction(5)])
def test_extremes_inside_their_ends_over_all_small_neighbours(q: Fraction, inward) -> None:
    """Range and loss at most epsilon with the factor 2; the target stops at the middle."""
    mechanism = QuantileMechanism(Fraction(1), q, 2, 3, inward=inward)
    found = 0.0
    for one, other in neighbours(3, 2):
        p, r = (extreme_law(mechanism, as_dict(h)) for h in (one, other))
        losses = [float(mp.log(x / y)) for x, y in zip(p, r, strict=True)]
        found = max(found, max(losses) - min(losses), *map(abs, losses))
    assert 0.4 < found <= 1 + 1e-12


def extreme_law(mechanism: QuantileMechanism, histogram: dict[int, int]) -> list[mp.mpf]:
    n = sum(histogram.values())
    inside = min(mechanism.inward, Fraction(n, 2))
    target = inside if mechanism.quantile == 0 else n - inside
    with mp.workdps(40):
        weights = []
        for j in range(mechanism.bins):
            below = sum(w for bin, w in histogram.items() if bin < j)
            upto = sum(w for bin, w in histogram.items() if bin <= j)
            p = max(below - target, target - upto, Fraction(0))
            exponent = mechanism.epsilon * p / (2 * mechanism.sensitivity)
            weights.append(mp.e ** -(mp.mpf(exponent.numerator) / exponent.denominator))
        return [w / mp.fsum(weights) for w in weights]


@pytest.mark.parametrize("q", [Fraction(0), Fraction(1)])
def test_the_law_of_extremes_is_the_formula(q: Fraction) -> None:
    mechanism = QuantileMechanism(Fraction(3), q, 2, 12, inward=Fraction(5, 2))
    observed = draw(mechanism, HISTOGRAM, 20_000)
    assert chi_square(observed, extreme_law(mechanism, HISTOGRAM)) > 1e-4
    wrong = QuantileMechanism(Fraction(12, 5), q, 2, 12, inward=Fraction(5, 2))
    assert chi_square(observed, extreme_law(wrong, HISTOGRAM)) < 1e-6


def test_half_a_row_inside_is_the_extreme_itself() -> None:
    for q, wanted in ((Fraction(0), 2), (Fraction(1), 9)):
        mechanism = QuantileMechanism(Fraction(10**6), q, 1, 12, inward=HALF)
        assert set(draw(mechanism, HISTOGRAM, 50).tolist()) == {wanted}


def test_inside_is_for_extremes() -> None:
    for q, inward in ((HALF, HALF), (Fraction(0), Fraction(-1))):
        with pytest.raises(ValueError):
            QuantileMechanism(Fraction(1), q, 1, 12, inward=inward)
