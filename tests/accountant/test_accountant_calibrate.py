"""The least Gaussian noise, against mpmath."""

from __future__ import annotations

import decimal
from fractions import Fraction

import mpmath as mp
import pytest

from dpsql.accountant.calibrate import _CONTEXT, _mills, gaussian_multiplier

EPSILONS = [Fraction(1, 2**30), Fraction(1, 1000), Fraction(1, 3), Fraction(1), Fraction(10)]
EPSILONS += [Fraction(1000), Fraction(10**6), Fraction(10**9)]
DELTAS = [
    Fraction(1, 10**30),
    Fraction(1, 10**6),
    Fraction(1, 100),
    Fraction(1, 2),
    Fraction(9, 10),
]


def _tail(x: mp.mpf) -> mp.mpf:
    return mp.erfc(x / mp.sqrt(2)) / 2


def true_delta(epsilon: Fraction, noise: Fraction) -> mp.mpf:
    """Balle and Wang 2018, Theorem 8, as printed."""
    s, eps = mp.mpf(noise.numerator) / noise.denominator, mp.mpf(epsilon.numerator)
    eps /= epsilon.denominator
    return _tail(eps * s - 1 / (2 * s)) - mp.e**eps * _tail(eps * s + 1 / (2 * s))


@pytest.mark.parametrize("epsilon", EPSILONS, ids=lambda f: f"{float(f):.2g}")
@pytest.mark.parametrize("delta", DELTAS, ids=lambda f: f"{float(f):.2g}")
def test_enough_and_hardly_more_than_enough(epsilon: Fraction, delta: Fraction) -> None:
    noise = gaussian_multiplier(epsilon, delta)
    with mp.workdps(120):
        target = mp.mpf(delta.numerator) / delta.denominator
        assert true_delta(epsilon, noise) <= target
        assert true_delta(epsilon, noise * (1 - Fraction(1, 2**40))) > target


def test_the_figure_of_the_accounting_note() -> None:
    assert float(gaussian_multiplier(Fraction(1), Fraction(1, 10**6))) == pytest.approx(
        4.2247, abs=1e-4
    )


@pytest.mark.parametrize("x", ["-3", "-0.5", "0", "0.1", "2", "5.99", "6.01", "8", "30", "40000"])
def test_mills_ratio(x: str) -> None:
    with mp.workdps(110), decimal.localcontext(_CONTEXT):
        found = mp.mpf(str(_mills(decimal.Decimal(x))))
        value = mp.mpf(x)
        exact = _tail(value) / mp.npdf(value)
        assert abs(found / exact - 1) < mp.mpf("1e-75")


def test_tiny_epsilon_is_calibrated_as_zero() -> None:
    least = gaussian_multiplier(Fraction(1, 2**99), Fraction(1, 1000))
    assert gaussian_multiplier(Fraction(1, 10**60), Fraction(1, 1000)) >= least


@pytest.mark.parametrize("pair", [(0, "0.1"), (-1, "0.1"), (1, 0), (1, 1), (1, 2), (True, "0.1")])
def test_impossible_requests_are_value_errors(pair: tuple[object, object]) -> None:
    with pytest.raises(ValueError):
        gaussian_multiplier(*pair)  # type: ignore[arg-type]
