"""Many quantiles in rounds: their law, their privacy over small neighbours, their error."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from test_quantile import as_dict, chi_square, neighbours
from test_quantile_interval import exact

from dpsql.accountant.events import Exponential
from dpsql.mechanisms import quantile_tree
from dpsql.mechanisms.quantile_tree import QuantileTree

QUARTILES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


def law(tree: QuantileTree, histogram: dict[int, int]) -> dict[tuple[int, ...], mp.mpf]:
    """The exact probability of every list of bins, by the docstring."""
    spread = quantile_tree.SPREAD
    parts = [histogram.get(p // spread, 0) for p in range(tree.bins * spread)]
    found = dict.fromkeys(product(range(tree.bins), repeat=len(tree.quantiles)), mp.mpf(0))
    for cuts, chance in _cuts(tree, parts, tree.quantiles, Fraction(0), Fraction(1), 0, len(parts)):
        found[tuple(min(cut // spread, tree.bins - 1) for cut in cuts)] += chance
    return found


def _cuts(tree, parts, quantiles, below, above, start, end):
    if not quantiles:
        yield (), mp.mpf(1)
        return
    middle = len(quantiles) // 2
    q = quantiles[middle]
    for cut, chance in _chances(tree, parts, (q - below) / (above - below), start, end):
        left = _cuts(tree, parts, quantiles[:middle], below, q, start, max(cut, start))
        right = [*_cuts(tree, parts, quantiles[middle + 1 :], q, above, min(cut + 1, end), end)]
        for before, p in left:
            for after, r in right:
                yield (*before, cut, *after), chance * p * r


def _chances(tree, parts, q, start, end):
    if end <= start:
        return [(start, mp.mpf(1))]
    inside = parts[start:end]
    n = sum(inside)
    delta = quantile_tree.SPREAD * tree.sensitivity * max(q, 1 - q)
    weights = []
    for j in range(len(inside)):
        p = max(sum(inside[:j]) - q * n, q * n - sum(inside[: j + 1]), Fraction(0))
        x = tree.epsilon * p / (2 * delta)
        weights.append(mp.e ** -(mp.mpf(x.numerator) / x.denominator))
    return [(start + j, w / mp.fsum(weights)) for j, w in enumerate(weights)]


def test_the_law_is_the_formula(monkeypatch) -> None:
    """Fixed words: no false alarm. An epsilon 20 % off fails."""
    monkeypatch.setattr(quantile_tree, "SPREAD", 2)
    histogram = {0: 2, 1: 5, 3: 4}
    tree = QuantileTree(Fraction(2), QUARTILES, 1, 4)
    wanted = law(tree, histogram)
    places = {outcome: at for at, outcome in enumerate(wanted)}
    drawn = np.array([places[tuple(tree.release(exact(histogram)))] for _ in range(10_000)])
    assert chi_square(drawn, list(wanted.values())) > 1e-4
    other = law(QuantileTree(Fraction(12, 5), QUARTILES, 1, 4), histogram)
    assert chi_square(drawn, list(other.values())) < 1e-6


def worst(tree: QuantileTree, most: int) -> float:
    found = 0.0
    for one, other in neighbours(tree.bins, most):
        if sum(one) > 3:
            continue
        p, r = law(tree, as_dict(one)), law(tree, as_dict(other))
        losses = [float(mp.log(p[outcome] / r[outcome])) for outcome in p if p[outcome]]
        found = max(found, max(losses) - min(losses), *map(abs, losses))
    return found


def test_bounded_range_over_small_neighbours(monkeypatch) -> None:
    """A unit may lie on both sides of a cut: all rounds together stay within their price."""
    monkeypatch.setattr(quantile_tree, "SPREAD", 2)
    tree = QuantileTree(Fraction(1), QUARTILES, 2, 2)
    assert tree.rounds == 2
    assert 0.8 < worst(tree, 2) <= 2 + 1e-12


def test_a_unit_heavier_than_the_sensitivity_breaks_the_bound(monkeypatch) -> None:
    monkeypatch.setattr(quantile_tree, "SPREAD", 2)
    assert worst(QuantileTree(Fraction(3), QUARTILES, 1, 2), 3) > 6


def test_the_price_is_one_event_a_round_and_group() -> None:
    for count, rounds in ((1, 1), (2, 2), (3, 2), (4, 3), (99, 7)):
        quantiles = tuple(Fraction(i, count + 1) for i in range(1, count + 1))
        tree = QuantileTree(Fraction(1, 3), quantiles, 7, 9, cells=4)
        assert tree.items == [(Exponential(Fraction(1, 3)), 4 * rounds)]


@pytest.mark.parametrize("kind", ["uniform", "lognormal", "spiky"])
def test_rank_error_is_that_of_the_literature(kind: str) -> None:
    """99 quantiles at rho = 0.0244: 10 to 14 rows (accounting note); at most twice that.

    Fixed words. Spiky data is where splitting at atoms drifts by 1,500 rows without parts.
    """
    rng = np.random.default_rng(7)
    values = {
        "uniform": rng.uniform(0, 1, 10_000),
        "lognormal": np.minimum(rng.lognormal(0, 1, 10_000) / 50, 1),
        "spiky": rng.choice([0.1, 0.2, 0.25, 0.9], 10_000),
    }[kind]
    bins = 65_536
    placed = np.sort(np.minimum((values * bins).astype(np.int64), bins - 1))
    histogram = dict(
        zip(*(part.tolist() for part in np.unique(placed, return_counts=True)), strict=True)
    )
    quantiles = tuple(Fraction(i, 100) for i in range(1, 100))
    tree = QuantileTree(Fraction(167, 1000), quantiles, 1, bins)  # 7 rounds of epsilon^2 / 8
    errors = []
    for _ in range(3):
        chosen = tree.release(exact(histogram))
        assert chosen == sorted(chosen)
        for bin_, q in zip(chosen, quantiles, strict=True):
            below, upto = np.searchsorted(placed, [bin_, bin_ + 1])
            errors.append(max(below - float(q) * 10_000, float(q) * 10_000 - upto, 0))
    assert np.mean(errors) <= 28


def test_without_parts_spiky_data_drifts(monkeypatch) -> None:
    monkeypatch.setattr(quantile_tree, "SPREAD", 1)
    with pytest.raises(AssertionError):
        test_rank_error_is_that_of_the_literature("spiky")


def test_an_empty_histogram_and_a_grid_of_one_bin() -> None:
    assert QuantileTree(Fraction(1), QUARTILES, 1, 1).release(exact({})) == [0, 0, 0]
    assert QuantileTree(Fraction(1), QUARTILES, 1, 1).release(exact({0: 9})) == [0, 0, 0]
    drawn = QuantileTree(Fraction(1), QUARTILES, 1, 5).release(exact({}))
    assert all(0 <= bin_ < 5 for bin_ in drawn)


@pytest.mark.parametrize(
    "arguments",
    [
        (Fraction(0), QUARTILES, 1, 1),
        (0.5, QUARTILES, 1, 1),
        (Fraction(1), (), 1, 1),
        (Fraction(1), (Fraction(1, 2), Fraction(1, 4)), 1, 1),
        (Fraction(1), (Fraction(0),), 1, 1),
        (Fraction(1), QUARTILES, 0, 1),
        (Fraction(1), QUARTILES, 1, 2**50),
        (Fraction(1), QUARTILES, 1, 1, 0),
    ],
)
def test_wrong_parameters_are_refused(arguments) -> None:
    with pytest.raises(ValueError):
        QuantileTree(*arguments)
